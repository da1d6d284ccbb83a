"""Transactions: one fsync for many, each alone in its failure, and nothing heard that was not committed."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fluxboard.server.commands.access import Access, Person
from fluxboard.server.commands.ledger import Ledger, Op
from fluxboard.server.errors import BadInput, Conflict, Unavailable
from fluxboard.server.metrics import Metrics
from fluxboard.server.storage.engine import Committed, Storage, open_storage
from fluxboard.server.storage.migrate import schema_of
from fluxboard.server.storage.postgres import THREADS, PostgresStorage
from fluxboard.server.storage.sql import Statement, Tx, command
from fluxboard.server.storage.sqlite import SqliteStorage
from fluxboard.server.storage.tables import projects, users
from tests.server.conftest import drop_postgres, new_postgres
from tests.server.world import World, done, refused
from tests.support.waiting import until

_INSERT = command(users.insert())
_NAMES = Statement(users.select().with_only_columns(users.c.name).order_by(users.c.name), str)


def sign_up(tx: Tx, name: str) -> None:
    values = {"user_type": "client", "password_hash": "x", "created_at": ""}
    tx.run(_INSERT, id=uuid4().hex, email=name, name=name, **values)


def told(name: str) -> Committed:
    return Committed(name, 1, ())


class Gate(contextlib.AbstractContextManager["Gate"]):
    """A job that holds the writer, so that what comes meanwhile is taken in one transaction."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._open = threading.Event()
        self._reached = threading.Event()

    async def close(self) -> None:
        self.job = asyncio.create_task(self._storage.write(self._wait, lane="one"))
        await asyncio.to_thread(self._reached.wait, 5)

    def _wait(self, tx: Tx) -> None:
        self._reached.set()
        assert self._open.wait(5)

    def __exit__(self, *_: object) -> None:
        self._open.set()


