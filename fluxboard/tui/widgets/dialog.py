"""The panel that every dialog is."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region, Size
from textual.layout import ArrangeResult, Layout
from textual.layouts.vertical import VerticalLayout
from textual.widget import Widget


class _Squeeze(VerticalLayout):
    """One below the other; where there is too little room, the ``-squeeze`` child gets less of it."""

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        placements = super().arrange(parent, children, size, greedy)
        bottom = max((place.region.bottom + place.margin.bottom for place in placements), default=0)
        excess = bottom - size.height
        # A height of zero asks how high the content would like to be.
        if excess <= 0 or not size.height:
            return placements
        squeezed = moved = 0
        for number, place in enumerate(placements):
            x, y, width, height = place.region
            if place.widget.has_class("-squeeze"):
                squeezed = min(excess, max(0, height - 1))
            placements[number] = place._replace(
                region=Region(x, y - moved, width, height - (squeezed if not moved else 0))
            )
            moved = squeezed
        return placements


_SQUEEZE = _Squeeze()


def hints(*pairs: tuple[str, str]) -> Content:
    """Keys and what they do, in one line, as the board's footer shows them."""
    return Content("   ").join(_hint(*pair) for pair in pairs)


def _hint(key: str, word: str) -> Content:
    return Content.assemble((key, "bold $primary"), (f" {word}", "$flux-muted"))


def flow(parts: Iterable[Content], between: Content, width: int) -> list[Content]:
    """The parts on as many lines as they need, each part whole."""
    lines: list[Content] = []
    for part in parts:
        joined = lines[-1] + between + part if lines else part
        if lines and joined.cell_length <= width:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines


class KeyHints(Widget):
    """Keys and what they do, on as many lines as they need; no hint is ever cut in two."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "KeyHints { height: auto; }"

    def __init__(self, *pairs: tuple[str, str], id: str) -> None:
        super().__init__(id=id)
        self._pairs = pairs

    def show(self, *pairs: tuple[str, str]) -> None:
        """Shows other hints from now on."""
        self._pairs = pairs
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._lines(width)))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        return flow((_hint(*pair) for pair in self._pairs), Content("   "), width)


class Dialog(Vertical):
    """As high as what is in it. Where that is too much, one child scrolls and the lines below it stay."""

    DEFAULT_CSS = """
    Dialog { width: 60; max-width: 98%; height: auto; max-height: 92%; padding: 1 2; background: $panel;
        border-left: thick $primary; }
    Dialog > .-squeeze { height: auto; }
    """

    @property
    def layout(self) -> Layout:
        """Given here, since styles take a layout by the name of a built-in one only."""
        return _SQUEEZE
