"""Keys that arrive together: each goes to who has the keyboard once the one before it is done."""

from __future__ import annotations

import pytest
from textual import events
from textual.keys import _character_to_key
from textual.widgets import Input

from fluxboard.tui import turns
from fluxboard.tui.app import FluxboardApp
from fluxboard.tui.screens.editor import EditorScreen
from fluxboard.tui.screens.sign_in import SignInScreen
from tests.support.fake_board import FakeBoard, FakeSession
from tests.support.waiting import until
from tests.tui.conftest import Open, cards


def together(app: FluxboardApp, text: str) -> None:
    """Keys as they come in one chunk from a terminal."""
    names = {"\r": "enter", "\t": "tab", "\x1b": "escape"}
    for letter in text:
        key = names.get(letter) or _character_to_key(letter)
        app.post_message(events.Key(key, letter))


async def test_a_title_that_comes_with_the_key_that_opens_the_line(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2)), (80, 24)) as it:
        together(it.app, "nFix login dJ\rand q\r\r")
        await until(lambda: len(it.board.tasks) == 4, what="two tasks")
        titles = [task.title for task in it.board.tasks.values()]
        assert titles[-2:] == ["Fix login dJ", "and q"]
        await until(lambda: not it.screen.query("#quick-add"), what="the line is gone")


async def test_a_paste_that_comes_with_the_key_that_opens_the_line(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2)), (80, 24)) as it:
        together(it.app, "n")
        it.app.post_message(events.Paste("Fix the login"))
        await until(lambda: bool(it.screen.query("#quick-add Input")), what="the line")
        await it.pilot.pause()
        assert it.screen.query_one("#quick-add Input", Input).value == "Fix the login"


async def test_letters_go_to_a_dialog_that_is_only_being_built(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2)), (80, 24)) as it:
        together(it.app, "eNew ")
        await until(lambda: isinstance(it.app.screen, EditorScreen), what="the editor")
        await it.pilot.pause()
        assert "New " in it.app.screen.query_one("#title", Input).value
        assert len(it.board.tasks) == 2


async def test_keys_after_the_one_that_closes_a_dialog_are_the_boards(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 5)  # nothing is waited for
    async with opened(FakeBoard(cards(todo=3)), (80, 24)) as it:
        together(it.app, "?move to a\x1b/todo 3\rgg")
        await until(lambda: it.ids("todo") == ["todo-3"], seconds=3, what="the filter")


async def test_each_field_gets_its_text_however_fast_it_comes() -> None:
    session = FakeSession(FakeBoard())
    session.user = None
    app = FluxboardApp(session)
    async with app.run_test(size=(80, 24)):
        await until(lambda: isinstance(app.screen, SignInScreen), what="the screen")
        together(app, "me@x.io\tsecret")
        await until(lambda: app.screen.query_one("#password", Input).value == "secret", what="the password")
        assert app.screen.query_one("#email", Input).value == "me@x.io"
