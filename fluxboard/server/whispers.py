"""Volatile events: where cursors are and who types. Nothing is ever late because of them.

Of each person only the newest of a kind waits. A room's whispers go out together, and the next ones wait the
longer the last ones took, or while there are commits to publish. A connection that is behind gets none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

#: Seconds between two deliveries to a room, and in a crowd.
GAP: Final = 0.05
CROWDED_GAP: Final = 1.0
#: A delivery takes at most this share of the time.
SHARE: Final = 0.1
#: So many volatile events a second and socket are passed on; twice as many at once after a pause.
RATE: Final = 20.0
#: While commits wait to be published, whispers wait, but not longer than so many gaps.
PATIENCE: Final = 20

log = logging.getLogger("fluxboard.whispers")


class Whisper(msgspec.Struct, frozen=True):
    """A volatile event with its payload as JSON, and the socket that it came from."""

    event: str
    payload: bytes
    sender: str


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class _Room:
    waiting: dict[tuple[str, ...], Whisper] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None
    sending: asyncio.Task[None] | None = None
    free_at: float = 0.0
    put_off: int = 0


class Whispers:
    """Gathers the volatile events of each room.

    ``send`` writes some to a room; ``busy`` says that there is something better to do; ``crowded`` rooms are
    told less often.
    """

    def __init__(
        self,
        send: Callable[[str, list[Whisper]], Awaitable[None]],
        busy: Callable[[], bool],
        crowded: Callable[[str], bool],
    ) -> None:
        self._send = send
        self._busy = busy
        self._crowded = crowded
        self._rooms: dict[str, _Room] = {}
        self._buckets: dict[str, _Bucket] = {}

    def allows(self, socket_id: str) -> bool:
        """Whether a socket may say one more thing now."""
        now = asyncio.get_running_loop().time()
        bucket = self._buckets.setdefault(socket_id, _Bucket(2 * RATE, now))
        bucket.tokens = min(2 * RATE, bucket.tokens + (now - bucket.at) * RATE)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def forget(self, socket_id: str) -> None:
        """A socket closed."""
        self._buckets.pop(socket_id, None)

    def add(self, project_id: str, key: tuple[str, ...], whisper: Whisper) -> None:
        """Has a whisper told soon; a newer one with the same ``key`` takes its place."""
        room = self._rooms.setdefault(project_id, _Room())
        room.waiting.pop(key, None)
        room.waiting[key] = whisper
        self._schedule(project_id, room)

    def _schedule(self, project_id: str, room: _Room) -> None:
        if room.timer is not None or room.sending is not None:
            return
        loop = asyncio.get_running_loop()
        wait = max(0.0, room.free_at - loop.time())
        room.timer = loop.call_later(wait, self._start, project_id, room)

    def _start(self, project_id: str, room: _Room) -> None:
        room.timer = None
        loop = asyncio.get_running_loop()
        if self._busy() and room.put_off < PATIENCE:
            room.put_off += 1
            room.free_at = loop.time() + GAP
            self._schedule(project_id, room)
            return
        room.put_off = 0
        waiting, room.waiting = list(room.waiting.values()), {}
        room.sending = loop.create_task(self._deliver(project_id, room, waiting))

    async def _deliver(self, project_id: str, room: _Room, waiting: list[Whisper]) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            await self._send(project_id, waiting)
        except Exception:
            log.exception("whispers were lost")
        finally:
            room.sending = None
            gap = CROWDED_GAP if self._crowded(project_id) else GAP
            room.free_at = begun + max(gap, (loop.time() - begun) / SHARE)
            if room.waiting:
                self._schedule(project_id, room)
            else:
                loop.call_later(room.free_at - loop.time(), self._drop_if_quiet, project_id, room)

    def _drop_if_quiet(self, project_id: str, room: _Room) -> None:
        if not room.waiting and room.sending is None and self._rooms.get(project_id) is room:
            del self._rooms[project_id]
