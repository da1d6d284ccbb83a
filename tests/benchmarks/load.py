"""Load for a running server: ``python -m tests.benchmarks.load URL [--sockets N] [--rooms R] [--rate W]``.

So many sockets in so many rooms hear tasks that are made at a rate. Prints deliveries a second and the time
from sending a request to hearing its event, and with ``--pid`` of the server (on this computer, Linux) its
processor time for 100,000 deliveries and its memory for a connection. The clients are bare: they do not
decode what they hear. It makes an account and a project for each room, which stay.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import uvloop

from fluxboard.model.types import new_id
from tests.benchmarks.wire import WireClient, cpu_of, memory_of

_TASK = b'42["task:created"'
_TITLE = b'"title":"load '
_AT_ONCE = 50


@dataclass
class Heard:
    """What all sockets heard of the tasks that were made."""

    times: list[float] = field(default_factory=list)
    sent: dict[bytes, float] = field(default_factory=dict)

    def take(self, data: bytes, start: int, end: int) -> None:
        if not data.startswith(_TASK, start):
            return
        at = data.find(_TITLE, start, end)
        if at >= 0 and (sent := self.sent.get(data[at + len(_TITLE) : at + len(_TITLE) + 8])) is not None:
            self.times.append(time.perf_counter() - sent)


@dataclass(frozen=True)
class Room:
    """A project and the token of its owner."""

    project_id: str
    token: str


async def room(http: httpx.AsyncClient) -> Room:
    """A new account with a new project."""
    name = f"load-{uuid4().hex[:12]}"
    body = {"email": f"{name}@example.com", "password": uuid4().hex, "name": name}
    token = (await http.post("/api/auth/signup", json=body)).raise_for_status().json()["token"]
    made = await http.post("/api/projects", json={"name": name}, headers={"Authorization": f"Bearer {token}"})
    return Room(made.raise_for_status().json()["project"]["id"], token)


async def connected(url: str, rooms: list[Room], count: int, heard: Heard) -> list[WireClient]:
    """So many sockets, spread over the rooms."""
    parts = urlsplit(url)
    tls, host = parts.scheme == "https", parts.hostname or "localhost"
    port = parts.port or (443 if tls else 80)

    async def one(number: int) -> WireClient:
        there = rooms[number % len(rooms)]
        client = await WireClient.open(host, port, heard.take, there.token, tls=tls)
        await client.join(f'421["join:project",{{"projectId":"{there.project_id}"}}]')
        return client

    clients: list[WireClient] = []
    for start in range(0, count, _AT_ONCE):
        clients += await asyncio.gather(*(one(n) for n in range(start, min(start + _AT_ONCE, count))))
    return clients


async def write(http: httpx.AsyncClient, rooms: list[Room], heard: Heard, rate: float, seconds: float) -> int:
    """Makes tasks at a rate, in the rooms in turn; how many the server refused."""
    refused = 0

    async def make(number: int) -> None:
        nonlocal refused
        there, title = rooms[number % len(rooms)], f"{number:08d}"
        heard.sent[title.encode()] = time.perf_counter()
        answer = await http.post(
            f"/api/projects/{there.project_id}/tasks",
            json={"title": f"load {title}", "id": new_id()},
            headers={"Authorization": f"Bearer {there.token}"},
        )
        refused += not answer.is_success

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as making:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            making.create_task(make(number))
    return refused


async def main(given: argparse.Namespace) -> None:
    heard = Heard()
    async with httpx.AsyncClient(base_url=given.url, timeout=30) as http:
        rooms = [await room(http) for _ in range(given.rooms)]
        empty = memory_of(given.pid) if given.pid else 0
        clients = await connected(given.url, rooms, given.sockets, heard)
        full = memory_of(given.pid) if given.pid else 0
        used, begun = cpu_of(given.pid) if given.pid else 0.0, time.perf_counter()
        refused = await write(http, rooms, heard, given.rate, given.seconds)
        sent = len(heard.sent) - refused
        expected = sum(1 for n in range(sent) for c in range(given.sockets) if (n - c) % given.rooms == 0)
        deadline = time.perf_counter() + 10
        while len(heard.times) < expected and time.perf_counter() < deadline:
            await asyncio.sleep(0.05)
        elapsed = time.perf_counter() - begun
    quantiles = statistics.quantiles(heard.times, n=100)
    result = {
        "sockets": len(clients),
        "lost_connections": sum(client.lost for client in clients),
        "made": sent,
        "refused": refused,
        "heard": len(heard.times),
        "expected": expected,
        "deliveries_a_second": round(len(heard.times) / elapsed),
        "p50_ms": round(1000 * quantiles[49], 1),
        "p99_ms": round(1000 * quantiles[98], 1),
    }
    if given.pid:
        result["cpu_s_for_100k_deliveries"] = round((cpu_of(given.pid) - used) / len(heard.times) * 1e5, 2)
        result["kb_a_connection"] = round((full - empty) / 1024 / len(clients), 1)
    print(json.dumps(result))
    for client in clients:
        client.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load")
    parser.add_argument("url")
    parser.add_argument("--sockets", type=int, default=100)
    parser.add_argument("--rooms", type=int, default=4)
    parser.add_argument("--rate", type=float, default=20, help="tasks a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pid", type=int, help="the server's process, when it is on this computer")
    uvloop.run(main(parser.parse_args()))
