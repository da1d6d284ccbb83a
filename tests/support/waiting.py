"""Waiting on conditions."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 10.0, what: str = "") -> None:
    """Returns once ``condition()``, or what it has to be awaited for, is true; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (await found if inspect.isawaitable(found := condition()) else found):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        await asyncio.sleep(0.01)  # the poll itself
