"""Where I am on the board: on a task, not at a place; so nobody else can move me off it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fluxboard.tui.view import View, in_board_order


@dataclass
class Cursor:
    """The task under the cursor and its place among the columns in view, and the selected tasks."""

    view: View
    column: int = 0
    index: int = 0
    task_id: str | None = None
    selected: set[str] = field(default_factory=set)
    _anchor: str | None = None
    _before_range: frozenset[str] = frozenset()
    _last: dict[str, str] = field(default_factory=dict)
    #: The column's tasks when the cursor came to where it is.
    _around: Sequence[str] = ()

    def settle(self) -> None:
        """Finds my task again after the board changed; where it is gone, its neighbour takes its place."""
        view = self.view
        statuses = [column.id for column in view.columns]
        self.selected = {task_id for task_id in self.selected if view.is_shown(task_id)}
        if self._anchor is not None and not view.is_shown(self._anchor):
            self._anchor = None
        task = view.board.tasks.get(self.task_id) if self.task_id is not None else None
        if task is not None and task.status in statuses:
            ids = list(view.ids(task.status))
            if task.id in ids:
                self.column = statuses.index(task.status)
                self.index = ids.index(task.id)
                self._last[task.status] = task.id
                self._around = ids
                return
        self.column = max(0, min(self.column, len(statuses) - 1))
        self._land(self._nearest())

    def _nearest(self) -> int:
        """The place now of the first task behind mine that is still there, else of the last before it."""
        places = {task_id: place for place, task_id in enumerate(self.view.ids(self.status))}
        behind, before = self._around[self.index + 1 :], self._around[: self.index]
        return next((places[id_] for id_ in (*behind, *reversed(before)) if id_ in places), self.index)

    @property
    def status(self) -> str:
        """The id of the column that the cursor is in."""
        columns = self.view.columns  # somebody may just have removed the last one
        return columns[min(self.column, len(columns) - 1)].id

    def step(self, distance: int) -> None:
        """Goes ``distance`` cards down (up when negative), and stops at the ends."""
        self._land(self.index + distance)

    def sideways(self, distance: int) -> None:
        """Goes ``distance`` columns to the right, back to the card last visited there."""
        self.to_column(self.column + distance)

    def to_column(self, column: int) -> None:
        """Goes to a column by its place, which is held within the board."""
        self.column = max(0, min(column, len(self.view.columns) - 1))
        ids = list(self.view.ids(self.status))
        last = self._last.get(self.status)
        self._land(ids.index(last) if last in ids else min(self.index, len(ids) - 1))

    def to_task(self, task_id: str) -> None:
        """Goes to a task, in whatever column it is."""
        self.task_id = task_id
        self.settle()

    # -- selecting

    @property
    def ranging(self) -> bool:
        """Whether each step selects what lies between."""
        return self._anchor is not None

    def toggle(self) -> None:
        """Selects the task under the cursor, or no longer."""
        if self.task_id is not None:
            self.selected ^= {self.task_id}

    def toggle_range(self) -> None:
        """Begins to select from here to wherever the cursor goes, or ends that and keeps the selection."""
        if self._anchor is not None:
            self._anchor = None
        elif self.task_id is not None:
            self._anchor, self._before_range = self.task_id, frozenset(self.selected)
            self.stretch()

    def stretch(self) -> set[str]:
        """Selects all between the range's start and the cursor; answers what changed."""
        before = set(self.selected)
        ids = list(self.view.ids(self.status))
        if self._anchor in ids:
            low, high = sorted((ids.index(self._anchor), self.index))
            self.selected = {*self._before_range, *ids[low : high + 1]}
        return before ^ self.selected

    def select_column(self) -> None:
        """Selects every task of the column in view; all of them selected, none."""
        ids = set(self.view.ids(self.status))
        self.selected = self.selected - ids if ids <= self.selected else self.selected | ids

    def deselect(self) -> None:
        """Selects nothing any more."""
        self._anchor = None
        self.selected.clear()

    def targets(self) -> list[str]:
        """What an action acts on: the selected tasks in board order, else the one under the cursor."""
        if self.selected:
            return in_board_order(self.view, self.selected)
        return [self.task_id] if self.task_id is not None else []

    def _land(self, index: int) -> None:
        ids = self.view.ids(self.status)
        self.index = max(0, min(index, len(ids) - 1))
        self.task_id = ids[self.index] if ids else None
        self._around = tuple(ids)
        if self.task_id is not None:
            self._last[self.status] = self.task_id
