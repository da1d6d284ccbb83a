"""The editor, alone and while others change the task."""

from __future__ import annotations

import threading

import pytest
from textual.widgets import Input, Select, Static, TextArea

from fluxboard.model.types import Task
from fluxboard.tui.memory import NoMemory
from fluxboard.tui.screens.confirm import ConfirmScreen
from fluxboard.tui.screens.editor import EditorScreen
from fluxboard.tui.wishes import BoardClosed
from tests.support.fake_board import FakeBoard
from tests.support.waiting import until
from tests.tui.conftest import Open, Opened, cards


def one_task() -> FakeBoard:
    return FakeBoard(
        [
            Task(id="t", title="Old title", description="Old *text*", due_date="2026-03-13T00:00:00.000Z"),
            *cards(todo=2),
        ]
    )


def field(it: Opened, name: str) -> Input:
    return it.app.screen.query_one(f"#{name}", Input)


async def test_only_what_was_changed_is_saved(opened: Open) -> None:
    async with opened(one_task()) as it:
        await it.press("e")
        field(it, "title").value = "New title"
        it.board.remote_update("t", priority="critical")
        await it.press("ctrl+s")
        assert it.app.screen is it.screen
        task = it.board.tasks["t"]
        assert (task.title, task.priority, task.description) == ("New title", "critical", "Old *text*")
        assert task.due_date == "2026-03-13T00:00:00.000Z"


async def test_every_field_is_edited(opened: Open) -> None:
    async with opened(one_task()) as it:
        await it.press("e")
        screen = it.app.screen
        screen.query_one(TextArea).load_text("Line\nline")
        screen.query_one("#status", Select).value = "review"
        screen.query_one("#priority", Select).value = "low"
        screen.query_one("#assigned_to", Select).value = "u-mila"
        field(it, "due_date").value = "2026-04-01"
        await it.press("ctrl+s")
        task = it.board.tasks["t"]
        assert (task.description, task.status, task.priority) == ("Line\nline", "review", "low")
        assert (task.assigned_to, task.due_date) == ("u-mila", "2026-04-01")
        await it.press("e")
        field(it, "due_date").value = ""
        it.app.screen.query_one("#assigned_to", Select).value = ""
        await it.press("ctrl+s")
        assert (it.board.tasks["t"].assigned_to, it.board.tasks["t"].due_date) == (None, None)


async def test_untouched_fields_follow_and_typed_text_stays(opened: Open) -> None:
    async with opened(one_task()) as it:
        await it.press("e", "end", *"!!")
        it.board.remote_update(
            "t", title="Theirs", description="Their text", status="review", assigned_to="u-gone"
        )
        await it.pilot.pause()
        assert isinstance(it.app.screen, EditorScreen)
        assert field(it, "title").value == "Old title!!"
        assert it.app.screen.query_one(TextArea).text == "Their text"
        assert it.app.screen.query_one("#status", Select).value == "review"
        assert it.app.screen.query_one("#assigned_to", Select).value == "u-gone"
        assert "mila changed the title: “Theirs”; yours is kept until you save" in it.text()
        assert "changed by mila" in it.text(), "the fields that follow say so, too"
        await it.press("ctrl+s")
        task = it.board.tasks["t"]
        assert (task.title, task.description, task.status) == ("Old title!!", "Their text", "review")


async def test_a_task_deleted_meanwhile_is_saved_as_a_new_one(opened: Open) -> None:
    async with opened(one_task()) as it:
        await it.press("e", "end", *"!!")
        it.board.remote_delete("t")
        await it.pilot.pause()
        assert "deleted meanwhile" in it.text()
        await it.press("enter")
        assert "Old title!!" in {task.title for task in it.board.tasks.values()}


async def test_wrong_input_is_named_and_kept(opened: Open) -> None:
    async with opened(one_task()) as it:
        await it.press("e")
        field(it, "due_date").value = "soon"
        await it.press("ctrl+s")
        assert "“soon” is not a day" in it.text()
        assert field(it, "due_date").value == "soon"
        assert it.app.focused is field(it, "due_date")
        field(it, "due_date").value = ""
        field(it, "title").value = " \u202e "
        await it.press("ctrl+s")
        assert "Title: a task needs one." in it.text()
        field(it, "title").value = "x" * 501
        await it.press("ctrl+s")
        assert "501 characters, 500 fit" in it.text()


async def test_leaving_with_something_typed_asks_first(opened: Open) -> None:
    async with opened(one_task()) as it:
        await it.press("e", "escape")
        assert it.app.screen is it.screen
        await it.press("e", "x", "escape")
        assert isinstance(it.app.screen, ConfirmScreen)
        await it.press("n")
        assert field(it, "title").value.endswith("x")
        await it.press("escape", "y")
        assert it.app.screen is it.screen
        assert it.board.tasks["t"].title == "Old title"


async def test_letters_typed_do_not_act_on_the_board(opened: Open) -> None:
    async with opened(one_task()) as it:
        await it.press("N", *"qdjkLHu?", "escape", "y")
        assert it.app.screen is it.screen
        assert it.screen.query_one("#notice", Static).display is False
        assert set(it.board.tasks) == {"t", "todo-1", "todo-2"}


async def test_a_field_is_seen_with_its_label_on_the_smallest_screen(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1)), (40, 20)) as it:
        await it.press("e")
        for field, label in [("title", "Title"), ("description", "Description"), ("labels", "Labels")]:
            it.app.screen.query_one(f"#{field}").focus()
            await until(lambda label=label: f"  {label}" in it.text(), what=label)  # type: ignore[misc]
        it.app.screen.query_one("#title").focus()
        await until(lambda: "  Title" in it.text(), what="the first label again")


async def test_another_program_keeps_the_terminal_and_its_text_where_the_board_is_lost(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, memory = threading.Event(), NoMemory()

    def edit(text: bytes, extension: str) -> bytes:
        written.wait(10)
        return b"from outside\n"

    monkeypatch.setattr("click.edit", edit)
    async with opened(one_task(), memory=memory) as it:
        monkeypatch.setattr(type(it.app._driver), "can_suspend", True)
        await it.press("e", "ctrl+o")
        it.screen.post_message(BoardClosed("You are no longer a member of this project", sign_in=False))
        await it.pilot.pause(0.1)
        assert isinstance(it.app.screen, EditorScreen)
        written.set()
        await until(lambda: "no longer a member" in it.text(), what="the way on")
        assert memory.draft("p1/t") == {"description": "from outside"}
