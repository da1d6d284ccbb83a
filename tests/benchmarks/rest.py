"""What REST costs: ``python -m tests.benchmarks.rest [sqlite] [postgres] [sizes …]``.

Creates, updates and lists a second at 1 and 32 clients, on boards of 100, 1,000 and 10,000 tasks, each beside
a bare loop: the very statements that the creates run, with the same values, commits and threads, and nothing
else. ``of bare`` is the share of its speed that is left with HTTP, tokens, checks and JSON. PostgreSQL runs
where FLUXBOARD_TEST_POSTGRES names one.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import uvloop

from fluxboard.model.types import new_id
from fluxboard.model.wire import ProjectCreate, TaskCreate
from fluxboard.server.app import Server
from fluxboard.server.auth import Tokens
from fluxboard.server.commands import accounts, projects, tasks
from fluxboard.server.commands.access import Access, Person
from fluxboard.server.commands.ledger import Ledger, Op
from fluxboard.server.metrics import Metrics
from fluxboard.server.settings import Settings
from fluxboard.server.storage import postgres, sqlite
from fluxboard.server.storage.engine import open_storage
from fluxboard.server.storage.sql import Tx
from tests.benchmarks.http import HttpClient
from tests.e2e.server_process import SECRET, ServerProcess

SECONDS = 3.0
SIZES = (100, 1_000, 10_000)
CLIENTS = (1, 32)
RECORDED = 3_000

#: The statements of one transaction, with their values.
Script = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Board:
    """A project in a database, and the token of its owner."""

    database: str
    project_id: str
    token: str

    @property
    def path(self) -> str:
        return f"/api/projects/{self.project_id}/tasks"


@dataclass(frozen=True)
class Figure:
    """Requests a second, and the 99th percentile of their time in milliseconds."""

    rate: float
    p99: float

    def __str__(self) -> str:
        return f"{self.rate:7.0f}/s p99 {self.p99:6.1f} ms"


async def populate(database: str, count: int) -> Board:
    """A board with so many tasks."""
    storage = open_storage(database, lambda _: None, Metrics())

    def begin(tx: Tx) -> tuple[Person, str, str]:
        user = accounts.sign_up(tx, "bench@example.com", "Bench", "client", "-")
        session = accounts.open_session(tx, user.id, refresh=False)
        person = Person(user.id, user.name, user.email)
        project = projects.create(tx, person, ProjectCreate(name="Bench"), Op())
        return person, project.id, Tokens(SECRET).access(user, session, short=False)[0]

    def fill(tx: Tx, person: Person, project_id: str, many: int) -> None:
        with Ledger(tx, Access(project_id, person, "owner"), Op()) as ledger:
            for number in range(many):
                tasks.create(ledger, TaskCreate(title=f"Task {number}", description="x" * 200))

    try:
        person, project_id, token = await storage.write(begin)
        for start in range(0, count, 500):
            many = min(500, count - start)
            await storage.write(lambda tx, many=many: fill(tx, person, project_id, many))  # type: ignore[misc]
        return Board(database, project_id, token)
    finally:
        await storage.close()


class Recorder(Tx):
    """A transaction that writes down what it runs."""

    scripts: list[Script] = []  # noqa: RUF012 - of the one recording
    __slots__ = ()

    def __init__(
        self, execute: Callable[[str, dict[str, Any]], Any], dialect: str, *, pipelined: bool = False
    ) -> None:
        script: Script = []
        self.scripts.append(script)

        def recorded(text: str, values: dict[str, Any]) -> Any:
            script.append((text, values))
            return execute(text, values)

        super().__init__(recorded, dialect, pipelined=pipelined)


async def record(board: Board, count: int) -> list[Script]:
    """The statements of so many creates through the real routes; the board has them afterwards."""
    server = Server(Settings(database=board.database, jwt_secret=SECRET, log_level="error"))
    async with server.rest.lifespan():
        transport = httpx.ASGITransport(server.rest)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as http:
            http.headers["Authorization"] = f"Bearer {board.token}"
            sqlite.Tx = postgres.Tx = Recorder  # type: ignore[misc]
            Recorder.scripts = []
            try:
                for _ in range(count):
                    key = {"Idempotency-Key": new_id()}
                    body = {"title": "Benchmark", "id": new_id()}
                    answer = await http.post(board.path, json=body, headers=key)
                    assert answer.status_code == 201, answer.text
            finally:
                sqlite.Tx = postgres.Tx = Tx  # type: ignore[misc]
    return [script for script in Recorder.scripts if any("INSERT INTO changes" in text for text, _ in script)]


async def bare(database: str, scripts: list[Script], clients: int) -> Figure:
    """Runs the recorded transactions on a board that does not have them yet."""
    storage = open_storage(database, lambda _: None, Metrics())
    scripted = iter(scripts)

    def job(script: Script) -> Callable[[Tx], None]:
        def run(tx: Tx) -> None:
            asked: list[Any] = []
            for text, values in script:
                if text.startswith("SELECT"):
                    asked.append(tx._execute(text, values))
                    continue
                while asked:  # as late as the creates look at them
                    asked.pop().fetchall()
                tx._execute(text, values)

        return run

    async def one() -> bool:
        script = next(scripted, None)
        if script is None:
            return False
        await storage.write(job(script), lane="board")
        return True

    try:
        return await rate(lambda _: one(), clients)
    finally:
        await storage.close()


async def rate(work: Callable[[int], Awaitable[bool]], clients: int) -> Figure:
    """Repeats ``work`` at so many clients at once, until the time is over or it answers False."""
    times: list[float] = []
    begun = time.perf_counter()

    async def client(number: int) -> None:
        while time.perf_counter() - begun < SECONDS:
            started = time.perf_counter()
            if not await work(number):
                return
            times.append(time.perf_counter() - started)

    await asyncio.gather(*(client(number) for number in range(clients)))
    elapsed = time.perf_counter() - begun
    return Figure(len(times) / elapsed, 1000 * statistics.quantiles(times, n=100)[98])


async def served(board: Board, port: int, clients: int) -> dict[str, Figure]:
    """Creates, updates and lists of a running server."""
    connections = [await HttpClient.open(port, board.token) for _ in range(clients)]
    made: list[str] = []

    async def create(number: int) -> bool:
        body = {"title": "Benchmark", "id": (task_id := new_id())}
        key = f"Idempotency-Key: {new_id()}\r\n"
        status, answer = await connections[number].ask("POST", board.path, body, key)
        assert status == 201, answer
        made.append(task_id)
        return True

    turns = itertools.count()

    async def change(number: int) -> bool:
        turn = next(turns)
        body = {"title": f"Changed {turn}"}
        key = f"Idempotency-Key: {new_id()}\r\n"
        path = f"{board.path}/{made[turn % len(made)]}"
        status, answer = await connections[number].ask("PUT", path, body, key)
        assert status == 200, answer
        return True

    async def read(number: int) -> bool:
        status, _ = await connections[number].ask("GET", board.path, headers="Accept-Encoding: zstd\r\n")
        return status == 200

    try:
        listed = await rate(read, clients)
        return {"create": await rate(create, clients), "update": await rate(change, clients), "list": listed}
    finally:
        for connection in connections:
            connection.close()


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[Callable[[str | None], str]]:
    """Makes fresh databases, empty or as copies of another."""
    if kind == "sqlite":

        def make(source: str | None) -> str:
            path = folder / f"{uuid4().hex}.db"
            if source:
                shutil.copy(source.removeprefix("sqlite:///"), path)
            return f"sqlite:///{path}"

        yield make
        return
    import psycopg

    url = os.environ["FLUXBOARD_TEST_POSTGRES"]
    names: list[str] = []
    with psycopg.connect(url, autocommit=True) as connection:

        def make(source: str | None) -> str:
            name = f"fluxboard_{uuid4().hex}"
            template = f' TEMPLATE "{urlsplit(source).path[1:]}"' if source else ""
            connection.execute(f'CREATE DATABASE "{name}"{template}')  # type: ignore[arg-type, unused-ignore]
            names.append(name)
            return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

        try:
            yield make
        finally:
            for name in names:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type, unused-ignore]


async def measure(kind: str, size: int, folder: Path) -> None:
    with databases(kind, folder) as make:
        board = await populate(make(None), size)
        recorded = await record(Board(make(board.database), board.project_id, board.token), RECORDED)
        for clients in CLIENTS:
            alone = await bare(make(board.database), recorded, clients)
            data = folder / uuid4().hex
            data.mkdir()
            server = ServerProcess(data, database=make(board.database))
            server.start()
            try:
                figures = await served(board, server.port, clients)
            finally:
                server.kill()
            print(f"{kind:8s} {size:6d} tasks {clients:3d} clients")
            print(f"   bare loop   {alone}")
            for name, figure in figures.items():
                share = f"  {figure.rate / alone.rate:4.2f} of bare" if name == "create" else ""
                print(f"   {name:11s} {figure}{share}", flush=True)


async def main(arguments: list[str]) -> None:
    kinds = [name for name in ("sqlite", "postgres") if name in arguments] or ["sqlite", "postgres"]
    if "FLUXBOARD_TEST_POSTGRES" not in os.environ and "postgres" in kinds:
        kinds.remove("postgres")
        print("postgres: FLUXBOARD_TEST_POSTGRES is not set")
    sizes = [int(argument) for argument in arguments if argument.isdigit()] or SIZES
    for kind in kinds:
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                await measure(kind, size, Path(folder))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
