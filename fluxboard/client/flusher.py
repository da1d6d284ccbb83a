"""The queue of own edits: sent in order, one at a time, until each is confirmed or refused."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable

from fluxboard.client.api import ApiError, ApiUnreachable
from fluxboard.client.edits import Edit
from fluxboard.client.live import Timing

Send = Callable[[Edit], Awaitable[None]]
Refuse = Callable[[Edit, ApiError], None]


class Flusher:
    """Sends edits by ``send`` in the background.

    What may pass (no network, 429, 5xx) is waited for and tried again with the same key; what is refused goes
    to ``refuse`` and the next one follows. ``failing`` hears whether the server can be reached.
    """

    def __init__(self, send: Send, refuse: Refuse, failing: Callable[[bool], None], timing: Timing) -> None:
        self._send = send
        self._refuse = refuse
        self._failing = failing
        self._timing = timing
        self._queue: deque[Edit] = deque()
        self._added = asyncio.Event()
        self._retry_now = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, edit: Edit) -> None:
        """Queues an edit."""
        self._queue.append(edit)
        self._empty.clear()
        self._added.set()

    def hurry(self) -> None:
        """The server is back: what waits to be tried again is tried now."""
        self._retry_now.set()

    async def idle(self) -> None:
        """Returns when nothing is queued."""
        await self._empty.wait()

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            if not self._queue:
                self._empty.set()
                self._added.clear()
                await self._added.wait()
            await self._flush(self._queue[0])
            self._queue.popleft()

    async def _flush(self, edit: Edit) -> None:
        tries = 0
        while True:
            self._retry_now.clear()
            wait: float | None = None
            try:
                await self._send(edit)
            except ApiUnreachable:
                self._failing(True)
            except ApiError as error:
                if not error.passing and not error.signed_out:
                    self._refuse(edit, error)
                    return
                wait = error.retry_after
            else:
                self._failing(False)
                return
            tries += 1
            # Full jitter: many clients that lost one server do not come back in step.
            ceiling = min(self._timing.retry_max, 2.0**tries)
            delay = wait if wait is not None else max(0.2, random.uniform(0, ceiling))  # noqa: S311
            try:
                await asyncio.wait_for(self._retry_now.wait(), delay)
            except TimeoutError:
                continue
