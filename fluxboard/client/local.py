"""SQLite on this computer: boards as they were last seen, and the edits that the server does not have yet.

One thread writes, and takes all that waits into one transaction with one fsync. Several terminals of one user
share the file: a file lock keeps their transactions and checkpoints apart, and each sends only its own edits.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from filelock import FileLock, Timeout

from fluxboard.client.edits import Edit
from fluxboard.model.types import Project, Task, User, new_id, timestamp
from fluxboard.model.wire import Conflict

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
Work = Callable[[sqlite3.Connection], Any]


class LocalStore:
    """The file of one user, or with ``path`` None a database in memory that is gone with the program.

    Writing answers a Future that is done once it is on disk. Reading waits for what was written before.
    ``threaded`` False writes in the caller's thread.
    """

    def __init__(self, path: Path | None, *, threaded: bool = True) -> None:
        self.owner = new_id()
        self._path = path
        self._lock: FileLock | None = None
        self._alive: FileLock | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Made here, so that it never is readable by others; SQLite gives its own files the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._lock = FileLock(f"{path}.lock", thread_local=False, mode=0o600)
            self._alive = FileLock(self._life_of(self.owner), thread_local=False, mode=0o600)
            self._alive.acquire()
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=10
        )
        self._setup()
        self._jobs: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        if threaded:
            self._thread = threading.Thread(target=self._run, name="local-store", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Writes what waits and closes the file."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
        with self._exclusive():
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()
        if self._alive is not None:
            self._alive.release()
            Path(self._alive.lock_file).unlink(missing_ok=True)

    # -- who

    def user(self, kept_as: str) -> User | None:
        """Who was last signed in there."""
        rows = self._ask("SELECT body FROM users WHERE kept_as = ?", kept_as)
        return msgspec.json.decode(rows[0][0], type=User) if rows else None

    def put_user(self, kept_as: str, user: User | None) -> Future[None]:
        """Remembers who is signed in, or (None) that nobody is."""
        if user is None:
            return self._write(
                lambda connection: connection.execute("DELETE FROM users WHERE kept_as = ?", (kept_as,))
            )
        body = encode(user).decode()
        return self._write(
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

        return self._write(work)

    def put_project(self, account: str, project: Project) -> Future[None]:
        """Writes one project."""
        body = encode(project).decode()
        return self._write(
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
            return Cached(_tasks.decode(found), row[0])

        cached: Cached | None = self._read(work)
        return cached

    def put_board(self, account: str, project: str, tasks: Iterable[Task], rev: int) -> Future[None]:
        """Replaces a whole board, unless a newer one is there."""
        rows = [(account, project, task.id, task.rev, encode(task).decode()) for task in tasks]

        def work(connection: sqlite3.Connection) -> None:
            key = (account, project)
            known = connection.execute("SELECT rev FROM boards WHERE account = ? AND project = ?", key)
            row = known.fetchone()
            if row is not None and row[0] > rev:
                return
            connection.execute("DELETE FROM tasks WHERE account = ? AND project = ?", key)
            connection.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?, ?)", rows)
            connection.execute("INSERT OR REPLACE INTO boards VALUES (?, ?, ?)", (*key, rev))

        return self._write(work)

    def put_changes(
        self, account: str, project: str, changed: dict[str, Task | None], rev: int
    ) -> Future[None]:
        """Writes the tasks that changed up to ``rev`` (None: deleted), never an older over a newer one."""
        rows = [
            (account, project, task_id, task.rev if task else rev, encode(task).decode() if task else None)
            for task_id, task in changed.items()
        ]

        def work(connection: sqlite3.Connection) -> None:
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

        return self._write(work)

    def forget(self, account: str) -> Future[None]:
        """Deletes what is cached of an account; unsent edits stay."""

        def work(connection: sqlite3.Connection) -> None:
            for table in ("projects", "boards", "tasks"):
                connection.execute(f"DELETE FROM {table} WHERE account = ?", (account,))  # noqa: S608

        return self._write(work)

    # -- the outbox

    def append(self, account: str, project: str, edits: Iterable[Edit]) -> Future[None]:
        """Adds edits; once the Future is done no crash can lose them."""
        rows = [(account, project, edit.op_id, self.owner, encode(edit).decode()) for edit in edits]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR IGNORE INTO outbox (account, project, op_id, owner, body) VALUES (?, ?, ?, ?, ?)",
                rows,
            )

        return self._write(work)

    def replace(self, edit: Edit) -> Future[None]:
        """Writes another content under the same operation id; it is no longer refused."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE outbox SET body = ?, refusal = NULL WHERE op_id = ?",
                (encode(edit).decode(), edit.op_id),
            )

        return self._write(work)

    def done(self, op_id: str) -> Future[None]:
        """Deletes an edit: the server has it, or its author gave it up."""
        return self._write(
            lambda connection: connection.execute("DELETE FROM outbox WHERE op_id = ?", (op_id,))
        )

    def refuse(self, op_id: str, refusal: Refusal) -> Future[None]:
        """Keeps an edit that the server did not take, with why."""
        text = encode(refusal).decode()
        return self._write(
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
                if owner != self.owner and not self._lives(owner):
                    connection.execute(
                        "UPDATE outbox SET owner = ? WHERE owner = ? AND account = ? AND project = ?",
                        (self.owner, owner, *key),
                    )
            rows = connection.execute(
                "SELECT body, refusal FROM outbox WHERE account = ? AND project = ? AND owner = ?"
                " ORDER BY number",
                (*key, self.owner),
            ).fetchall()
            return [
                Stored(_edit.decode(body), msgspec.json.decode(why, type=Refusal) if why else None)
                for body, why in rows
            ]

        adopted: list[Stored] = self._read(work)
        return adopted

    def release(self, account: str, project: str) -> Future[None]:
        """Gives this program's edits of a project to whoever opens it next."""
        return self._write(
            lambda connection: connection.execute(
                "UPDATE outbox SET owner = '' WHERE owner = ? AND account = ? AND project = ?",
                (self.owner, account, project),
            )
        )

    def unsent(self, account: str) -> dict[str, int]:
        """How many edits of an account wait or were refused, by project."""
        rows = self._ask("SELECT project, count(*) FROM outbox WHERE account = ? GROUP BY project", account)
        return dict(rows)

    # -- within

    def _setup(self) -> None:
        with self._exclusive():
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "mmap_size=0"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(SCHEMA)

    def _ask(self, statement: str, *values: str) -> list[Any]:
        rows: list[Any] = self._read(lambda connection: connection.execute(statement, values).fetchall())
        return rows

    def _read(self, work: Work) -> Any:
        return self._write(work).result()

    def _write(self, work: Work) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # who waits may give up; what is written is written
        if self._thread is None:
            self._commit([(work, future)])
        else:
            self._jobs.put((work, future))
        return future

    def _run(self) -> None:
        written = 0
        while True:
            first = self._jobs.get()
            if first is None:
                return
            batch, ended = [first], False
            while not ended and len(batch) < 1000:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    ended = True
                else:
                    batch.append(following)
            self._commit(batch)
            written += len(batch)
            if written >= 1000:
                written = 0
                with self._exclusive(), contextlib.suppress(sqlite3.Error):
                    self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            if ended:
                return

    def _commit(self, batch: list[tuple[Work, Future[Any]]]) -> None:
        connection = self._connection
        results: list[Any] = []
        try:
            with self._exclusive():
                connection.execute("BEGIN IMMEDIATE")
                try:
                    results.extend(work(connection) for work, _ in batch)
                    connection.execute("COMMIT")
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
        except Exception as error:
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)

    def _exclusive(self) -> contextlib.AbstractContextManager[Any]:
        return contextlib.nullcontext() if self._lock is None else self._lock

    def _life_of(self, owner: str) -> str:
        """The file that the owner of edits keeps locked while it runs."""
        return f"{self._path}.{owner}.lock"

    def _lives(self, owner: str) -> bool:
        if not owner or self._path is None:
            return False
        lock = FileLock(self._life_of(owner), thread_local=False, mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)
        return False
