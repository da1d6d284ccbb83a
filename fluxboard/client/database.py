"""One SQLite file that the terminals of a user share: one thread writes, a lock keeps the terminals apart.

The thread takes all that waits into one transaction with one fsync. The lock also covers checkpoints, since
SQLite before 3.51.3 can corrupt a WAL when two connections write or checkpoint together.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fluxboard.model.types import new_id

Work = Callable[[sqlite3.Connection], Any]


class Database:
    """The file, or with ``path`` None a database in memory that is gone with the program.

    ``owner`` names this program to the others; ``threaded`` False writes in the caller's thread.
    """

    def __init__(self, path: Path | None, schema: str, *, threaded: bool = True) -> None:
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
        self.connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=10
        )
        self._setup(schema)
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
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self.connection.close()
        if self._alive is not None:
            self._alive.release()
            Path(self._alive.lock_file).unlink(missing_ok=True)

    def read(self, work: Work) -> Any:
        """What ``work`` answers, after all that was written before."""
        return self.write(work).result()

    def write(self, work: Work) -> Future[Any]:
        """Does ``work`` in a transaction; the Future is done once it is on disk."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # who waits may give up; what is written is written
        if self._thread is None:
            self._commit([(work, future)])
        else:
            self._jobs.put((work, future))
        return future

    def lives(self, owner: str) -> bool:
        """Whether the program that is called so still runs."""
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

    def _setup(self, schema: str) -> None:
        with self._exclusive():
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "mmap_size=0"):
                self.connection.execute(f"PRAGMA {pragma}")
            self.connection.executescript(schema)

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
                with contextlib.suppress(sqlite3.Error, OSError), self._exclusive():
                    self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            if ended:
                return

    def _commit(self, batch: list[tuple[Work, Future[Any]]]) -> None:
        connection = self.connection
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
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for job in batch:  # what one of them cannot do must not be the end of the others
                self._commit([job])
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)

    def _exclusive(self) -> contextlib.AbstractContextManager[Any]:
        return contextlib.nullcontext() if self._lock is None else self._lock

    def _life_of(self, owner: str) -> str:
        """The file that the owner of edits keeps locked while it runs."""
        return f"{self._path}.{owner}.lock"
