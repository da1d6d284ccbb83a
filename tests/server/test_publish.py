from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import websockets
from websockets.frames import Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from fluxboard.server import publish
from fluxboard.server.settings import Settings
from tests.server.world import World, done, running
from tests.support.waiting import until


@pytest.fixture(params=["fast", "plain"])
async def way(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> AsyncIterator[World]:
    """A server that publishes in one way, and then in the other."""
    monkeypatch.setenv("FLUXBOARD_PUBLISH", request.param)
    async with running(settings) as made:
        yield made


async def test_every_socket_hears_every_event_once_and_in_order(
    monkeypatch: pytest.MonkeyPatch, way: World
) -> None:
    monkeypatch.setattr("engineio.payload.Payload.max_decode_packets", 1000)  # the test's client counts them
    ada = await way.person()
    project = await ada.project()
    ears = [await ada.ear(project, transport=kind) for kind in ("websocket", "websocket", "polling")]
    author = {"X_Socket_ID": ears[0].id}
    ops = [{"op": "create", "task": {"title": f"{number} 🌍"}} for number in range(40)]
    await done(ada.post(f"/api/projects/{project}/tasks/batch", {"ops": ops}))
    alone = [done(ada.post(f"/api/projects/{project}/tasks", {"title": str(n)})) for n in range(40)]
    await asyncio.gather(*alone)
    await done(ada.post(f"/api/projects/{project}/tasks", {"title": "own"}, **author))
    last = (await done(ada.post(f"/api/projects/{project}/tasks", {"title": "x" * 500})))["task"]["rev"]
    for ear in ears:
        await until(lambda ear=ear: [t for t in ear.of("task:created") if t["rev"] == last])
        revs = [event["rev"] for event in ear.of("task:created")]
        own = {last - 1} if ear is ears[0] else set()
        assert revs == [rev for rev in range(last - len(ops) - 41, last + 1) if rev not in own]


async def test_a_websocket_is_written_to_directly_and_a_poll_is_not(lone: World) -> None:
    ada = await lone.person()
    await ada.ear()
    await ada.ear(transport="polling")
    sio = lone.server.live.sio
    assert sorted(engine.queue.direct for engine in sio.eio.sockets.values()) == [False, True]


@pytest.mark.parametrize("known", [{"uvicorn": "0.1"}, {"python-engineio": "0.1"}])
async def test_other_versions_are_served_in_the_plain_way(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, known: dict[str, str]
) -> None:
    monkeypatch.setattr(publish, "KNOWN", publish.KNOWN | known)
    async with running(settings) as world:
        ada = await world.person()
        project = await ada.project()
        ear = await ada.ear(project)
        await ada.task(project)
        await until(lambda: ear.of("task:created"))
        assert not isinstance(world.server.live.sio.manager, publish.RoomManager)


async def test_a_websocket_that_does_not_read_is_ended_and_the_others_hear_on(
    monkeypatch: pytest.MonkeyPatch, way: World
) -> None:
    monkeypatch.setattr(publish, "BACKLOG_MAX", 20)
    ada = await way.person()
    project = await ada.project()
    ear = await ada.ear(project)
    address = urlsplit(way.url)
    bare = socket.socket()
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    bare.setblocking(False)
    await asyncio.get_running_loop().sock_connect(bare, (address.hostname, address.port))
    slow = await websockets.connect(
        f"ws://{address.netloc}/socket.io/?EIO=4&transport=websocket", sock=bare, max_queue=1
    )
    await slow.send("40" + json.dumps({"token": ada.token}))
    await slow.send("42" + json.dumps(["join:project", {"projectId": project}]))
    sio = way.server.live.sio
    await until(lambda: len(sio.manager.rooms["/"].get(f"project:{project}", ())) == 2)
    slow.transport.pause_reading()
    made = 0
    while len(way.server.live._clients) == 2:
        ops = [{"op": "create", "task": {"title": "t", "description": "d" * 5000}}] * 50
        await done(ada.post(f"/api/projects/{project}/tasks/batch", {"ops": ops}))
        made += 50
        assert made <= 5000
    await until(lambda: len(ear.of("task:created")) == made)
    slow.transport.abort()


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_is_what_a_websocket_client_reads(size: int) -> None:
    client = Protocol(CLIENT, state=OPEN, max_size=None)
    client.receive_data(publish.text_frame(b"x" * size))
    (frame,) = client.events_received()
    assert (frame.opcode, frame.data, frame.fin) == (Opcode.TEXT, b"x" * size, True)
