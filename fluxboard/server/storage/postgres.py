"""PostgreSQL: threads over a pool of connections.

The writes of one project wait for its row's lock, and so for each other's commits. Here those that wait in
one process share a commit; other projects go on beside them. What their jobs look at is asked in as few round
trips as possible. Where one of them fails after it wrote, they are run again, each in its own savepoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolTimeout

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
from fluxboard.server.storage.pipeline import Connection, Pipeline
from fluxboard.server.storage.sql import Tx

T = TypeVar("T")

THREADS: Final = 8
TRIES: Final = 5
CONNECT_SECONDS: Final = 5

#: A transaction of one look at everything.
SNAPSHOT: Final = "ISOLATION LEVEL REPEATABLE READ READ ONLY"
#: Another transaction stood in the way; the next try sees what it did.
_NEIGHBOURS: Final = (errors.SerializationFailure, errors.DeadlockDetected)
_LOST: Final = (psycopg.OperationalError, psycopg.InterfaceError)

log = logging.getLogger("fluxboard.storage")


class _Undo(Exception):
    """A job failed after it wrote something, and its neighbours' work must stay."""


#: What ends a whole batch and is the failure of one of its jobs.
_OF_ONE: Final = (
    *(psycopg.DataError, psycopg.IntegrityError, errors.PipelineAborted),
    *(_Undo, *CANNOT_BE_STORED),
)


