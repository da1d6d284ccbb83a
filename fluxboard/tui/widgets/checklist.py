"""A task's checklist: toggled, written and put in order with the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from fluxboard.model.text import clean_line
from fluxboard.model.types import CHECKLIST_MAX, TITLE_MAX, ChecklistItem, Task, TaskPatch, new_id
from fluxboard.tui.ports import Board
from fluxboard.tui.widgets.line_input import LineInput


class _Lines(Widget, can_focus=True):
    """The items, one line each; the cursor is shown while they have the keys."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        ("j,down", "step(1)", "Next"),
        ("k,up", "step(-1)", "Before"),
        ("space", "tick", "Done or not"),
        ("J", "shift(1)", "Move down"),
        ("K", "shift(-1)", "Move up"),
        ("enter,e", "rewrite", "Change"),
        ("d,delete", "remove", "Remove"),
    ]
    DEFAULT_CSS = "_Lines { height: auto; }"

    def __init__(self, owner: Checklist) -> None:
        super().__init__()
        self.owner = owner
        self.at = 0

    def render(self) -> Content:
        lines = [Content.styled(f"Checklist {self.owner.told}", "bold $flux-muted")]
        for place, item in enumerate(self.owner.items):
            here = self.has_focus and place == self.at
            style = "bold $primary" if here else "$flux-muted" if item.done else ""
            mark = "▸" if here else " "
            lines.append(Content.styled(f"{mark}{'☑' if item.done else '☐'} {item.text}", style))
        if self.has_focus:
            lines.append(
                Content.styled(" space ticks  x adds  e changes  J K order  d removes", "$flux-muted")
            )
        return Content("\n").join(lines)

    def on_focus(self) -> None:
        self.refresh(layout=True)

    def on_blur(self) -> None:
        self.refresh(layout=True)

    def on_click(self, event: events.Click) -> None:
        if 1 <= event.y <= len(self.owner.items):
            self.at = event.y - 1
            self.action_tick()

    def action_step(self, distance: int) -> None:
        self.at = max(0, min(self.at + distance, len(self.owner.items) - 1))
        self.refresh()

    def action_tick(self) -> None:
        items = list(self.owner.items)
        if self.at < len(items):
            items[self.at] = replace(items[self.at], done=not items[self.at].done)
            self.owner.save(items)

    def action_shift(self, distance: int) -> None:
        items, to = list(self.owner.items), self.at + distance
        if 0 <= to < len(items):
            items.insert(to, items.pop(self.at))
            self.at = to
            self.owner.save(items)

    def action_remove(self) -> None:
        items = list(self.owner.items)
        if self.at < len(items):
            del items[self.at]
            self.owner.save(items)
            self.action_step(0)

    def action_rewrite(self) -> None:
        if self.at < len(self.owner.items):
            self.owner.write(self.owner.items[self.at])


class _Line(LineInput):
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "Close")]

    def action_leave(self) -> None:
        self.value = ""
        self.display = False
        self.screen.focus_previous()


class Checklist(Vertical):
    """The items of the task that is shown; nothing at all where there are none."""

    DEFAULT_CSS = """
    Checklist { height: auto; margin-top: 1; display: none; }
    Checklist Input { border: none; height: 1; padding: 0; display: none; background: $surface; }
    Checklist Input:focus { border: none; }
    """

    def __init__(self, board: Board) -> None:
        super().__init__()
        self.board = board
        self._shown: Task | None = None
        self._lines = _Lines(self)
        self._writing: str | None = None

    def compose(self) -> ComposeResult:
        yield self._lines
        yield _Line(placeholder="What is to be done", max_length=TITLE_MAX, select_on_focus=False)

    @property
    def items(self) -> tuple[ChecklistItem, ...]:
        """The items, from top to bottom."""
        return self._shown.checklist if self._shown is not None else ()

    @property
    def told(self) -> str:
        """How many are done, of how many."""
        return f"{sum(item.done for item in self.items)}/{len(self.items)}" if self.items else ""

    def show(self, task: Task) -> None:
        """Shows the items of a task."""
        if self._shown is None or self._shown.id != task.id:
            self._lines.at = 0
            self._line.display = False
        self._shown = task
        self.display = bool(task.checklist) or bool(self._line.display)
        self._lines.refresh(layout=True)

    def add(self) -> None:
        """Lets the user write an item; each enter adds one."""
        if len(self.items) >= CHECKLIST_MAX:
            self.notify(f"A checklist has at most {CHECKLIST_MAX} lines.", severity="warning")
            return
        self.write(None)

    def write(self, item: ChecklistItem | None) -> None:
        """Lets the user write an item's text; None writes a new one."""
        self._writing = item.id if item is not None else None
        self.display = True
        line = self._line
        line.display = True
        line.value = item.text if item is not None else ""
        line.focus()

    def save(self, items: Sequence[ChecklistItem]) -> None:
        """Makes these the task's items."""
        if self._shown is not None and self._shown.id in self.board.tasks:
            self.board.update([self._shown.id], TaskPatch(checklist=tuple(items)))

    @property
    def _line(self) -> _Line:
        return self.query_one(_Line)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        text = clean_line(event.value)
        if not text:
            event.input.display = False
            self._lines.focus()
            return
        if self._shown is None or self._shown.id not in self.board.tasks:
            self.notify("This task was deleted: its checklist takes nothing more.", severity="warning")
            return
        if self._writing is None:
            self.save([*self.items, ChecklistItem(id=new_id(), text=text)])
            event.input.value = ""
        else:
            items = [replace(i, text=text) if i.id == self._writing else i for i in self.items]
            self.save(items)
            event.input.display = False
            self._lines.focus()
