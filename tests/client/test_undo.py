"""Undo, then redo, is the edit itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fluxboard.client.editing import Editing
from fluxboard.client.edits import Edit
from fluxboard.client.replica import Replica
from fluxboard.model.types import TASK_FIELDS, Task, TaskPatch, User
from fluxboard.model.wire import TaskCreate

COLUMNS = ("todo", "in_progress", "review", "completed")
steps = st.lists(
    st.tuples(
        st.sampled_from(("create", "title", "priority", "move", "delete", "bulk")),
        st.integers(0, 5),
        st.sampled_from(COLUMNS),
    ),
    min_size=1,
    max_size=100,
)


def picture(editing: Editing) -> dict[str, dict[str, object]]:
    """Every task as a person sees it."""
    return {task.id: {name: getattr(task, name) for name in TASK_FIELDS} for task in editing.tasks.values()}


def take(editing: Editing, what: str, number: int, column: str) -> bool:
    """One step; False where it did nothing that could be undone."""
    ids = sorted(editing.tasks)
    before = picture(editing)
    if what == "create" or not ids:
        editing.create([TaskCreate(title=f"task {number}", status=column)])
    elif what == "title":
        editing.update({ids[number % len(ids)]: TaskPatch(title=f"title {number} {column}")})
    elif what == "priority":
        editing.update({ids[number % len(ids)]: TaskPatch(priority="high" if number % 2 else "low")})
    elif what == "move":
        editing.move([ids[number % len(ids)]], column, ids[0], None)
    elif what == "delete":
        editing.delete([ids[number % len(ids)]])
    else:
        editing.update(dict.fromkeys(ids[: number + 1], TaskPatch(due_date=f"2026-01-0{number + 1}")))
    return picture(editing) != before


@given(steps)
def test_a_hundred_steps_back_and_forth(done: list[tuple[str, int, str]]) -> None:
    replica = Replica()

    def do(edits: object) -> None:
        for edit in edits:  # type: ignore[attr-defined]
            assert isinstance(edit, Edit)
            replica.add(edit)

    editing = Editing(replica, User(id="me", email="me@example.com", name="Me"), do, lambda: False)
    pictures = [picture(editing), *(picture(editing) for step in done if take(editing, *step))]
    for expected in reversed(pictures[:-1]):
        assert editing.undo() is not None
        assert picture(editing) == expected
    assert editing.undo() is None
    for expected in pictures[1:]:
        assert editing.redo() is not None
        assert picture(editing) == expected
    assert editing.redo() is None


def test_a_new_step_ends_what_could_be_redone() -> None:
    replica = Replica()
    editing = Editing(
        replica,
        User(id="me", email="me@example.com", name="Me"),
        lambda edits: [replica.add(edit) for edit in edits] and None,
        lambda: False,
    )
    task_id = editing.create([TaskCreate(title="a")])[0]
    editing.update({task_id: TaskPatch(title="b")})
    editing.undo()
    editing.update({task_id: TaskPatch(title="c")})
    assert editing.redo() is None
    assert isinstance(replica.shown[task_id], Task)
    assert replica.shown[task_id].title == "c"
