from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import websockets
from websockets.frames import Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from fluxboard.server import connection, publish
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
    monkeypatch.setattr(connection, "KNOWN", connection.KNOWN | known)
    async with running(settings) as world:
        ada = await world.person()
        project = await ada.project()
        ear = await ada.ear(project)
        await ada.task(project)
        await until(lambda: ear.of("task:created"))
        assert not isinstance(world.server.live.sio.manager, publish.RoomManager)


async def bare_socket(world: World, token: str, project: str) -> websockets.ClientConnection:
    """A WebSocket with a small buffer that has joined a project and leaves everything else to the test."""
    address = urlsplit(world.url)
    bare = socket.socket()
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    bare.setblocking(False)
    await asyncio.get_running_loop().sock_connect(bare, (address.hostname, address.port))
    made = await websockets.connect(
        f"ws://{address.netloc}/socket.io/?EIO=4&transport=websocket", sock=bare, max_queue=1
    )
    manager = world.server.live.sio.manager

    def members() -> int:
        return len(manager.rooms.get("/", {}).get(f"project:{project}", ()))

    others = members()
    await made.send("40" + json.dumps({"token": token}))
    await made.send("42" + json.dumps(["join:project", {"projectId": project}]))
    await until(lambda: members() == others + 1)
    return made


async def test_a_websocket_that_does_not_read_is_ended_and_the_others_hear_on(
    monkeypatch: pytest.MonkeyPatch, way: World
) -> None:
    monkeypatch.setattr(connection, "BACKLOG_MAX", 20)
    ada = await way.person()
    project = await ada.project()
    ear = await ada.ear(project)
    slow = await bare_socket(way, ada.token, project)
    slow.transport.pause_reading()
    made = 0
    while len(way.server.live._clients) == 2:
        ops = [{"op": "create", "task": {"title": "t", "description": "d" * 5000}}] * 50
        await done(ada.post(f"/api/projects/{project}/tasks/batch", {"ops": ops}))
        made += 50
        assert made <= 5000
    await until(lambda: len(ear.of("task:created")) == made)
    slow.transport.abort()


async def test_a_websocket_that_reads_late_hears_all_in_order(way: World) -> None:
    ada = await way.person()
    project = await ada.project()
    slow = await bare_socket(way, ada.token, project)
    slow.transport.pause_reading()
    engines = way.server.live.sio.eio.sockets
    made = 0
    while not any(way.server.live.sio.waiting()):
        ops = [{"op": "create", "task": {"title": "t", "description": "d" * 5000}}] * 50
        await done(ada.post(f"/api/projects/{project}/tasks/batch", {"ops": ops}))
        made += 50
        assert made <= 5000
    slow.transport.resume_reading()

    async def go_on() -> None:
        for _ in range(100):
            await ada.task(project, "while it catches up")
        await ada.task(project, "the last")

    going_on = asyncio.create_task(go_on())
    heard: list[int] = []
    async for packet in slow:
        if packet.startswith('42["task:created"'):
            event = json.loads(packet[2:])[1]
            heard.append(event["rev"])
            if event["task"]["title"] == "the last":
                break
    await going_on
    assert len(heard) == made + 101
    assert heard == sorted(set(heard))
    await until(lambda: not any(engine.queue.behind for engine in engines.values()))
    await slow.close()


async def test_who_answers_pings_stays_and_who_does_not_is_ended(way: World) -> None:
    eio = way.server.live.sio.eio
    eio.ping_interval, eio.ping_timeout = 0.2, 0.5
    ada = await way.person()
    project = await ada.project()
    alive, dead = [await bare_socket(way, ada.token, project) for _ in range(2)]

    answered = 0

    async def answer_pings() -> None:
        nonlocal answered
        async for packet in alive:
            if packet == "2":
                answered += 1
                await alive.send("3")

    answering = asyncio.create_task(answer_pings())
    with contextlib.suppress(websockets.ConnectionClosed):
        async for _ in dead:
            pass
    await until(lambda: len(way.server.live._clients) == 1)
    before = answered
    await until(lambda: answered > before + 5)
    assert len(way.server.live._clients) == 1
    answering.cancel()
    await alive.close()


async def test_a_connection_that_takes_nothing_and_answers_no_ping_is_cut(lone: World) -> None:
    eio = lone.server.live.sio.eio
    ada = await lone.person()
    project = await ada.project()
    deaf = await bare_socket(lone, ada.token, project)
    (engine,) = eio.sockets.values()
    deaf.transport.pause_reading()
    while not engine.queue.qsize():
        ops = [{"op": "create", "task": {"title": "t", "description": "d" * 5000}}] * 50
        await done(ada.post(f"/api/projects/{project}/tasks/batch", {"ops": ops}))
    eio.ping_interval, eio.ping_timeout = 0.1, 0.1
    engine.last_ping = 1.0
    await until(engine.queue.wire._protocol.transport.is_closing, 30)
    deaf.transport.abort()


class SlowWire:
    """What stands below an outbox, taking packets when the test says so."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.free = asyncio.Event()

    @property
    def full(self) -> bool:
        return not self.free.is_set()

    def write(self, frames: bytes) -> bool:
        if not self.full:
            self.taken.append(frames)
        return not self.full

    async def drained(self) -> None:
        await self.free.wait()


async def test_no_packet_overtakes_those_that_wait() -> None:
    outbox, wire = connection.Outbox(lambda _: None), SlowWire()
    outbox.wire = wire  # type: ignore[assignment]
    outbox.attach()
    first, second, third = (connection.Message(text) for text in "abc")
    outbox.put_nowait(first)
    wire.free.set()
    assert not outbox.write(second.frame)  # the one before it is not written yet
    outbox.put_nowait(second)
    await until(lambda: not outbox.behind)
    assert outbox.write(third.frame)
    assert wire.taken == [first.frame, second.frame, third.frame]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_is_what_a_websocket_client_reads(size: int) -> None:
    client = Protocol(CLIENT, state=OPEN, max_size=None)
    client.receive_data(connection.text_frame(b"x" * size))
    (frame,) = client.events_received()
    assert (frame.opcode, frame.data, frame.fin) == (Opcode.TEXT, b"x" * size, True)
