"""Every screen as a picture, at the size of a desk, a laptop and a phone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from fluxboard.client.events import Connection, Refused, Remote
from fluxboard.model.text import clean_line
from fluxboard.model.types import Member, Project, Task
from fluxboard.tui.app import FluxboardApp
from fluxboard.tui.config import Config
from fluxboard.tui.screens.board import BoardScreen
from fluxboard.tui.screens.projects import ProjectsScreen
from fluxboard.tui.screens.sign_in import SignInScreen
from tests.support import hostile
from tests.support.fake_board import FakeBoard, FakeSession
from tests.support.seeded import (
    MILA,
    NOW,
    SARA,
    give_a_past,
    give_mail,
    happenings,
    refused_edits,
    team_board,
)
from tests.support.waiting import until
from tests.tui.test_hostile import TEXTS, busy_board_of

SIZES = [(160, 48), (100, 30), (60, 24), (40, 20)]

Prepare = Callable[[Pilot[Any]], Awaitable[None]]


def clock() -> datetime:
    return NOW


@dataclass(frozen=True)
class Picture:
    """A screen: what the app starts with, and what is done before the picture is taken."""

    make: Callable[[], FakeSession]
    prepare: Prepare
    project: str | None = "p1"
    theme: str | None = None


async def board_is_up(pilot: Pilot[Any]) -> BoardScreen:
    app = pilot.app
    await until(lambda: isinstance(app.screen, BoardScreen) and app.screen.columns, what="the board")
    screen = app.screen
    assert isinstance(screen, BoardScreen)
    await until(lambda: screen.board.started)  # type: ignore[attr-defined]
    await pilot.pause()
    return screen


def press(*keys: str) -> Prepare:
    async def prepare(pilot: Pilot[Any]) -> None:
        screen = await board_is_up(pilot)
        for happening in happenings():
            screen.sidebar.add(happening)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        for widget in pilot.app.screen.query("Input, TextArea"):
            if isinstance(widget, Input | TextArea):
                widget.cursor_blink = False

    return prepare


def told(pilot: Pilot[Any]) -> str:
    return " ".join(toast.message for toast in pilot.app._notifications)


async def toasts(pilot: Pilot[Any]) -> None:
    screen = await board_is_up(pilot)
    board = screen.board
    assert isinstance(board, FakeBoard)
    board.connect(Connection("offline", 3))
    board.emit(Remote("created", SARA.user_id, "sara", "x", "[bug] Cookies are [/] not read", None))
    board.emit(Remote("completed", MILA.user_id, "mila", "t16", "Toasts are grouped in bursts", None))
    board.emit(Remote("deleted", MILA.user_id, "mila", "y", "", None))
    await until(lambda: "mila deleted a task" in told(pilot))
    board.emit(Refused("t5", "Export the board as CSV", "update", "the project is archived", 409))
    await until(lambda: "archived" in told(pilot))


async def stats(pilot: Pilot[Any]) -> None:
    """The log is read in the background."""
    await press("S")(pilot)
    await until(lambda: all(work.is_finished for work in pilot.app.workers if work.node is pilot.app.screen))
    await pilot.pause()


async def failed(pilot: Pilot[Any]) -> None:
    screen = await board_is_up(pilot)
    await until(lambda: screen.failure)
    await pilot.pause()


async def projects(pilot: Pilot[Any]) -> None:
    await until(lambda: isinstance(pilot.app.screen, ProjectsScreen))
    await until(lambda: [it for it in pilot.app.screen.query("#projects") if it.display])
    await pilot.pause()


async def projects_are_told(pilot: Pilot[Any]) -> None:
    """That there are none, or why they are not known."""
    await until(lambda: isinstance(pilot.app.screen, ProjectsScreen))
    await until(lambda: all(work.is_finished for work in pilot.app.workers if work.node is pilot.app.screen))
    await pilot.pause()


async def sign_in(pilot: Pilot[Any]) -> None:
    await until(lambda: isinstance(pilot.app.screen, SignInScreen))
    for widget in pilot.app.screen.query(Input):
        widget.cursor_blink = False


async def sign_up(pilot: Pilot[Any]) -> None:
    await sign_in(pilot)
    await pilot.press("ctrl+n", *"Ada", "enter", *"ada@example.com", "enter", *"short", "enter")


def team() -> FakeSession:
    return FakeSession(team_board())


def team_with_archive() -> FakeSession:
    board = team_board()
    for task_id in board.column_ids("completed")[:3]:
        board.shown[task_id] = replace(board.shown[task_id], archived=True)
    return FakeSession(board)


def unreachable() -> FakeSession:
    session = FakeSession()
    session.fail = RuntimeError("the server at boards.example.com does not answer")
    return session


def hostile_everywhere() -> FakeSession:
    board = busy_board_of(
        [TEXTS[name] for name in ("a closing tag", "an action", "wide", "a family", "a long word")]
    )
    board.notes = ()
    return FakeSession(board)


def old_team() -> FakeSession:
    board = team_board()
    give_a_past(board)
    return FakeSession(board)


def refused_team() -> FakeSession:
    board = team_board()
    board.attention = refused_edits()
    board.connection = Connection("offline", 2, len(board.attention))
    return FakeSession(board)


def idle_team() -> FakeSession:
    board = team_board()
    me, mila, sara = board.online
    board.online = (me, replace(mila, idle=True, task_id=None), sara)
    return FakeSession(board)


def team_with_tom() -> FakeSession:
    """Tom is away."""
    board = team_board()
    tom = Member(user_id="u-tom", name="Tom Berg", last_seen_at="2026-03-09T12:00:00.000Z")
    board.members = (*board.members, tom)
    return FakeSession(board)


def called_team() -> FakeSession:
    board = team_board()
    give_mail(board)
    return FakeSession(board)


def writing(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Somebody writes into the first task of the second column while keys are pressed."""

    async def prepare(pilot: Pilot[Any]) -> None:
        screen = await board_is_up(pilot)
        board = screen.board
        assert isinstance(board, FakeBoard)
        await until(lambda: board.inbox.known)
        task_id = board.column_ids("in_progress")[0]
        typing = {"userId": MILA.user_id, "taskId": task_id, "field": "description", "typing": True}
        board.hear("typing:update", **typing)
        await until(lambda: board.company.writers(task_id) and screen.faces._writers)
        board.company._writers = dict.fromkeys(board.company._writers, float("inf"))
        await pilot.press(*keys)
        await pilot.pause()

    return prepare


