"""From one person's edit to the other's screen: ``python -m tests.benchmarks.endtoend [--rate 50]``.

A real server, a plain REST writer, and the real program in a real terminal, each a process of its own on one
computer, whose monotonic clock they share. Each edit gives one of the visible cards a title of its own. What
the program writes is kept with the time of each piece, and put on a screen afterwards: an edit is painted
when its title, or a later one of the same card, stands where the card is. Told are the times from sending the
request and from its answer (the commit was before it), and how many titles were never seen, since a later one
came.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from fluxboard.client.session import Session
from tests.benchmarks.board import fill
from tests.e2e.server_process import ServerProcess
from tests.support.terminal import Terminal

CARDS = 12
TITLE = re.compile(r"Edit (\d{5})")
#: As long as the titles before, so that no card moves.
REST = " with a title that takes about two lines of its column"
#: The starts and the warm paths of interpreters are not what is asked for.
WARM_SECONDS = 2.0


@dataclass(frozen=True)
class Edit:
    """The number in a title, its card, and when the request was sent and answered, in seconds."""

    number: int
    card: int
    sent: float
    answered: float


async def write(
    url: str, token: str, project_id: str, tasks: list[str], rate: float, seconds: float
) -> list[Edit]:
    """Changes the titles of ``tasks`` in turn, so many a second, whether or not the last is answered."""
    edits: list[Edit] = []

    async def change(number: int) -> None:
        card = number % len(tasks)
        sent = time.monotonic()
        answer = await http.put(
            f"/api/projects/{project_id}/tasks/{tasks[card]}", json={"title": f"Edit {number:05d}{REST}"}
        )
        answered = time.monotonic()
        assert answer.status_code == 200, answer.text
        edits.append(Edit(number, card, sent, answered))

    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
        await http.get("/health")
        running, begun = [], time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            running.append(asyncio.create_task(change(number)))
        await asyncio.gather(*running)
    return sorted(edits, key=lambda edit: edit.number)


async def somebody_else(url: str, token: str, project_id: str) -> tuple[str, list[str]]:
    """A second member's token, and the tasks whose cards are visible: the first of each column."""
    owner = await Session.open(url, token=token, remember=False)
    other = await Session.open(url, remember=False)
    await other.sign_up("mila@example.com", "correct horse", "Mila")
    await owner.api.add_member(project_id, email="mila@example.com", role="member")
    found = {task.title[:10]: task.id for task in (await owner.api.tasks(project_id)).tasks}
    tasks = [found[f"Card {number:05d}"] for number in range(CARDS)]
    made = other.token
    await owner.close()
    await other.close()
    assert made is not None
    return made, tasks


def places(terminal: Terminal) -> list[tuple[int, int]]:
    """Line and cell at which the title of each card begins."""
    found = []
    for number in range(CARDS):
        (place,) = {
            (row, line.index(f"Card {number:05d}"))
            for row, line in enumerate(terminal.screen.display)
            if f"Card {number:05d}" in line
        }
        found.append(place)
    return found


def painted(
    terminal: Terminal, pieces: list[tuple[float, bytes]], where: list[tuple[int, int]]
) -> list[list[tuple[float, int]]]:
    """Of each card the numbers that stood on it, with when each was first seen."""
    seen: list[list[tuple[float, int]]] = [[] for _ in where]
    screen = terminal.screen
    for came, piece in pieces:
        screen.dirty.clear()
        terminal.feed(piece)
        for card, (row, column) in enumerate(where):
            if row not in screen.dirty:
                continue
            line = screen.buffer[row]
            text = "".join(line[column + offset].data for offset in range(10))
            title = TITLE.fullmatch(text)
            if title and (not seen[card] or seen[card][-1][1] != int(title[1])):
                seen[card].append((came, int(title[1])))
    return seen


def figures(edits: list[Edit], seen: list[list[tuple[float, int]]]) -> str:
    """The table that is printed."""
    after = edits[0].sent + WARM_SECONDS
    counted = [edit for edit in edits if edit.sent >= after]
    shown = {(card, number) for card, numbers in enumerate(seen) for _, number in numbers}
    request, commit, never = [], [], 0
    for edit in counted:
        came = next((at for at, number in seen[edit.card] if number >= edit.number), None)
        if came is None:
            never += 1
            continue
        request.append((came - edit.sent) * 1000)
        commit.append((came - edit.answered) * 1000)
    answers = [(edit.answered - edit.sent) * 1000 for edit in counted]
    overwritten = sum((edit.card, edit.number) not in shown for edit in counted)
    lines = [f"{len(counted)} edits, {overwritten} overwritten before they were painted, {never} lost"]
    for name, times in (
        ("request -> answer", answers),
        ("request -> painted", request),
        ("answer  -> painted", commit),
    ):
        p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
        lines.append(f"  {name}   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   max {max(times):6.1f} ms")
    return "\n".join(lines)


def measure(rate: float, seconds: float) -> str:
    """Runs it all, and says what was seen."""
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder))
        server.start()
        try:
            project_id, token = asyncio.run(fill(server.url, 100))
            others_token, tasks = asyncio.run(somebody_else(server.url, token, project_id))
            env = {**os.environ, "FLUXBOARD_TOKEN": token, "FLUXBOARD_SERVER": server.url, "HOME": folder}
            env |= {"XDG_STATE_HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
            terminal = Terminal([sys.executable, "-m", "fluxboard", "--project", project_id], env)
            try:
                terminal.until("● live")
                terminal.quiet(1)
                terminal.press(b"T")
                terminal.quiet(1)
                where = places(terminal)
                job = Path(folder) / "job"
                job.write_bytes(
                    msgspec.json.encode((server.url, others_token, project_id, tasks, rate, seconds))
                )
                said = Path(folder) / "edits"
                writer = [sys.executable, "-m", "tests.benchmarks.endtoend", "--writer", str(job), str(said)]
                pieces = terminal.record(writer)
                edits = msgspec.json.decode(said.read_bytes(), type=list[Edit])
                return figures(edits, painted(terminal, pieces, where))
            finally:
                terminal.close()
        finally:
            server.kill()


def main() -> None:
    """Measures once, or is the writer of a measurement."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.endtoend")
    parser.add_argument("--rate", type=float, default=50, help="edits a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--writer", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.writer:
        job, said = map(Path, given.writer)
        edits = asyncio.run(write(*msgspec.json.decode(job.read_bytes())))
        said.write_bytes(msgspec.json.encode(edits))
        return
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(measure(given.rate, given.seconds), flush=True)


if __name__ == "__main__":
    main()
