"""Fan-out beside Node's own Socket.IO: ``python -m tests.benchmarks.fanout [N ...]``.

A relay of a few lines runs on either server in turn; one client sends, N listen. ``one`` and ``four`` keep so
many emits in flight until all have heard them, ``burst`` sends fifty at once, ``paced`` sends twenty a second
and looks at the time from sending to hearing. A ratio above 1 is ours ahead in deliveries a second; for the
times and the memory below 1 is. Without Node ours is shown alone.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from tests.benchmarks.wire import WireClient, memory_of

SECONDS = 2.0
ROUNDS = 3
RATE = 20
BODY = "x" * 500
#: Where a listener finds the number of an event.
NUMBER = len('42["task:updated",{"n":')
RELAY = Path(__file__).with_name("relay.js")
#: Where the npm package is kept from run to run.
MODULES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fluxboard-benchmarks"

Result = dict[str, float]


class Audience:
    """One sender and its listeners on one server."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.timing = False
        self.times: list[float] = []
        self._left: dict[int, int] = {}
        self._sent: dict[int, tuple[float, asyncio.Event]] = {}
        self._number = 100_000  # six digits, always
        self.listeners: list[WireClient] = []
        self.sender: WireClient

    async def connect(self, port: int) -> None:
        self.sender = await WireClient.open("127.0.0.1", port, lambda *_: None)
        await self.sender.join('421["join","other"]')
        for start in range(0, self.count, 50):
            opened = await asyncio.gather(
                *(WireClient.open("127.0.0.1", port, self._heard) for _ in range(min(50, self.count - start)))
            )
            await asyncio.gather(*(client.join('421["join","room"]') for client in opened))
            self.listeners += opened

    @property
    def sent(self) -> int:
        """How many were sent so far."""
        return self._number

    def send(self) -> asyncio.Event:
        """Set when all have heard it."""
        self._number += 1
        heard = asyncio.Event()
        self._left[self._number] = self.count
        self._sent[self._number] = (time.perf_counter(), heard)
        self.sender.send(f'42["relay","room",{{"n":{self._number},"body":"{BODY}"}}]')
        return heard

    def _heard(self, data: bytes, start: int, _: int) -> None:
        number = int(data[start + NUMBER : start + NUMBER + 6])
        self._left[number] -= 1
        if self.timing:
            self.times.append(time.perf_counter() - self._sent[number][0])
        if not self._left[number]:
            del self._left[number]
            self._sent.pop(number)[1].set()

    def close(self) -> None:
        for client in (*self.listeners, self.sender):
            client.close()


async def rate(audience: Audience, work: Callable[[], Awaitable[None]]) -> float:
    """Deliveries a second while ``work`` is repeated."""
    await work()
    first, begun = audience.sent, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        await work()
    return (audience.sent - first) * audience.count / (time.perf_counter() - begun)


async def measure(command: list[str], count: int) -> Result:
    """All figures of one server, which is started and ended here."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"NODE_PATH": node_path()})
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        warm = Audience(20)  # what a server allocates once is not what a connection costs
        await warm.connect(port)
        await warm.send().wait()
        warm.close()
        before, audience = memory_of(process.pid), Audience(count)
        await audience.connect(port)
        result = {"memory": (memory_of(process.pid) - before) / count}

        async def many(number: int) -> None:
            await asyncio.gather(*(heard.wait() for heard in [audience.send() for _ in range(number)]))

        async def in_flight() -> None:
            async def one_after_the_other() -> None:
                for _ in range(5):
                    await audience.send().wait()

            await asyncio.gather(*(one_after_the_other() for _ in range(4)))

        result["one"] = await rate(audience, lambda: many(1))
        result["four"] = await rate(audience, in_flight)
        result["burst"] = await rate(audience, lambda: many(50))
        audience.timing = True
        due = time.perf_counter()
        for _ in range(int(RATE * SECONDS)):
            due += 1 / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            last = audience.send()
        await last.wait()
        result["p99"] = statistics.quantiles(audience.times, n=100)[98]
        audience.close()
        return result
    finally:
        process.kill()
        process.wait()


def node_path() -> str:
    return str(MODULES / "node_modules")


def node_command() -> list[str] | None:
    """Node with its Socket.IO installed, or None where there is no Node."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    if not (MODULES / "node_modules" / "socket.io").exists():
        MODULES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile() as output:
            subprocess.run(
                ["npm", "install", "--silent", "--prefix", str(MODULES), "socket.io@4.8"],
                check=True,
                stdout=output,
            )
    return ["node", str(RELAY)]


async def main(counts: list[int]) -> None:
    """Prints medians of the rounds, in which the servers take turns."""
    gc.disable()
    servers = {"ours": [sys.executable, "-m", "tests.benchmarks.relay"]}
    if node := node_command():
        servers["node"] = node
    for count in counts:
        results: dict[str, list[Result]] = {name: [] for name in servers}
        for _ in range(ROUNDS):
            for name, command in servers.items():
                results[name].append(await measure(command, count))
                gc.collect()
        medians = {
            name: {key: statistics.median(result[key] for result in of) for key in of[0]}
            for name, of in results.items()
        }
        for name, result in medians.items():
            told = {key: round(value, 4 if key == "p99" else 0) for key, value in result.items()}
            print(f"N={count:5d} {name:6s}", json.dumps(told))
        if "node" in medians:
            ratios = {key: round(medians["ours"][key] / medians["node"][key], 2) for key in medians["ours"]}
            print(f"N={count:5d} ratio ", json.dumps(ratios), flush=True)


if __name__ == "__main__":
    uvloop.run(main([int(argument) for argument in sys.argv[1:]] or [100, 500, 1000]))