class PostgresStorage:
    """The project's row lock makes commit order rev order.

    A commit gives that lock to the next writer. The project's ``turn``, which is held from before the commit
    until its events are queued, keeps the next one from being heard first.
    """

    connections = THREADS

    def __init__(
        self, database: str, on_commit: OnCommit, loop: asyncio.AbstractEventLoop, metrics: Metrics
    ) -> None:
        self.jobs = 0
        self._on_commit = on_commit
        self._loop = loop
        self._metrics = metrics
        #: What waits in each lane that a thread is at.
        self._lanes: dict[str, list[Waiting]] = {}
        self._lock = threading.Lock()
        self._turns = [threading.Lock() for _ in range(64)]
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="postgres")
        waiting = {} if "connect_timeout" in database else {"connect_timeout": CONNECT_SECONDS}
        self._pool = ConnectionPool(
            database,
            connection_class=Connection,
            min_size=1,
            max_size=THREADS,
            timeout=CONNECT_SECONDS,
            reconnect_timeout=CONNECT_SECONDS,
            # What psycopg prepared itself it deallocates after a rollback, and the pipelines' statements too.
            kwargs={"autocommit": True, "prepare_threshold": None, "client_encoding": "UTF8", **waiting},
            open=True,
        )

    async def read(self, job: Job[T]) -> T:
        self.jobs += 1
        try:
            return await self._loop.run_in_executor(self._threads, self._read, job)
        finally:
            self.jobs -= 1

    async def write(self, job: Job[T], lane: str = "") -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        waiting = Waiting(job, future)
        if not lane:
            self._threads.submit(self._commit, [waiting])
        elif self._join(lane, waiting):
            self._threads.submit(self._run_lane, lane)
        self.jobs += 1
        try:
            return await future
        finally:
            self.jobs -= 1

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._pool.close)

    def _join(self, lane: str, waiting: Waiting) -> bool:
        """Whether a thread has to be found for a lane, since none is at it."""
        with self._lock:
            others = self._lanes.get(lane)
            if others is not None:
                others.append(waiting)
                return False
            self._lanes[lane] = [waiting]
            return True

    def _run_lane(self, lane: str) -> None:
        """Commits what waits in a lane, all of it together, until nothing waits."""
        while True:
            with self._lock:
                waiting = self._lanes[lane]
                batch, self._lanes[lane] = waiting[:BATCH_MAX], waiting[BATCH_MAX:]
                if not batch:
                    del self._lanes[lane]
                    return
            self._commit(batch)

    def _read(self, job: Job[T]) -> T:
        for attempt in range(TRIES):
            try:
                with self._pool.connection() as connection, Pipeline(connection, SNAPSHOT) as pipeline:
                    return job(Tx(pipeline.execute, "postgresql", pipelined=True))
            except (*CANNOT_BE_STORED, psycopg.DataError):
                raise not_storable() from None
            except _NEIGHBOURS:
                continue
            except _LOST as error:
                log.warning("database connection lost: %s", error)
                # A pool that had no connection to give has been trying for long enough.
                if isinstance(error, PoolTimeout) or attempt == TRIES - 1:
                    raise _unreachable() from None
        raise _busy()

    def _commit(self, batch: list[Waiting]) -> None:
        """Runs jobs in one transaction, each alone in its failure, and delivers what became of them."""
        failure: BaseException | None = None
        with contextlib.ExitStack() as turns:
            try:
                failure = self._try(batch, turns)
            except _LOST as error:
                log.warning("database connection lost: %s", error)
                # What failed while committing may be committed: only a key can tell, so the caller asks.
                failure = _unreachable()
            except Exception as error:
                failure = error
            if failure is not None:
                for waiting in batch:
                    waiting.error, waiting.announced = failure, None
            self._loop.call_soon_threadsafe(deliver, batch, self._on_commit, time.time())

    def _try(self, batch: list[Waiting], turns: contextlib.ExitStack) -> BaseException | None:
        """Commits; the failure of all of them when neighbours stood in the way too often."""
        pipelined = True
        for _ in range(TRIES):
            turns.close()
            try:
                with self._pool.connection() as connection:
                    if pipelined:
                        with Pipeline(connection) as pipeline:
                            for waiting in batch:
                                self._queue(pipeline, waiting)
                            # What still has to wait for another transaction must not do so in its turn.
                            pipeline.settle()
                            self._take_turns(batch, turns)
                            begun = time.perf_counter()
                    else:
                        with connection.transaction():
                            for waiting in batch:
                                self._run(connection, waiting)
                            self._take_turns(batch, turns)
                            begun = time.perf_counter()
                    self._metrics.commits.observe(time.perf_counter() - begun)
                    self._metrics.batches.observe(len(batch))
                return None
            except _NEIGHBOURS:
                continue
            except _OF_ONE:
                if not pipelined:
                    raise
                pipelined = False  # one after the other shows whose it was
        return _busy()

    def _take_turns(self, batch: list[Waiting], turns: contextlib.ExitStack) -> None:
        projects = {made.project_id for one in batch for made in one.announced or ()}
        for turn in sorted({hash(project) % len(self._turns) for project in projects}):
            turns.enter_context(self._turns[turn])

    def _queue(self, pipeline: Pipeline, waiting: Waiting) -> None:
        """Runs a job of a pipeline, which waits for the database only where it looks at something."""
        waiting.error, waiting.announced = None, None
        tx = Tx(pipeline.execute, "postgresql", pipelined=True)
        try:
            waiting.result = waiting.job(tx)
        except (psycopg.Error, *CANNOT_BE_STORED):
            raise
        except Exception as error:
            if tx.wrote:
                raise _Undo from None
            waiting.error = error
        else:
            waiting.announced = tx.announced

    def _run(self, connection: psycopg.Connection[Any], waiting: Waiting) -> None:
        waiting.error, waiting.announced = _busy(), None
        for _ in range(TRIES):
            try:
                with connection.transaction():
                    tx = Tx(connection.execute, "postgresql")
                    waiting.result = waiting.job(tx)
                waiting.error, waiting.announced = None, tx.announced
                return
            except errors.UniqueViolation:
                continue  # what a neighbour wrote is seen by the next try
            except (*_NEIGHBOURS, *_LOST):
                raise
            except (*CANNOT_BE_STORED, psycopg.DataError):
                waiting.error = not_storable()
                return
            except Exception as error:
                waiting.error = error
                return


def _busy() -> Unavailable:
    return Unavailable("The database is busy", retry_after=1)


def _unreachable() -> Unavailable:
    return Unavailable("The database cannot be reached", retry_after=2)
