"""Modules that take long to import are imported off the event loop, when they are first needed."""

from __future__ import annotations

import asyncio
import importlib
import sys


async def imported(module: str) -> None:
    """Returns once ``module`` can be imported at no cost."""
    if module not in sys.modules:
        await asyncio.to_thread(importlib.import_module, module)