def hostile_team() -> FakeSession:
    board = team_board()
    for number, text in enumerate(hostile.RAW.values()):
        status = ("todo", "in_progress", "review", "completed")[number % 4]
        board.shown[f"h{number:02}"] = Task(
            id=f"h{number:02}", title=clean_line(text), status=status, position=f"A{number:02}"
        )
    return FakeSession(board)


def empty() -> FakeSession:
    return FakeSession(FakeBoard())


def broken() -> FakeSession:
    board = team_board()
    board.fail = RuntimeError("the server at boards.example.com does not answer")
    board.connection = Connection("offline", 0)
    return FakeSession(board)


def many_projects() -> FakeSession:
    names = ["Website relaunch", "[/] Hiring", "Übersetzungen 漢字", "Home", "A very long name " * 9]
    boards = [FakeBoard(project=Project(id=f"p{n}", name=name.strip())) for n, name in enumerate(names)]
    return FakeSession(*boards)


def nobody() -> FakeSession:
    return FakeSession(user=None)


PICTURES = {
    "board": Picture(team, press("l")),
    "board-hostile": Picture(hostile_team, press()),
    "board-light": Picture(team, press("l"), theme="fluxboard-light"),
    "board-people": Picture(idle_team, press("down", "s")),
    "editor-choice": Picture(team, press("e", "tab", "tab", "tab", "enter")),
    "board-selected": Picture(team, press("space", "j", "space", "j")),
    "board-empty": Picture(empty, press()),
    "board-failed": Picture(broken, failed),
    "attention": Picture(refused_team, press("exclamation_mark")),
    "conflict": Picture(refused_team, press("exclamation_mark", "enter", "m")),
    "quit": Picture(refused_team, press("q")),
    "toasts": Picture(team, toasts),
    "detail": Picture(team, press("l", "enter")),
    "board-filtered": Picture(team, press("slash", *"is:open due<7d", "enter")),
    "board-grouped": Picture(team, press("O", *"person", "enter", "z")),
    "board-compact": Picture(team, press("equals_sign", "equals_sign", "l")),
    "board-roomy": Picture(team, press("equals_sign", "l")),
    "quick-add": Picture(team, press("l", "n", *"Fix it !high @me #ux ^fri")),
    "quick-add-choices": Picture(team, press("l", "n", *"Fix it @me #")),
    "filter-choices": Picture(team, press("slash", *"is:open @")),
    "labels": Picture(team, press("l", "b")),
    "due": Picture(team, press("l", "D", *"in 2")),
    "menu": Picture(team, press("l", "full_stop")),
    "views": Picture(team, press("w", *"soon")),
    "settings": Picture(team, press("comma", "j", "j", "j")),
    "stats": Picture(old_team, stats),
    "stats-light": Picture(old_team, stats, theme="fluxboard-light"),
    "stats-empty": Picture(empty, stats),
    "archive": Picture(team_with_archive, press("slash", *"is:archived", "enter")),
    "ask": Picture(team, press("comma", "j", "j", "enter")),
    "jump": Picture(team, press("f", *"re")),
    "detail-light": Picture(team, press("l", "enter"), theme="fluxboard-light"),
    "editor-light": Picture(team, press("l", "e"), theme="fluxboard-light"),
    "settings-light": Picture(team, press("comma", "j", "j"), theme="fluxboard-light"),
    "projects-empty": Picture(FakeSession, projects_are_told, project=None),
    "projects-failed": Picture(unreachable, projects_are_told, project=None),
    "detail-hostile": Picture(hostile_everywhere, press("enter")),
    "editor-hostile": Picture(hostile_everywhere, press("e")),
    "settings-hostile": Picture(hostile_everywhere, press("comma")),
    "stats-hostile": Picture(hostile_everywhere, stats),
    "inbox-hostile": Picture(hostile_everywhere, press("i")),
    "tour": Picture(team, press("ctrl+p", *"first steps", "enter")),
    "editor-new": Picture(team, press("N")),
    "editor-edit": Picture(team, press("l", "e")),
    "delete": Picture(team, press("l", "d")),
    "help": Picture(team, press("question_mark")),
    "picker": Picture(team, press("a")),
    "palette": Picture(team, press("ctrl+p")),
    "company": Picture(team_with_tom, writing("l", "enter")),
    "inbox": Picture(called_team, writing("i")),
    "activity": Picture(called_team, writing("g", "a")),
    "notifications": Picture(called_team, press("m")),
    "go": Picture(called_team, press("g")),
    "projects": Picture(many_projects, projects, project=None),
    "sign-in": Picture(nobody, sign_in),
    "sign-up": Picture(nobody, sign_up),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", PICTURES)
def test_screen(name: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    picture = PICTURES[name]
    app = FluxboardApp(picture.make(), picture.project, clock=clock, config=Config(theme=picture.theme))
    app.animation_level = "none"
    assert snap_compare(app, terminal_size=size, run_before=picture.prepare)
