"""A wait is shown with how far it is, and one that is over soon is not."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input

from fluxboard.tui.screens.stats import StatsScreen
from fluxboard.tui.widgets import waiting
from fluxboard.tui.widgets.waiting import Waiting
from tests.support.fake_board import FakeBoard
from tests.support.waiting import until
from tests.tui.conftest import Open, cards, screen_text


class Waits(App[None]):
    def compose(self) -> ComposeResult:
        yield Waiting("Counting sheep")


async def test_what_is_over_soon_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SHOWN_AFTER", 60)
    app = Waits()
    async with app.run_test() as pilot:
        with app.query_one(Waiting).on() as tell:
            tell(1, 2)
            await pilot.pause()
            assert not app.query_one(Waiting).display
        assert app.query_one(Waiting)._timer is None


async def test_half_a_second_and_it_says_how_far_it_is() -> None:
    app = Waits()
    async with app.run_test(size=(40, 5)) as pilot:
        bar = app.query_one(Waiting)
        with bar.on() as tell:
            await until(lambda: bar.display)
            line = bar.render_line(0).text
            assert line.startswith("Counting sheep ")
            assert "━" in line
            assert "%" not in line
            tell(1, 4)
            assert bar.render_line(0).text.split() == ["Counting", "sheep", "━━━━────────────", "25%"]
            assert bar.render_line(0).cell_length == 40
        await pilot.pause()
        assert not bar.display


async def test_a_wait_that_takes_the_place_of_another_goes_on() -> None:
    app = Waits()
    async with app.run_test():
        bar = app.query_one(Waiting)
        first = bar.on("one")
        first.__enter__()
        with bar.on("two"):
            first.__exit__(None, None, None)
            await until(lambda: bar.display)
            assert bar.render_line(0).text.startswith("two ")
        assert not bar.display


async def test_the_statistics_say_how_much_of_the_log_is_read(opened: Open) -> None:
    board = FakeBoard(cards(todo=2))
    board.log_pages = (asyncio.Event(), asyncio.Event(), asyncio.Event())
    async with opened(board, (100, 30)) as it:
        await it.press("S")
        assert isinstance(it.app.screen, StatsScreen)
        await until(lambda: "reading the log" in screen_text(it.app))
        board.log_pages[0].set()
        await until(lambda: "25%" in screen_text(it.app))
        for page in board.log_pages:
            page.set()
        await until(lambda: "reading" not in screen_text(it.app))


async def test_a_board_that_was_never_seen_says_that_it_loads() -> None:
    from fluxboard.tui.app import FluxboardApp
    from tests.support.fake_board import FakeSession

    board = FakeBoard(cards(todo=2))
    board.gate = asyncio.Event()
    app = FluxboardApp(FakeSession(board), board.project.id)
    async with app.run_test():
        await until(lambda: "Loading the board" in screen_text(app))
        board.gate.set()
        await until(lambda: "Loading the board" not in screen_text(app))


@pytest.mark.parametrize("action", ["new", "search"])
async def test_a_line_has_the_keys_once_it_was_asked_for(action: str, opened: Open) -> None:
    """Who types on at once writes into it: no letter is a command of the board."""
    async with opened(FakeBoard(cards(todo=2))) as it:
        await it.screen.action_act(action)
        assert isinstance(it.app.focused, Input)


async def test_tasks_that_come_in_one_piece_are_as_many_tasks(opened: Open) -> None:
    """Over a slow link the enter and the next title arrive together."""
    async with opened(FakeBoard()) as it:
        await it.press("n")
        for key in ("a", "b", "enter", "c", "enter", "d", "enter"):
            it.app.post_message(events.Key(key, key if len(key) == 1 else "\r"))
        await until(lambda: len(it.board.tasks) == 3)
        assert [task.title for task in it.board.tasks.values()] == ["ab", "c", "d"]
