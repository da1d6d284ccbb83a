"""What a storage is: it runs transactions off the event loop, and says what they committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from fluxboard.server.errors import BadInput
from fluxboard.server.metrics import Metrics
from fluxboard.server.storage.sql import Tx

T = TypeVar("T")
Job = Callable[[Tx], T]

#: What a value raises that no column can hold, such as half a character or a number of thirty digits.
CANNOT_BE_STORED = (UnicodeEncodeError, OverflowError)


class Event(msgspec.Struct, frozen=True):
    """One socket event of a commit, with its payload already encoded as JSON."""

    name: str
    rev: int
    payload: bytes


class Told(msgspec.Struct, frozen=True):
    """An event for all sockets of one person, with its payload already encoded as JSON."""

    user_id: str
    name: str
    payload: bytes


class Committed(msgspec.Struct, frozen=True):
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

#: So many jobs share a commit at most.
BATCH_MAX = 256


@dataclass(slots=True)
class Waiting:
    """A job whose caller waits, and what became of it."""

    job: Job[Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None
    announced: list[Committed] | None = None


def deliver(done: list[Waiting], on_commit: OnCommit, at: float) -> None:
    """Announces what was committed ``at`` a time, and then answers the callers."""
    for waiting in done:
        for committed in waiting.announced or ():
            on_commit(msgspec.structs.replace(committed, at=at))
    for waiting in done:
        if waiting.future.done():  # its caller went away; what it did stands
            continue
        if waiting.error is not None:
            waiting.future.set_exception(waiting.error)
        else:
            waiting.future.set_result(waiting.result)


class Storage(Protocol):
    """Runs jobs, which are synchronous functions over one transaction, off the event loop."""

    #: How many connections run jobs, and how many jobs run or wait for one.
    connections: int
    jobs: int

    async def read(self, job: Job[T]) -> T:
        """Runs ``job`` in one snapshot; it must not write."""
        ...

    async def write(self, job: Job[T], lane: str = "") -> T:
        """Runs ``job`` and answers when it is on disk. Raises what it raises, or Unavailable.

        Jobs of one ``lane`` would wait for each other anyway, such as those of a project; they may share a
        commit.
        """
        ...

    async def close(self) -> None: ...


def open_storage(database: str, on_commit: OnCommit, metrics: Metrics) -> Storage:
    """The storage behind a URL, migrated. ``on_commit`` is called on the event loop, in commit order."""
    from fluxboard.server.storage.migrate import migrate

    migrate(database)
    loop = asyncio.get_running_loop()
    if database.startswith("sqlite:///"):
        from fluxboard.server.storage.sqlite import SqliteStorage

        return SqliteStorage(Path(database.removeprefix("sqlite:///")), on_commit, loop, metrics)
    from fluxboard.server.storage.postgres import PostgresStorage

    return PostgresStorage(database, on_commit, loop, metrics)


def not_storable() -> BadInput:
    """The refusal of a value that no column can hold."""
    return BadInput("There is a value in this that cannot be stored")
