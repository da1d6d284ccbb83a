"""The fast way out: an event is encoded once and written straight to every WebSocket of a room.

As it comes, the library makes a task, a queue entry and a wake-up for each recipient of each event. Here the
events of a room become ready-made WebSocket frames, and these bytes go to the transport of each connection.
An event that comes alone is written at once. Those that come while the loop is busy with it, or within as
long again, are gathered until the loop's next turns bring no more, and written together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Any, Final

import socketio

from fluxboard.server.connection import Message

#: A room's events are gathered until so many turns of the loop bring no more. A connection's next packet is
#: read some turns after the one before it.
_QUIET_TURNS: Final = 6
_NO_ONE: Final[frozenset[str]] = frozenset()

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
