"""The socket's way into a room, against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fluxboard.client.live import Live
from fluxboard.client.session import Session
from fluxboard.model.wire import TASK_CREATED, TaskCreate
from tests.client.conftest import QUICK
from tests.e2e.server_process import QuickServerProcess, ServerProcess
from tests.support.waiting import until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = QuickServerProcess(tmp_path)
    process.start()
    yield process
    process.kill()


async def test_what_is_committed_while_it_fetches_is_heard(server: ServerProcess) -> None:
    session = await Session.open(server.url, remember=False)
    user = await session.sign_up("ada@example.com", "correct horse", "ada")
    project = await session.create_project("P")
    heard: list[tuple[str, Any]] = []
    states: list[str] = []

    async def joined() -> None:
        """The fetch: by the time that it asks, every later commit must already be on its way here."""
        await session.api.create_task(project.id, TaskCreate(title="in between"))

    live = Live(
        lambda: server.url,
        project.id,
        (user.id, user.name),
        token=session.fresh_token,
        renew=session.renew,
        heard=lambda event, data: heard.append((event, data)),
        joined=joined,
        state=states.append,
        timing=QUICK,
    )
    running = asyncio.create_task(live.run())
    try:
        await until(lambda: states == ["live"], what="it is live")
        await until(lambda: TASK_CREATED in [event for event, _ in heard], 3, what="the event")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await session.close()


async def test_a_refused_token_is_renewed_and_tried_again(server: ServerProcess) -> None:
    session = await Session.open(server.url, remember=False)
    user = await session.sign_up("ada@example.com", "correct horse", "ada")
    project = await session.create_project("P")
    good, tokens, states = session.token, ["a forged token"], []

    async def token() -> str | None:
        return tokens[-1]

    async def renew() -> bool:
        tokens.append(str(good))
        return True

    async def joined() -> None:
        return None

    live = Live(
        lambda: server.url,
        project.id,
        (user.id, user.name),
        token=token,
        renew=renew,
        heard=lambda event, data: None,
        joined=joined,
        state=states.append,
        timing=QUICK,
    )
    running = asyncio.create_task(live.run())
    try:
        await until(lambda: states == ["live"], what="it is live")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await session.close()
    assert tokens == ["a forged token", good]


async def test_who_is_refused_at_the_room_is_not_live_and_tries_again(server: ServerProcess) -> None:
    owner = await Session.open(server.url, remember=False)
    await owner.sign_up("ada@example.com", "correct horse", "ada")
    project = await owner.create_project("P")
    session = await Session.open(server.url, remember=False)
    user = await session.sign_up("bob@example.com", "correct horse", "bob")
    fetched: list[int] = []
    states: list[str] = []

    async def joined() -> None:
        """The fetch, which is where somebody learns what became of their access."""
        fetched.append(1)

    live = Live(
        lambda: server.url,
        project.id,
        (user.id, user.name),
        token=session.fresh_token,
        renew=session.renew,
        heard=lambda event, data: None,
        joined=joined,
        state=states.append,
        timing=QUICK,
    )
    running = asyncio.create_task(live.run())
    try:
        await until(lambda: len(fetched) >= 2, what="another try")
        assert "live" not in states
        await owner.api.add_member(project.id, email="bob@example.com")
        await until(lambda: states[-1:] == ["live"], what="it is live")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await session.close()
        await owner.close()
