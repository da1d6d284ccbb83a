"""Each request has a name that its answer and its log lines share."""

from __future__ import annotations

import asyncio
import io
import select
import sys
from typing import Any

import httpx
import msgspec
import pytest

from fluxboard.server.metrics import Metrics
from fluxboard.server.requests import access_log, observed
from tests.server.world import World


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/nowhere", 404), ("GET", "/api/projects", 401), ("POST", "/api/auth/login", 400)],
)
async def test_an_error_says_the_name_of_its_request(
    world: World, method: str, path: str, status: int
) -> None:
    async with httpx.AsyncClient(base_url=world.url) as http:
        answer = await http.request(method, path)
        assert answer.status_code == status
        assert answer.json()["requestId"] == answer.headers["x-request-id"]
        again = await http.request(method, path)
        assert again.headers["x-request-id"] != answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("given", "taken"), [("proxy-1.a_B", True), ("x" * 65, False), ('"}{', False), ("", False)]
)
async def test_a_proxys_name_is_kept_when_it_is_one(world: World, given: str, taken: bool) -> None:
    async with httpx.AsyncClient(base_url=world.url) as http:
        answer = await http.get("/health", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is taken


class Pipe(io.StringIO):
    """Keeps what is flushed at once."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def flush(self) -> None:
        self.pieces.append(self.getvalue())
        self.seek(0)
        self.truncate()


async def test_lines_of_many_requests_reach_a_shared_pipe_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def send(message: Any) -> None:
        pass

    pipe = Pipe()
    monkeypatch.setattr(sys, "stderr", pipe)
    monkeypatch.setattr(access_log, "isEnabledFor", lambda _: True)
    answer = observed(app, Metrics())
    scope: Any = {
        "type": "http",
        "method": "DELETE",
        "path_template": "/api/projects/{project_id}/tasks/{task_id}/comments/{comment_id}",
        "headers": [(b"x-request-id", b"x" * 64)],
    }
    await asyncio.gather(*(answer(scope, send, send) for _ in range(100)))
    await asyncio.sleep(0)
    assert len([msgspec.json.decode(line) for line in "".join(pipe.pieces).splitlines()]) == 100
    assert all(len(piece) <= select.PIPE_BUF for piece in pipe.pieces)
