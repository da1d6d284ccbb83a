"""The server as a process: how it ends, and what it writes to stderr."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.server.world import PASSWORD, Ear, done
from tests.support.waiting import until


@dataclass
class Process:
    """``fluxboard serve`` in a process of its own."""

    url: str
    log: Path
    child: asyncio.subprocess.Process

    async def ends(self, seconds: float) -> int:
        return await asyncio.wait_for(self.child.wait(), seconds)


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    log = tmp_path / "log"
    environment = {
        name: value for name, value in os.environ.items() if name not in ("JWT_SECRET", "DATABASE_URL")
    }
    with log.open("wb") as file:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fluxboard", "serve", "--port", "0", "--data", str(tmp_path)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=environment,
        )
    announced = tmp_path / "server.json"
    await until(lambda: announced.exists() or child.returncode is not None, 30, "started")
    assert child.returncode is None, log.read_text()
    yield Process(msgspec.json.decode(announced.read_bytes())["url"], log, child)
    if child.returncode is None:
        child.kill()
        await child.wait()


async def test_sigterm_drains_and_no_secret_is_logged(process: Process, tmp_path: Path) -> None:
    """One process for both, since a start takes a second."""
    async with httpx.AsyncClient(base_url=process.url) as http:
        body = {"email": "ada@example.com", "password": PASSWORD, "name": "ada", "refresh": True}
        auth = await done(http.post("/api/auth/signup", json=body))
        http.headers["Authorization"] = f"Bearer {auth['token']}"
        wrong = "a wrong passphrase"
        assert (
            await http.post("/api/auth/login", json={"email": "ada@example.com", "password": wrong})
        ).status_code == 401
        await done(http.post("/api/auth/refresh", json={"refreshToken": auth["refreshToken"]}))
        project = (await done(http.post("/api/projects", json={"name": "Plan X"})))["project"]["id"]
        invite = await done(http.post(f"/api/projects/{project}/invites", json={}))
        await done(http.post(f"/api/invites/{invite['code']}/accept"))
        await http.post("/api/invites/no-such-code/accept")
        await http.get("/api/projects/no/such/route?token=in-the-address")
        await done(http.post(f"/api/projects/{project}/tasks", json={"title": "Private title"}))

        ears = [Ear(process.url), Ear(process.url)]
        for ear, transport in zip(ears, ("websocket", "polling"), strict=True):
            await ear.connect({"token": auth["token"]}, transport)
            assert (await ear.join(project))["ok"]
        opened = await http.get("/socket.io/?EIO=4&transport=polling")  # and one that never signs in
        assert opened.status_code == 200
        sid = msgspec.json.decode(opened.text[1:])["sid"]
        polling = asyncio.create_task(http.get(f"/socket.io/?EIO=4&transport=polling&sid={sid}", timeout=20))

        process.child.send_signal(signal.SIGTERM)
        assert await process.ends(5) == 0, "nobody is waited for who has nothing to say"
        for ear in ears:
            assert ear.of("server:draining"), "it was told"
            await until(lambda e=ear: e.closed)  # type: ignore[misc]
            await ear.close()
        await asyncio.gather(polling, return_exceptions=True)

    logged = process.log.read_text()
    secret = (tmp_path / "jwt-secret").read_text()
    assert (tmp_path / "jwt-secret").stat().st_mode & 0o777 == 0o600
    for what in (
        *(secret, PASSWORD, wrong, auth["token"], auth["token"].split(".")[2], auth["refreshToken"]),
        *(invite["code"], "in-the-address", "Private title", "Plan X", "ada@example.com"),
    ):
        assert what not in logged
    assert "Traceback" not in logged
    requests = [
        msgspec.json.decode(line)
        for line in logged.splitlines()
        if line.startswith("{") and '"request"' in line
    ]
    assert {(line["method"], line["route"], line["status"]) for line in requests} >= {
        ("POST", "/api/auth/signup", 201),
        ("POST", "/api/invites/{code}/accept", 200),
    }
    assert (tmp_path / "fluxboard.db").exists()
    assert not (tmp_path / "fluxboard.db-wal").exists(), "the database was closed"


async def test_a_terminal_that_closes_ends_it_in_order(process: Process, tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=process.url) as http:
        body = {"email": "ada@example.com", "password": PASSWORD, "name": "ada"}
        auth = await done(http.post("/api/auth/signup", json=body))
    ear = Ear(process.url)
    await ear.connect({"token": auth["token"]}, "websocket")
    process.child.send_signal(signal.SIGHUP)
    assert await process.ends(5) == 0
    assert ear.of("server:draining"), "it was told"
    await ear.close()
    assert not (tmp_path / "fluxboard.db-wal").exists(), "the database was closed"


async def test_what_was_acknowledged_survives_kill_9(process: Process, tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=process.url) as http:
        body = {"email": "ada@example.com", "password": PASSWORD, "name": "ada"}
        auth = await done(http.post("/api/auth/signup", json=body))
        http.headers["Authorization"] = f"Bearer {auth['token']}"
        project = (await done(http.post("/api/projects", json={"name": "P"})))["project"]["id"]
        kept: list[str] = []

        async def write() -> None:
            while True:
                answer = await http.post(f"/api/projects/{project}/tasks", json={"title": "x"})
                kept.append(answer.json()["task"]["id"])

        writing = [asyncio.create_task(write()) for _ in range(8)]
        await until(lambda: len(kept) > 100)
        process.child.kill()
        await process.ends(5)
        await asyncio.gather(*writing, return_exceptions=True)
    import sqlite3

    connection = sqlite3.connect(tmp_path / "fluxboard.db")
    stored = {row[0] for row in connection.execute("SELECT id FROM tasks")}
    (rev,) = connection.execute("SELECT rev FROM projects").fetchone()
    revs = [row[0] for row in connection.execute("SELECT rev FROM changes ORDER BY rev")]
    connection.close()
    assert set(kept) <= stored
    assert revs == list(range(1, rev + 1))


async def test_serve_on_a_port_that_is_taken_is_told_in_a_sentence(process: Process, tmp_path: Path) -> None:
    port = process.url.rsplit(":", 1)[1]
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fluxboard", "serve", "--port", port, "--data", str(tmp_path / "other")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(second.communicate(), 20)
    assert second.returncode != 0
    assert b"cannot listen on" in said
    assert b"Traceback" not in said


@pytest.mark.parametrize(
    ("database", "named"),
    [
        ("postgresql://ada:s3cret-word@127.0.0.1:1/board", "127.0.0.1:1/board"),
        ("sqlite:////nowhere/at/all/board.db", "/nowhere/at/all/board.db"),
    ],
)
async def test_a_database_that_is_not_there_is_told_in_one_line(
    database: str, named: str, tmp_path: Path
) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fluxboard", "serve", "--port", "0", "--data", str(tmp_path)),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "DATABASE_URL": database, "JWT_SECRET": "a-secret-that-is-long-enough-for-it"},
    )
    _, told = await asyncio.wait_for(child.communicate(), 30)
    assert child.returncode == 1
    line = told.decode().strip()
    assert line.startswith(f"Error: The database at {named} ")
    assert "\n" not in line
    assert "s3cret" not in line
