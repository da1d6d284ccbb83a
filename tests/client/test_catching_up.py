"""Coming back after a long time, against the real REST application and without sockets."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest

from fluxboard.client import incoming
from fluxboard.client.api import Api
from fluxboard.client.board import Board
from fluxboard.client.events import BoardEvent, CatchingUp
from fluxboard.client.live import Live
from fluxboard.client.local import LocalStore
from fluxboard.client.session import Session
from fluxboard.model.types import Task, TaskPatch
from fluxboard.model.wire import BatchBody, BatchOp, TaskCreate
from tests.client.conftest import QUICK
from tests.simulation.server import Backend
from tests.support.waiting import until

TASKS = 10_000
AT_ONCE = 1000


class NoSocket(Live):
    async def _attempt(self, transport: str) -> None:
        raise ConnectionError("no sockets here")


class Network(httpx.AsyncBaseTransport):
    """Counts what is asked; ``away`` answers nothing."""

    def __init__(self, server: httpx.AsyncBaseTransport) -> None:
        self._server = server
        self.away = False
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        self.asked.append(f"{request.method} {request.url.path.rsplit('/', 1)[-1]}")
        return await self._server.handle_async_request(request)


class Person:
    """Somebody's program, which can be closed and opened again."""

    def __init__(self, backend: Backend, path: Path, name: str) -> None:
        self.backend, self.path, self.name = backend, path, name
        self.network = Network(backend.nodes[0].rest)
        self.project_id = ""

    async def sign_up(self) -> None:
        self.user, self.token = await self.backend.sign_up(self.name)
        session = self.session()
        self.project_id = (await session.create_project("P")).id
        await session.close()

    def session(self) -> Session:
        session = Session("http://sim", None, None, LocalStore(self.path), "sim")
        session.user, session.token, session.timing = self.user, self.token, QUICK
        session.api = Api("http://sim", session.fresh_token, session.renew, self.network)
        session.make_live = NoSocket
        return session

    async def open(self) -> tuple[Session, Board, list[BoardEvent]]:
        session, events = self.session(), list[BoardEvent]()
        board = await session.board(self.project_id)
        board.subscribe(events.append)
        await board.start()
        self.network.asked.clear()
        return session, board, events

    async def edit(self, ops: list[BatchOp]) -> None:
        """Changes made by another program, of which this one hears nothing."""
        session = self.session()
        session.api._transport = self.backend.nodes[0].rest
        for start in range(0, len(ops), AT_ONCE):
            await session.api.batch(self.project_id, BatchBody(ops=tuple(ops[start : start + AT_ONCE])))
        await session.close()

    def stored(self) -> dict[str, Task]:
        """The tasks of the server."""
        return {
            task_id: msgspec.convert(body, Task)
            for task_id, body in self.backend.tasks(self.project_id).items()
        }


@pytest.fixture
async def ada(tmp_path: Path) -> Person:
    person = Person(Backend(1, lambda *_: None, lambda _: None, lambda: False), tmp_path / "boards.db", "ada")
    await person.sign_up()
    return person


def progress(events: list[BoardEvent]) -> list[tuple[int, int]]:
    return [(event.done, event.total) for event in events if isinstance(event, CatchingUp)]


def created(count: int) -> list[BatchOp]:
    return [BatchOp(op="create", task=TaskCreate(title=f"task {number}")) for number in range(count)]


async def test_a_week_of_changes_of_a_large_board_comes_by_one_walk_with_its_progress(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ada.edit(created(TASKS))
    session, board, _ = await ada.open()
    assert len(board.tasks) == TASKS
    mine = board.column_ids("todo")[0]
    ada.network.away = True
    board.update([mine], TaskPatch(title="written on a train"))
    await board.close()
    await session.close()
    week = [
        BatchOp(op="update", task_id=task_id, patch=TaskPatch(priority="high"))
        for task_id in sorted(ada.stored())[: TASKS // 4]
    ]
    await ada.edit(week)

    monkeypatch.setattr(incoming, "LONG", 0.0)
    ada.network.away = False
    session, board, events = await ada.open()
    assert board.tasks[mine].title == "written on a train"
    await until(lambda: board.tasks == ada.stored() and not board.connection.queued, 30, "all is there")
    walk = [call for call in ada.network.asked if call == "GET changes"]
    assert "GET tasks" not in ada.network.asked, "the list is not loaded again"
    assert len(walk) <= len(week) // 500 + 3
    await until(lambda: progress(events)[-1:] == [(1, 1)], what="the end is told")
    assert progress(events)[:-1] == sorted(progress(events)[:-1])
    assert len(progress(events)) >= len(week) // 500
    await board.close()
    await session.close()


async def test_a_log_that_no_longer_reaches_back_means_the_list_and_pending_edits_stay(ada: Person) -> None:
    await ada.edit(created(3))
    session, board, _ = await ada.open()
    first, second, third = board.column_ids("todo")
    ada.network.away = True
    board.update([first], TaskPatch(title="mine"))
    made = board.create(TaskCreate(title="made on a train"))
    board.comment(first, "and said")
    await board.close()
    await session.close()
    await ada.edit(
        [
            BatchOp(op="update", task_id=second, patch=TaskPatch(title="theirs")),
            BatchOp(op="delete", task_id=third),
        ]
    )
    ada.backend.connection.execute("DELETE FROM changes WHERE rev < (SELECT max(rev) FROM changes)")
    ada.backend.connection.execute("UPDATE projects SET log_start = rev - 1")

    session, board, _ = await ada.open()
    titles = {task_id: task.title for task_id, task in board.tasks.items()}
    assert titles == {first: "mine", second: "task 1", third: "task 2", made: "made on a train"}
    ada.network.away = False
    await until(lambda: not board.connection.queued and board.tasks == ada.stored(), 10, "all is there")
    assert "GET tasks" in ada.network.asked
    titles = {task_id: task.title for task_id, task in board.tasks.items()}
    assert titles == {first: "mine", second: "theirs", made: "made on a train"}
    assert board.tasks[first].comment_count == 1
    assert not board.attention
    await board.close()
    await session.close()


async def test_a_walk_that_breaks_off_ends_its_progress(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    await ada.edit(created(3))
    session, board, events = await ada.open()
    monkeypatch.setattr(incoming, "LONG", 0.0)

    def cut(event: BoardEvent) -> None:
        if isinstance(event, CatchingUp):
            ada.network.away = True

    stop = board.subscribe(cut)
    await ada.edit(created(1200))
    await until(lambda: (1, 1) in progress(events), what="the end is told")
    assert len(board.tasks) < 1203
    stop()
    ada.network.away = False
    await until(lambda: len(board.tasks) == 1203, what="the rest")
    await board.close()
    await session.close()
