"""``fluxboard serve --workers``: several processes on one port, as somebody runs them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.server.world import PASSWORD, SECRET, Ear, done, refused
from tests.support.redis_process import RedisProcess
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes in /proc")


@dataclass
class Company:
    """A server of two workers."""

    url: str
    log: Path
    parent: asyncio.subprocess.Process

    def workers(self) -> set[int]:
        """Their process ids. The first child is the standard library's, which looks after what is shared."""
        task = Path(f"/proc/{self.parent.pid}/task/{self.parent.pid}/children")
        found = set()
        for pid in task.read_text().split():
            command = Path(f"/proc/{pid}/cmdline")
            if b"spawn_main" in (command.read_bytes() if command.exists() else b""):
                found.add(int(pid))
        return found

    def alive(self, pids: set[int]) -> set[int]:
        return {pid for pid in pids if Path(f"/proc/{pid}/stat").exists() and not self._dead(pid)}

    def _dead(self, pid: int) -> bool:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"

    async def ears(self, token: str, project: str, count: int) -> list[Ear]:
        ears = [Ear(self.url) for _ in range(count)]
        for ear in ears:
            await ear.connect({"token": token})
            assert (await ear.join(project))["ok"]
        return ears


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    process = RedisProcess(tmp_path)
    process.start()
    yield process
    process.stop()


@pytest.fixture
async def company(postgres: str, redis: RedisProcess, tmp_path: Path) -> AsyncIterator[Company]:
    log = tmp_path / "log"
    with log.open("wb") as file:
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fluxboard", "serve", "--workers", "2", "--port", "0"),
            *("--data", str(tmp_path)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, "JWT_SECRET": SECRET, "DATABASE_URL": postgres, "REDIS_URL": redis.url},
        )
    announced = tmp_path / "server.json"
    await until(lambda: announced.exists() or parent.returncode is not None, 40, "started")
    assert parent.returncode is None, log.read_text()
    company = Company(msgspec.json.decode(announced.read_bytes())["url"], log, parent)
    workers = company.workers()
    yield company
    if parent.returncode is None:
        parent.kill()
        await parent.wait()
    await until(lambda: not company.alive(workers), 15, "no worker outlives its parent")


async def someone(http: httpx.AsyncClient, name: str) -> tuple[str, str]:
    """A token and a project of somebody new, who is signed in with ``http`` from then on."""
    body = {"email": f"{name}@example.com", "password": PASSWORD, "name": name}
    auth = await done(http.post("/api/auth/signup", json=body))
    http.headers["Authorization"] = f"Bearer {auth['token']}"
    return auth["token"], (await done(http.post("/api/projects", json={"name": "P"})))["project"]["id"]


@pytest.mark.long(13)
async def test_a_worker_dies_all_are_renewed_and_nothing_acknowledged_is_lost(company: Company) -> None:
    async with httpx.AsyncClient(base_url=company.url, timeout=20) as http:
        token, project = await someone(http, "ada")
        ears = await company.ears(token, project, 8)
        kept: list[str] = []
        stopped = asyncio.Event()

        async def write() -> None:
            async with httpx.AsyncClient(base_url=company.url, headers=http.headers, timeout=20) as own:
                while not stopped.is_set():
                    try:
                        made = await own.post(f"/api/projects/{project}/tasks", json={"title": "x"})
                    except httpx.HTTPError:
                        continue  # the one that it was sent to is gone
                    if made.is_success:
                        kept.append(made.json()["task"]["id"])

        writing = [asyncio.create_task(write()) for _ in range(4)]
        await until(lambda: len(kept) > 40)
        before = company.workers()
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        await until(lambda: len(company.workers() - before) == 1, 15, "one is new")
        await until(lambda: any(ear.closed for ear in ears), what="its sockets are closed")
        heard = len([ear for ear in ears if not ear.closed])
        assert heard, "the others live on"

        middle = company.workers()
        company.parent.send_signal(signal.SIGHUP)
        await until(lambda: len(company.workers()) == 2 and not company.workers() & middle, 40, "all are new")
        count = len(kept)
        await until(lambda: len(kept) > count + 20, 15, "it goes on")
        stopped.set()
        await asyncio.gather(*writing)
        for ear in ears:
            await ear.close()

        tasks = await done(http.get(f"/api/projects/{project}/tasks"))
        assert set(kept) <= {task["id"] for task in tasks["tasks"]}
        back = await company.ears(token, project, 6)
        await done(http.post(f"/api/projects/{project}/tasks", json={"title": "Heard by all"}))
        await until(lambda: all(ear.of("task:created") for ear in back), what="whichever worker they are at")

        company.parent.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(company.parent.wait(), 20) == 0
        await until(lambda: all(ear.of("server:draining") for ear in back))
        for ear in back:
            await ear.close()
    logged = company.log.read_text()
    assert "ended with code -9 and is started anew" in logged
    assert "Traceback" not in logged


@pytest.mark.long(10)
async def test_figures_are_of_all_workers_and_polling_is_refused(company: Company) -> None:
    async with httpx.AsyncClient(base_url=company.url, timeout=20) as http:
        token, project = await someone(http, "mila")
        ears = await company.ears(token, project, 12)
        await until_figure(http, "fluxboard_sockets", 12)
        await until_figure(http, "fluxboard_nodes", 2)
        joins = await figure(http, 'fluxboard_events_total{direction="in",event="join:project"}')
        assert joins == 12
        refusal = await http.get("/socket.io/?EIO=4&transport=polling")
        assert refusal.status_code == 400
        assert "transport" in refusal.text.lower()
        for ear in ears:
            await ear.close()
        await until_figure(http, "fluxboard_sockets", 0)


async def test_a_guesser_has_no_more_tries_at_two_workers_than_at_one(company: Company) -> None:
    async with httpx.AsyncClient(base_url=company.url, timeout=20) as http:
        await someone(http, "guessed")
        statuses = []
        for _ in range(14):
            # A connection each, so that the workers take turns.
            async with httpx.AsyncClient(base_url=company.url, timeout=20) as once:
                wrong = {"email": "guessed@example.com", "password": "not the right one"}
                statuses.append((await once.post("/api/auth/login", json=wrong)).status_code)
        assert statuses.count(401) in (10, 11), statuses
        assert statuses[-1] == 429
        await refused(http.post("/api/auth/login", json=wrong), 429)


async def figure(http: httpx.AsyncClient, name: str) -> float:
    text = (await http.get("/metrics")).text
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " ")), 0.0)


async def until_figure(http: httpx.AsyncClient, name: str, value: float) -> None:
    found = -1.0
    for _ in range(200):
        found = await figure(http, name)
        if found == value:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{name} is {found}, not {value}")


async def test_several_workers_need_what_they_share(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fluxboard", "serve", "--workers", "2", "--data", str(tmp_path)),
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    _, told = await asyncio.wait_for(child.communicate(), 30)
    assert child.returncode == 1
    assert told.decode().startswith("Error: Several workers need --database postgresql://")
