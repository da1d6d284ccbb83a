"""Quick add: a line in the cursor's column, from which tasks are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fluxboard.model.quickadd import QuickAdd
from fluxboard.model.types import TITLE_MAX
from fluxboard.model.wire import TaskCreate
from fluxboard.tui.completion import Choice, days, labels, people
from fluxboard.tui.finder import labels_of
from fluxboard.tui.widgets.card import priorities_of
from fluxboard.tui.widgets.quick_add import QuickAddBox

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen


class Adding:
    """The quick-add line of one board screen; what was typed and not added is there next time."""

    def __init__(self, screen: BoardScreen) -> None:
        self.screen = screen
        self._box: QuickAddBox | None = None
        self._status = ""
        self._unsent = ""

    async def open(self) -> None:
        """Shows the line at the bottom of the cursor's column."""
        screen = self.screen
        if self._box is not None:
            return
        status = screen.cursor.status
        if screen.view.is_collapsed(status):
            screen.finder.fold(status)
        lane = screen.lanes.lane(status)
        if lane is None:
            return
        self._status = status
        self._box = QuickAddBox(
            screen.today,
            screen.board.user,
            screen.board.members,
            self.words,
            self._unsent,
            has_room=lambda: screen.has_room(status, [""]),
        )
        await lane.mount(self._box)

    def words(self) -> Iterable[Choice]:
        """What completes a word of the line."""
        screen = self.screen
        yield from people(screen.board.members, screen.board.user.id)
        yield from labels(labels_of(screen))
        yield from (Choice(f"!{name}", "priority") for name in reversed(priorities_of(screen.board.layer)))
        yield from days(screen.today)

    async def close(self, text: str = "") -> None:
        """Takes the line away."""
        self._unsent = text
        box, self._box = self._box, None
        if box is not None:
            await box.remove()
        self.screen.set_focus(None)

    def add(self, task: QuickAdd) -> None:
        """Makes a task at the bottom of the column, and shows it."""
        screen = self.screen
        task_id = screen.board.create(_creation(task, self._status))
        screen.after_edit()
        if screen.view.is_shown(task_id):
            screen.go(lambda: screen.cursor.to_task(task_id))
        else:
            screen.notify("Added; the filter hides it.", timeout=3)

    def add_lines(self, lines: Sequence[str]) -> None:
        """Offers a task for each line of a paste."""
        from fluxboard.tui.screens.confirm import ConfirmScreen

        box, screen = self._box, self.screen
        if box is None:
            return
        tasks = [task for line in lines if 0 < len((task := box.read(line)).title) <= TITLE_MAX]

        def answered(yes: bool | None) -> None:
            if yes and screen.has_room(self._status, [""] * len(tasks)):
                ids = screen.board.create_all([_creation(task, self._status) for task in tasks])
                screen.after_edit()
                screen.go(lambda: screen.cursor.to_task(ids[-1]))

        shown = "\n".join(task.title for task in tasks[:4]) + ("\n…" if len(tasks) > 4 else "")
        asked, hint = f"Add {len(tasks)} tasks, one for each line?", f"{screen.key('undo')} undoes it"
        question = ConfirmScreen(asked, shown, yes="Add", hint=hint, grave=False)
        screen.app.push_screen(question, answered)


def _creation(task: QuickAdd, status: str) -> TaskCreate:
    return TaskCreate(
        title=task.title,
        status=status,
        priority=task.priority,
        assigned_to=task.assigned_to,
        due_date=task.due_date,
        labels=task.labels,
    )
