"""A wait and how far it is; nothing for the first half second, so that a quick answer does not flicker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from fluxboard.tui.themes import palette_of
from fluxboard.tui.widgets.card import clip

#: So many seconds a wait is not shown.
SHOWN_AFTER: Final = 0.5
#: An end that is not known moves so often, in seconds: few bytes over a slow link.
_STEP: Final = 0.2
_BAR: Final = 16
_RUNNER: Final = 4

Progress = Callable[[int, int], None]


class Waiting(Widget):
    """One line: what is waited for, a bar, and how far it is where that is known."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Waiting { height: 1; width: 1fr; display: none; }"

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = text
        self._share: float | None = None
        self._since = 0.0
        self._waits = 0
        self._timer: Timer | None = None

    @contextmanager
    def on(self, text: str = "") -> Iterator[Progress]:
        """Waits for as long as the block runs; call what is given with what is done and what there is."""
        self._text = text or self._text
        self._share = None
        self._waits += 1
        if self._waits == 1:
            self._since = time.monotonic()
            self._timer = self.set_timer(SHOWN_AFTER, self._show)
        try:
            yield self._tell
        finally:
            self._waits -= 1  # a wait that replaced another one goes on when that one ends
            if not self._waits:
                self._end()

    def _tell(self, done: int, total: int) -> None:
        self._share = min(1.0, done / total) if total > 0 else None
        self.refresh()

    def _show(self) -> None:
        self.display = True
        self._timer = self.set_interval(_STEP, self._step)

    def _step(self) -> None:
        if self._share is None and self.app.animation_level != "none":
            self.refresh()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.display = False

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as the text, the bar and the percentage."""
        return cell_len(self._text) + 1 + _BAR + 5

    def render_line(self, y: int) -> Strip:
        width, palette = self.size.width, palette_of(self.app.get_css_variables())
        back = self.visual_style.rich_style
        muted, lit, dark = (
            back + Style(color=colour) for colour in (palette.muted, palette.accent, palette.rule)
        )
        told = "" if self._share is None else f" {int(100 * self._share):>3}%"
        bar = max(_RUNNER, min(_BAR, width - len(told) - 1 - cell_len(self._text)))
        text = clip(self._text, width - bar - len(told) - 1)
        start, end = self._lit(bar)
        pieces = [Segment(f"{text} " if text else "", muted), Segment("─" * start, dark)]
        pieces += [Segment("━" * (end - start), lit), Segment("─" * (bar - end), dark), Segment(told, muted)]
        return Strip(pieces).adjust_cell_length(width, back)

    def _lit(self, bar: int) -> tuple[int, int]:
        """Which cells of the bar are lit: what is done, or a part that runs along and comes back."""
        if self._share is not None:
            return 0, round(self._share * bar)
        steps = int((time.monotonic() - self._since) / _STEP) if self.app.animation_level != "none" else 0
        turn = max(1, bar - _RUNNER)
        place = turn - abs(steps % (2 * turn) - turn)
        return place, place + _RUNNER
