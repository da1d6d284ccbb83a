"""Cursors must not make tasks late: ``python -m tests.benchmarks.presence [people]``.

So many people are in one room while one of them creates tasks, first in peace, then while everybody moves
their cursor five times a second. Prints what the server's processor did, how late the tasks were at the
others (from sending the request to hearing the event), and how many cursors were passed on.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvloop

from fluxboard.model.types import new_id
from fluxboard.model.wire import MemberAdd, ProjectCreate
from fluxboard.server.auth import Tokens
from fluxboard.server.commands import accounts, people, projects
from fluxboard.server.commands.access import Access, Person
from fluxboard.server.commands.ledger import Ledger, Op
from fluxboard.server.metrics import Metrics
from fluxboard.server.storage.engine import open_storage
from fluxboard.server.storage.migrate import migrate
from fluxboard.server.storage.sql import Tx
from tests.benchmarks.wire import WireClient, cpu_of
from tests.e2e.server_process import SECRET, ServerProcess

SECONDS = 8.0
TASKS_A_SECOND = 10
CURSORS_A_SECOND = 5
_TASK = b'42["task:created"'
_CURSOR = b'42["cursor:update"'
_TITLE = b'"title":"'


@dataclass
class Heard:
    """What all sockets heard."""

    times: list[float] = field(default_factory=list)
    cursors: int = 0
    sent: dict[bytes, float] = field(default_factory=dict)

    def take(self, data: bytes, start: int, end: int) -> None:
        if data.startswith(_CURSOR, start):
            self.cursors += 1
        elif data.startswith(_TASK, start):
            at = data.index(_TITLE, start, end) + len(_TITLE)
            sent = self.sent.get(data[at : at + 7])
            if sent is not None:
                self.times.append(time.perf_counter() - sent)


async def populate(database: str, count: int) -> tuple[str, list[str]]:
    """A project with so many members: its id, and a token of each."""
    storage = open_storage(database, lambda _: None, Metrics())
    tokens = Tokens(SECRET)

    def work(tx: Tx) -> tuple[str, list[str]]:
        users = [accounts.sign_up(tx, f"p{n}@x.org", f"Person {n}", "client", "-") for n in range(count)]
        owner = Person(users[0].id, users[0].name, users[0].email)
        project = projects.create(tx, owner, ProjectCreate(name="Crowd"), Op())
        with Ledger(tx, Access(project.id, owner, "owner"), Op()) as ledger:
            for user in users[1:]:
                people.add(ledger, MemberAdd(user_id=user.id))
        sessions = [accounts.open_session(tx, user.id, refresh=False) for user in users]
        pairs = zip(users, sessions, strict=True)
        return project.id, [tokens.access(user, session, short=False)[0] for user, session in pairs]

    try:
        return await storage.write(work)
    finally:
        await storage.close()


async def move_cursors(clients: list[WireClient], project_id: str, until: float) -> int:
    """Everybody moves, evenly spread; how many cursors were sent."""
    sent, step = 0, 1 / (CURSORS_A_SECOND * len(clients))
    due = time.perf_counter()
    while time.perf_counter() < until:
        client = clients[sent % len(clients)]
        task = f"{sent % 97:032d}"
        client.send(f'42["cursor:update",{{"projectId":"{project_id}","taskId":"{task}","column":"todo"}}]')
        sent += 1
        due += step
        if due > time.perf_counter():
            await asyncio.sleep(due - time.perf_counter())
    return sent


async def measure(server: ServerProcess, project_id: str, tokens: list[str], *, moving: bool) -> None:
    """One run, told in one line."""
    heard = Heard()
    clients: list[WireClient] = []
    for start in range(0, len(tokens), 25):
        some = tokens[start : start + 25]
        opened = [WireClient.open("127.0.0.1", server.port, heard.take, token) for token in some]
        clients += await asyncio.gather(*opened)
        joins = [each.join(f'421["join:project",{{"projectId":"{project_id}"}}]') for each in clients[start:]]
        await asyncio.gather(*joins)
    await asyncio.sleep(2)
    heard.times.clear()
    heard.cursors = 0
    before, begun = cpu_of(server.pid), time.perf_counter()
    until = begun + SECONDS
    cursors = asyncio.create_task(move_cursors(clients, project_id, until)) if moving else None
    async with httpx.AsyncClient(base_url=server.url) as http:
        headers = {"Authorization": f"Bearer {tokens[0]}"}
        due, number = begun, 0
        while time.perf_counter() < until:
            title = f"{'m' if moving else 'q'}{number:06d}"
            heard.sent[title.encode()] = time.perf_counter()
            body = {"title": title, "id": new_id()}
            await http.post(f"/api/projects/{project_id}/tasks", json=body, headers=headers)
            number += 1
            due += 1 / TASKS_A_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
    elapsed = time.perf_counter() - begun
    used = cpu_of(server.pid) - before
    quantiles = statistics.quantiles(heard.times, n=100)
    result = {
        "people": len(tokens),
        "server_cpu_percent": round(100 * used / elapsed),
        "task_p50_ms": round(1000 * quantiles[49], 1),
        "task_p99_ms": round(1000 * quantiles[98], 1),
        "tasks_heard": len(heard.times),
        "cursors_sent_a_second": round((await cursors) / elapsed) if cursors is not None else 0,
        "cursors_heard_a_second": round(heard.cursors / elapsed),
    }
    print("moving" if moving else "quiet ", json.dumps(result), flush=True)
    for client in clients:
        client.close()
    await asyncio.sleep(1)


async def main(count: int) -> None:
    """Quiet and moving, in turn, twice."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'fluxboard.db'}"
        migrate(database)
        project_id, tokens = await populate(database, count)
        server = ServerProcess(Path(folder))
        server.start()
        try:
            for _ in range(2):
                await measure(server, project_id, tokens, moving=False)
                await measure(server, project_id, tokens, moving=True)
        finally:
            server.kill()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
