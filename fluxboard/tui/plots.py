"""The plots of the statistics: what each shows of a board's past, on the screen and in the SVG file alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Final

from fluxboard.model import stats
from fluxboard.model.text import clean_line
from fluxboard.model.types import COMPLETED, Project, Task, day_of
from fluxboard.tui.charts import Layer, Lines, Paper, area, bars, legend, lying
from fluxboard.tui.themes import DARK, palette_of

#: For columns that have no colour of their own.
_COLOURS: Final = ("purple", "blue", "orange", "teal", "pink", "yellow", "red")


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
    draw: Callable[[Past, Paper], Lines]


def _flow(past: Past, paper: Paper) -> Lines:
    flow = stats.cumulative_flow(past.tasks, past.changes, past.project.columns, past.today)
    spare = iter(_COLOURS * len(past.project.columns))
    layers = [
        Layer(
            clean_line(column.name),
            paper.palette.of_name(column.color or ("green" if column.id == COMPLETED else next(spare))),
        )
        for column in past.project.columns
    ][::-1]
    counts = [flow.counts[column.id] for column in reversed(past.project.columns)]
    told = legend(layers, [str(row[-1]) for row in counts], paper)
    return told + area(layers, list(zip(*counts, strict=True)), _days(flow.days), paper.smaller(len(told)))


def _throughput(past: Past, paper: Paper) -> Lines:
    weeks = stats.throughput(past.tasks, past.today)
    return bars([(_day(week), done) for week, done in weeks], paper.palette.success, paper)


def _cycle(past: Past, paper: Paper) -> Lines:
    times = stats.cycle_times(past.tasks, past.changes)
    if not times:
        return []
    step = max(1, -(-(max(times) + 1) // 12))
    counts = Counter(days // step for days in times)
    places = range(max(times) // step + 1)
    labels = [f"{n}d" if step == 1 else f"{n * step}-{n * step + step - 1}d" for n in places]
    return bars(
        [(label, counts[n]) for n, label in zip(places, labels, strict=True)], paper.palette.label, paper
    )


def _burn(past: Past, paper: Paper) -> Lines:
    days, left, ideal = stats.burn_down(past.tasks, past.today, day_of(past.project.due_date))
    layers = [Layer("open", paper.palette.of_name("orange"))]
    told = legend(layers, [str(left[-1])], paper, "to the due date" if ideal else "")
    return told + area(layers, [(count,) for count in left], _days(days), paper.smaller(len(told)), ideal)


def _load(past: Past, paper: Paper) -> Lines:
    people = [(clean_line(name), open_) for name, open_ in stats.load(past.tasks, past.names)]
    return lying(people, paper.palette.accent, paper)


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


def svg(past: Past, width: int = 100, height: int = 16) -> str:
    """All plots, one below the other, as an SVG picture."""
    from copy import copy

    from rich.color import Color
    from rich.console import Console
    from rich.segment import SegmentLines
    from rich.terminal_theme import SVG_EXPORT_THEME
    from rich.text import Text

    console = Console(
        record=True, width=width, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    paper = Paper(width, height, palette_of({**DARK.to_color_system().generate(), **DARK.variables}))
    for plot in PLOTS:
        console.print(Text(plot.title, "bold"), Text(f" {plot.told(past)}", "dim"))
        console.print(SegmentLines([*plot.draw(past, paper), []], new_lines=True))
    theme = copy(SVG_EXPORT_THEME)
    theme.background_color = Color.parse(paper.palette.background).get_truecolor()
    return console.export_svg(title=past.project.name, theme=theme)


def _day(day: date) -> str:
    return f"{day:%b} {day.day}"


def _days(days: Sequence[date]) -> list[str]:
    return [_day(day) for day in days]
