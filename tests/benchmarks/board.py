"""Start, cursor step and memory at 100 and 10,000 tasks: ``python -m tests.benchmarks.board``.

``first`` loads the board from the server, ``again`` shows it from this computer's disk first.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
from pathlib import Path

from fluxboard.client.session import Session
from fluxboard.model.types import DEFAULT_COLUMNS
from fluxboard.model.wire import BatchBody, BatchOp, TaskCreate
from tests.e2e.server_process import ServerProcess
from tests.support.terminal import Terminal


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


def measure(count: int) -> str:
    """One line of figures."""
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder))
        server.start()
        try:
            project_id, token = asyncio.run(fill(server.url, count))
            env = {**os.environ, "FLUXBOARD_TOKEN": token, "FLUXBOARD_SERVER": server.url, "HOME": folder}
            env |= {"XDG_STATE_HOME": folder, "XDG_DATA_HOME": folder}
            command = [sys.executable, "-m", "fluxboard", "--project", project_id]
            terminal = Terminal(command, env)
            try:
                full = terminal.until("Card 00004")
                terminal.until("● live")
                terminal.quiet(1)
            finally:
                terminal.close()
            terminal = Terminal(command, env)
            try:
                again = terminal.until("Card 00004")
                terminal.quiet()
                steps = [terminal.press(b"j" if step % 20 < 10 else b"k") for step in range(60)]
                memory = terminal.memory()
            finally:
                terminal.close()
        finally:
            server.kill()
    first = statistics.median(seconds for seconds, _ in steps) * 1000
    worst = max(seconds for seconds, _ in steps) * 1000
    size = statistics.median(size for _, size in steps)
    return f"{count:>7} {full:>9.2f} {again:>9.2f} {first:>11.1f} {worst:>9.1f} {size:>11.0f} {memory:>8.0f}"


if __name__ == "__main__":
    print("  tasks first (s) again (s)    step p50  max (ms)  step bytes       MB")
    for size in (100, 10_000):
        print(measure(size), flush=True)
