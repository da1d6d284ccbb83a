"""The plots of the statistics, drawn on a plotext figure: the screen's and the SVG file's alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any, Final

from fluxboard.model import stats
from fluxboard.model.text import clean_line
from fluxboard.model.types import Project, Task, day_of

_NAME_MAX: Final = 14
_COLOURS: Final = ("blue", "cyan", "orange", "green", "magenta", "red", "yellow", "white")
#: plotext has no types.
Figure = Any


@dataclass(frozen=True)
class Past:
    """All that the plots are made from."""

    project: Project
    tasks: Sequence[Task]
    changes: Sequence[stats.StatusChange]
    names: Mapping[str, str]
    today: date


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot: its title, what it says in a line of words, and what draws it."""

    title: str
    told: Callable[[Past], str]
    draw: Callable[[Figure, Past], None]


def _flow(figure: Figure, past: Past) -> None:
    flow = stats.cumulative_flow(past.tasks, past.changes, past.project.columns, past.today)
    below = [0] * len(flow.days)
    stacked: list[tuple[str, list[int]]] = []
    for column in reversed(past.project.columns):
        below = [low + count for low, count in zip(below, flow.counts[column.id], strict=True)]
        stacked.append((_name(column.name), below))
    places = list(range(len(flow.days)))
    for number, (name, heights) in enumerate(reversed(stacked)):  # the tallest first, the others over it
        figure.plot(places, heights, label=name, color=_colour(number), fillx=True, marker="hd")
    _days(figure, flow.days)


def _throughput(figure: Figure, past: Past) -> None:
    weeks = stats.throughput(past.tasks, past.today)
    figure.bar([f"{week.month}/{week.day}" for week, _ in weeks], [done for _, done in weeks], color="green")


def _cycle(figure: Figure, past: Past) -> None:
    times = stats.cycle_times(past.tasks, past.changes)
    if times:
        longest = max(times)
        step = max(1, -(-(longest + 1) // 20))
        counts = Counter(days // step for days in times)
        places = range(longest // step + 1)
        labels = [str(n) if step == 1 else f"{n * step}-{n * step + step - 1}" for n in places]
        figure.bar(labels, [counts[n] for n in places], color="cyan")
    figure.xlabel("days")


def _burn(figure: Figure, past: Past) -> None:
    days, left, ideal = stats.burn_down(past.tasks, past.today, day_of(past.project.due_date))
    places = list(range(len(days)))
    figure.plot(places, list(left), label="open", color="orange", marker="hd")
    if ideal:
        figure.plot(places, list(ideal), label="to the due date", color="gray", marker="dot")
    _days(figure, days)


def _load(figure: Figure, past: Past) -> None:
    people = stats.load(past.tasks, past.names)[:12]
    if people:
        figure.bar(
            [_name(name) for name, _ in reversed(people)],
            [count for _, count in reversed(people)],
            orientation="horizontal",
            color="blue",
        )


def _told_throughput(past: Past) -> str:
    weeks = stats.throughput(past.tasks, past.today)
    mean = sum(done for _, done in weeks) / len(weeks)
    return f"{weeks[-1][1]} this week, {mean:.1f} a week on average"


def _told_load(past: Past) -> str:
    people = stats.load(past.tasks, past.names)
    return f"{sum(count for _, count in people)} open, most with {clean_line(people[0][0])}" if people else ""


def _told_burn(past: Past) -> str:
    _, left, ideal = stats.burn_down(past.tasks, past.today, day_of(past.project.due_date))
    if not ideal:
        return f"{left[-1]} open; give the project a due date to see the line it should follow"
    ahead = ideal[-1] - left[-1]
    return f"{left[-1]} open, {abs(ahead):.0f} {'ahead of' if ahead >= 0 else 'behind'} the line"


PLOTS: Final[tuple[Plot, ...]] = (
    Plot("Cumulative flow, 30 days", lambda _: "tasks in each column, stacked", _flow),
    Plot("Throughput by week", _told_throughput, _throughput),
    Plot(
        "Cycle time",
        lambda past: stats.summary(stats.cycle_times(past.tasks, past.changes)) or "too few finished tasks",
        _cycle,
    ),
    Plot("Burn-down", _told_burn, _burn),
    Plot("Open tasks by person", _told_load, _load),
)


def svg(past: Past, width: int = 100, height: int = 18) -> str:
    """All plots, one below the other, as an SVG picture."""
    import plotext
    from rich.console import Console
    from rich.text import Text

    console = Console(
        record=True, width=width, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    for plot in PLOTS:
        plotext.clear_figure()
        plotext.theme("dark")
        plotext.plotsize(width, height)
        plot.draw(plotext, past)
        console.print(Text(plot.title, "bold"), Text(f" {plot.told(past)}", "dim"))
        console.print(Text.from_ansi(plotext.build()))
    return console.export_svg(title=past.project.name)


def _days(figure: Figure, days: Sequence[date]) -> None:
    if days:
        step = max(1, len(days) // 6)
        places = list(range(0, len(days), step))
        figure.xticks(places, [f"{days[place].month}/{days[place].day}" for place in places])


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def _name(text: str) -> str:
    name = clean_line(text)
    return name if len(name) <= _NAME_MAX else name[: _NAME_MAX - 1] + "…"
