"""A bar on stderr for what takes longer than half a second, where somebody looks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

SHOWN_AFTER: Final = 0.5


@contextmanager
def waiting(label: str) -> Iterator[Callable[[int, int], None]]:
    """Call what is given with what is done and what there is. Nothing is shown without a terminal."""
    bar: ProgressBar[int] | None = None
    with ExitStack() as stack:

        def show() -> None:
            nonlocal bar
            bar = stack.enter_context(click.progressbar(length=1, label=label, file=sys.stderr))

        def tell(done: int, total: int) -> None:
            if bar is not None:
                bar.length = max(1, total)
                bar.update(done - bar.pos)

        if sys.stderr.isatty():
            stack.callback(asyncio.get_running_loop().call_later(SHOWN_AFTER, show).cancel)
        yield tell
