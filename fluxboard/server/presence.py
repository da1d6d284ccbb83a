"""Who is in which project now: a person once, however many terminals they hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec

from fluxboard.model.types import OnlineUser, timestamp

#: At most one list a room in this many seconds; in a crowd a longer one.
GAP = 0.1
CROWDED_GAP = 1.0
CROWD = 50


@dataclass(slots=True)
class _Terminal:
    task_id: str | None = None
    looked_at: float = 0.0
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


class Share(msgspec.Struct, frozen=True):
    """A person's terminals in a room on one process; ``looked_at`` is in seconds since the epoch."""

    user_id: str
    name: str
    joined_at: str
    terminals: int
    idle: bool
    visible: bool
    task_id: str | None
    looked_at: float


class Presence:
    """Keeps the rooms and tells each its true list, coalesced.

    ``tell`` sends a list to a room; ``left`` hears of a person's last terminal going: the project,
    the person, and whether they could be seen; ``changed`` of the rooms whose own people changed.
    """

    def __init__(
        self,
        tell: Callable[[str, tuple[OnlineUser, ...]], Awaitable[None]],
        left: Callable[[str, str, bool], None] = lambda *_: None,
        changed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._tell = tell
        self._left = left
        self._changed = changed
        self._rooms: dict[str, _Room] = {}
        #: What other processes say, by project and process.
        self._elsewhere: dict[str, dict[str, tuple[Share, ...]]] = {}
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
        return seat is not None and seat.visible and all(s.visible for s in self._others(project_id, user_id))

    def enter(self, project_id: str, user_id: str, name: str, socket_id: str) -> None:
        """A socket of a person joined."""
        room = self._rooms.setdefault(project_id, _Room())
        seat = room.seats.setdefault(user_id, _Seat(name, timestamp()))
        seat.terminals.setdefault(socket_id, _Terminal())
        self._change(project_id, room)
        self._changed(project_id)

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
            if not self._others(project_id, user_id):
                self._left(project_id, user_id, visible)
        self._changed(project_id)
        if room.seats:
            self._change(project_id, room)
            return
        if room.timer is not None:
            room.timer.cancel()
        del self._rooms[project_id]
        self._elsewhere.pop(project_id, None)

    def look(self, project_id: str, user_id: str, socket_id: str, task_id: str | None) -> None:
        """A person's cursor moved. That is told by an event of its own; the next list only repeats it."""
        terminals = self._rooms[project_id].seats[user_id].terminals
        terminal = terminals[socket_id] = terminals.pop(socket_id)
        terminal.task_id, terminal.looked_at = task_id, time.time()

    def state(self, project_id: str, user_id: str, socket_id: str, *, idle: bool, invisible: bool) -> None:
        """Whether somebody is at the keys of a terminal, and whether its person is to be listed."""
        room = self._rooms[project_id]
        terminal = room.seats[user_id].terminals[socket_id]
        if (terminal.idle, terminal.invisible) != (idle, invisible):
            terminal.idle, terminal.invisible = idle, invisible
            self._change(project_id, room)
            self._changed(project_id)

    def share(self, project_id: str) -> tuple[Share, ...]:
        """What the other processes are to know of this one's people in a room."""
        room = self._rooms.get(project_id)
        if room is None:
            return ()
        return tuple(
            Share(
                user_id=user_id,
                name=seat.name,
                joined_at=seat.joined_at,
                terminals=len(seat.terminals),
                idle=all(terminal.idle for terminal in seat.terminals.values()),
                visible=seat.visible,
                task_id=list(seat.terminals.values())[-1].task_id,
                looked_at=list(seat.terminals.values())[-1].looked_at,
            )
            for user_id, seat in room.seats.items()
        )

    def hear(self, project_id: str, process: str, shares: tuple[Share, ...]) -> None:
        """What another process says of its people in a room; nothing of it is kept where nobody is."""
        room = self._rooms.get(project_id)
        if room is None:
            return
        said = self._elsewhere.setdefault(project_id, {})
        if said.pop(process, ()) != shares:
            self._change(project_id, room)
        if shares:
            said[process] = shares

    def gone(self, process: str) -> None:
        """Another process ended, or is not heard of: its people are not here."""
        for project_id in list(self._elsewhere):
            self.hear(project_id, process, ())

    def _others(self, project_id: str, user_id: str) -> list[Share]:
        """A person's terminals on other processes."""
        said = self._elsewhere.get(project_id, {})
        return [share for shares in said.values() for share in shares if share.user_id == user_id]

    def online(self, project_id: str) -> tuple[OnlineUser, ...]:
        """The people in a room who can be seen, in the order they came."""
        people: dict[str, list[Share]] = {}
        said = self._elsewhere.get(project_id, {})
        for shares in (self.share(project_id), *said.values()):
            for share in shares:
                people.setdefault(share.user_id, []).append(share)
        seen = [_whole(shares) for shares in people.values() if all(share.visible for share in shares)]
        return tuple(sorted(seen, key=lambda user: user.joined_at)) if said else tuple(seen)

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


def _whole(shares: list[Share]) -> OnlineUser:
    """A person whose terminals are on one process or several."""
    last = max(shares, key=lambda share: share.looked_at)
    return OnlineUser(
        id=last.user_id,
        name=last.name,
        joined_at=min(share.joined_at for share in shares),
        idle=all(share.idle for share in shares),
        task_id=last.task_id,
        terminals=sum(share.terminals for share in shares),
    )
