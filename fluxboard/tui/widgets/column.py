"""A column of cards as one widget, drawn line by line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fluxboard.model.types import Task
from fluxboard.tui.faces import Faces
from fluxboard.tui.themes import Palette
from fluxboard.tui.widgets.card import Marks, card_height, clip, draw_card

_Drawn = tuple[Task, int, Marks, Palette, list[Strip]]
_NARROWEST = 12
_KEPT = 2_000


class Column(ScrollView, can_focus=False, inherit_bindings=False):
    """The cards of one status, some under the heading of their group.

    A line is left free above each card, none where the user likes it compact: a drop marker goes there.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Column { height: 1fr; scrollbar-size-vertical: 0; overflow-x: hidden; overflow-y: auto; }
    """

    def __init__(self, status: str, faces: Faces, *, empty: str = "") -> None:
        super().__init__()
        self.status = status
        self.faces = faces
        self.empty_text = empty
        self.drop_slot: int | None = None
        self._ids: list[str] = []
        self._headings: Mapping[int, str] = {}
        self._places: dict[str, int] = {}
        self._ends: list[int] = []
        self._heights: dict[str, int] = {}
        self._measured_at = 0
        self._drawn: dict[str, _Drawn] = {}

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the cards, from top to bottom."""
        return self._ids

    def fill(
        self,
        ids: Sequence[str],
        dirty: Iterable[str] | None = None,
        headings: Mapping[int, str] | None = None,
    ) -> None:
        """Shows these cards; only the ``dirty`` ones (None: all) changed since the last time.

        When nothing moved, only the lines of the dirty cards are painted again.
        """
        if not self.size.width:  # measured once there is a width
            self._ids, self._headings, self._measured_at = list(ids), dict(headings or {}), 0
            self._places, self._ends, self._heights = {}, [], {}
            return
        width = self._card_width
        if dirty is None or width != self._measured_at:
            self._heights.clear()
            dirty = None
        else:
            dirty = set(dirty)
            before = {task_id: self._heights.pop(task_id, None) for task_id in dirty}
        self._measured_at = width
        headings = headings or {}
        same_order = self._ids == list(ids) and self._headings == headings
        for task_id in ids:
            if task_id not in self._heights:
                self._heights[task_id] = self._measure(task_id, width)
        if dirty is not None and same_order:
            mine = [task_id for task_id in dirty if task_id in self._places]
            if all(before[task_id] == self._heights[task_id] for task_id in mine):
                self.repaint(mine)
                return
        self._ids = list(ids)
        self._headings = dict(headings)
        self._place()
        self.virtual_size = Size(self.size.width, self._ends[-1] + 1)
        self.refresh()

    def _place(self) -> None:
        """Finds the lines of every card, and the heights that are not known for this width."""
        width = self._measured_at = self._card_width
        known = self._heights
        self._heights = {
            task_id: known[task_id] if task_id in known else self._measure(task_id, width)
            for task_id in self._ids
        }
        self._places = {task_id: place for place, task_id in enumerate(self._ids)}
        gap = self.faces.style.gap
        lines = [height + gap for height in self._heights.values()]
        for place in self._headings:
            lines[place] += 1
        self._ends = list(accumulate(lines, initial=0))

    def remark(self, task_ids: Iterable[str]) -> None:
        """These cards carry other marks now, which may make them higher or lower."""
        mine = [task_id for task_id in task_ids if task_id in self._places]
        if mine:
            self.fill(self._ids, mine, self._headings)

    def repaint(self, task_ids: Iterable[str]) -> None:
        """Paints these cards again and nothing else."""
        for task_id in task_ids:
            place = self._places.get(task_id)
            if place is not None:
                top = self._ends[place]
                self.refresh_lines(top, self._ends[place + 1] - top)

    def reveal(self, task_id: str) -> None:
        """Scrolls as little as needed for a card to be seen whole."""
        place = self._places.get(task_id)
        height = self.size.height
        if place is None or not height:
            return
        top, bottom = self._ends[place], self._ends[place + 1]
        # One line at the bottom is kept for "+ 5 more".
        spare = 1 if place < len(self._ids) - 1 else 0
        offset = self.scroll_offset.y
        target = min(top, max(offset, bottom + spare - height))
        if target != offset:
            self.scroll_to(y=target, animate=False, immediate=True)

    def card_at(self, y: int) -> str | None:
        """The card at a line of the widget; the free line above a card counts as the card's."""
        place = bisect_right(self._ends, y + self.scroll_offset.y) - 1
        return self._ids[place] if 0 <= place < len(self._ids) else None

    def slot_at(self, y: int) -> int:
        """The place between cards (0 is above the first) that is nearest to a line of the widget."""
        line = y + self.scroll_offset.y
        place = bisect_right(self._ends, line) - 1
        if place >= len(self._ids):
            return len(self._ids)
        middle = (self._ends[place] + self._ends[place + 1] + self._lead(place)) / 2
        return place + (line >= middle)

    def line_of(self, task_id: str) -> int | None:
        """The line of the widget on which a card begins; None for a card that is not here."""
        place = self._places.get(task_id)
        return None if place is None else self._ends[place] + self._lead(place) - self.scroll_offset.y

    def mark_drop(self, slot: int | None) -> None:
        """Shows, moves or hides the marker for where a dragged card would land."""
        if slot != self.drop_slot:
            for old in (self.drop_slot, slot):
                if old is not None:
                    self.refresh_lines(self._ends[min(old, len(self._ids))] if self._ends else 0, 1)
            self.drop_slot = slot

    def forget_drawings(self) -> None:
        """Draws everything anew: the theme changed."""
        self._drawn.clear()
        self.refresh()

    def on_resize(self) -> None:
        if self._card_width != self._measured_at:
            self.fill(self._ids, None, self._headings)
        self.virtual_size = Size(self.size.width, (self._ends[-1] if self._ends else 0) + 1)
        if self.faces.cursor.task_id is not None:
            self.reveal(self.faces.cursor.task_id)

    def render_line(self, y: int) -> Strip:
        if self._ids and not self._ends:
            self._place()  # the first frame comes before the news of the size
        back = Style(bgcolor=self.faces.palette.background)
        more = self._hidden_below() if y == self.size.height - 1 else 0
        if more:
            return self._text(f"+ {more} more", back)
        line = y + self.scroll_offset.y
        if not self._ids:
            if self.drop_slot is not None and line == 0:
                return self._marker(back)
            texts = self.empty_text.split("\n")
            return self._text(texts[line - 1] if 0 < line <= len(texts) else "", back)
        place = bisect_right(self._ends, line) - 1
        if place == self.drop_slot and line == self._ends[place]:
            return self._marker(back)
        return self._line_of_card(place, line, back) or Strip.blank(self.size.width, back)

    def _line_of_card(self, place: int, line: int, back: Style) -> Strip | None:
        """A line of a card or of the heading above it; None for a free one."""
        if place >= len(self._ids):
            return None
        inside = line - self._ends[place] - self._lead(place)
        if inside == -1 and place in self._headings:
            return self._heading(self._headings[place], back)
        strips = self._card(self._ids[place]) if inside >= 0 else []
        return strips[inside].adjust_cell_length(self.size.width, back) if 0 <= inside < len(strips) else None

    def _lead(self, place: int) -> int:
        """The lines above a card that belong to it: the gap, and its group's heading."""
        return self.faces.style.gap + (place in self._headings)

    @property
    def _card_width(self) -> int:
        return max(_NARROWEST, self.size.width)

    def _measure(self, task_id: str, width: int) -> int:
        task = self.faces.task(task_id)
        return 1 if task is None else card_height(task, width, self.faces.marks(task))

    def _card(self, task_id: str) -> list[Strip]:
        task = self.faces.task(task_id)
        if task is None:
            return []
        width, marks, palette = self._card_width, self.faces.marks(task), self.faces.palette
        drawn = self._drawn.get(task_id)
        if drawn is not None and drawn[0] is task and drawn[1:4] == (width, marks, palette):
            return drawn[4]
        if len(self._drawn) >= _KEPT:
            self._drawn.clear()
        strips = [Strip(line, width) for line in draw_card(task, width, marks, palette)]
        self._drawn[task_id] = (task, width, marks, palette, strips)
        return strips

    def _hidden_below(self) -> int:
        bottom = self.scroll_offset.y + self.size.height
        if not self._ends or self._ends[-1] <= bottom:
            return 0
        return len(self._ids) - max(0, bisect_right(self._ends, bottom - 1) - 1)

    def _marker(self, back: Style) -> Strip:
        return self._text("▸" + "─" * (self.size.width - 1), back + Style(color=self.faces.palette.accent))

    def _heading(self, text: str, back: Style) -> Strip:
        palette, width = self.faces.palette, self.size.width
        name = clip(text, max(1, width - 2))
        line = [Segment(name, back + Style(color=palette.label, bold=True)), Segment(" ", back)]
        rule = Segment("─" * max(0, width - cell_len(name) - 1), back + Style(color=palette.rule))
        return Strip([*line, rule]).adjust_cell_length(width, back)

    def _text(self, text: str, style: Style) -> Strip:
        width = self.size.width
        shown = clip(text, width)
        if not style.color:
            style += Style(color=self.faces.palette.muted)
        return Strip([Segment(shown, style)]).adjust_cell_length(width, style)
