"""What rooms hear, in the order of its revisions, whichever process committed it.

The commits of several processes arrive by several ways. One that arrives before its predecessor waits a
moment for it; when that does not come, the log in the database says what was missed. So nobody hears
what came after their removal, and a message that got lost costs a moment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fluxboard.server.storage.engine import Committed

#: A commit waits so long for the one before it.
PATIENCE: Final = 0.15
HEAD_SOON: Final = 15.0
HEAD_LATER: Final = 60.0


@dataclass(slots=True)
class _Room:
    """``rev`` is the newest revision that was told; None until it is known where the room begins."""

    rev: int | None = None
    due: float = 0.0
    waiting: dict[int, Committed] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None


class Feed:
    """The rooms of this process and how far each was told.

    ``tell`` gets commits in order; ``missed`` a project of which something has to be read from the log.
    """

    def __init__(self, tell: Callable[[Committed], None], missed: Callable[[str], None]) -> None:
        self._tell = tell
        self._missed = missed
        self._rooms: dict[str, _Room] = {}

    def open(self, project_id: str) -> None:
        """Keeps what is committed from now on, until :meth:`begin` says from where it is to be told."""
        self._rooms.setdefault(project_id, _Room())

    def begin(self, project_id: str, rev: int) -> None:
        """A room whose people know everything up to ``rev``; later calls change nothing."""
        room = self._rooms.setdefault(project_id, _Room())
        if room.rev is None:
            room.rev, room.due = rev, time.monotonic() + HEAD_LATER
            self._flush(project_id, room)

    def close(self, keep: set[str]) -> list[str]:
        """Forgets the rooms that nobody is in and nobody enters, and says which these are."""
        gone = [project_id for project_id in self._rooms if project_id not in keep]
        for project_id in gone:
            self._disarm(self._rooms.pop(project_id))
        return gone

    def rev(self, project_id: str) -> int | None:
        """How far a room was told; None for a room that is not open, or has not begun."""
        room = self._rooms.get(project_id)
        return room.rev if room else None

    def rooms(self) -> list[str]:
        """The projects whose rooms have begun."""
        return [project_id for project_id, room in self._rooms.items() if room.rev is not None]

    def take(self, committed: Committed) -> None:
        """A commit of any process; one that was told already is dropped."""
        room = self._rooms.get(committed.project_id)
        if committed.since is None or committed.closed:
            self._tell(committed)
        elif room is not None and (room.rev is None or committed.rev > room.rev):
            room.waiting[committed.since] = committed
            self._flush(committed.project_id, room)

    def healed(self, project_id: str, rev: int) -> None:
        """The room was told from the log up to ``rev``."""
        room = self._rooms.get(project_id)
        if room is not None and room.rev is not None:
            room.rev, room.due = max(room.rev, rev), time.monotonic() + HEAD_SOON
            self._flush(project_id, room)

    def heads(self) -> list[tuple[str, int]]:
        """The rooms that are to be told their head now, since an event that was the last leaves no gap."""
        now, due = time.monotonic(), []
        for project_id, room in self._rooms.items():
            if room.rev is not None and room.due <= now:
                room.due = now + HEAD_LATER
                due.append((project_id, room.rev))
        return due

    def _flush(self, project_id: str, room: _Room) -> None:
        if room.rev is None:
            return
        for since in sorted(room.waiting):
            if since > room.rev:
                break
            committed = room.waiting.pop(since)
            if committed.rev > room.rev:
                room.rev, room.due = committed.rev, time.monotonic() + HEAD_SOON
                self._tell(committed)
        self._disarm(room)
        if room.waiting:
            room.timer = asyncio.get_running_loop().call_later(PATIENCE, self._missed, project_id)

    def _disarm(self, room: _Room) -> None:
        if room.timer is not None:
            room.timer.cancel()
            room.timer = None
