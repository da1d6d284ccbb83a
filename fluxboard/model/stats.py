"""What a board's past says: flow, throughput, cycle times, burn-down, load. Pure; days are UTC days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import quantiles

from fluxboard.model.types import COMPLETED, Column, Task, day_of


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A task went from one column to another; ``at`` is a wire timestamp."""

    task_id: str
    before: str
    after: str
    at: str


@dataclass(frozen=True, slots=True)
class Flow:
    """The number of tasks in each column at the end of each day; ``counts`` by column id."""

    days: tuple[date, ...]
    counts: Mapping[str, tuple[int, ...]]


def cumulative_flow(
    tasks: Iterable[Task],
    changes: Iterable[StatusChange],
    columns: Sequence[Column],
    today: date,
    days: int = 30,
) -> Flow:
    """How many tasks stood in each column on each of the last ``days`` days.

    A task whose moves are not known any more stood in the first column until it was completed.
    """
    span = tuple(today - timedelta(days=back) for back in range(days - 1, -1, -1))
    moves: dict[str, list[StatusChange]] = {}
    for change in sorted(changes, key=lambda change: change.at):
        moves.setdefault(change.task_id, []).append(change)
    counts = {column.id: [0] * days for column in columns}
    first = columns[0].id if columns else ""
    for task in tasks:
        born = day_of(task.created_at) or span[0]
        for place, day in enumerate(span):
            if born <= day:
                status = _status_on(task, moves.get(task.id, ()), day, first)
                if status in counts:
                    counts[status][place] += 1
    return Flow(span, {status: tuple(row) for status, row in counts.items()})


def throughput(tasks: Iterable[Task], today: date, weeks: int = 12) -> list[tuple[date, int]]:
    """How many tasks were completed in each of the last weeks; a week is named by its Monday."""
    monday = today - timedelta(days=today.weekday())
    done = Counter(
        day - timedelta(days=day.weekday())
        for task in tasks
        if (day := day_of(task.completed_at)) is not None
    )
    return [
        (week, done[week]) for back in range(weeks - 1, -1, -1) for week in [monday - timedelta(weeks=back)]
    ]


def cycle_times(tasks: Iterable[Task], changes: Iterable[StatusChange]) -> list[int]:
    """Days from each completed task's first move, or its creation where none is known, to its completion."""
    started: dict[str, str] = {}
    for change in changes:
        started[change.task_id] = min(change.at, started.get(change.task_id, change.at))
    times = []
    for task in tasks:
        end = day_of(task.completed_at)
        start = day_of(started.get(task.id) or task.created_at)
        if end is not None and start is not None:
            times.append(max(0, (end - start).days))
    return sorted(times)


def burn_down(
    tasks: Iterable[Task], today: date, due: date | None, days: int = 30
) -> tuple[tuple[date, ...], tuple[int, ...], tuple[float, ...]]:
    """The open tasks at the end of each day up to today, and the straight line from the first day to ``due``.

    Without a due date the line is empty.
    """
    every = list(tasks)
    first = min((day for task in every if (day := day_of(task.created_at))), default=today)
    start = max(first, today - timedelta(days=days - 1))
    span = tuple(start + timedelta(days=n) for n in range((today - start).days + 1))
    left = tuple(sum(_open_on(task, day) for task in every) for day in span)
    if due is None or due <= start:
        return span, left, ()
    length = (due - start).days
    ideal = tuple(max(0.0, left[0] * (1 - n / length)) for n in range(len(span)))
    return span, left, ideal


def load(tasks: Iterable[Task], names: Mapping[str, str]) -> list[tuple[str, int]]:
    """The open tasks of each person, the most first; "Nobody" for those without one."""
    counts = Counter(
        names.get(task.assigned_to, "Somebody") if task.assigned_to else "Nobody"
        for task in tasks
        if task.status != COMPLETED and not task.archived
    )
    return counts.most_common()


def summary(times: Sequence[int]) -> str:
    """ "half within 3 days, 85% within 9": what a list of cycle times says; "" for fewer than two."""
    if len(times) < 2:
        return ""
    cuts = quantiles(times, n=100, method="inclusive")
    return f"half within {round(cuts[49])} days, 85% within {round(cuts[84])}"


def _status_on(task: Task, moves: Sequence[StatusChange], day: date, first: str) -> str:
    later = next((move for move in moves if (at := day_of(move.at)) is not None and at > day), None)
    if later is not None:
        return later.before
    if not moves and task.status == COMPLETED:
        done = day_of(task.completed_at)
        return COMPLETED if done is None or done <= day else first
    return task.status


def _open_on(task: Task, day: date) -> bool:
    born, done = day_of(task.created_at), day_of(task.completed_at)
    return (born is None or born <= day) and (done is None or done > day)
