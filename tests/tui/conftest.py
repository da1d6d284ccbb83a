"""A board on a screen, with the clock standing still."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from textual import constants
from textual.pilot import Pilot

from fluxboard.model.types import Task
from fluxboard.tui.app import FluxboardApp
from fluxboard.tui.screens.board import BoardScreen
from tests.support.fake_board import FakeBoard, FakeSession
from tests.support.waiting import until

NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)

# Read when an app is made; what moves is no subject of these tests.
constants.TEXTUAL_ANIMATIONS = "none"  # type: ignore[misc]
# Over SSH dialogs look different.
os.environ.pop("SSH_CONNECTION", None)


def screen_text(app: FluxboardApp) -> str:
    """Everything on the screen, as text."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines[: app.size.height])


@dataclass
class Opened:
    """A running app with its board in view."""

    app: FluxboardApp
    pilot: Pilot[Any]
    board: FakeBoard
    screen: BoardScreen

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def ids(self, status: str) -> list[str]:
        """What a column shows, from top to bottom."""
        return list(self.screen.columns[status].ids)

    @property
    def toasts(self) -> list[tuple[str, str]]:
        return [(toast.message, str(toast.severity)) for toast in self.app._notifications]

    def text(self) -> str:
        """Everything on the screen, as text."""
        return screen_text(self.app)


Open = Callable[..., AbstractAsyncContextManager[Opened]]


def cards(**columns: int) -> list[Task]:
    """So many tasks in each column: "todo-1", "todo-2", …"""
    return [
        Task(id=f"{status}-{number}", title=f"{status} {number}", status=status)
        for status, count in columns.items()
        for number in range(1, count + 1)
    ]


@asynccontextmanager
async def open_board(
    board: FakeBoard, size: tuple[int, int] = (130, 40), **options: Any
) -> AsyncIterator[Opened]:
    app = FluxboardApp(FakeSession(board), board.project.id, clock=lambda: NOW, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(lambda: isinstance(app.screen, BoardScreen) and app.screen.columns, what="the board")
        await until(lambda: board.started, what="the board to start")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, BoardScreen)
        yield Opened(app, pilot, board, screen)


@pytest.fixture
def opened() -> Open:
    return open_board
