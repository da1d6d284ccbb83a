"""Dragging a card with the mouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.errors import NoWidget

from fluxboard.tui.widgets.column import Column
from fluxboard.tui.widgets.header import ColumnTabs, FoldedLane, LaneHead

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen

_THRESHOLD = 2


@dataclass
class _Press:
    column: Column
    task_id: str
    x: int
    y: int
    lifted: bool = False


class Drag:
    """A mouse button held on a card: a click when it does not move, else a drag to where it is let go."""

    def __init__(self, screen: BoardScreen) -> None:
        self.screen = screen
        self._press: _Press | None = None
        self._target: tuple[str, int] | None = None

    @property
    def active(self) -> bool:
        """Whether a card is in the air."""
        return self._press is not None and self._press.lifted

    def card_at(self, x: int, y: int) -> str | None:
        """The card at a cell of the screen; None beside all cards."""
        column = self._widget_at(x, y)
        return column.card_at(y - column.region.y) if isinstance(column, Column) else None

    def down(self, event: events.MouseDown) -> None:
        """Remembers the card under the mouse, and puts the cursor on it."""
        column = self._widget_at(event.screen_x, event.screen_y)
        if event.button not in {1, 3} or not isinstance(column, Column):
            return
        task_id = self.card_at(event.screen_x, event.screen_y)
        if event.button == 3:
            if task_id is not None:
                self.screen.go(lambda: self.screen.cursor.to_task(task_id))
        elif task_id is not None:
            self._press = _Press(column, task_id, event.screen_x, event.screen_y)
            column.capture_mouse()
            screen = self.screen
            screen.go(lambda: screen.cursor.to_task(task_id))
        else:
            place = self.screen.view.place_of(column.status)
            self.screen.go(lambda: self.screen.cursor.to_column(place))

    def move(self, event: events.MouseMove) -> None:
        """Lifts the card once the mouse is clearly moving, and shows where it would land."""
        press = self._press
        if press is None:
            return
        distance = abs(event.screen_x - press.x) + abs(event.screen_y - press.y)
        if not press.lifted and distance < _THRESHOLD:
            return
        screen = self.screen
        if not press.lifted:
            press.lifted = True
            screen.faces.lifted = frozenset(screen.cursor.targets())
            screen.repaint(screen.faces.lifted)
        self._target = self._target_at(event.screen_x, event.screen_y)
        self._mark()

    def up(self) -> None:
        """Lets go: the card lands, or stays where it was when it is above no column."""
        press, target = self._press, self._target
        self.cancel()
        if press is None or not press.lifted or target is None:
            return
        board = self.screen.board
        status, slot = target
        targets = self.screen.cursor.targets()
        if press.task_id not in targets:
            targets = [press.task_id]
        targets = [task_id for task_id in targets if task_id in board.tasks]
        ids = list(self.screen.view.ids(status))
        after = next((task_id for task_id in reversed(ids[:slot]) if task_id not in targets), None)
        before = next((task_id for task_id in ids[slot:] if task_id not in targets), None)
        if targets and self.screen.has_room(status, targets):
            anchor = {"before_id": before} if before is not None else {"after_id": after}
            board.move(targets, status, **anchor)
            self.screen.after_edit()

    def cancel(self) -> None:
        """Puts the card back: nothing happened."""
        press = self._press
        self._press = self._target = None
        self._mark()
        if press is not None:
            press.column.release_mouse()
            lifted, self.screen.faces.lifted = self.screen.faces.lifted, frozenset()
            self.screen.repaint(lifted)

    def _mark(self) -> None:
        for column in self.screen.columns.values():
            mine = self._target is not None and self._target[0] == column.status
            column.mark_drop(self._target[1] if mine and self._target is not None else None)

    def _target_at(self, x: int, y: int) -> tuple[str, int] | None:
        widget = self._widget_at(x, y)
        if isinstance(widget, Column):
            return widget.status, widget.slot_at(y - widget.region.y)
        if isinstance(widget, LaneHead | FoldedLane):
            return widget.column.id, 0
        if isinstance(widget, ColumnTabs):
            place = widget.place_at(x - widget.region.x - 1)
            return (self.screen.view.columns[place].id, 0) if place is not None else None
        return None

    def _widget_at(self, x: int, y: int) -> object:
        try:
            return self.screen.get_widget_at(x, y)[0]
        except NoWidget:
            return None
