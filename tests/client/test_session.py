"""A session that knows who was here, before it has spoken with the server."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from fluxboard.client.api import ApiUnreachable
from fluxboard.client.credentials import state_folder
from fluxboard.client.local import LocalStore
from fluxboard.client.session import Session
from fluxboard.model.types import User

ADA = User(id="u1", email="ada@example.com", name="Ada")


@pytest.fixture(autouse=True)
def seen_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    store = LocalStore(state_folder() / "boards.db")
    store.put_user("home", ADA).result()
    store.close()


async def test_all_calls_wait_for_the_sign_in_that_the_first_one_began() -> None:
    begun: list[str] = []
    found = asyncio.Event()

    async def arrive(session: Session) -> None:
        begun.append("arrive")
        await found.wait()
        session.move("http://127.0.0.1:1")
        session.token = "good"

    session = await Session.at_home("home", arrive)
    assert session.user == ADA
    assert not begun
    calls = [asyncio.create_task(session.fresh_token()) for _ in range(3)]
    done, _ = await asyncio.wait(calls, timeout=0.05)
    assert not done
    found.set()
    assert await asyncio.gather(*calls) == ["good"] * 3
    assert begun == ["arrive"]
    assert session.api.server == "http://127.0.0.1:1"
    await session.close()


async def test_a_server_that_went_away_is_found_again_where_it_is_now() -> None:
    homes = ["http://first", "http://second"]
    asked: list[str] = []

    async def arrive(session: Session) -> None:
        session.move(homes[0])
        session.token = f"token of {homes[0]}"

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.url.host} {request.headers['authorization']}")
        if request.url.host != homes[0].removeprefix("http://"):
            raise httpx.ConnectError("killed")
        return httpx.Response(200, json={"projects": []})

    session = await Session.at_home("home", arrive)
    session.api._transport = httpx.MockTransport(answer)
    assert await session.api.projects() == ()
    del homes[0]
    with pytest.raises(ApiUnreachable):
        await session.api.projects()
    assert await session.api.projects() == ()
    await session.api.projects()
    first, second = "first Bearer token of http://first", "second Bearer token of http://second"
    assert asked == [first, first, second, second]
    assert session.socket_url == "http://second"
    await session.close()


async def test_a_server_that_never_comes_is_not_started_at_every_call() -> None:
    tries: list[float] = []

    async def arrive(session: Session) -> None:
        tries.append(asyncio.get_running_loop().time())
        raise ApiUnreachable("its disk is full")

    session = await Session.at_home("home", arrive)
    for _ in range(10):
        with pytest.raises(ApiUnreachable):
            await session.fresh_token()
    assert len(tries) == 2, "once more at once, and then after a while"
    await session.close()


async def test_a_server_that_gives_no_token_now_is_left_alone_for_as_long_as_it_says() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(429, json={"message": "too many"}, headers={"Retry-After": "60"})

    session = Session("http://server", None, None, LocalStore(None), "server")
    session.api._transport = httpx.MockTransport(answer)
    session._refresh_token = "good"
    for _ in range(3):
        with pytest.raises(ApiUnreachable):
            await session.renew()
    assert asked == ["/api/auth/refresh"]
    await session.close()


@pytest.mark.parametrize("ahead", [-86_400, 0, 86_400])
async def test_a_token_is_renewed_when_it_ends_whatever_this_computers_clock_says(ahead: int) -> None:
    now, asked = int(time.time()) - ahead, list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        claims = msgspec.json.encode({"iat": now, "exp": now + lifetime, "id": "u1"})
        token = f"x.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x"
        user = {"id": "u1", "email": "ada@example.com", "name": "Ada"}
        return httpx.Response(200, json={"token": token, "user": user, "refreshToken": "next"})

    session = Session("http://server", None, None, LocalStore(None), "server")
    session.api._transport = httpx.MockTransport(answer)
    lifetime = 900
    await session.sign_in("ada@example.com", "correct horse")
    for _ in range(3):
        await session.fresh_token()
    assert asked == ["/api/auth/login"]
    lifetime = 20  # which is within the time that one is renewed early
    await session.renew()
    await session.fresh_token()
    assert asked == ["/api/auth/login", "/api/auth/refresh", "/api/auth/refresh"]
    await session.close()


async def test_a_server_that_does_not_come_is_asked_for_again_with_the_next_call() -> None:
    tries: list[int] = []

    async def arrive(session: Session) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ApiUnreachable("not yet")
        session.token = "good"

    session = await Session.at_home("home", arrive)
    with pytest.raises(ApiUnreachable, match="not yet"):
        await session.fresh_token()
    assert await session.fresh_token() == "good"
    await session.close()
