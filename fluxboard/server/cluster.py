"""What the processes of one board tell each other: commits, who is where, and whispers.

Each project has a channel, followed by the processes that have people in it; each person has one, followed by
those that have their sockets; all follow the one of the sign-ins. Without Redis all of this is silent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from fluxboard.server.auth import Throttle
from fluxboard.server.bus import Bus
from fluxboard.server.presence import Presence, Share
from fluxboard.server.storage.engine import Committed, Told
from fluxboard.server.whispers import Whisper

#: People of a process that is not heard for so long are gone.
SILENT_SECONDS: Final = 15.0
#: Changes of a room's people within this time are one message.
GAP: Final = 0.05
_LOGINS: Final = "logins"

log = logging.getLogger("fluxboard.cluster")


class _Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``asks`` wants to know who else is in the project; ``shares`` says who is."""

    node: str
    commit: Committed | None = None
    told: Told | None = None
    shares: tuple[Share, ...] | None = None
    asks: bool = False
    whispers: list[Whisper] | None = None
    login: tuple[str, bool] | None = None


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Message).decode


class Cluster:
    """This process among the others.

    ``take`` gets the commits of others, ``tell`` what is for one person, ``whisper`` the volatile events of a
    project.
    """

    def __init__(
        self,
        url: str | None,
        presence: Callable[[], Presence],
        *,
        take: Callable[[Committed], None],
        tell: Callable[[Told], None],
        whisper: Callable[[str, list[Whisper]], None],
        logins: Throttle,
    ) -> None:
        self.node = uuid4().hex
        self._presence = presence
        self._take = take
        self._tell = tell
        self._whisper = whisper
        self._heard: dict[str, float] = {}
        self._projects: set[str] = set()
        self._changed: set[str] = set()
        #: Where nobody was asked yet who else is there.
        self._asking: set[str] = set()
        self._logins = logins
        self.bus = Bus(url, self.node, self._hear, self._beat, self._introduce) if url else None
        if self.bus:
            self.bus.follow(_LOGINS)
            logins.told = self._attempted

    @property
    def others(self) -> int:
        """How many other processes are heard."""
        return len(self._heard)

    def enter(self, project_id: str) -> None:
        """Somebody of this process enters a project."""
        if self.bus and project_id not in self._projects:
            self._projects.add(project_id)
            self._asking.add(project_id)
            self.bus.follow(f"project:{project_id}")

    def leave(self, project_id: str) -> None:
        """Nobody of this process is in a project any more."""
        if self.bus and project_id in self._projects:
            self._projects.discard(project_id)
            self._asking.discard(project_id)
            self.bus.unfollow(f"project:{project_id}")

    def here(self, user_id: str, *, here: bool) -> None:
        """Whether a person has sockets on this process."""
        if self.bus:
            (self.bus.follow if here else self.bus.unfollow)(f"user:{user_id}")

    def committed(self, committed: Committed) -> None:
        """Passes a commit of this process on."""
        if self.bus is None:
            return
        for told in committed.told:
            self.bus.send(f"user:{told.user_id}", _encode(_Message(node=self.node, told=told)))
        if committed.project_id:
            self._send(committed.project_id, commit=replace(committed, told=()))

    def whispered(self, project_id: str, whispers: list[Whisper]) -> None:
        """Passes the volatile events of this process's people on."""
        self._send(project_id, whispers=whispers)

    def changed(self, project_id: str) -> None:
        """Passes on who is in a room, soon."""
        if self.bus is None:
            return
        if not self._changed:
            asyncio.get_running_loop().call_later(GAP, self._tell_changed)
        self._changed.add(project_id)

    def _attempted(self, key: str, failed: bool) -> None:
        """Passes on a sign-in, so that a guesser has no more tries at many processes than at one."""
        if self.bus:
            self.bus.send(_LOGINS, _encode(_Message(node=self.node, login=(key, failed))))

    def sweep(self) -> None:
        """Forgets the people of processes that are silent."""
        for node, heard_at in list(self._heard.items()):
            if time.monotonic() - heard_at > SILENT_SECONDS:
                log.warning("process %s is silent; its people are gone", node[:8])
                del self._heard[node]
                self._presence().gone(node)

    async def stop(self) -> None:
        """Says that this process's people are gone, and ends."""
        if self.bus:
            for project_id in self._projects:
                self._send(project_id, shares=())
            await self.bus.stop()

    def _tell_changed(self) -> None:
        changed, self._changed = self._changed, set()
        for project_id in changed:
            asks = project_id in self._asking
            self._asking.discard(project_id)
            self._send(project_id, shares=self._presence().share(project_id), asks=asks)

    def _introduce(self) -> None:
        """Others may know nothing of this process, and it nothing of them."""
        for project_id in self._projects:
            self._send(project_id, shares=self._presence().share(project_id), asks=True)

    def _beat(self, node: str) -> None:
        known = node in self._heard
        self._heard[node] = time.monotonic()
        if not known and self.bus:
            self._introduce()
            self.bus.beat()  # it may have come after the last one

    def _send(
        self,
        project_id: str,
        *,
        commit: Committed | None = None,
        shares: tuple[Share, ...] | None = None,
        asks: bool = False,
        whispers: list[Whisper] | None = None,
    ) -> None:
        if self.bus:
            message = _Message(node=self.node, commit=commit, shares=shares, asks=asks, whispers=whispers)
            self.bus.send(f"project:{project_id}", _encode(message))

    def _hear(self, channel: str, data: bytes) -> None:
        message = _decode(data)
        if message.node == self.node:
            return
        if message.login is not None:
            self._logins.heard(*message.login)
            return
        if message.told is not None:
            self._tell(message.told)
            return
        kind, _, project_id = channel.partition(":")
        if kind != "project":
            return
        if message.commit is not None:
            self._take(message.commit)
        if message.shares is not None:
            self._heard.setdefault(message.node, time.monotonic())
            self._presence().hear(project_id, message.node, message.shares)
        if message.asks:
            self.changed(project_id)
        if message.whispers:
            self._whisper(project_id, message.whispers)
