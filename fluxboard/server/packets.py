"""The Socket.IO library's server, as this program wants it: JSON by msgspec, and no packet that harms.

As it comes, the library logs a traceback for every broken packet, gathers binary attachments without a bound,
and lets a client call the server's own ``connect`` and ``disconnect`` handlers by events of these names.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec
import socketio
from engineio.async_socket import AsyncSocket

from fluxboard.model.wire import ERROR
from fluxboard.server.connection import Message, Outbox, Wire, fits, ping_later
from fluxboard.server.metrics import Metrics
from fluxboard.server.publish import RoomManager
from fluxboard.server.whispers import Whisper

log = logging.getLogger("fluxboard.packets")

#: After so many connections of a room others get a turn.
_IN_A_ROW: Final = 50
#: CONNECT, DISCONNECT, EVENT and ACK; the others are a server's, or binary.
_READ: Final = frozenset("0123")


class _TaskRef(msgspec.Struct, rename="camel"):
    id: str


class Notice(msgspec.Struct, rename="camel"):
    """A client's ``task:*``, of which only what it is about is read; its content is not."""

    project_id: str
    task: _TaskRef | None = None
    task_id: str | None = None


class Renewal(msgspec.Struct):
    """A client's ``auth:refresh``."""

    token: str


class BadPacket(Exception):
    """What a client sent is nothing that a client of ours sends; the text says why."""


class _Json:
    """JSON for the packets: what is encoded already passes through."""

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        return msgspec.json.encode(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: object) -> Any:
        return msgspec.json.decode(text)


class _Packet(socketio.packet.Packet):  # type: ignore[misc]
    json = _Json

    def decode(self, encoded_packet: str | bytes) -> int:
        if not isinstance(encoded_packet, str) or encoded_packet[:1] not in _READ:
            raise BadPacket("Bad packet: nothing of this kind is read here")
        try:
            return int(super().decode(encoded_packet))
        except Exception:
            raise BadPacket("Bad packet") from None


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]
    """Answers ``error`` to what is no event of a client, and goes on."""

    def __init__(self, metrics: Metrics, **options: object) -> None:
        self._metrics = metrics
        fast = fits()
        super().__init__(serializer=_Packet, client_manager=RoomManager() if fast else None, **options)
        self.eio.create_queue = lambda *_, **__: Outbox(self._end_slow)
        if fast:
            self.eio._async = {**self.eio._async, "websocket": Wire}
            self.eio.start_background_task = self._start

    def _end_slow(self, outbox: Outbox) -> None:
        """Ends the connection of a client that lets its packets pile up."""
        engine = next((engine for engine in self.eio.sockets.values() if engine.queue is outbox), None)
        if engine is None:
            return
        log.warning("a connection let %d packets wait and is ended", outbox.qsize())
        if outbox.wire is not None:
            outbox.wire.abort()
        self.start_background_task(engine.close, wait=False, abort=True)

    def _start(
        self, target: Callable[..., Coroutine[Any, Any, None]], *args: Any, **options: Any
    ) -> asyncio.Future[None] | None:
        """As the library's, but for its pings."""
        if getattr(target, "__func__", None) is AsyncSocket._send_ping:
            ping_later(target.__self__)  # type: ignore[attr-defined]
            return None
        return asyncio.ensure_future(target(*args, **options))

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        try:
            await super()._handle_eio_message(eio_sid, data)
        except BadPacket as bad:
            socket_id = self.manager.sid_from_eio_sid(eio_sid, "/")
            if socket_id is not None and self.manager.is_connected(socket_id, "/"):
                await self.emit(ERROR, {"message": str(bad)}, to=socket_id)

    async def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            raise BadPacket("Bad packet: an event has a name")
        if data[0] in self.reserved_events:
            raise BadPacket(f"Bad packet: {data[0]} is not a client's event")
        self._metrics.event(data[0] if data[0] in self.handlers.get("/", ()) else "other", "in")
        await super()._handle_event(eio_sid, namespace, id, data)

    async def emit(self, event: str, data: Any = None, to: str | None = None, **options: Any) -> None:
        """As the library's; what is delivered is counted."""
        room = to or options.get("room")
        receivers = len(self.manager.rooms.get("/", {}).get(room, ()))
        if receivers:
            self._metrics.event(event, "out", receivers)
        await super().emit(event, data, to, **options)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        """The library leaves a poll that waits on a closed connection waiting, and with it the shutdown."""
        engine = self.eio.sockets.get(eio_sid)
        if engine is not None:
            asyncio.get_running_loop().call_soon(engine.queue.put_nowait, None)
            if reason == self.eio.reason.PING_TIMEOUT and engine.queue.wire is not None:
                engine.queue.wire.abort()
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def whisper(self, room: str, whispers: list[Whisper]) -> None:
        """Writes volatile events to the sockets of a room that are not behind; nobody hears their own."""
        messages = [
            (
                Message(
                    _Packet(
                        socketio.packet.EVENT, namespace="/", data=[each.event, msgspec.Raw(each.payload)]
                    ).encode()
                ),
                each.sender,
            )
            for each in whispers
        ]
        senders = {sender for _, sender in messages}
        whole = b"".join(message.frame for message, _ in messages)
        members = list(self.manager.rooms.get("/", {}).get(room, {}).items())
        reached: set[str] = set()
        for count, (socket_id, engine_id) in enumerate(members, 1):
            if count % _IN_A_ROW == 0:
                await asyncio.sleep(0)
            engine = self.eio.sockets.get(engine_id)
            if engine is None or engine.closed or engine.closing or engine.queue.behind:
                continue
            others, frames = messages, whole
            if socket_id in senders:
                others = [(message, sender) for message, sender in messages if sender != socket_id]
                frames = b"".join(message.frame for message, _ in others)
            if others:
                reached.add(socket_id)
            if others and not engine.queue.write(frames):
                for message, _ in others:
                    engine.queue.put_nowait(message)
        for each in whispers:
            self._metrics.event(each.event, "out", len(reached) - (each.sender in reached))

    def is_open(self, socket_id: str) -> bool:
        """Whether the connection below a socket still stands."""
        return self.manager.eio_sid_from_sid(socket_id, "/") in self.environ

    def waiting(self) -> list[int]:
        """How many packets wait for each connection."""
        return [engine.queue.qsize() for engine in self.eio.sockets.values()]

    def strangers(self) -> set[str]:
        """The connections on which nobody is signed in."""
        known = {
            self.manager.eio_sid_from_sid(sid, "/") for sid in self.manager.rooms.get("/", {}).get(None, ())
        }
        return set(self.eio.sockets) - known

    async def drop(self, stranger: str) -> None:
        """Ends a connection without waiting for it to take what was sent."""
        engine = self.eio.sockets.get(stranger)
        if engine is not None:
            await engine.close(wait=False)
