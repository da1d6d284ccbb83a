"""The keys that help now, in one line; each can be clicked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from fluxboard.tui.themes import Palette
from fluxboard.tui.widgets.header import part


@dataclass(frozen=True, slots=True)
class Hint:
    """A key and its word; ``action`` is the id that a click runs."""

    keys: str
    word: str
    action: str


class KeyFooter(Widget):
    """Shows as many hints as fit, whole ones only; the last one (help) always."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "KeyFooter { height: 1; dock: bottom; background: $panel; padding: 0 1; }"

    @dataclass
    class Pressed(Message):
        """A hint was clicked."""

        action: str

    def __init__(self, hints: Callable[[], Sequence[Hint]], palette: Palette) -> None:
        super().__init__()
        self.hints = hints
        self.palette = palette
        self._spans: list[tuple[int, int, str]] = []

    def render(self) -> Content:
        hints = list(self.hints())
        room = self.size.width
        last = hints[-1:]
        line, at = Content(""), 0
        reserved = sum(len(hint.keys) + len(hint.word) + 1 for hint in last)
        self._spans = []
        for hint in hints:
            cells = len(hint.keys) + 1 + len(hint.word)
            if hint is not hints[-1] and at + cells + 3 + reserved > room:
                continue
            line += Content.assemble(
                part(hint.keys, self.palette.accent, bold=True),
                part(f" {hint.word}", self.palette.muted),
                "   ",
            )
            self._spans.append((at, at + cells, hint.action))
            at += cells + 3
        return line

    def on_click(self, event: events.Click) -> None:
        for start, end, action in self._spans:
            if start <= event.x - 1 < end:
                self.post_message(self.Pressed(action))
