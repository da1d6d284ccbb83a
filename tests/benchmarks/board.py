"""Start, keys and memory at 100 and 10,000 tasks in a real terminal: ``python -m tests.benchmarks.board``.

``first`` loads the board from the server and compiles the program; ``again`` shows it from this computer's
disk (median and worst of a few starts, until a full board stands on the screen; beside it the import of
Textual alone). Of the keys the time to the first byte that comes back is told (median and worst), and the
bytes; ``burst`` is a cursor step while somebody else changes 200 tasks a second.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from fluxboard.client.session import Session
from fluxboard.model.types import DEFAULT_COLUMNS, TaskPatch
from fluxboard.model.wire import BatchBody, BatchOp, TaskCreate
from tests.e2e.server_process import ServerProcess
from tests.support.terminal import Terminal

BURST = 200
STARTS = 7
#: A card of each column, and the last line of the screen.
FULL_BOARD = ("Card 00000", "Card 00001", "Card 00002", "Card 00003", "? help")
STEPS = [b"j" if step % 20 < 10 else b"k" for step in range(60)]


async def fill(url: str, count: int) -> tuple[str, str]:
    """A project with ``count`` tasks over the default columns: its id and a token."""
    session = await Session.open(url, remember=False)
    await session.sign_up("bench@example.com", "correct horse", "Bench")
    project = await session.create_project(f"Board of {count}")
    for start in range(0, count, 1000):
        ops = tuple(
            BatchOp(
                op="create",
                task=TaskCreate(
                    title=f"Card {index:05d} with a title that takes about two lines of its column",
                    status=DEFAULT_COLUMNS[index % 4].id,
                    priority=("low", "medium", "high", "critical")[index % 4],
                ),
            )
            for index in range(start, min(start + 1000, count))
        )
        await session.api.batch(project.id, BatchBody(ops=ops))
    token = session.token
    await session.close()
    assert token is not None
    return project.id, token


async def storm(url: str, token: str, project_id: str, over: threading.Event) -> int:
    """Changes ``BURST`` tasks a second, in tens, until it is over; answers how many."""
    session = await Session.open(url, token=token, remember=False)
    ids = [task.id for task in (await session.api.tasks(project_id)).tasks]
    done, begun = 0, asyncio.get_running_loop().time()
    while not over.is_set():
        ops = tuple(
            BatchOp(
                op="update", task_id=ids[(done + n) % len(ids)], patch=TaskPatch(title=f"Changed {done + n}")
            )
            for n in range(10)
        )
        await session.api.batch(project_id, BatchBody(ops=ops))
        done += 10
        await asyncio.sleep(max(0.0, begun + done / BURST - asyncio.get_running_loop().time()))
    await session.close()
    return done


def timed(terminal: Terminal, keys: Sequence[bytes]) -> tuple[float, float, float]:
    """Milliseconds from a key to the first byte, median and worst, and the median of the bytes."""
    pressed = [terminal.press(key) for key in keys]
    times = [seconds * 1000 for seconds, _ in pressed]
    return statistics.median(times), max(times), statistics.median(size for _, size in pressed)


def in_a_burst(terminal: Terminal, url: str, token: str, project_id: str) -> tuple[float, float, float]:
    """As :func:`timed`, for cursor steps while others change tasks; the bytes are theirs as well."""
    over = threading.Event()
    others = threading.Thread(target=lambda: asyncio.run(storm(url, token, project_id, over)))
    others.start()
    terminal.read(0.5)
    try:
        return timed(terminal, STEPS)
    finally:
        over.set()
        others.join()
        terminal.quiet(1)


def starts(command: list[str], env: dict[str, str]) -> tuple[list[float], list[float]]:
    """Seconds from each start to a full cached board, and of the bare imports between them."""
    again, bare = [], []
    for _ in range(STARTS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import textual.app"], env=env, check=True)
        bare.append(time.perf_counter() - begun)
        terminal = Terminal(command, env)
        try:
            again.append(terminal.until(*FULL_BOARD))
            terminal.until("● live")
        finally:
            terminal.close()
    return again, bare


def measure(count: int) -> str:
    """The figures of a board of ``count`` tasks."""
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder))
        server.start()
        try:
            project_id, token = asyncio.run(fill(server.url, count))
            env = {**os.environ, "FLUXBOARD_TOKEN": token, "FLUXBOARD_SERVER": server.url, "HOME": folder}
            env |= {"XDG_STATE_HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
            env |= {"PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "PYTHONDONTWRITEBYTECODE": ""}
            command = [sys.executable, "-m", "fluxboard", "--project", project_id]
            terminal = Terminal(command, env)
            try:
                full = terminal.until(*FULL_BOARD)
                terminal.until("● live")
                terminal.quiet(1)
                terminal.press(b"T")
                terminal.quiet(1)
            finally:
                terminal.close()
            again, bare = starts(command, env)
            terminal = Terminal(command, env)
            try:
                terminal.until("● live")
                terminal.quiet(1)
                rows = {"cursor step": timed(terminal, STEPS)}
                rows["move"] = timed(terminal, [b"L", b"H"] * 10)
                terminal.press(b"/")
                rows["filter key"] = timed(terminal, [bytes([letter]) for letter in b"card 001"])
                terminal.write(b"\x1b")
                terminal.quiet(1)
                memory = terminal.memory()
                rows["burst"] = in_a_burst(terminal, server.url, token, project_id)
            finally:
                terminal.close()
        finally:
            server.kill()
    alone = statistics.median(bare)
    lines = [
        f"{count} tasks: first {full:.2f} s, again {statistics.median(again):.2f} s"
        f" (worst {max(again):.2f} s, Textual alone {alone:.2f} s), {memory:.0f} MB"
    ]
    lines += [
        f"  {name:<12} p50 {middle:6.1f} ms   max {worst:6.1f} ms   {size:6.0f} bytes"
        for name, (middle, worst, size) in rows.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    for size in (100, 10_000):
        print(measure(size), flush=True)
