"""What this computer keeps for a user: boards as they were last seen, and the edits that are not sent yet."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from fluxboard.client.database import Database
from fluxboard.client.edits import Edit
from fluxboard.model.types import Project, Task, User, timestamp
from fluxboard.model.wire import Conflict

log = logging.getLogger("fluxboard.client.local")

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS users (kept_as TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS projects (
    account TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS boards (
    account TEXT NOT NULL, project TEXT NOT NULL, rev INTEGER NOT NULL, PRIMARY KEY (account, project)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks (
    account TEXT NOT NULL, project TEXT NOT NULL, id TEXT NOT NULL, rev INTEGER NOT NULL, body TEXT,
    PRIMARY KEY (account, project, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, project TEXT NOT NULL,
    op_id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, body TEXT NOT NULL, refusal TEXT
);
CREATE INDEX IF NOT EXISTS outbox_of_project ON outbox (account, project, number);
"""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why the server did not take an edit.

    ``conflict`` has both sides where two people wrote one text, ``gone`` what is left of a deleted task.
    """

    reason: str
    status: int
    at: str = msgspec.field(default_factory=timestamp)
    conflict: Conflict | None = None
    gone: Task | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the outbox."""

    edit: Edit
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Cached:
    """A board as it was last seen."""

    tasks: tuple[Task, ...]
    rev: int


_edit: Final = msgspec.json.Decoder(Edit)
_tasks: Final = msgspec.json.Decoder(tuple[Task, ...])
encode: Final = msgspec.json.Encoder().encode


