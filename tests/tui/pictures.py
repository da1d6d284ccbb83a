"""What the pictures of the screens show: boards to start with, and what is done before one is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from fluxboard.client.events import Connection, Refused, Remote
from fluxboard.client.undo import Overtaken
from fluxboard.model.text import clean_line
from fluxboard.model.types import Activity, ActivityMetadata, Member, Project, Task
from fluxboard.tui.screens.board import BoardScreen
from fluxboard.tui.screens.projects import ProjectsScreen
from fluxboard.tui.screens.sign_in import SignInScreen
from fluxboard.tui.widgets.waiting import Waiting
from tests.support import hostile
from tests.support.fake_board import FakeBoard, FakeSession
from tests.support.seeded import (
    MILA,
    SARA,
    give_a_past,
    give_mail,
    happenings,
    refused_edits,
    team_board,
)
from tests.support.waiting import until
from tests.tui.test_hostile import TEXTS, busy_board_of

Prepare = Callable[[Pilot[Any]], Awaitable[None]]


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


# -- lists to pick from, questions, and waits


async def paste(pilot: Pilot[Any]) -> None:
    """Several lines are pasted into the quick-add line."""
    await press("l", "n")(pilot)
    lines = ["Order the badges !high", "Book the room ^fri", "Invite @mila", "Print the map", "Say thanks"]
    assert pilot.app.focused is not None
    pilot.app.focused.post_message(events.Paste("\n".join(lines)))
    await until(lambda: pilot.app.screen.is_modal)
    await pilot.pause()


async def without_log(pilot: Pilot[Any]) -> None:
    """The statistics while the server is away."""
    screen = await board_is_up(pilot)
    assert isinstance(screen.board, FakeBoard)
    screen.board.fail = RuntimeError("the server at boards.example.com does not answer")
    await stats(pilot)


async def was_told(pilot: Pilot[Any]) -> None:
    """What the toasts of the last minutes said."""
    await toasts(pilot)
    pilot.app.clear_notifications()
    await pilot.press("g", "t")
    await pilot.pause()


async def someone_was_faster(pilot: Pilot[Any]) -> None:
    """What is to be undone was changed by somebody else since."""
    screen = await board_is_up(pilot)
    assert isinstance(screen.board, FakeBoard)
    screen.board.overtaken = Overtaken(
        "moving it to Review", ("t1", "t2"), ("Export the board as CSV", "[/] Cookies")
    )
    await pilot.press("u")
    await pilot.pause()


async def composing(pilot: Pilot[Any]) -> None:
    """A comment with a name that is not written in full."""
    await press("l", "enter")(pilot)
    await pilot.press("c", *"Could you look, @")
    for widget in pilot.app.screen.query(TextArea):
        widget.cursor_blink = False
    await pilot.pause()


def held() -> FakeSession:
    """A server that takes its time from the start."""
    board = FakeBoard()
    board.gate = asyncio.Event()
    return FakeSession(board)


def slow(*keys: str) -> Prepare:
    """The bar of what takes its time."""

    async def prepare(pilot: Pilot[Any]) -> None:
        if keys:
            screen = await board_is_up(pilot)
            assert isinstance(screen.board, FakeBoard)
            screen.board.gate = asyncio.Event()
        for key in keys:
            await pilot.press(key)
        await until(lambda: [bar for bar in pilot.app.screen.query(Waiting) if bar.display])
        await pilot.pause()

    return prepare


async def half_read(pilot: Pilot[Any]) -> None:
    """Three of four pages of the log are there."""
    screen = await board_is_up(pilot)
    assert isinstance(screen.board, FakeBoard)
    pages = screen.board.log_pages = tuple(asyncio.Event() for _ in range(4))
    for page in pages[:3]:
        page.set()
    await pilot.press("S")
    await until(lambda: [bar for bar in pilot.app.screen.query(Waiting) if bar.display])
    await pilot.pause()


def linked_team() -> FakeSession:
    """A task with more than one link in its description."""
    board = team_board()
    task_id = board.column_ids("in_progress")[0]
    text = "See https://example.com/a/long/path?with=a&query=1 and https://example.com/[b]odd[/] for more."
    board.shown[task_id] = replace(board.shown[task_id], description=text)
    return FakeSession(board)


def hostile_past() -> FakeSession:
    """An activity in which every name and every title is meant badly."""
    session = hostile_everywhere()
    board = next(iter(session.boards.values()))
    texts = [TEXTS[name] for name in ("a closing tag", "an action", "wide", "a family", "a long word")]
    board.done = [
        Activity(
            id=f"a{number}-{kind}",
            project_id="p1",
            type=kind,
            user_id=f"u-{text}",
            user_name=text,
            entity_id=f"t{number}",
            entity_type="task",
            entity_title=text,
            metadata=ActivityMetadata(field="status", old_value=text, new_value=text),
            timestamp=f"2026-03-11T1{number}:00:00.000Z",
        )
        for number, text in enumerate(texts)
        for kind in ("task.created", "task.updated", "comment.created")
    ]
    board.visited_at = "2026-03-11T12:30:00.000Z"
    return session
