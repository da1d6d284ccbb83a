"""The fast way out: an event is encoded once and written straight to every WebSocket of a room.

As it comes, the library makes a task, a queue entry and a wake-up for each recipient of each event. Here the
events of a room become ready-made WebSocket frames, and these bytes go to the transport of each connection.
An event that comes alone is written at once. Those that come while the loop is busy with it, or within as
long again, are gathered until the loop's next turns bring no more, and written together.

This leans on parts of the libraries that are not public, so it is taken with exactly the versions it was
written for. With others, with ``FLUXBOARD_PUBLISH=plain``, for a connection that polls or began by polling,
and while a client is slower than its events, the library's own queue is the way.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Collection
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import socketio
from engineio import packet as engine_packets
from engineio.async_drivers.asgi import WebSocket

if TYPE_CHECKING:
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

#: The versions whose inner parts this file knows.
KNOWN: Final = {"python-socketio": "5.18.1", "python-engineio": "4.15.1", "uvicorn": "0.54.0"}
#: A connection that lets more packets wait is ended: its client will catch up, the memory would not.
BACKLOG_MAX: Final = 2000
#: A room's events are gathered until so many turns of the loop bring no more. A connection's next packet is
#: read some turns after the one before it.
_QUIET_TURNS: Final = 6
_NO_ONE: Final[frozenset[str]] = frozenset()


def fits() -> bool:
    """Whether the fast way may be taken in this process."""
    if os.environ.get("FLUXBOARD_PUBLISH") == "plain":
        return False
    return all(version(package) == known for package, known in KNOWN.items())


class Message(engine_packets.Packet):  # type: ignore[misc]
    """An Engine.IO message that carries the WebSocket frame it becomes, unmasked and uncompressed."""

    def __init__(self, text: str) -> None:
        super().__init__(engine_packets.MESSAGE, text)
        self.frame = text_frame(f"4{text}".encode())


def text_frame(payload: bytes) -> bytes:
    """A server's WebSocket frame with a whole text message (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Outbox(asyncio.Queue[Any]):
    """What waits for one connection to take it.

    With a ``wire`` it is passed by, as long as nothing is behind and the wire takes more. ``overflow`` is
    called once, when more than BACKLOG_MAX packets wait.
    """

    _queue: deque[Any]

    def __init__(self, overflow: Callable[[Outbox], None]) -> None:
        super().__init__()
        self._overflow: Callable[[Outbox], None] | None = overflow
        self._behind = 0
        self.wire: WebSocketsSansIOProtocol | None = None
        self.direct = False

    def attach(self, wire: WebSocketsSansIOProtocol, *, direct: bool) -> None:
        """The connection below; ``direct`` when packets may be written to it past the queue."""
        self.wire, self.direct, self._behind = wire, direct, self.qsize()

    def write(self, frames: bytes) -> bool:
        """Whether the frames were written; if not, their packets have to be queued."""
        wire = self.wire
        if not self.direct or wire is None or self._behind or wire.close_sent:
            return False
        if not wire.writable.is_set() or wire.transport.is_closing():
            return False
        wire.transport.write(frames)
        return True

    def put_nowait(self, packet: Any) -> None:
        if isinstance(packet, Message) and self.write(packet.frame):
            return
        self._behind += 1
        super().put_nowait(packet)
        if self._overflow is not None and self.qsize() > BACKLOG_MAX:
            overflow, self._overflow = self._overflow, None
            overflow(self)

    @property
    def behind(self) -> bool:
        """Whether something waits already."""
        return not self.empty() or (self.wire is not None and not self.wire.writable.is_set())

    def sent(self) -> None:
        """The library's writer has handed a queued packet to the wire."""
        self._behind -= 1


class Wire(WebSocket):  # type: ignore[misc]
    """The library's WebSocket, whose transport is shown to the connection's outbox.

    A connection that changes over from polling keeps to the queue: a poll may still hold some of its packets.
    """

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        self._engine = handler.__self__

    async def __call__(self, environ: dict[str, Any]) -> Any:
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

        wire = getattr(environ["asgi.send"], "__self__", None)
        # A frame made here is neither compressed nor otherwise extended.
        if isinstance(wire, WebSocketsSansIOProtocol) and not wire.conn.extensions:
            self._engine.queue.attach(wire, direct=not self._engine.connected)
        return await super().__call__(environ)

    async def send(self, message: str | bytes) -> None:
        await super().send(message)
        self._engine.queue.sent()


_Emitted = tuple[Message, Collection[str]]


class _Following:
    """What comes shortly after a write to a room, and until when it is gathered."""

    def __init__(self, until: float) -> None:
        self.batch: list[_Emitted] = []
        self.until = until


class RoomManager(socketio.AsyncManager):  # type: ignore[misc]
    """Writes a room's events without a task per recipient, those that overlap together."""

    def __init__(self) -> None:
        super().__init__()
        self._following: dict[str, _Following] = {}

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: str | None = None,
        skip_sid: str | None = None,
        callback: Any = None,
        to: str | None = None,
        **options: Any,
    ) -> None:
        room = to or room
        members = self.rooms.get(namespace, {}).get(room)
        if callback is not None:
            await super().emit(event, data, namespace, room, skip_sid, callback, **options)
        elif members:
            packet = self.server.packet_class(
                socketio.packet.EVENT, namespace=namespace, data=[event] if data is None else [event, data]
            )
            emitted = (Message(packet.encode()), _NO_ONE if skip_sid is None else frozenset((skip_sid,)))
            if room is None or room in members:  # everybody, or one socket, whose room has its own name
                self._write(members, [emitted])
            else:
                self._write_to_room(namespace, room, emitted)

    def _write_to_room(self, namespace: str, room: str, emitted: _Emitted) -> None:
        following = self._following.get(room)
        if following is None:
            self._write_and_follow(namespace, room, [emitted])
            return
        following.batch.append(emitted)
        if len(following.batch) == 1:
            self._gather(namespace, room, following, 0, 0)

    def _write_and_follow(self, namespace: str, room: str, batch: list[_Emitted]) -> None:
        """What comes within as long again as this takes is gathered."""
        begun = time.monotonic()
        self._write(self.rooms.get(namespace, {}).get(room) or {}, batch)
        now = time.monotonic()
        following = self._following[room] = _Following(until=now + (now - begun))
        asyncio.get_running_loop().call_later(now - begun, self._forget, room, following)

    def _gather(self, namespace: str, room: str, following: _Following, seen: int, quiet: int) -> None:
        """Writes what has come once the loop's turns bring no more, or it has waited for long enough."""
        count = len(following.batch)
        quiet = 0 if count > seen else quiet + 1
        if quiet < _QUIET_TURNS and time.monotonic() < following.until:
            asyncio.get_running_loop().call_soon(self._gather, namespace, room, following, count, quiet)
        else:
            self._write_and_follow(namespace, room, following.batch)

    def _forget(self, room: str, following: _Following) -> None:
        if self._following.get(room) is following and not following.batch:
            del self._following[room]

    def _write(self, members: Any, batch: list[_Emitted]) -> None:
        frames = batch[0][0].frame if len(batch) == 1 else b"".join(message.frame for message, _ in batch)
        special = {socket_id for _, skipped in batch for socket_id in skipped}
        engines = self.server.eio.sockets
        for socket_id, engine_id in members.items():
            engine = engines.get(engine_id)
            if engine is None or engine.closed or engine.closing:
                continue
            if socket_id not in special and engine.queue.write(frames):
                continue
            for message, skipped in batch:
                if socket_id not in skipped:
                    engine.queue.put_nowait(message)