@pytest.fixture(params=["sqlite", "postgres"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    heard: list[str] = []
    made = open_storage(
        request.getfixturevalue(request.param), lambda done: heard.append(done.project_id), Metrics()
    )
    made.heard = heard  # type: ignore[attr-defined]
    yield made
    await made.close()


def heard_by(storage: Storage) -> list[str]:
    heard: list[str] = storage.heard  # type: ignore[attr-defined]
    return heard


async def test_a_job_that_raises_leaves_its_neighbours_alone(storage: Storage) -> None:
    prefix = uuid4().hex

    def good(name: str) -> Callable[[Tx], str]:
        def job(tx: Tx) -> str:
            sign_up(tx, f"{prefix} {name}")
            tx.announce(told(name))
            return name

        return job

    def bad(name: str, error: Exception) -> Callable[[Tx], str]:
        def job(tx: Tx) -> str:
            sign_up(tx, f"{prefix} {name}")
            tx.announce(told(name))
            raise error

        return job

    jobs = [
        good("a"),
        bad("b", Conflict("no")),
        good("c"),
        bad("d", RuntimeError("a defect")),
        bad("e", OverflowError("a number")),
        good("f"),
    ]
    with Gate(storage) as gate:
        await gate.close()
        waiting = asyncio.gather(*(storage.write(job, lane="one") for job in jobs), return_exceptions=True)
        await asyncio.sleep(0)
    results = await waiting
    await gate.job
    assert results[0::2][:2] == ["a", "c"]
    assert results[5] == "f"
    assert isinstance(results[1], Conflict)
    assert isinstance(results[3], RuntimeError)
    assert isinstance(results[4], BadInput)
    names = await storage.read(lambda tx: tx.all(_NAMES))
    assert [name for name in names if name.startswith(prefix)] == [f"{prefix} {name}" for name in "acf"]
    assert sorted(heard_by(storage)) == ["a", "c", "f"]


async def test_a_failure_among_many_spoils_nothing_for_those_after_it(storage: Storage) -> None:
    def good(tx: Tx) -> None:
        sign_up(tx, uuid4().hex)

    def bad(tx: Tx) -> None:
        good(tx)
        raise Conflict("no")

    async def on_every_connection() -> None:
        for _ in range(THREADS):
            await storage.write(good)

    await on_every_connection()
    with Gate(storage) as gate:
        await gate.close()
        jobs = [*[good] * 10, bad]  # so many that a driver prepares what they have in common
        waiting = asyncio.gather(*(storage.write(job, lane="one") for job in jobs), return_exceptions=True)
        await asyncio.sleep(0)
    *fine, failed = await waiting
    await gate.job
    assert fine == [None] * 10
    assert isinstance(failed, Conflict)
    await on_every_connection()


async def test_what_was_announced_is_heard_before_the_answer(storage: Storage) -> None:
    heard: list[list[str]] = []

    async def one(name: str) -> None:
        await storage.write(lambda tx: tx.announce(told(name)))
        heard.append(list(heard_by(storage)))

    await asyncio.gather(*(one(str(number)) for number in range(20)))
    assert all(str(number) in heard_by(storage) for number in range(20))
    for number in range(20):
        await one(f"again {number}")
        assert f"again {number}" in heard[-1]


async def test_a_caller_who_goes_away_does_not_stop_what_they_asked(storage: Storage) -> None:
    name = uuid4().hex
    with Gate(storage) as gate:
        await gate.close()
        asking = asyncio.create_task(storage.write(lambda tx: (sign_up(tx, name), tx.announce(told(name)))))
        await asyncio.sleep(0)
        asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    await gate.job
    await storage.write(lambda tx: tx.announce(told("after")))
    if isinstance(storage, SqliteStorage):  # with a pool, what had not begun is not begun
        assert heard_by(storage) == [name, "after"]


async def test_reading_sees_one_moment(storage: Storage) -> None:
    name = uuid4().hex
    between, go = threading.Event(), threading.Event()

    def twice(tx: Tx) -> tuple[bool, bool]:
        before = name in tx.all(_NAMES)
        between.set()
        assert go.wait(30)
        return before, name in tx.all(_NAMES)

    reading = asyncio.create_task(storage.read(twice))
    await asyncio.to_thread(between.wait, 30)
    await storage.write(lambda tx: sign_up(tx, name))
    go.set()
    assert await reading == (False, False)
    assert name in await storage.read(lambda tx: tx.all(_NAMES))


async def test_closing_finishes_what_was_asked(sqlite: str) -> None:
    storage = open_storage(sqlite, lambda _: None, Metrics())
    asked = [asyncio.create_task(storage.write(lambda tx, n=n: sign_up(tx, f"n{n}"))) for n in range(50)]  # type: ignore[misc]
    await asyncio.sleep(0)
    await storage.close()
    await asyncio.gather(*asked)
    with pytest.raises(Unavailable):
        await storage.write(lambda tx: None)
    await storage.close()
    path = Path(sqlite.removeprefix("sqlite:///"))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (50,)
    assert not path.with_name(path.name + "-wal").exists(), "all of it is in the one file"


# -- SQLite


class Connection:
    """A connection whose COMMIT can fail as on a full disk."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real
        self.statements: list[str] = []
        self.full = False

    def execute(self, text: str, values: Any = ()) -> sqlite3.Cursor:
        self.statements.append(text)
        if self.full and text == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return self._real.execute(text, values)

    def close(self) -> None:
        self._real.close()


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The connections of SQLite, the writer's first."""
    made: list[Connection] = []
    connect = SqliteStorage._connect

    def watched(self: SqliteStorage) -> Connection:
        made.append(Connection(connect(self)))
        return made[-1]

    monkeypatch.setattr(SqliteStorage, "_connect", watched)
    return made


async def test_what_waits_is_one_transaction(sqlite: str, connections: list[Connection]) -> None:
    storage = open_storage(sqlite, lambda _: None, Metrics())
    with Gate(storage) as gate:
        await gate.close()
        waiting = asyncio.gather(*(storage.write(lambda tx, n=n: sign_up(tx, f"n{n}")) for n in range(30)))  # type: ignore[misc]
        await asyncio.sleep(0)
    await waiting
    assert connections[0].statements.count("COMMIT") == 2
    assert connections[0].statements.count("SAVEPOINT job") == 31
    assert "PRAGMA synchronous=FULL" in connections[0].statements
    await storage.close()


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_a_commit_that_fails_acknowledges_and_tells_nothing(
    connections: list[Connection], world: World, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await world.person()
    project = await ada.project()
    ear = await ada.ear(project)
    task = await ada.task(project)
    path = f"/api/projects/{project}/tasks"
    before = await ada.tasks(project)
    writer = connections[0]
    writer.full = True
    answers = await asyncio.gather(
        *(ada.post(path, {"title": f"lost {number}"}, Idempotency_Key=f"k{number}") for number in range(8)),
        ada.put(f"{path}/{task['id']}", {"title": "lost"}),
        ada.post(path, {"title": " "}),
    )
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert "disk is full" in answer.json()["error"]
    assert await ada.tasks(project) == before, "reading goes on"
    writer.full = False
    again = [await done(ada.post(path, {"title": f"kept {n}"}, Idempotency_Key=f"k{n}")) for n in range(8)]
    assert [answer["task"]["rev"] for answer in again] == list(range(before["rev"] + 1, before["rev"] + 9))
    expected = ["Write", *(f"kept {number}" for number in range(8))]
    await until(lambda: len(ear.of("task:created", "task:updated")) >= len(expected))
    assert [data["task"]["title"] for data in ear.of("task:created", "task:updated")] == expected


async def test_a_defect_answers_500_and_is_logged_without_what_was_written(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await world.person()
    project = await ada.project()

    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("fluxboard.server.commands.tasks.create", broken)
    body = await refused(ada.post(f"/api/projects/{project}/tasks", {"title": "my secret"}), 500)
    assert "defect" not in body["error"]
    assert "a defect" in caplog.text
    assert "my secret" not in caplog.text
    assert project not in caplog.text


# -- PostgreSQL


class SlowLoop:
    """An event loop whose other threads are held up on their way to it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._delays = iter([0.15, 0.1, 0.05])

    def call_soon_threadsafe(self, *args: Any) -> None:
        time.sleep(next(self._delays, 0))
        self._loop.call_soon_threadsafe(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


async def test_commits_of_one_project_are_heard_in_their_order(postgres: str) -> None:
    heard: list[int] = []
    storage = open_storage(postgres, lambda done: heard.append(done.rev), Metrics())
    assert isinstance(storage, PostgresStorage)
    person, project_id = Person("u", "ada", "a@b.example"), uuid4().hex
    texts = dict.fromkeys(("name", "description", "status", "priority", "created_by"), "x")
    row = texts | {"id": project_id, "columns": "[]", "created_at": "", "updated_at": ""}
    numbers = dict.fromkeys(("archived", "rev", "log_start", "task_count", "completed_count"), 0)
    nothing = dict.fromkeys(("start_date", "due_date"))
    await storage.write(lambda tx: tx.run(command(projects.insert()), **row, **numbers, **nothing))
    storage._loop = SlowLoop(asyncio.get_running_loop())  # type: ignore[assignment]

    def write(tx: Tx) -> None:
        with Ledger(tx, Access(project_id, person, "owner"), Op()) as ledger:
            ledger.board("members:updated", "member.role", "u", "ada")

    await asyncio.gather(*(storage.write(write) for _ in range(8)))
    await asyncio.sleep(0)
    assert heard == list(range(1, 9))
    await storage.close()


async def test_a_text_is_stored_whatever_the_environment_says_of_encodings(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    storage = open_storage(postgres, lambda _: None, Metrics())
    name = f"Zoë 🦄 {uuid4().hex}"
    await storage.write(lambda tx: sign_up(tx, name))
    assert name in await storage.read(lambda tx: tx.all(_NAMES))
    await storage.close()


async def test_who_waits_for_a_neighbour_does_not_hold_up_its_commit(postgres: str) -> None:
    storage = open_storage(postgres, lambda _: None, Metrics())
    assert isinstance(storage, PostgresStorage)
    written, go = threading.Event(), threading.Event()
    values = dict.fromkeys(("name", "user_type", "password_hash", "created_at"), "x") | {"id": uuid4().hex}

    def first(tx: Tx) -> None:
        tx.run(_INSERT, email="first", **values)
        tx.all(_NAMES)  # so that it is there
        written.set()
        assert go.wait(5)
        tx.announce(told("a project"))

    def second(tx: Tx) -> None:
        tx.run(_INSERT, email="second", **values)
        tx.announce(told("a project"))

    one = asyncio.create_task(storage.write(first, lane="one"))
    await asyncio.to_thread(written.wait, 5)
    other = asyncio.create_task(storage.write(second, lane="other"))
    await until(lambda: _blocked(postgres))
    go.set()
    await asyncio.wait_for(one, 5)
    with pytest.raises(Unavailable):
        await asyncio.wait_for(other, 5)
    await storage.close()


async def test_a_lost_connection_is_replaced_and_not_kept(postgres: str) -> None:
    storage = open_storage(postgres, lambda _: None, Metrics())
    assert isinstance(storage, PostgresStorage)
    for _ in range(3):
        names = await storage.read(lambda tx: tx.all(_NAMES))
        await asyncio.to_thread(_terminate, postgres)
        assert await storage.read(lambda tx: tx.all(_NAMES)) == names, "reading is tried again"
    assert storage._pool.get_stats()["pool_size"] <= THREADS
    assert await asyncio.to_thread(_connected, postgres) <= THREADS
    await storage.close()


def _connected(url: str) -> int:
    import psycopg

    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
        assert found
        return int(found[0])


def _blocked(url: str) -> bool:
    import psycopg

    with psycopg.connect(url) as connection:
        return bool(connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())


async def test_a_database_that_is_away_is_told_after_one_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fluxboard.server.storage.postgres.CONNECT_SECONDS", 0.5)
    name, url = new_postgres()
    storage = open_storage(url, lambda _: None, Metrics())
    try:
        await asyncio.to_thread(drop_postgres, name)
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="cannot be reached"):
            await storage.read(schema_of)
        with pytest.raises(Unavailable, match="cannot be reached"):
            await storage.write(schema_of)
        assert time.monotonic() - begun < 2
    finally:
        await storage.close()


def _terminate(url: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
