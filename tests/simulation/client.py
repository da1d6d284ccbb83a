"""The real client in a world of faults: a network that fails, a disk that is late, a program that dies."""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from fluxboard.client.api import Api
from fluxboard.client.database import Database
from fluxboard.client.live import Live
from fluxboard.client.local import SCHEMA, LocalStore
from fluxboard.client.session import Session
from fluxboard.model.types import User

if TYPE_CHECKING:
    from fluxboard.client.board import Board
    from tests.simulation.server import Node
    from tests.simulation.world import World


@dataclass
class Weather:
    """How bad the network is: chances of each fault, and the longest delay in seconds."""

    lost_request: float = 0.0
    lost_answer: float = 0.0
    doubled: float = 0.0
    lost_event: float = 0.0
    doubled_event: float = 0.0
    full_disk: float = 0.0
    delay: float = 0.05


class SimTransport(httpx.AsyncBaseTransport):
    """REST from one client to whichever node takes the call."""

    def __init__(self, world: World, client: SimClient) -> None:
        self._world = world
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        world, chance = self._world, self._world.chance
        weather = world.weather
        await asyncio.sleep(chance.uniform(0, weather.delay))
        if self._client.cut_off or chance.random() < weather.lost_request:
            raise httpx.ConnectError("the network is down")
        number = chance.randrange(len(world.backend.nodes))
        if number in world.backend.down:
            raise httpx.ConnectError("the node is down")
        node, body = world.backend.nodes[number], await request.aread()
        answer = await self._deliver(node, request, body)
        if chance.random() < weather.doubled:
            answer = await self._deliver(node, request, body)
        await asyncio.sleep(chance.uniform(0, weather.delay))
        if self._client.cut_off or node not in world.backend.nodes or chance.random() < weather.lost_answer:
            raise httpx.ReadTimeout("the answer was lost")
        return answer

    async def _deliver(self, node: Node, request: httpx.Request, body: bytes) -> httpx.Response:
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        answer = await node.rest.handle_async_request(copy)
        content = b"".join([piece async for piece in answer.aiter_raw()])
        return httpx.Response(answer.status_code, headers=answer.headers, content=content, request=request)


class SimLive(Live):
    """The real reconnection over a socket of this world."""

    world: World
    owner: SimClient
    #: Who the server thinks this is, and which process it is.
    socket_id = ""
    node: Node | None = None

    @property
    def connected(self) -> bool:
        return self.owner.socket is self

    async def emit(self, event: str, payload: dict[str, Any]) -> None:
        """A notice; what it says was heard at the commit."""

    def cut(self) -> None:
        """The connection breaks."""
        self._ended.set()

    def hear(self, event: str, data: Any, socket_id: str) -> None:
        """An event arrives, if the connection on which it was sent still stands."""
        if self.connected and self.socket_id == socket_id:
            self._dispatch(event, data)

    async def _attempt(self, transport: str) -> None:
        world = self.world
        await asyncio.sleep(world.chance.uniform(0, world.weather.delay))
        if self.owner.cut_off or not world.backend.up:
            raise ConnectionError("nobody answers")
        node = self.node = world.backend.nodes[world.chance.choice(world.backend.up)]
        self._ended = asyncio.Event()
        self.socket_id = world.new_socket(self)
        self.owner.socket = self
        await node.connect(self.socket_id, self.owner.token)
        self._in_room = asyncio.get_running_loop().create_future()
        self._acknowledged(await node.join(self.socket_id, world.project_id))
        await self._enter()

    async def _close(self) -> None:
        if self.owner.socket is self:
            self.owner.socket = None
        node, self.node = self.node, None
        if node is not None:
            await node.disconnect(self.socket_id)


class LateDisk(Database):
    """A disk that takes its time: what is not written when the program dies is gone."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self._late: deque[tuple[Callable[[Any], Any], Future[Any]]] = deque()
        self._chance = chance
        self._timer: asyncio.TimerHandle | None = None
        super().__init__(path, SCHEMA, threaded=False)

    def read(self, work: Callable[[Any], Any]) -> Any:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        self._late.append((work, future))
        self._flush(None)
        return future.result()

    def write(self, work: Callable[[Any], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        self._late.append((work, future))
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._chance.uniform(0, 0.03), self._flush, None)
        return future

    def _flush(self, count: int | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch = [self._late.popleft() for _ in range(len(self._late) if count is None else count)]
        if batch:
            self._commit(batch)

    def die(self) -> None:
        """The program is killed: some of what waits is written, in order, and the rest is not."""
        self._flush(self._chance.randint(0, len(self._late)))
        self._late.clear()
        self.connection.close()
        if self._alive is not None:
            self._alive.release()


class SimClient:
    """One person's program, which can be killed and started again."""

    def __init__(self, world: World, number: int, user: User, token: str, path: Path) -> None:
        self.world = world
        self.number = number
        self.user = user
        self.token = token
        self.path = path
        self.cut_off = False
        self.socket: SimLive | None = None
        self.board: Board | None = None
        self.disk: LateDisk | None = None
        self.store: LocalStore | None = None
        #: Operations that were on disk, by id: none of them may ever be lost.
        self.saved: dict[str, dict[str, Any]] = {}
        self.discarded: set[str] = set()
        #: What was refused and tried again, and the edits that then took its place.
        self.again: dict[str, dict[str, dict[str, Any]]] = {}
        self.last_rev = 0

    async def start(self) -> None:
        """Starts the program; without a network only a board that was seen before opens."""
        from fluxboard.client.api import ApiError, ApiUnreachable

        client = self

        class Mine(SimLive):
            world = client.world
            owner = client

        disk = LateDisk(self.path, self.world.chance)
        store = LocalStore(None, database=disk)
        session = Session("http://sim", None, None, store, "sim")
        session.user, session.token = self.user, self.token
        session.api = Api("http://sim", session.fresh_token, session.renew, SimTransport(self.world, self))
        session.make_live = Mine
        session.timing = self.world.timing
        try:
            board = await session.board(self.world.project_id)
            await board.start()
        except (ApiError, ApiUnreachable):
            disk.die()
            return
        self.disk, self.store, self.board = disk, store, board
        self.last_rev = 0

    @property
    def lost(self) -> bool:
        """Whether the program said that this project is no longer the user's."""
        return self.board is not None and self.board._upkeep.lost

    async def kill(self) -> None:
        """Ends the program as kill -9 does."""
        board, self.board = self.board, None
        if board is None:
            return
        await board.abandon()
        self.socket = None
        if self.disk is not None:
            self.disk.die()
            self.disk = self.store = None

    def note_saved(self) -> None:
        """Remembers which operations are on disk now."""
        if self.disk is not None:
            rows = self.disk.connection.execute("SELECT op_id, body FROM outbox").fetchall()
            self.saved.update({op_id: json.loads(body) for op_id, body in rows})
