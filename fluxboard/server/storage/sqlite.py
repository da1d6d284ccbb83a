"""SQLite: one writer thread.

It takes all the jobs that wait at that moment into one transaction, each in its own savepoint, with one fsync
for all. Only after the commit do the callers get their answers, and only then is what they announced
published, in commit order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from fluxboard.server.errors import Unavailable
from fluxboard.server.metrics import Metrics
from fluxboard.server.storage.engine import (
    BATCH_MAX,
    CANNOT_BE_STORED,
    Job,
    OnCommit,
    Waiting,
    deliver,
    not_storable,
)
from fluxboard.server.storage.sql import Tx
from fluxboard.server.storage.turn import WriterTurn

T = TypeVar("T")

READERS = 2

log = logging.getLogger("fluxboard.storage")


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
        self._jobs: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._open_readers: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._writer = threading.Thread(target=self._write_forever, name="writer", daemon=True)
        self._closed = False
        self._turn = WriterTurn(path)
        self._connection = self._connect()
        with self._turn:  # before anybody reads, since the mode cannot be changed while somebody does
            self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._writer.start()

    async def read(self, job: Job[T]) -> T:
        self.jobs += 1
        try:
            return await self._loop.run_in_executor(self._readers, self._read, job)
        finally:
            self.jobs -= 1

    async def write(self, job: Job[T], lane: str = "") -> T:
        if self._closed:
            raise Unavailable("The server is shutting down", retry_after=2)
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(Waiting(job, future))
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
            raise not_storable() from None
        finally:
            connection.execute("COMMIT")

    def _write_forever(self) -> None:
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
            self._commit(batch)
            self._loop.call_soon_threadsafe(deliver, batch, self._on_commit, time.time())
        with self._turn:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()
        self._turn.close()

    def _commit(self, batch: list[Waiting]) -> None:
        connection = self._connection
        try:
            with self._turn:
                connection.execute("BEGIN IMMEDIATE")
                for waiting in batch:
                    self._run(connection, waiting)
                begun = time.perf_counter()
                connection.execute("COMMIT")
            self._metrics.commits.observe(time.perf_counter() - begun)
            self._metrics.batches.observe(len(batch))
        except (sqlite3.Error, OSError) as error:
            log.exception("a commit failed")
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            for waiting in batch:
                waiting.announced = None
                waiting.error = Unavailable(f"The database cannot be written: {error}", retry_after=5)

    def _run(self, connection: sqlite3.Connection, waiting: Waiting) -> None:
        connection.execute("SAVEPOINT job")
        tx = Tx(connection.execute, "sqlite")
        try:
            waiting.result = waiting.job(tx)
        except (sqlite3.OperationalError, sqlite3.InternalError):
            raise  # the disk, not the job: nobody's work can be trusted to be there
        except Exception as error:
            connection.execute("ROLLBACK TO job")
            waiting.error = not_storable() if isinstance(error, CANNOT_BE_STORED) else error
        else:
            waiting.announced = tx.announced
        connection.execute("RELEASE job")
