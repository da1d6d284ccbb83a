"""While others change the board: my cursor, my editor and what I type stay mine."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace
from textual.widgets import Input, OptionList, TextArea

from fluxboard.client.events import Changed, ProjectChanged
from fluxboard.model.types import Column, Task
from fluxboard.tui.screens.confirm import ConfirmScreen
from fluxboard.tui.screens.detail import DetailScreen
from fluxboard.tui.screens.editor import EditorScreen
from fluxboard.tui.screens.picker import PickScreen
from tests.support.fake_board import FakeBoard
from tests.support.waiting import until
from tests.tui.conftest import Open, Opened, cards


def busy_board() -> FakeBoard:
    return FakeBoard(cards(todo=8, in_progress=4, review=2, completed=6))


def somebody_does_something(board: FakeBoard, chance: random.Random, mine: str) -> None:
    """One change of a teammate, to any task; mine is never deleted, but may be moved and edited."""
    status = chance.choice(["todo", "in_progress", "review", "completed"])
    task_id = chance.choice(list(board.tasks))
    match chance.randrange(4):
        case 0:
            number = len(board.tasks) + chance.randrange(10_000)
            board.remote_create(Task(id=f"new-{number}", title=f"New {number}", status=status))
        case 1:
            board.remote_update(task_id, title=f"Renamed {chance.randrange(100)} " * chance.randrange(1, 6))
        case 2:
            board.remote_update(task_id, status=status)
        case _:
            if task_id != mine:
                board.remote_delete(task_id)


@pytest.mark.parametrize("seed", range(4))
async def test_the_cursor_stays_on_my_task_and_in_view(seed: int, opened: Open) -> None:
    async with opened(busy_board(), (160, 24)) as it:
        await it.press("j", "j", "j", "j")
        chance, mine = random.Random(seed), "todo-5"
        for _ in range(40):
            somebody_does_something(it.board, chance, mine)
            # In a burst the columns are painted a moment later.
            await until(lambda: columns_of(it) == [list(it.board.column_ids(s)) for s in it.screen.columns])
            await it.pilot.pause()
            assert it.screen.cursor.task_id == mine
            column = it.screen.columns[it.board.tasks[mine].status]
            line = column.line_of(mine)
            assert line is not None
            assert 0 <= line < column.size.height


def columns_of(it: Opened) -> list[list[str]]:
    """What the columns show."""
    return [it.ids(status) for status in it.screen.columns]


async def test_my_selection_stays_without_what_is_gone(opened: Open) -> None:
    async with opened(busy_board()) as it:
        await it.press("space", "j", "space", "j", "space")
        it.board.remote_delete("todo-2")
        it.board.remote_update("todo-3", status="review")
        await it.press("L")
        assert it.screen.cursor.selected == {"todo-1", "todo-3"}
        assert {it.board.tasks[task_id].status for task_id in ("todo-1", "todo-3")} == {"completed"}


async def type_in(it: Opened, *keys: str) -> EditorScreen:
    await it.press("e", "end", *keys)
    editor = it.app.screen
    assert isinstance(editor, EditorScreen)
    return editor


async def test_my_editor_stays_open_and_keeps_cursor_and_text(opened: Open) -> None:
    async with opened(busy_board()) as it:
        editor = await type_in(it, *" and", "left", "left")
        title = editor.query_one("#title", Input)
        chance = random.Random(1)
        for _ in range(30):
            somebody_does_something(it.board, chance, "todo-1")
            await it.pilot.pause()
            assert it.app.screen is editor
            assert title.value == "todo 1 and"
            assert title.cursor_position == len("todo 1 a")
            assert it.app.focused is title
        await it.press("X", "ctrl+s")
        assert it.board.tasks["todo-1"].title == "todo 1 aXnd"
        assert it.screen.cursor.task_id == "todo-1"


async def test_a_description_being_written_is_not_replaced(opened: Open) -> None:
    async with opened(FakeBoard([Task(id="t", title="x", description="One.")])) as it:
        await it.press("e", "tab", "end", *" Two.")
        area = it.app.screen.query_one(TextArea)
        at = area.cursor_location
        it.board.remote_update("t", description="Somebody else's.", priority="high")
        await it.pilot.pause()
        assert (area.text, area.cursor_location) == ("One. Two.", at)
        assert "mila changed the description: “Somebody else's.”" in it.text()
        await it.press("ctrl+s")
        assert it.board.tasks["t"].description == "One. Two."
        assert it.board.tasks["t"].priority == "high"


async def test_a_new_task_is_written_undisturbed(opened: Open) -> None:
    async with opened(busy_board()) as it:
        await it.press("N", *"Mine")
        it.board.emit(Changed(frozenset()))
        it.board.remote_delete("todo-1")
        await it.press(*" too", "enter")
        assert it.board.tasks[it.screen.cursor.task_id or ""].title == "Mine too"


async def test_a_delete_of_what_i_edit_tells_me_and_keeps_my_text(opened: Open) -> None:
    async with opened(busy_board()) as it:
        editor = await type_in(it, *"!!")
        it.board.remote_delete("todo-1")
        await it.pilot.pause()
        assert it.app.screen is editor
        assert "deleted meanwhile" in it.text()
        assert editor.query_one("#title", Input).value == "todo 1!!"
        await it.press("escape")
        assert isinstance(it.app.screen, ConfirmScreen), "what is typed is not thrown away unasked"
        await it.press("n", "ctrl+s")
        made = it.screen.cursor.task_id
        assert made is not None
        assert it.board.tasks[made].title == "todo 1!!"


async def test_a_task_that_comes_back_is_edited_again(opened: Open) -> None:
    async with opened(busy_board()) as it:
        await type_in(it, *"!!")
        gone = it.board.tasks["todo-1"]
        it.board.remote_delete("todo-1")
        it.board.remote_create(gone)
        await it.pilot.pause()
        assert "This task is back" in it.text()
        await it.press("ctrl+s")
        assert it.board.tasks["todo-1"].title == "todo 1!!"
        assert len(it.board.tasks) == 20


async def test_the_open_task_follows_and_says_when_it_is_gone(opened: Open) -> None:
    async with opened(busy_board()) as it:
        await it.press("enter")
        it.board.remote_update("todo-1", description="Fresh *words*")
        it.board.remote_update("todo-1", title="Renamed")
        await until(lambda: "Fresh words" in it.text())
        assert "Renamed" in it.text()
        it.board.remote_delete("todo-1")
        await until(lambda: "Somebody deleted this task" in it.text())
        assert isinstance(it.app.screen, DetailScreen)
        assert "Fresh words" in it.text(), "it can still be read and copied"
        await it.press("e")
        await until(lambda: it.app.screen is it.screen)


async def test_a_question_about_a_task_that_goes_meanwhile(opened: Open) -> None:
    async with opened(busy_board()) as it:
        await it.press("d")
        it.board.remote_delete("todo-1")
        await it.press("y")
        assert len(it.board.tasks) == 19, "the next one is not deleted in its place"
        await it.press("a")
        assert isinstance(it.app.screen, PickScreen)
        it.board.remote_delete("todo-2")
        it.app.screen.query_one(OptionList).highlighted = 1
        await it.press("enter")
        assert all(task.assigned_to is None for task in it.board.tasks.values())


async def test_a_column_that_goes_leaves_the_cursor_on_the_board(opened: Open) -> None:
    async with opened(busy_board()) as it:
        await it.press("l", "l", "l", "j")
        it.board.project = replace(it.board.project, columns=(Column(id="todo", name="To Do"),))
        it.board.emit(ProjectChanged(it.board.project))
        await until(lambda: list(it.screen.columns) == ["todo"])
        await it.pilot.pause()
        assert it.screen.cursor.task_id in it.board.column_ids("todo")
        await it.press("j", "p", "L", "h")


async def test_the_editor_survives_new_columns(opened: Open) -> None:
    async with opened(busy_board()) as it:
        editor = await type_in(it, "!")
        it.board.project = replace(
            it.board.project, columns=(*it.board.project.columns, Column(id="qa", name="Check"))
        )
        it.board.emit(ProjectChanged(it.board.project))
        it.board.remote_update("todo-1", status="qa")
        await until(lambda: "qa" in it.screen.columns)
        assert it.app.screen is editor
        await it.press("ctrl+s")
        assert it.board.tasks["todo-1"].title == "todo 1!"
        assert it.board.tasks["todo-1"].status == "qa"
        assert it.ids("qa") == ["todo-1"]
