"""The pictures of the README: ``python -m tests.screenshots`` draws them from a board in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from textual import constants
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from fluxboard.client.events import Connection, Delivery, Remote
from fluxboard.model.types import ProjectPatch
from fluxboard.tui.app import FluxboardApp
from fluxboard.tui.config import Config
from fluxboard.tui.screens.board import BoardScreen
from tests.support.fake_board import FakeBoard, FakeSession
from tests.support.seeded import (
    MILA,
    NOW,
    SARA,
    give_a_past,
    give_mail,
    happenings,
    id_of,
    refused_edits,
    team_board,
)
from tests.support.waiting import until

FOLDER: Final = Path(__file__).parents[1] / "screenshots"
DESK, LAPTOP, PHONE = (160, 48), (100, 30), (60, 24)

Prepare = Callable[[Pilot[Any], BoardScreen], Awaitable[None]]


@dataclass(frozen=True)
class Shot:
    """One picture: its size, its theme, and what is done on the board before it is taken."""

    size: tuple[int, int]
    prepare: Prepare
    theme: str = "fluxboard-dark"


async def a_toast(pilot: Pilot[Any], screen: BoardScreen) -> None:
    """On the busiest card, while a teammate finishes something and another one writes."""
    await pilot.press("l")
    board = screen.board
    assert isinstance(board, FakeBoard)
    writes = {"taskId": id_of("Rate-limit the public invite endpoint"), "field": "description"}
    board.hear("typing:update", userId=SARA.user_id, typing=True, **writes)
    board.emit(Delivery(1, 2))
    await until(lambda: screen.faces._writers)
    task = screen.board.tasks[id_of("Undo for bulk moves")]
    screen.news.tell(Remote("completed", MILA.user_id, MILA.name, task.id, task.title, task))
    await until(lambda: pilot.app._notifications)


async def opened(pilot: Pilot[Any], screen: BoardScreen) -> None:
    await pilot.press("l", "enter")


async def editing(pilot: Pilot[Any], screen: BoardScreen) -> None:
    await pilot.press("l", "e")


async def asking_for_keys(pilot: Pilot[Any], screen: BoardScreen) -> None:
    await pilot.press("question_mark")


async def in_a_column(pilot: Pilot[Any], screen: BoardScreen) -> None:
    await pilot.press("l")


async def in_conflict(pilot: Pilot[Any], screen: BoardScreen) -> None:
    """An edit that collided with a teammate's, side by side."""
    board = screen.board
    assert isinstance(board, FakeBoard)
    board.attention = refused_edits()
    board.connect(Connection("live", 0, len(board.attention)))
    for key in ("exclamation_mark", "enter", "m"):
        await pilot.press(key)
        await pilot.pause()


async def adding(pilot: Pilot[Any], screen: BoardScreen) -> None:
    await pilot.press("l", "n", *"Fix login !high @me #")


async def grouped(pilot: Pilot[Any], screen: BoardScreen) -> None:
    await pilot.press("z")
    screen.finder.look_at(group="person", query="is:open")
    screen.finder.open()
    await pilot.press("enter", "l")


async def called(pilot: Pilot[Any], screen: BoardScreen) -> None:
    board = screen.board
    assert isinstance(board, FakeBoard)
    give_mail(board)
    board.inbox.refresh()
    await until(lambda: board.inbox.known)
    await pilot.press("i")


async def looking_back(pilot: Pilot[Any], screen: BoardScreen) -> None:
    board = screen.board
    assert isinstance(board, FakeBoard)
    give_mail(board)
    await pilot.press("g", "a")
    await pilot.pause()


async def counting(pilot: Pilot[Any], screen: BoardScreen) -> None:
    board = screen.board
    assert isinstance(board, FakeBoard)
    give_a_past(board)
    await pilot.press("S")
    await pilot.pause(0.3)


async def settling(pilot: Pilot[Any], screen: BoardScreen) -> None:
    board = screen.board
    assert isinstance(board, FakeBoard)
    colours = ("grey", "blue", "purple", "green")
    columns = zip(board.project.columns, colours, strict=True)
    coloured = tuple(msgspec.structs.replace(column, color=colour) for column, colour in columns)
    await board.change_project(ProjectPatch(columns=coloured, due_date="2026-03-27"))
    await pilot.pause()
    await pilot.press("comma", "j", "j", "j")


SHOTS: Final[dict[str, Shot]] = {
    "board": Shot(DESK, a_toast),
    "board-light": Shot(LAPTOP, in_a_column, "fluxboard-light"),
    "detail": Shot(LAPTOP, opened),
    "editor": Shot(LAPTOP, editing),
    "quick-add": Shot(LAPTOP, adding),
    "grouped": Shot(DESK, grouped),
    "inbox": Shot(LAPTOP, called),
    "activity": Shot(LAPTOP, looking_back),
    "stats": Shot((140, 50), counting),
    "settings": Shot(LAPTOP, settling),
    "help": Shot(LAPTOP, asking_for_keys),
    "conflict": Shot((120, 30), in_conflict),
    "phone": Shot(PHONE, in_a_column),
}


async def draw(shot: Shot) -> str:
    """The picture as SVG."""
    app = FluxboardApp(FakeSession(team_board()), "p1", clock=lambda: NOW, config=Config(theme=shot.theme))
    async with app.run_test(size=shot.size, notifications=True) as pilot:
        await until(lambda: isinstance(app.screen, BoardScreen) and app.screen.columns, what="the board")
        screen = app.screen
        assert isinstance(screen, BoardScreen)
        for happening in happenings():
            screen.sidebar.add(happening)
        await pilot.pause()
        await shot.prepare(pilot, screen)
        for field in app.screen.query("Input, TextArea"):
            if isinstance(field, Input | TextArea):
                field.cursor_blink = False
        await pilot.pause()
        await pilot.wait_for_scheduled_animations()
        return app.export_screenshot(title="fluxboard", simplify=True)


async def draw_all(folder: Path = FOLDER) -> None:
    """Writes every picture into ``folder``."""
    constants.TEXTUAL_ANIMATIONS = "none"  # type: ignore[misc]
    folder.mkdir(exist_ok=True)
    for name, shot in SHOTS.items():
        path = folder / f"{name}.svg"
        path.write_text(await draw(shot), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    asyncio.run(draw_all())
