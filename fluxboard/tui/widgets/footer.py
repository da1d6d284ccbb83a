"""The keys that help now, in one line; each can be clicked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content

from fluxboard.tui.themes import Palette
from fluxboard.tui.widgets.header import part
from fluxboard.tui.widgets.steady import Steady
from fluxboard.tui.wishes import WantsAction

_GAP = 3


@dataclass(frozen=True, slots=True)
class Hint:
    """A key and its word; ``action`` is the id that a click runs."""

    keys: str
    word: str
    action: str


class KeyFooter(Steady):
    """Shows as many hints as fit, whole ones only; the last one (help) always."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "KeyFooter { height: 1; dock: bottom; background: $panel; padding: 0 1; }"

    def __init__(self, hints: Callable[[], Sequence[Hint]], palette: Palette) -> None:
        super().__init__()
        self.hints = hints
        self.palette = palette
        self._spans: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        self.watch(self.screen, "focused", self.follow, init=False)

    def words(self) -> Content:
        *others, last = self.hints()
        room = self.size.width - cell_len(f"{last.keys} {last.word}")
        line, at = Content(""), 0
        self._spans = []
        for hint in [*others, last]:
            cells = cell_len(f"{hint.keys} {hint.word}")
            if hint is not last and at + cells + _GAP > room:
                room = 0
                continue
            word = part(f" {hint.word}" + " " * _GAP, self.palette.muted)
            line += part(hint.keys, self.palette.accent, bold=True) + word
            self._spans.append((at, at + cells, hint.action))
            at += cells + _GAP
        return line

    def on_click(self, event: events.Click) -> None:
        for start, end, action in self._spans:
            if start <= event.x - 1 < end:
                self.post_message(WantsAction(action))
