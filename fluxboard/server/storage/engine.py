"""The threads that run transactions, one kind for SQLite and one for PostgreSQL.

SQLite has one writer thread. It takes all the jobs that wait at that moment into one transaction, each in its
own savepoint, with one fsync for all. Only after the commit do the callers get their answers, and only then
is what they announced published, in commit order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from fluxboard.server.errors import BadInput, Refusal, Unavailable
from fluxboard.server.metrics import Metrics
from fluxboard.server.storage.sql import Tx
from fluxboard.server.storage.turn import WriterTurn

T = TypeVar("T")
Job = Callable[[Tx], T]

BATCH_MAX = 256
READERS = 2
POSTGRES_THREADS = 8
POSTGRES_TRIES = 5
CONNECT_SECONDS = 5
#: What a value raises that no column can hold, such as half a character or a number of thirty digits.
CANNOT_BE_STORED = (UnicodeEncodeError, OverflowError)

log = logging.getLogger("fluxboard.storage")


@dataclass(frozen=True, slots=True)
class Event:
    """One socket event of a commit, with its payload already encoded as JSON."""

    name: str
    rev: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """An event for all sockets of one person, with its payload already encoded as JSON."""

    user_id: str
    name: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Committed:
    """What one transaction did to a project: its new head, its events in order, who must leave the room.

    ``socket_id`` is the socket of ``user_id`` that does not need these events, since it has the answer.
    ``told`` goes to single persons, wherever they are; with it alone ``project_id`` is "". ``since`` is the
    head before it, ``at`` the time of the commit in seconds since 1970.
    """

    project_id: str
    rev: int
    events: tuple[Event, ...]
    user_id: str = ""
    socket_id: str | None = None
    removed_users: tuple[str, ...] = ()
    closed: bool = False
    told: tuple[Told, ...] = ()
    since: int | None = None
    at: float = 0.0


OnCommit = Callable[[Committed], None]


class Storage(Protocol):
    """Runs jobs, which are synchronous functions over one transaction, off the event loop."""

    #: How many connections run jobs, and how many jobs run or wait for one.
    connections: int
    jobs: int

    async def read(self, job: Job[T]) -> T:
        """Runs ``job`` in one snapshot; it must not write."""
        ...

    async def write(self, job: Job[T]) -> T:
        """Runs ``job`` and answers when it is on disk. Raises what it raises, or Unavailable."""
        ...

    async def close(self) -> None: ...


def open_storage(database: str, on_commit: OnCommit, metrics: Metrics) -> Storage:
    """The storage behind a URL, migrated. ``on_commit`` is called on the event loop, in commit order."""
    from fluxboard.server.storage.migrate import migrate

    migrate(database)
    loop = asyncio.get_running_loop()
    if database.startswith("sqlite:///"):
        return SqliteStorage(Path(database.removeprefix("sqlite:///")), on_commit, loop, metrics)
    return PostgresStorage(database, on_commit, loop, metrics)


@dataclass(slots=True)
class _Waiting:
    job: Job[Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None
    announced: list[Committed] | None = None


def _deliver(done: list[_Waiting], on_commit: OnCommit, at: float) -> None:
    for waiting in done:
        for committed in waiting.announced or ():
            on_commit(replace(committed, at=at))
    for waiting in done:
        if waiting.future.done():  # its caller went away; what it did stands
            continue
        if waiting.error is not None:
            waiting.future.set_exception(waiting.error)
        else:
            waiting.future.set_result(waiting.result)


class SqliteStorage:
    """One file: one writer connection, which alone checkpoints, and a few that only read."""

    connections = READERS + 1

    def __init__(
        self, path: Path, on_commit: OnCommit, loop: asyncio.AbstractEventLoop, metrics: Metrics
    ) -> None:
        self.jobs = 0
        self._path = path
        self._on_commit = on_commit
        self._loop = loop
        self._metrics = metrics
        self._jobs: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._open_readers: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._writer = threading.Thread(target=self._write_forever, name="writer", daemon=True)
        self._closed = False
        self._writer.start()

    async def read(self, job: Job[T]) -> T:
        self.jobs += 1
        try:
            return await self._loop.run_in_executor(self._readers, self._read, job)
        finally:
            self.jobs -= 1

    async def write(self, job: Job[T]) -> T:
        if self._closed:
            raise Unavailable("The server is shutting down", retry_after=2)
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Waiting(job, future))
        self.jobs += 1
        try:
            return await future
        finally:
            self.jobs -= 1

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._readers.shutdown)
        # The writer closes last and so is the one that checkpoints.
        for connection in self._open_readers:
            connection.close()
        await asyncio.to_thread(self._writer.join)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=10
        )
        for pragma in ("foreign_keys=ON", "mmap_size=0", "cache_size=-16000", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _read(self, job: Job[T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA wal_autocheckpoint=0")
            self._open_readers.append(connection)
        connection.execute("BEGIN")
        try:
            return job(Tx(connection.execute, "sqlite"))
        except CANNOT_BE_STORED:
            raise _not_storable() from None
        finally:
            connection.execute("COMMIT")

    def _write_forever(self) -> None:
        turn = WriterTurn(self._path)
        connection = self._connect()
        with turn:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        ended = False
        while not ended:
            first = self._jobs.get()
            if first is None:
                break
            batch = [first]
            while len(batch) < BATCH_MAX:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    ended = True
                    break
                batch.append(following)
            with turn:
                self._commit(connection, batch)
            self._loop.call_soon_threadsafe(_deliver, batch, self._on_commit, time.time())
        with turn:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
        turn.close()

    def _commit(self, connection: sqlite3.Connection, batch: list[_Waiting]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for waiting in batch:
                self._run(connection, waiting)
            begun = time.perf_counter()
            connection.execute("COMMIT")
            self._metrics.commits.observe(time.perf_counter() - begun)
            self._metrics.batches.observe(len(batch))
        except sqlite3.Error as error:
            log.exception("a commit failed")
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            for waiting in batch:
                waiting.announced = None
                waiting.error = Unavailable(f"The database cannot be written: {error}", retry_after=5)

    def _run(self, connection: sqlite3.Connection, waiting: _Waiting) -> None:
        connection.execute("SAVEPOINT job")
        tx = Tx(connection.execute, "sqlite")
        try:
            waiting.result = waiting.job(tx)
        except (sqlite3.OperationalError, sqlite3.InternalError):
            raise  # the disk, not the job: nobody's work can be trusted to be there
        except Exception as error:
            connection.execute("ROLLBACK TO job")
            waiting.error = _not_storable() if isinstance(error, CANNOT_BE_STORED) else error
        else:
            waiting.announced = tx.announced
        connection.execute("RELEASE job")


class PostgresStorage:
    """Threads with a connection each. The project's row lock makes commit order rev order.

    A commit gives that lock to the next writer. The project's ``turn``, which is held from before the commit
    until its events are queued, keeps the next one from being heard first.
    """

    connections = POSTGRES_THREADS

    def __init__(
        self, database: str, on_commit: OnCommit, loop: asyncio.AbstractEventLoop, metrics: Metrics
    ) -> None:
        self.jobs = 0
        self._database = database
        self._on_commit = on_commit
        self._loop = loop
        self._metrics = metrics
        self._local = threading.local()
        self._connections: list[Any] = []
        self._turns = [threading.Lock() for _ in range(64)]
        self._pool = ThreadPoolExecutor(POSTGRES_THREADS, thread_name_prefix="postgres")

    async def read(self, job: Job[T]) -> T:
        return await self._in_a_thread(job, reading=True)

    async def write(self, job: Job[T]) -> T:
        return await self._in_a_thread(job, reading=False)

    async def _in_a_thread(self, job: Job[T], *, reading: bool) -> T:
        self.jobs += 1
        try:
            return await self._loop.run_in_executor(self._pool, self._transact, job, reading)
        finally:
            self.jobs -= 1

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown)
        for connection in self._connections:
            connection.close()

    def _transact(self, job: Job[T], reading: bool) -> T:
        import psycopg
        from psycopg import errors

        for attempt in range(POSTGRES_TRIES):
            try:
                return self._attempt(job, reading)
            except Refusal:
                raise
            except (*CANNOT_BE_STORED, psycopg.DataError):
                raise _not_storable() from None
            except (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation):
                # Lost to a neighbour; what it did is seen by the next try.
                if attempt == POSTGRES_TRIES - 1:
                    raise Unavailable("The database is busy", retry_after=1) from None
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._drop_connection()
                log.warning("database connection lost: %s", error)
                # What failed while committing may be committed: only a key can tell, so the caller asks.
                if not reading or attempt == POSTGRES_TRIES - 1:
                    raise Unavailable("The database cannot be reached", retry_after=2) from None
        raise Unavailable("The database is busy", retry_after=1)

    def _attempt(self, job: Job[T], reading: bool) -> T:
        connection = self._connection()
        with contextlib.ExitStack() as turns:
            with connection.transaction():
                if reading:
                    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                tx = Tx(connection.execute, "postgresql")
                result = job(tx)
                for turn in sorted({hash(made.project_id) % len(self._turns) for made in tx.announced}):
                    turns.enter_context(self._turns[turn])
                begun = time.perf_counter()
            if not reading:
                self._metrics.commits.observe(time.perf_counter() - begun)
                self._metrics.batches.observe(1)
            for committed in tx.announced:
                self._loop.call_soon_threadsafe(self._on_commit, replace(committed, at=time.time()))
        return result

    def _connection(self) -> Any:
        import psycopg

        connection = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            self._drop_connection()
            given = "connect_timeout" in self._database
            waiting: dict[str, Any] = {} if given else {"connect_timeout": CONNECT_SECONDS}
            connection = psycopg.connect(self._database, autocommit=True, **waiting)
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    def _drop_connection(self) -> None:
        connection = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            self._connections.remove(connection)
            with contextlib.suppress(Exception):
                connection.close()


def _not_storable() -> BadInput:
    return BadInput("There is a value in this that cannot be stored")
