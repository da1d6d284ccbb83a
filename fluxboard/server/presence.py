"""Who is in which project now: a person once, however many terminals they hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fluxboard.model.types import OnlineUser, timestamp

#: At most one list a room in this many seconds; in a crowd a longer one.
GAP = 0.1
CROWDED_GAP = 1.0
CROWD = 50


@dataclass(slots=True)
class _Seat:
    name: str
    joined_at: str
    sockets: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Room:
    seats: dict[str, _Seat] = field(default_factory=dict)
    told_at: float = 0.0
    timer: asyncio.TimerHandle | None = None


class Presence:
    """Keeps the rooms and tells each its true list, coalesced. ``tell`` sends a list to a room."""

    def __init__(self, tell: Callable[[str, tuple[OnlineUser, ...]], Awaitable[None]]) -> None:
        self._tell = tell
        self._rooms: dict[str, _Room] = {}
        self._sending: set[asyncio.Task[None]] = set()

    def rooms(self) -> list[str]:
        """The projects that somebody looks at."""
        return list(self._rooms)

    def enter(self, project_id: str, user_id: str, name: str, socket_id: str) -> None:
        """A socket of a person joined."""
        room = self._rooms.setdefault(project_id, _Room())
        seat = room.seats.setdefault(user_id, _Seat(name, timestamp()))
        seat.sockets.add(socket_id)
        self._change(project_id, room)

    def leave(self, project_id: str, user_id: str, socket_id: str) -> None:
        """A socket of a person left; the person is gone with their last one."""
        room = self._rooms.get(project_id)
        seat = room.seats.get(user_id) if room else None
        if room is None or seat is None:
            return
        seat.sockets.discard(socket_id)
        if seat.sockets:
            return
        del room.seats[user_id]
        if room.seats:
            self._change(project_id, room)
            return
        if room.timer is not None:
            room.timer.cancel()
        del self._rooms[project_id]

    def online(self, project_id: str) -> tuple[OnlineUser, ...]:
        """The people in a room, in the order they came."""
        room = self._rooms.get(project_id)
        if room is None:
            return ()
        return tuple(
            OnlineUser(id=user_id, name=seat.name, joined_at=seat.joined_at)
            for user_id, seat in room.seats.items()
        )

    def _change(self, project_id: str, room: _Room) -> None:
        if room.timer is not None:
            return
        loop = asyncio.get_running_loop()
        gap = CROWDED_GAP if len(room.seats) > CROWD else GAP
        wait = max(0.0, room.told_at + gap - loop.time())
        room.timer = loop.call_later(wait, self._send, project_id, room)

    def _send(self, project_id: str, room: _Room) -> None:
        room.timer = None
        room.told_at = asyncio.get_running_loop().time()
        task = asyncio.ensure_future(self._tell(project_id, self.online(project_id)))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
