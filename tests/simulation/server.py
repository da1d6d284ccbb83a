"""The real application over one database, without threads: several nodes answer REST and tell rooms."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import TypeVar

import httpx
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from fluxboard.model.types import User
from fluxboard.server.app import Server
from fluxboard.server.auth import Passwords, Throttle, Tokens
from fluxboard.server.commands import accounts
from fluxboard.server.rest.support import Services
from fluxboard.server.settings import Settings
from fluxboard.server.storage.engine import Committed
from fluxboard.server.storage.sql import Tx
from fluxboard.server.storage.tables import metadata

T = TypeVar("T")
SECRET = "a secret for a world that does not exist"


class InlineStorage:
    """Runs each job at once on one connection; what it announced goes out after the commit, never before."""

    def __init__(self, on_commit: Callable[[Committed], None]) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA foreign_keys=ON")
        engine = create_engine("sqlite://", creator=lambda: self.connection, poolclass=StaticPool)
        metadata.create_all(engine)
        self._on_commit = on_commit

    async def read(self, job: Callable[[Tx], T]) -> T:
        return job(Tx(self.connection.execute, "sqlite"))

    async def write(self, job: Callable[[Tx], T], lane: str = "") -> T:
        tx = Tx(self.connection.execute, "sqlite")
        self.connection.execute("BEGIN")
        try:
            result = job(tx)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        for committed in tx.announced:
            self._on_commit(committed)
        return result

    async def close(self) -> None:
        self.connection.close()


class Backend:
    """``nodes`` applications that share a database. ``down`` are those that do not answer."""

    def __init__(self, nodes: int, publish: Callable[[Committed], None]) -> None:
        settings = Settings(database="sqlite:///:memory:", jwt_secret=SECRET, log_level="error")
        self.tokens = Tokens(SECRET)
        self.storage = InlineStorage(publish)
        self.down: set[int] = set()
        self.nodes: list[httpx.ASGITransport] = []
        for _ in range(nodes):
            server = Server(settings)
            server.rest.state.services = Services(
                settings=settings,
                storage=self.storage,
                tokens=self.tokens,
                passwords=Passwords(),
                logins=Throttle(10, 300),
                metrics=server.metrics,
            )
            self.nodes.append(httpx.ASGITransport(server.rest))

    async def sign_up(self, name: str) -> tuple[User, str]:
        """An account and a token, without the cost of a password."""

        def job(tx: Tx) -> tuple[User, accounts.Session]:
            user = accounts.sign_up(tx, f"{name}@example.com", name, "client", "no password")
            return user, accounts.open_session(tx, user.id, refresh=False)

        user, session = await self.storage.write(job)
        return user, self.tokens.access(user, session, short=False)[0]

    def rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """What the database holds."""
        return self.storage.connection.execute(statement, values).fetchall()

    def tasks(self, project_id: str) -> dict[str, dict[str, object]]:
        """The task list as it is stored, by id."""
        found = self.rows("SELECT body FROM tasks WHERE project_id = ? AND deleted_at IS NULL", project_id)
        bodies = [json.loads(str(body)) for (body,) in found]
        return {body["id"]: body for body in bodies}

    def head(self, project_id: str) -> int:
        """The project's newest revision."""
        ((rev,),) = self.rows("SELECT rev FROM projects WHERE id = ?", project_id)
        return int(str(rev))
