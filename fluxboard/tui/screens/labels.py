"""The labels of tasks: each enter puts one on or takes it off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fluxboard.model.text import clean_line
from fluxboard.model.types import LABEL_MAX, LABELS_MAX, TaskPatch
from fluxboard.tui.ports import Board
from fluxboard.tui.screens.picker import Item, PickScreen

_ALL, _SOME, _NONE = "☑", "◪", "☐"


class LabelScreen(PickScreen):
    """Shows the board's labels, those of the tasks first; a name that is none yet makes one."""

    enter = "on or off"

    def __init__(self, board: Board, task_ids: Sequence[str]) -> None:
        self._board = board
        self._task_ids = task_ids
        super().__init__("Labels", self._offered(), offer=self._new, placeholder="A label, old or new")

    def _offered(self) -> list[Item]:
        tasks = [self._board.tasks[i] for i in self._task_ids if i in self._board.tasks]
        mine = Counter(label for task in tasks for label in task.labels)
        every = Counter(label for task in self._board.tasks.values() for label in task.labels)
        order = sorted(every, key=lambda label: (label not in mine, -every[label], label))
        return [
            Item(label, f"#{label}", str(every[label]), lead=_mark(mine[label], len(tasks)))
            for label in order
        ]

    def _new(self, text: str) -> Item | None:
        label = clean_line(text).removeprefix("#")[:LABEL_MAX]
        known = {item.value for item in self.items}
        return Item(label, f"Make the label #{label}", lead="+") if label and label not in known else None

    def take(self, value: str) -> None:
        """Puts the label on all of the tasks, or takes it off where all have it; the list stays open."""
        tasks = [self._board.tasks[i] for i in self._task_ids if i in self._board.tasks]
        off = all(value in task.labels for task in tasks)
        if not off and any(len(task.labels) >= LABELS_MAX for task in tasks):
            self.notify(f"A task has at most {LABELS_MAX} labels.", severity="warning")
            return
        self._board.change(
            {
                task.id: TaskPatch(
                    labels=tuple(label for label in task.labels if label != value)
                    if off
                    else (*(label for label in task.labels if label != value), value)
                )
                for task in tasks
            }
        )
        self.offer_again(self._offered(), value)


def _mark(count: int, all_of: int) -> str:
    return _ALL if count == all_of else _SOME if count else _NONE
