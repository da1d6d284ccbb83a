"""What lies between a server and its sockets, and between the servers, without a network."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import msgspec

Handler = Callable[..., Awaitable[Any]]


class SimSockets:
    """Stands for the Socket.IO library: rooms, and to whom what is sent goes.

    ``deliver`` gets a socket's id, an event's name and its payload.
    """

    deliver: Callable[[str, str, Any], None]

    def __init__(self, *_: object, **__: object) -> None:
        self.handlers: dict[str, Handler] = {}
        self.open: set[str] = set()
        self.rooms: dict[str, dict[str, str]] = defaultdict(dict)
        self.manager = SimpleNamespace(rooms={"/": self.rooms})

    def on(self, event: str, handler: Handler) -> None:
        self.handlers[event] = handler

    def is_open(self, socket_id: str) -> bool:
        return socket_id in self.open

    async def enter_room(self, socket_id: str, room: str) -> None:
        if socket_id in self.open:
            self.rooms[room][socket_id] = socket_id

    async def leave_room(self, socket_id: str, room: str) -> None:
        self.rooms[room].pop(socket_id, None)
        if not self.rooms[room]:
            del self.rooms[room]

    async def emit(
        self,
        event: str,
        data: Any = None,
        to: str | None = None,
        *,
        room: str | None = None,
        skip_sid: str | None = None,
    ) -> None:
        """To one socket or to a room; others may run meanwhile, as when it is written to real sockets."""
        receivers = [to] if to in self.open else list(self.rooms.get(to or room or "", ()))
        if isinstance(data, msgspec.Raw):
            data = json.loads(bytes(data))
        for socket_id in receivers:
            if socket_id != skip_sid:
                self.deliver(socket_id, event, data)
        await asyncio.sleep(0)

    async def disconnect(self, socket_id: str) -> None:
        self.shut(socket_id)
        await self.handlers["disconnect"](socket_id, "")

    def shut(self, socket_id: str) -> None:
        """The connection is gone, and with it its place in the rooms."""
        self.open.discard(socket_id)
        for room in [room for room, members in self.rooms.items() if members.pop(socket_id, None)]:
            if not self.rooms[room]:
                del self.rooms[room]

    async def whisper(self, room: str, whispers: list[Any]) -> None:
        """Volatile events may always be dropped."""

    def strangers(self) -> set[str]:
        return set()

    def waiting(self) -> list[int]:
        return []


class SimBus:
    """Stands for Redis: what is sent may be lost, come twice, late, or in another order.

    ``carry`` decides that: it gets a call that delivers one message to one node.
    """

    network: list[SimBus]
    carry: Callable[[Callable[[], None]], None]

    def __init__(
        self,
        url: str,
        node: str,
        hear: Callable[[str, bytes], None],
        beat: Callable[[str], None],
        connected: Callable[[], None],
    ) -> None:
        self._hear = hear
        self._followed: set[str] = set()
        self._running = False
        self.lag, self.lost, self.ready = 0.0, 0, True

    def start(self) -> None:
        self._running = True
        self.network.append(self)

    def stop(self) -> None:
        """The process is gone."""
        self._running = False
        self.network.remove(self)

    def beat(self) -> None:
        """Nobody is silent here."""

    def follow(self, channel: str) -> None:
        self._followed.add(channel)

    def unfollow(self, channel: str) -> None:
        self._followed.discard(channel)

    def send(self, channel: str, message: bytes) -> None:
        for other in self.network:
            if other is not self:
                self.carry(lambda other=other: other._take(channel, message))  # type: ignore[misc]

    def _take(self, channel: str, message: bytes) -> None:
        if self._running and channel in self._followed:
            self._hear(channel, message)
