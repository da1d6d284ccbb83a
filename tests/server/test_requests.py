"""Each request has a name that its answer and its log lines share."""

from __future__ import annotations

import httpx
import pytest

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
