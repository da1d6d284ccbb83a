"""Where I am on the board: on a task, not at a place; so nobody else can move me off it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fluxboard.tui.ports import Board


@dataclass
class Cursor:
    """The task under the cursor and its place, and the selected tasks."""

    column: int = 0
    index: int = 0
    task_id: str | None = None
    selected: set[str] = field(default_factory=set)
    _last: dict[str, str] = field(default_factory=dict)

    def settle(self, board: Board) -> None:
        """Finds my task again after the board changed; where it is gone, its neighbour takes its place."""
        statuses = [column.id for column in board.project.columns]
        self.selected = {task_id for task_id in self.selected if task_id in board.tasks}
        task = board.tasks.get(self.task_id) if self.task_id is not None else None
        if task is not None and task.status in statuses:
            ids = board.column_ids(task.status)
            if task.id in ids:
                self.column = statuses.index(task.status)
                self.index = list(ids).index(task.id)
                self._last[task.status] = task.id
                return
        self.column = max(0, min(self.column, len(statuses) - 1))
        self._land(board, self.index)

    def status(self, board: Board) -> str:
        """The id of the column that the cursor is in."""
        return board.project.columns[self.column].id

    def step(self, board: Board, distance: int) -> None:
        """Goes ``distance`` cards down (up when negative), and stops at the ends."""
        self._land(board, self.index + distance)

    def sideways(self, board: Board, distance: int) -> None:
        """Goes ``distance`` columns to the right, back to the card last visited there."""
        self.to_column(board, self.column + distance)

    def to_column(self, board: Board, column: int) -> None:
        """Goes to a column by its place, which is held within the board."""
        self.column = max(0, min(column, len(board.project.columns) - 1))
        status = self.status(board)
        ids = list(board.column_ids(status))
        last = self._last.get(status)
        self._land(board, ids.index(last) if last in ids else min(self.index, len(ids) - 1))

    def to_task(self, board: Board, task_id: str) -> None:
        """Goes to a task, in whatever column it is."""
        self.task_id = task_id
        self.settle(board)

    def toggle(self) -> None:
        """Selects the task under the cursor, or no longer."""
        if self.task_id is not None:
            self.selected ^= {self.task_id}

    def targets(self, board: Board) -> list[str]:
        """What an action acts on: the selected tasks in board order, else the one under the cursor."""
        if not self.selected:
            return [self.task_id] if self.task_id is not None else []
        return [
            task_id
            for column in board.project.columns
            for task_id in board.column_ids(column.id)
            if task_id in self.selected
        ]

    def _land(self, board: Board, index: int) -> None:
        status = self.status(board)
        ids = board.column_ids(status)
        self.index = max(0, min(index, len(ids) - 1))
        self.task_id = ids[self.index] if ids else None
        if self.task_id is not None:
            self._last[status] = self.task_id
