"""How a board comes to its server's head where events alone do not bring it there: by asking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fluxboard.client.api import Api, ApiError, ApiUnreachable
from fluxboard.client.incoming import Incoming
from fluxboard.client.live import Timing


class CatchUp:
    """Asks for what is missing: once, a moment later, or again and again; never while the server wants rest.

    ``reached`` hears whether the server could be reached, ``refused`` what it answered instead of the news.
    """

    def __init__(
        self,
        api: Api,
        incoming: Incoming,
        timing: Timing,
        *,
        reached: Callable[[bool], None],
        refused: Callable[[ApiError], None],
    ) -> None:
        self._api = api
        self._incoming = incoming
        self._timing = timing
        self._reached = reached
        self._refused = refused
        self._one_at_a_time = asyncio.Lock()
        self._healing: asyncio.Task[None] | None = None
        self._closed = False

    async def now(self) -> bool:
        """Brings the replica to the server's head; False when it does not come there now."""
        if self._api.rest:
            return False
        async with self._one_at_a_time:
            try:
                await self._incoming.catch_up()
            except ApiUnreachable:
                self._reached(False)
                return False
            except ApiError as error:
                self._refused(error)
                return False
            self._reached(True)
            return True

    def soon(self, *, at_once: bool = False) -> None:
        """Asks for what is missing, unless it arrives within a moment: events of two workers can cross."""
        if self._closed or (self._healing is not None and not self._healing.done()):
            return
        self._healing = asyncio.create_task(self._heal(0.0 if at_once else self._timing.gap))

    async def poll(
        self, live: Callable[[], bool], unsure: Callable[[], bool], came: Callable[[], None]
    ) -> None:
        """While there is no socket, REST tells what is new, and whether the server is there.

        ``came`` hears of each answer. While ``unsure`` the word may be about to change, which is to be seen
        within a second or two.
        """
        while True:
            usual = self._timing.core_poll if self._api.layer == "core" else self._timing.poll
            await asyncio.sleep(max(min(1.0, usual) if unsure() else usual, self._api.rest))
            if not live() and await self.now():
                came()

    def close(self) -> list[asyncio.Task[None]]:
        """Asks for nothing more; what is left to be cancelled."""
        self._closed = True
        return [] if self._healing is None else [self._healing]

    async def _heal(self, wait: float) -> None:
        while True:
            await asyncio.sleep(max(wait, self._api.rest))
            if await self.now() or not self._api.rest:
                return
