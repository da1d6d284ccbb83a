"""kill -9 of a server under eight writers, and of a client at each step of its outbox."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.crash import victim
from tests.crash.victim import STEPS
from tests.e2e.server_process import QuickServerProcess, ServerProcess
from tests.support.forking import Forked

WRITERS = 8
PASSWORD = "correct horse"


@dataclass
class Tally:
    """What became of the writes that were acknowledged."""

    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    broken: int = 0

    def __str__(self) -> str:
        return (
            f"{self.rounds} kills: {self.acknowledged} acknowledged, {self.lost} lost, "
            f"{self.doubled} doubled, {self.broken} databases broken"
        )


@dataclass
class Account:
    """A user with a project on a server."""

    token: str
    project_id: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def sign_up(url: str) -> Account:
    """A new account and its project."""
    with httpx.Client(base_url=url) as http:
        body = {"email": f"{uuid.uuid4()}@example.com", "password": PASSWORD, "name": "Writer"}
        token = http.post("/api/auth/signup", json=body).json()["token"]
        made = http.post("/api/projects", json={"name": "P"}, headers={"Authorization": f"Bearer {token}"})
        return Account(token, made.json()["project"]["id"])


def titles(url: str, account: Account) -> Counter[str]:
    """How often each title is on the board."""
    with httpx.Client(base_url=url) as http:
        found = http.get(f"/api/projects/{account.project_id}/tasks", headers=account.headers).json()
    return Counter(task["title"] for task in found["tasks"])


def kill_servers(rounds: int, folder: Path, seed: int = 0) -> Iterator[Tally]:
    """Kills a server at a random moment of each round, and looks what is left after its restart."""
    chance, tally = random.Random(seed), Tally()
    server = QuickServerProcess(folder)
    server.start()
    account = sign_up(server.url)
    for _ in range(rounds):
        acknowledged = asyncio.run(_write_until_killed(server, account, chance.uniform(0.05, 0.4)))
        tally.broken += _broken(folder / "fluxboard.db")
        server.start()
        found = titles(server.url, account)
        tally.rounds += 1
        tally.acknowledged += len(acknowledged)
        tally.lost += sum(title not in found for title in acknowledged)
        tally.doubled += sum(count > 1 for count in found.values())
        yield tally
    server.kill()


async def _write_until_killed(server: ServerProcess, account: Account, seconds: float) -> list[str]:
    acknowledged: list[str] = []
    path = f"/api/projects/{account.project_id}/tasks"

    async def write(http: httpx.AsyncClient) -> None:
        while True:
            title = str(uuid.uuid4())
            headers = {**account.headers, "Idempotency-Key": title}
            try:
                answer = await http.post(path, json={"title": title}, headers=headers)
            except httpx.HTTPError:
                return
            if answer.status_code == 201:
                acknowledged.append(title)

    async with httpx.AsyncClient(base_url=server.url) as http:
        writers = [asyncio.create_task(write(http)) for _ in range(WRITERS)]
        await asyncio.sleep(seconds)
        server.kill()
        await asyncio.gather(*writers)
    return acknowledged


def kill_clients(rounds: int, folder: Path, seed: int = 0) -> Iterator[Tally]:
    """Kills a client at each step in turn, starts it again, and looks that each saved edit arrived once."""
    chance, tally = random.Random(seed), Tally()
    server = QuickServerProcess(folder)
    server.start()
    account = sign_up(server.url)
    for number in range(rounds):
        home = folder / f"home-{number}"
        home.mkdir()
        step = STEPS[number % len(STEPS)]
        saved = _run_victim(server.url, account, home, step, chance)
        again = _victim(server.url, account, home, "never", 0, 0)
        assert again.wait(60) == 0, (home / "said").read_text()
        found = titles(server.url, account)
        tally.rounds += 1
        tally.acknowledged += len(saved)
        tally.lost += sum(title not in found for title in saved)
        tally.doubled += sum(count > 1 for count in found.values())
        tally.broken += _broken(home / "fluxboard" / "boards.db")
        yield tally
    server.kill()


def _run_victim(url: str, account: Account, home: Path, step: str, chance: random.Random) -> list[str]:
    """Lets a client edit until it dies; where no step kills it, it is killed at a random moment."""
    said = home / "said"
    dying = _victim(url, account, home, step, chance.randint(1, 6), 200 if step == "never" else 5)
    if step == "never":
        count, deadline = 1 + chance.randint(1, 30), time.monotonic() + 60
        while dying.poll() is None and _lines(said) < count:
            assert time.monotonic() < deadline, "it says nothing"
            time.sleep(0.002)  # the poll itself
        dying.kill()
    dying.wait(60)
    return said.read_text().split()


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _victim(url: str, account: Account, home: Path, step: str, after: int, edits: int) -> Forked:
    environment = {"XDG_STATE_HOME": str(home), "HOME": str(home), "VICTIM_TOKEN": account.token}
    return Forked(
        victim.run,
        *(url, account.project_id, step, after, edits),
        environment=environment,
        output=home / "said",
    )


def _broken(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone() != ("ok",)
    finally:
        connection.close()
