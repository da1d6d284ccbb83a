"""The real client against the real REST application, without sockets and without a port."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import httpx
import msgspec

from fluxboard.client.api import Api
from fluxboard.client.board import Board
from fluxboard.client.events import BoardEvent
from fluxboard.client.live import Live
from fluxboard.client.local import LocalStore
from fluxboard.client.session import Session
from fluxboard.model.types import Task, User
from fluxboard.model.wire import BatchBody, BatchOp
from tests.client.conftest import QUICK
from tests.simulation.server import Backend

#: So many operations are sent at once.
AT_ONCE = 1000


class NoSocket(Live):
    async def _attempt(self, transport: str) -> None:
        raise ConnectionError("no sockets here")


class Network(httpx.AsyncBaseTransport):
    """Counts what is asked; ``away`` answers nothing, ``limited`` is the Retry-After of a 429 to each GET."""

    def __init__(self, server: httpx.AsyncBaseTransport) -> None:
        self.server = server
        self.away = False
        self.limited: Callable[[], str] | None = None
        self.asked: list[str] = []
        #: When each GET was asked, and whether it was refused.
        self.gets: list[tuple[float, bool]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        self.asked.append(f"{request.method} {request.url.path.rsplit('/', 1)[-1]}")
        if request.method == "GET":
            self.gets.append((time.monotonic(), self.limited is not None))
            if self.limited is not None:
                headers = {"Retry-After": self.limited(), "Date": formatdate(usegmt=True)}
                return httpx.Response(429, json={"error": "too many"}, headers=headers)
        return await self.server.handle_async_request(request)


class Person:
    """Somebody's program, which can be closed and opened again."""

    user: User
    token: str

    def __init__(self, backend: Backend, path: Path, name: str) -> None:
        self.backend, self.path, self.name = backend, path, name
        self.network = Network(backend.nodes[0].rest)
        self.project_id = ""

    async def sign_up(self) -> None:
        """Makes the account and a project."""
        self.user, self.token = await self.backend.sign_up(self.name)
        session = self.session()
        self.project_id = (await session.create_project("P")).id
        await session.close()

    def session(self, store: LocalStore | None = None) -> Session:
        """The program's session, over its own network."""
        session = Session("http://sim", None, None, store or LocalStore(self.path), "sim")
        session.user, session.token, session.timing = self.user, self.token, QUICK
        session.api = Api("http://sim", session.fresh_token, session.renew, self.network)
        session.make_live = NoSocket
        return session

    async def open(self, store: LocalStore | None = None) -> tuple[Session, Board, list[BoardEvent]]:
        """The board, with what it tells."""
        session, events = self.session(store), list[BoardEvent]()
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

    async def invite(self, name: str) -> Person:
        """Another member of the project, at another computer."""
        mate = Person(self.backend, self.path.with_name(f"{name}.db"), name)
        mate.user, mate.token = await self.backend.sign_up(name)
        mate.project_id = self.project_id
        session = self.session()
        await session.api.add_member(self.project_id, email=mate.user.email, role="admin")
        await session.close()
        return mate

    def backup(self) -> sqlite3.Connection:
        """A copy of the server's database."""
        copy = sqlite3.connect(":memory:", isolation_level=None)
        self.backend.connection.backup(copy)
        return copy

    def restore(self, copy: sqlite3.Connection) -> None:
        """The server runs on a copy that was made before."""
        copy.backup(self.backend.connection)
        self.backend.nodes[0] = self.backend._made()
        self.network.server = self.backend.nodes[0].rest

    def forget_log(self) -> None:
        """What was changed long ago is no longer in the server's log."""
        self.backend.connection.execute("DELETE FROM changes WHERE rev < (SELECT max(rev) FROM changes)")
        self.backend.connection.execute("UPDATE projects SET log_start = rev - 1")

    def stored(self) -> dict[str, Task]:
        """The tasks of the server."""
        return {
            task_id: msgspec.convert(body, Task)
            for task_id, body in self.backend.tasks(self.project_id).items()
        }


async def alone(folder: Path, name: str = "ada") -> Person:
    """Somebody with a project on a server of their own."""
    person = Person(Backend(1, lambda *_: None, lambda _: None, lambda: False), folder / f"{name}.db", name)
    await person.sign_up()
    return person
