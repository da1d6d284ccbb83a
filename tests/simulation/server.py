"""The real servers over one database, without threads: they answer REST, tell rooms, and tell each other."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from unittest.mock import patch

import httpx
from litestar import Litestar
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from fluxboard.model.types import User
from fluxboard.model.wire import JOIN_PROJECT
from fluxboard.server import cluster, sockets
from fluxboard.server.app import Server
from fluxboard.server.auth import Passwords, Throttle, Tokens
from fluxboard.server.commands import accounts
from fluxboard.server.errors import Unavailable
from fluxboard.server.rest.support import Services
from fluxboard.server.settings import Settings
from fluxboard.server.storage.engine import Committed
from fluxboard.server.storage.sql import Tx
from fluxboard.server.storage.tables import metadata
from tests.simulation.wires import SimBus, SimSockets

T = TypeVar("T")
SECRET = "a secret for a world that does not exist"


_real_routes = Server._routes
#: The routes of worlds that ended.
_unused: list[Litestar] = []


class InlineStorage:
    """Runs each job at once on one connection; what it announced goes out after the commit, never before.

    ``full`` says whether the disk takes nothing at the moment: what was done is rolled back then.
    """

    connections, jobs = 1, 0

    def __init__(
        self,
        connection: sqlite3.Connection,
        on_commit: Callable[[Committed], None],
        full: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._on_commit = on_commit
        self._full = full

    async def read(self, job: Callable[[Tx], T]) -> T:
        return job(Tx(self._connection.execute, "sqlite"))

    async def write(self, job: Callable[[Tx], T], lane: str = "") -> T:
        tx = Tx(self._connection.execute, "sqlite")
        self._connection.execute("BEGIN")
        try:
            result = job(tx)
            if self._full():
                raise Unavailable("The disk is full")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        for committed in tx.announced:
            self._on_commit(committed)
        return result

    async def close(self) -> None:
        """The connection is the world's."""


@dataclass
class Node:
    """A server process; one that is started anew knows nothing of what the old one was doing."""

    server: Server
    storage: InlineStorage
    rest: httpx.ASGITransport
    sockets: SimSockets

    async def connect(self, socket_id: str, token: str) -> None:
        """A socket signs in. Raises ConnectionRefusedError of the library."""
        self.sockets.open.add(socket_id)
        try:
            await self.sockets.handlers["connect"](socket_id, {}, {"token": token})
        except BaseException:
            self.sockets.shut(socket_id)
            raise

    async def join(self, socket_id: str, project_id: str) -> dict[str, object]:
        """A socket asks for a project's room; what the server acknowledges."""
        answer: dict[str, object] = await self.sockets.handlers[JOIN_PROJECT](
            socket_id, {"projectId": project_id}
        )
        return answer

    async def disconnect(self, socket_id: str) -> None:
        """A connection is gone, and the server sees that."""
        if socket_id in self.sockets.open:
            await self.sockets.disconnect(socket_id)


class Backend:
    """Some nodes that share a database. ``down`` are those that do not answer.

    ``deliver`` gets what a node sends to a socket, ``carry`` a call that brings a message to another node;
    ``full`` says whether the database's disk is full.
    """

    def __init__(
        self,
        nodes: int,
        deliver: Callable[[str, str, Any], None],
        carry: Callable[[Callable[[], None]], None],
        full: Callable[[], bool],
    ) -> None:
        self._full = full
        self._settings = Settings(
            database="sqlite:///:memory:",
            jwt_secret=SECRET,
            log_level="error",
            redis="sim://" if nodes > 1 else None,
        )
        self._deliver = deliver
        self._carry = carry
        self._network: list[SimBus] = []
        self.tokens = Tokens(SECRET)
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA foreign_keys=ON")
        engine = create_engine("sqlite://", creator=lambda: self.connection, poolclass=StaticPool)
        metadata.create_all(engine)
        self.down: set[int] = set()
        self._routed: list[Litestar] = []
        self.nodes = [self._made() for _ in range(nodes)]

    @property
    def up(self) -> list[int]:
        """The nodes that answer."""
        return [number for number in range(len(self.nodes)) if number not in self.down]

    def start(self) -> None:
        """Has all nodes run."""
        for node in self.nodes:
            node.server.live.start(node.storage)

    async def kill(self, number: int) -> None:
        """Ends a node as kill -9 does."""
        self.down.add(number)
        old = self.nodes[number].server.live
        if old.cluster.bus is not None:
            old.cluster.bus.stop()
            old.cluster.bus = None
        await old.stop()

    def restart(self, number: int) -> None:
        """Starts a node that was ended."""
        if number in self.down:
            self.down.discard(number)
            self.nodes[number] = self._made()
            self.nodes[number].server.live.start(self.nodes[number].storage)

    def _routes(self, server: Server) -> Litestar:
        """Routes of a world that ended, if there are any: to make them takes as long as half a world.

        What they work with comes from the node; a call of a killed node keeps that node's.
        """
        rest = _unused.pop() if _unused else _real_routes(server)
        self._routed.append(rest)
        return rest

    def close(self) -> None:
        """The world ends."""
        self.connection.close()
        _unused.extend(self._routed)

    def _made(self) -> Node:
        def routes(server: Server) -> Litestar:
            return self._routes(server)

        with (
            patch.object(sockets, "SocketServer", SimSockets),
            patch.object(cluster, "Bus", SimBus),
            patch.object(Server, "_routes", routes),
        ):
            server = Server(self._settings)
        sio: Any = server.live.sio
        sio.deliver = self._deliver
        bus: Any = server.live.cluster.bus
        if bus is not None:
            bus.network, bus.carry = self._network, self._carry
        storage = InlineStorage(self.connection, server.live.publish, self._full)
        server.rest.state.services = Services(
            settings=self._settings,
            storage=storage,
            tokens=self.tokens,
            passwords=Passwords(),
            logins=Throttle(10, 300),
            metrics=server.metrics,
        )
        return Node(server, storage, httpx.ASGITransport(server.rest), sio)

    async def write(self, job: Callable[[Tx], T], node: int = 0) -> T:
        """Has a node do something in a transaction."""
        return await self.nodes[node].storage.write(job)

    async def sign_up(self, name: str) -> tuple[User, str]:
        """An account and a token, without the cost of a password."""

        def job(tx: Tx) -> tuple[User, accounts.Session]:
            user = accounts.sign_up(tx, f"{name}@example.com", name, "client", "no password")
            return user, accounts.open_session(tx, user.id, refresh=False)

        user, session = await self.write(job)
        return user, self.tokens.access(user, session, short=False)[0]

    def rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """What the database holds."""
        return self.connection.execute(statement, values).fetchall()

    def tasks(self, project_id: str) -> dict[str, dict[str, object]]:
        """The task list as it is stored, by id."""
        found = self.rows("SELECT body FROM tasks WHERE project_id = ? AND deleted_at IS NULL", project_id)
        bodies = [json.loads(str(body)) for (body,) in found]
        return {body["id"]: body for body in bodies}

    def head(self, project_id: str) -> int:
        """The project's newest revision."""
        ((rev,),) = self.rows("SELECT rev FROM projects WHERE id = ?", project_id)
        return int(str(rev))
