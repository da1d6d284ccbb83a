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
class _Terminal:
    task_id: str | None = None
    idle: bool = False
    invisible: bool = False


@dataclass(slots=True)
class _Seat:
    """A person; the terminal whose cursor moved last is the last one."""

    name: str
    joined_at: str
    terminals: dict[str, _Terminal] = field(default_factory=dict)

    @property
    def visible(self) -> bool:
        """One terminal that hides its person hides them everywhere."""
        return not any(terminal.invisible for terminal in self.terminals.values())


@dataclass(slots=True)
class _Room:
    seats: dict[str, _Seat] = field(default_factory=dict)
    told_at: float = 0.0
    timer: asyncio.TimerHandle | None = None


class Presence:
    """Keeps the rooms and tells each its true list, coalesced.

    ``tell`` sends a list to a room; ``left`` hears of a person's last terminal going: the project,
    the person, and whether they could be seen.
    """

    def __init__(
        self,
        tell: Callable[[str, tuple[OnlineUser, ...]], Awaitable[None]],
        left: Callable[[str, str, bool], None] = lambda *_: None,
    ) -> None:
        self._tell = tell
        self._left = left
        self._rooms: dict[str, _Room] = {}
        self._sending: set[asyncio.Task[None]] = set()

    def rooms(self) -> list[str]:
        """The projects that somebody looks at."""
        return list(self._rooms)

    def crowded(self, project_id: str) -> bool:
        """Whether so many are in a room that they are told of each other less often."""
        room = self._rooms.get(project_id)
        return room is not None and len(room.seats) > CROWD

    def visible(self, project_id: str, user_id: str) -> bool:
        """Whether a person is in a room for all to see."""
        room = self._rooms.get(project_id)
        seat = room.seats.get(user_id) if room else None
        return seat is not None and seat.visible

    def enter(self, project_id: str, user_id: str, name: str, socket_id: str) -> None:
        """A socket of a person joined."""
        room = self._rooms.setdefault(project_id, _Room())
        seat = room.seats.setdefault(user_id, _Seat(name, timestamp()))
        seat.terminals.setdefault(socket_id, _Terminal())
        self._change(project_id, room)

    def leave(self, project_id: str, user_id: str, socket_id: str) -> None:
        """A socket of a person left; the person is gone with their last one."""
        room = self._rooms.get(project_id)
        seat = room.seats.get(user_id) if room else None
        if room is None or seat is None or socket_id not in seat.terminals:
            return
        visible = seat.visible
        del seat.terminals[socket_id]
        if not seat.terminals:
            del room.seats[user_id]
            self._left(project_id, user_id, visible)
        if room.seats:
            self._change(project_id, room)
            return
        if room.timer is not None:
            room.timer.cancel()
        del self._rooms[project_id]

    def look(self, project_id: str, user_id: str, socket_id: str, task_id: str | None) -> None:
        """A person's cursor moved. That is told by an event of its own; the next list only repeats it."""
        terminals = self._rooms[project_id].seats[user_id].terminals
        terminal = terminals[socket_id] = terminals.pop(socket_id)
        terminal.task_id = task_id

    def state(self, project_id: str, user_id: str, socket_id: str, *, idle: bool, invisible: bool) -> None:
        """Whether somebody is at the keys of a terminal, and whether its person is to be listed."""
        room = self._rooms[project_id]
        terminal = room.seats[user_id].terminals[socket_id]
        if (terminal.idle, terminal.invisible) != (idle, invisible):
            terminal.idle, terminal.invisible = idle, invisible
            self._change(project_id, room)

    def online(self, project_id: str) -> tuple[OnlineUser, ...]:
        """The people in a room who can be seen, in the order they came."""
        room = self._rooms.get(project_id)
        if room is None:
            return ()
        return tuple(
            OnlineUser(
                id=user_id,
                name=seat.name,
                joined_at=seat.joined_at,
                idle=all(terminal.idle for terminal in seat.terminals.values()),
                task_id=list(seat.terminals.values())[-1].task_id,
                terminals=len(seat.terminals),
            )
            for user_id, seat in room.seats.items()
            if seat.visible
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
