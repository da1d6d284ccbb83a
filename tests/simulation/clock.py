"""Time that passes only when everybody waits: a day of backoff takes as long as the work in it."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(Exception):
    """Everybody waits for something that will never come."""


class _Instant(selectors.SelectSelector):
    """Waiting moves the clock; nothing real is waited for."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stuck
        self._loop.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is ``now``, in seconds from 0."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Instant(self))

    def time(self) -> float:
        return self.now

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


def run(work: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    """Runs ``work`` on a virtual loop and ends what it left running."""
    try:
        return loop.run_until_complete(work)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()


def stopwatch(loop: VirtualLoop) -> SimpleNamespace:
    """A module time whose monotonic clock is the loop's; a token's end is told by the real one."""
    return SimpleNamespace(monotonic=loop.time, time=time.time)


def calendar(loop: VirtualLoop) -> type[datetime]:
    """A datetime whose now is the loop's, so that a seed gives the same run each time."""

    class Calendar(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 1, 1, tzinfo=tz or UTC) + timedelta(seconds=loop.now)

    return Calendar
