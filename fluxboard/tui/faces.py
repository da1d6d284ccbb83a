"""What every card shows at the moment: the board, the cursor and the people put together."""

from __future__ import annotations

from datetime import date

from fluxboard.model.text import initials
from fluxboard.model.types import Task
from fluxboard.tui.cursor import Cursor
from fluxboard.tui.ports import Board
from fluxboard.tui.themes import Palette
from fluxboard.tui.widgets.card import Marks, Person


class Faces:
    """Answers a column's questions about its cards."""

    def __init__(self, board: Board, cursor: Cursor, palette: Palette, today: date) -> None:
        self.board = board
        self.cursor = cursor
        self.palette = palette
        self.today = today
        self.lifted: frozenset[str] = frozenset()
        self._people: dict[str, Person] = {}
        self._visitors: dict[str, Person] = {}
        self.refresh_people()

    def refresh_people(self) -> set[str]:
        """Reads members and presence again; returns the tasks whose visitor changed."""
        board, palette = self.board, self.palette
        self._people = {
            member.user_id: Person(
                initials(member.name or member.email or member.user_id),
                palette.of_person(member.user_id),
            )
            for member in board.members
        }
        before = self._visitors
        visitors: dict[str, Person] = {}
        for user in board.online:
            colour = palette.of_person(user.id, user.color)
            self._people[user.id] = Person(initials(user.name or user.id), colour)
            if user.task_id is not None and user.id != board.user.id:
                visitors[user.task_id] = Person(user.name or "?", colour)
        self._people[board.user.id] = Person("YOU", palette.accent)
        self._visitors = visitors
        return {task_id for task_id in {*before, *visitors} if before.get(task_id) != visitors.get(task_id)}

    def task(self, task_id: str) -> Task | None:
        """The task as it is shown now."""
        return self.board.tasks.get(task_id)

    def marks(self, task: Task) -> Marks:
        """The marks of a card."""
        return Marks(
            today=self.today,
            cursor=task.id == self.cursor.task_id,
            selected=task.id in self.cursor.selected,
            lifted=task.id in self.lifted,
            assignee=self._assignee(task),
            visitor=self._visitors.get(task.id),
        )

    def _assignee(self, task: Task) -> Person | None:
        if task.assigned_to is None:
            return None
        return self._people.get(task.assigned_to) or Person("?", self.palette.of_person(task.assigned_to))