class LocalStore:
    """What is in the file of one user, or with ``path`` None in memory, which is gone with the program.

    Writing answers a Future that is done once it is on disk. Reading waits for what was written before.
    Each terminal sends only its own edits.
    """

    def __init__(self, path: Path | None, *, database: Database | None = None) -> None:
        """``database`` None opens the file."""
        self._database = database or Database(path, SCHEMA)

    def close(self) -> None:
        """Writes what waits and closes the file."""
        self._database.close()

    # -- who

    def user(self, kept_as: str) -> User | None:
        """Who was last signed in there."""
        rows = self._ask("SELECT body FROM users WHERE kept_as = ?", kept_as)
        return msgspec.json.decode(rows[0][0], type=User) if rows else None

    def put_user(self, kept_as: str, user: User | None) -> Future[None]:
        """Remembers who is signed in, or (None) that nobody is."""
        if user is None:
            return self._database.write(
                lambda connection: connection.execute("DELETE FROM users WHERE kept_as = ?", (kept_as,))
            )
        body = encode(user).decode()
        return self._database.write(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO users VALUES (?, ?)", (kept_as, body)
            )
        )

    # -- the boards

    def projects(self, account: str) -> tuple[Project, ...]:
        """The projects of an account, as they were last seen."""
        rows = self._ask("SELECT body FROM projects WHERE account = ?", account)
        return tuple(msgspec.json.decode(body, type=Project) for (body,) in rows)

    def put_projects(self, account: str, projects: Iterable[Project]) -> Future[None]:
        """Replaces the projects of an account."""
        rows = [(account, project.id, encode(project).decode()) for project in projects]

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM projects WHERE account = ?", (account,))
            connection.executemany("INSERT INTO projects VALUES (?, ?, ?)", rows)

        return self._database.write(work)

    def put_project(self, account: str, project: Project) -> Future[None]:
        """Writes one project."""
        body = encode(project).decode()
        return self._database.write(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO projects VALUES (?, ?, ?)", (account, project.id, body)
            )
        )

    def board(self, account: str, project: str) -> Cached | None:
        """A board as it was last seen; None when it never was."""

        def work(connection: sqlite3.Connection) -> Cached | None:
            row = connection.execute(
                "SELECT rev FROM boards WHERE account = ? AND project = ?", (account, project)
            ).fetchone()
            if row is None:
                return None
            # As one text, joined by SQLite: other threads run meanwhile.
            (found,) = connection.execute(
                "SELECT '[' || coalesce(group_concat(body), '') || ']' FROM tasks"
                " WHERE account = ? AND project = ? AND body IS NOT NULL",
                (account, project),
            ).fetchone()
            try:
                return Cached(_tasks.decode(found), row[0])
            except msgspec.DecodeError:  # of another version: it comes from the server once more
                return None

        cached: Cached | None = self._database.read(work)
        return cached

    def put_board(
        self, account: str, project: str, tasks: Iterable[Task], rev: int, *, even_older: bool = False
    ) -> Future[bool]:
        """Replaces a whole board, unless a newer one is there that is not to be replaced by an older."""
        rows = [(account, project, task.id, task.rev, encode(task).decode()) for task in tasks]

        def work(connection: sqlite3.Connection) -> bool:
            key = (account, project)
            known = connection.execute("SELECT rev FROM boards WHERE account = ? AND project = ?", key)
            row = known.fetchone()
            if row is not None and row[0] > rev and not even_older:
                return True
            connection.execute("DELETE FROM tasks WHERE account = ? AND project = ?", key)
            connection.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?, ?)", rows)
            connection.execute("INSERT OR REPLACE INTO boards VALUES (?, ?, ?)", (*key, rev))
            return True

        return self._database.write(work)

    def put_changes(
        self, account: str, project: str, changed: dict[str, Task | None], since: int, rev: int
    ) -> Future[bool]:
        """Writes what changed from ``since`` to ``rev`` (None: deleted), unless something newer is there.

        False, with nothing written, where the board is not there up to ``since``: it would get a hole.
        """
        rows = [
            (account, project, task_id, task.rev if task else rev, encode(task).decode() if task else None)
            for task_id, task in changed.items()
        ]

        def work(connection: sqlite3.Connection) -> bool:
            complete = connection.execute(
                "SELECT 1 FROM boards WHERE account = ? AND project = ? AND rev >= ?",
                (account, project, since),
            ).fetchone()
            if complete is None:
                return False
            # A deleted task leaves its revision: another terminal may be behind and write it once more.
            connection.executemany(
                "INSERT INTO tasks VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET rev = excluded.rev, body = excluded.body WHERE excluded.rev >= tasks.rev",
                rows,
            )
            connection.execute(
                "UPDATE boards SET rev = max(rev, ?) WHERE account = ? AND project = ?",
                (rev, account, project),
            )
            return True

        return self._database.write(work)

    def forget(self, account: str) -> Future[None]:
        """Deletes what is cached of an account; unsent edits stay."""

        def work(connection: sqlite3.Connection) -> None:
            for table in ("projects", "boards", "tasks"):
                connection.execute(f"DELETE FROM {table} WHERE account = ?", (account,))  # noqa: S608

        return self._database.write(work)

    # -- the outbox

    def append(
        self, account: str, project: str, edits: Iterable[Edit], instead_of: Iterable[str] = ()
    ) -> Future[None]:
        """Adds edits, instead of operations of these ids; once the Future is done no crash can lose them."""
        rows = [(account, project, edit.op_id, self._database.owner, encode(edit).decode()) for edit in edits]

        gone = [(op_id,) for op_id in instead_of]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM outbox WHERE op_id = ?", gone)
            connection.executemany(
                "INSERT OR IGNORE INTO outbox (account, project, op_id, owner, body) VALUES (?, ?, ?, ?, ?)",
                rows,
            )

        return self._database.write(work)

    def replace(self, edit: Edit) -> Future[None]:
        """Writes another content under the same operation id; it is no longer refused."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE outbox SET body = ?, refusal = NULL WHERE op_id = ?",
                (encode(edit).decode(), edit.op_id),
            )

        return self._database.write(work)

    def done(self, op_id: str) -> Future[None]:
        """Deletes an edit: the server has it, or its author gave it up."""
        return self._database.write(
            lambda connection: connection.execute("DELETE FROM outbox WHERE op_id = ?", (op_id,))
        )

    def refuse(self, op_id: str, refusal: Refusal) -> Future[None]:
        """Keeps an edit that the server did not take, with why."""
        text = encode(refusal).decode()
        return self._database.write(
            lambda connection: connection.execute(
                "UPDATE outbox SET refusal = ? WHERE op_id = ?", (text, op_id)
            )
        )

    def adopt(self, account: str, project: str) -> list[Stored]:
        """A project's edits whose owner no longer runs, in order, now owned by this program."""

        def work(connection: sqlite3.Connection) -> list[Stored]:
            key = (account, project)
            owners = connection.execute(
                "SELECT DISTINCT owner FROM outbox WHERE account = ? AND project = ?", key
            ).fetchall()
            for (owner,) in owners:
                if owner != self._database.owner and not self._database.lives(owner):
                    connection.execute(
                        "UPDATE outbox SET owner = ? WHERE owner = ? AND account = ? AND project = ?",
                        (self._database.owner, owner, *key),
                    )
            rows = connection.execute(
                "SELECT body, refusal FROM outbox WHERE account = ? AND project = ? AND owner = ?"
                " ORDER BY number",
                (*key, self._database.owner),
            ).fetchall()
            return [stored for body, why in rows if (stored := _stored(body, why)) is not None]

        adopted: list[Stored] = self._database.read(work)
        return adopted

    def release(self, account: str, project: str) -> Future[None]:
        """Gives this program's edits of a project to whoever opens it next."""
        return self._database.write(
            lambda connection: connection.execute(
                "UPDATE outbox SET owner = '' WHERE owner = ? AND account = ? AND project = ?",
                (self._database.owner, account, project),
            )
        )

    def unsent(self, account: str) -> dict[str, int]:
        """How many edits of an account wait or were refused, by project."""
        rows = self._ask("SELECT project, count(*) FROM outbox WHERE account = ? GROUP BY project", account)
        return dict(rows)

    def _ask(self, statement: str, *values: str) -> list[Any]:
        rows: list[Any] = self._database.read(
            lambda connection: connection.execute(statement, values).fetchall()
        )
        return rows


def _stored(body: str, why: str | None) -> Stored | None:
    """A row of the outbox; None for one of another version, which stays for a program that can read it."""
    try:
        return Stored(_edit.decode(body), msgspec.json.decode(why, type=Refusal) if why else None)
    except msgspec.DecodeError:
        log.exception("an edit on this computer cannot be read and waits for a version that can")
        return None
