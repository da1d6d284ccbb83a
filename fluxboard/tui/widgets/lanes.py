"""The columns side by side, each under its head; which of them have room, and how wide they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from textual.containers import Horizontal, Vertical

from fluxboard.model.types import Column as BoardColumn
from fluxboard.tui.faces import Faces
from fluxboard.tui.widgets.column import Column
from fluxboard.tui.widgets.header import FoldedLane, LaneHead

#: Below this width of the terminal one column is shown at a time.
ALL_COLUMNS_FROM = 76
_LANE_MIN = 17
_FOLDED = 3


class Lane(Vertical):
    """One column of the board: its head, and its cards or the strip that it is collapsed to."""

    DEFAULT_CSS = "Lane { width: 1fr; height: 1fr; margin-right: 1; }"

    def __init__(self, column: BoardColumn, faces: Faces, key: Callable[[str], str]) -> None:
        self.head = LaneHead(column, faces)
        self.cards = Column(column.id, faces)
        self.strip = FoldedLane(column, faces, key("collapse"))
        self.status = column.id
        super().__init__(self.head, self.cards, self.strip)

    def fold(self, folded: bool, alone: bool) -> None:
        """Shows the strip instead of the cards, or the cards again; ``alone`` it has all the room."""
        self.styles.width = _FOLDED if folded and not alone else "1fr"
        self.cards.display = not folded
        self.strip.display = folded


class Lanes(Horizontal):
    """All columns in view of the board."""

    DEFAULT_CSS = "Lanes { width: 1fr; height: 1fr; padding: 1 0 0 1; }"

    def __init__(self, faces: Faces, key: Callable[[str], str]) -> None:
        """``key`` says how the user presses an action."""
        super().__init__(id="lanes")
        self._key = key
        self.faces = faces
        self.lanes: list[Lane] = []
        self._built_for: tuple[BoardColumn, ...] = ()
        # One at a time, and never cancelled half way: a widget whose removal is cancelled lives for ever.
        self._building = asyncio.Lock()

    @property
    def columns(self) -> dict[str, Column]:
        """The columns' cards by status."""
        return {lane.status: lane.cards for lane in self.lanes}

    @property
    def heads(self) -> list[LaneHead]:
        return [lane.head for lane in self.lanes]

    @property
    def stale(self) -> bool:
        """Whether the board has other columns by now."""
        return self._built_for != self.faces.view.columns

    async def build(self) -> None:
        """Makes the columns anew."""
        async with self._building:
            self._built_for = self.faces.view.columns
            await self.remove_children()
            self.lanes = [Lane(column, self.faces, self._key) for column in self._built_for]
            await self.mount(*self.lanes)

    def lane(self, status: str) -> Lane | None:
        """The lane of a column, if it is in view."""
        return next((lane for lane in self.lanes if lane.status == status), None)

    def fill(self, dirty: Iterable[str] | None) -> None:
        """Shows the board as it is now; only the ``dirty`` tasks (None: all) changed since the last time."""
        view = self.faces.view
        dirty = None if dirty is None else set(dirty)
        for status, column in self.columns.items():
            column.fill(view.ids(status), dirty, view.headings(status))

    def repaint(self, task_ids: Iterable[str]) -> None:
        """Paints these cards again, wherever they are."""
        ids = list(task_ids)
        for lane in self.lanes:
            lane.cards.repaint(ids)

    def remark(self, task_ids: Iterable[str]) -> None:
        """Cards that carry other marks now, such as a name tag, are drawn anew."""
        ids = list(task_ids)
        for lane in self.lanes:
            lane.cards.remark(ids)

    def reveal(self) -> None:
        """Scrolls the card under the cursor into view."""
        cursor = self.faces.cursor
        lane = self.lane(cursor.status)
        if lane is not None and cursor.task_id is not None:
            lane.cards.reveal(cursor.task_id)

    def forget_drawings(self) -> None:
        """Draws every card anew: the theme or the style changed."""
        for lane in self.lanes:
            lane.cards.forget_drawings()

    def tell_empty(self, loading: str) -> None:
        """What stands in a column without cards."""
        view = self.faces.view
        for place, lane in enumerate(self.lanes):
            text = "Nothing here"
            if loading:
                text = loading
            elif view.query:
                text = "Nothing found"
            elif not view.board.tasks:
                text = f"No tasks yet.\n{self._key('new')} makes one." if place == 0 else ""
            if lane.cards.empty_text != text:
                lane.cards.empty_text = text
                lane.cards.refresh()

    def make_room(self, width: int) -> bool:
        """Shows as many columns around the cursor's as fit into ``width``; whether all do."""
        if not self.lanes:
            return True
        view, at = self.faces.view, min(self.faces.cursor.column, len(self.lanes) - 1)
        folded = [view.is_collapsed(lane.status) for lane in self.lanes]
        shown = self._window(width, folded, at)
        for place, lane in enumerate(self.lanes):
            lane.display = place in shown
            lane.fold(folded[place], len(shown) == 1)
            lane.head.display = len(shown) > 1
            if lane.head.active != (place == at):
                lane.head.active = place == at
                lane.head.refresh()
                lane.strip.refresh()
        return len(shown) == len(self.lanes)

    def _window(self, width: int, folded: list[bool], at: int) -> range:
        """The places of the columns that fit, with the cursor's near their middle."""
        if width < ALL_COLUMNS_FROM and self.app.size.width < ALL_COLUMNS_FROM:
            return range(at, at + 1)
        room = width - _need(folded[at])
        low, high = at, at + 1
        while True:
            grown = False
            for right in (True, False):
                place = high if right else low - 1
                if 0 <= place < len(folded) and _need(folded[place]) <= room:
                    room -= _need(folded[place])
                    low, high = (low, high + 1) if right else (low - 1, high)
                    grown = True
            if not grown:
                return range(low, high)


def _need(folded: bool) -> int:
    return (_FOLDED if folded else _LANE_MIN) + 1
