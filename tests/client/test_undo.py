"""Undo, then redo, is the edit itself; and neither overwrites what somebody else did unseen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxboard.client.editing import Editing
from fluxboard.client.edits import Edit
from fluxboard.client.replica import Replica
from fluxboard.client.undo import Overtaken
from fluxboard.model.types import TASK_FIELDS, Task, TaskPatch, User
from fluxboard.model.wire import BatchOp, TaskCreate
from tests.support.program import alone
from tests.support.waiting import until

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


def changed(task_id: str, *patches: TaskPatch) -> list[BatchOp]:
    return [BatchOp(op="update", task_id=task_id, patch=patch) for patch in patches]


async def test_a_change_to_and_fro_is_asked_about_even_where_the_log_is_gone(tmp_path: Path) -> None:
    ada = await alone(tmp_path)
    bob = await ada.invite("bob")
    session, board, _ = await ada.open()
    touched, alone_with = board.create_all([TaskCreate(title="touched"), TaskCreate(title="untouched")])
    board.update([touched, alone_with], TaskPatch(priority="high"))
    await board.idle()
    board.update([alone_with], TaskPatch(title="mine"))
    await board.idle()
    ada.network.away = True
    await bob.edit(changed(touched, TaskPatch(priority="low"), TaskPatch(priority="high")))
    await bob.edit(changed(alone_with, TaskPatch(due_date="2026-01-01")))
    ada.forget_log()
    ada.network.away = False
    await until(lambda: board.tasks == ada.stored(), what="the list came")
    assert "GET tasks" in ada.network.asked
    assert board.undo() == "change “untouched”", "nobody else changed that field"
    with pytest.raises(Overtaken) as asked:
        board.undo()
    assert asked.value.task_ids == (touched,)
    board.undo(overwrite=True)
    await board.idle()
    assert not board.attention
    assert {task.priority for task in ada.stored().values()} == {"medium"}
    await board.close()
    await session.close()


async def test_a_step_taken_back_offline_does_not_overwrite_what_others_put_there(tmp_path: Path) -> None:
    ada = await alone(tmp_path)
    bob = await ada.invite("bob")
    session, board, _ = await ada.open()
    one, two = board.create_all([TaskCreate(title="one"), TaskCreate(title="two")])
    board.update([one, two], TaskPatch(priority="high"))
    await board.idle()
    ada.network.away = True
    board.undo()
    assert {task.priority for task in board.tasks.values()} == {"medium"}
    await bob.edit(changed(one, TaskPatch(priority="critical")))
    ada.network.away = False
    await board.idle()
    (item,) = board.attention
    assert item.refusal.reason == "bob changed the priority meanwhile"
    assert item.edit.task_id == one
    await until(lambda: board.tasks == ada.stored())
    assert {task.id: task.priority for task in ada.stored().values()} == {one: "critical", two: "medium"}
    board.retry(item.edit.op_id)
    await board.idle()
    assert ada.stored()[one].priority == "medium", "its author wanted it all the same"
    await board.close()
    await session.close()
