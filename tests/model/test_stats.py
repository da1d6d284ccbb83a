from __future__ import annotations

from datetime import date

from fluxboard.model.stats import (
    StatusChange,
    burn_down,
    cumulative_flow,
    cycle_times,
    load,
    summary,
    throughput,
)
from fluxboard.model.types import DEFAULT_COLUMNS, Task

TODAY = date(2026, 3, 11)
TASKS = (
    Task(
        id="a",
        title="a",
        status="completed",
        created_at="2026-03-01T00:00:00Z",
        completed_at="2026-03-09T00:00:00Z",
    ),
    Task(id="b", title="b", status="in_progress", created_at="2026-03-08T00:00:00Z", assigned_to="u1"),
    Task(id="c", title="c", created_at="2026-03-11T00:00:00Z"),
)
MOVES = (
    StatusChange("a", "todo", "in_progress", "2026-03-05T10:00:00Z"),
    StatusChange("a", "in_progress", "completed", "2026-03-09T10:00:00Z"),
    StatusChange("b", "todo", "in_progress", "2026-03-10T10:00:00Z"),
)


def test_where_each_task_stood_each_day() -> None:
    flow = cumulative_flow(TASKS, MOVES, DEFAULT_COLUMNS, TODAY, days=8)
    assert flow.days[0] == date(2026, 3, 4)
    assert flow.counts["todo"] == (1, 0, 0, 0, 1, 1, 0, 1)
    assert flow.counts["in_progress"] == (0, 1, 1, 1, 1, 0, 1, 1)
    assert flow.counts["completed"] == (0, 0, 0, 0, 0, 1, 1, 1)


def test_without_a_log_finished_tasks_were_open_before() -> None:
    flow = cumulative_flow(TASKS[:1], (), DEFAULT_COLUMNS, TODAY, days=4)
    assert flow.counts["todo"] == (1, 0, 0, 0)
    assert flow.counts["completed"] == (0, 1, 1, 1)


def test_weeks_cycles_load_and_the_line() -> None:
    weeks = throughput(TASKS, TODAY, weeks=2)
    assert weeks == [(date(2026, 3, 2), 0), (date(2026, 3, 9), 1)]
    assert cycle_times(TASKS, MOVES) == [4]
    assert cycle_times(TASKS, ()) == [8]
    assert load(TASKS, {"u1": "Ada"}) == [("Ada", 1), ("Nobody", 1)]
    days, left, ideal = burn_down(TASKS, TODAY, date(2026, 3, 21))
    assert (days[0], left[0], left[-1]) == (date(2026, 3, 1), 1, 2)
    assert ideal[0] == 1.0
    assert burn_down(TASKS, TODAY, None)[2] == ()
    assert summary([1]) == ""
    assert summary([1, 2, 3, 4]) == "half within 2 days, 85% within 4"


def test_nothing_is_no_trouble() -> None:
    assert cumulative_flow((), (), DEFAULT_COLUMNS, TODAY, days=2).counts["todo"] == (0, 0)
    assert burn_down((), TODAY, None)[1] == (0,)
    assert cycle_times((), ()) == []
    assert load((), {}) == []
