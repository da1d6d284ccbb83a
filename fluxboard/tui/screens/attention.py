"""My edits that the server did not take, each with its text, until I decide."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from fluxboard.client.edits import (
    AddComment,
    ChangeComment,
    Create,
    Delete,
    RemoveComment,
    Restore,
    Update,
    patch_values,
)
from fluxboard.client.events import BoardEvent, Connection, Refused
from fluxboard.client.outbox import Attention
from fluxboard.model.types import Task, TaskPatch
from fluxboard.tui.form import FIELDS, field_text
from fluxboard.tui.ports import Board, Unsubscribe
from fluxboard.tui.screens.confirm import ConfirmScreen
from fluxboard.tui.screens.conflict import ConflictScreen
from fluxboard.tui.screens.editor import Draft, EditorScreen
from fluxboard.tui.widgets.card import UNTITLED
from fluxboard.tui.widgets.dialog import Dialog, KeyHints

WORDS: Final = {
    "title": "title",
    "description": "description",
    "status": "column",
    "priority": "priority",
    "assigned_to": "assignee",
    "due_date": "due date",
    "labels": "labels",
    "checklist": "checklist",
    "archived": "archive",
    "position": "place",
}


class AttentionScreen(ModalScreen[None]):
    """A list to go through: retry, change, copy or discard."""

    AUTO_FOCUS = "#items"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q", "leave", "Close"),
        ("j", "step(1)", "Next"),
        ("k", "step(-1)", "Before"),
        ("r", "retry", "Try again"),
        ("e", "rewrite", "Change my text"),
        ("c,y", "copy", "Copy my text"),
        ("d,delete", "discard", "Discard"),
    ]
    DEFAULT_CSS = """
    AttentionScreen { align: center middle; }
    AttentionScreen Dialog { width: 88; border-left: thick $warning; }
    AttentionScreen #heading { text-style: bold; margin-bottom: 1; }
    AttentionScreen #items { height: auto; max-height: 12; }
    AttentionScreen #scroll { height: auto; max-height: 18; margin-top: 1; }
    AttentionScreen #said { color: $warning; margin-bottom: 1; }
    AttentionScreen #keys { margin-top: 1; }
    """

    def __init__(self, board: Board, today: date) -> None:
        super().__init__()
        self.board = board
        self.today = today
        self._stop: Unsubscribe | None = None

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static("Needs attention", id="heading", markup=False)
            yield OptionList(id="items", markup=False)
            with VerticalScroll(id="scroll", classes="-squeeze", can_focus=False):
                yield Static("", id="said", markup=False)
                yield Static("", id="mine", markup=False)
            yield KeyHints(id="keys")

    def on_mount(self) -> None:
        self._stop = self.board.subscribe(self._on_board_event)
        self._fill()

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop()

    @property
    def chosen(self) -> Attention | None:
        """The edit under the cursor."""
        items = self.board.attention
        place = self.query_one("#items", OptionList).highlighted
        return items[place] if place is not None and place < len(items) else None

    def _on_board_event(self, event: BoardEvent) -> None:
        if isinstance(event, Connection | Refused):
            self._fill()

    def _fill(self) -> None:
        options = self.query_one("#items", OptionList)
        place = options.highlighted or 0
        options.clear_options()
        items = self.board.attention
        if not items:
            options.add_option(Option(Content("Nothing: the server took all that you did."), disabled=True))
        for item in items:
            line = Content.assemble(
                (f"{deed(item)}  ", "$flux-muted"),
                item.title or UNTITLED,
                (f"  {_when(item)}", "$flux-muted"),
            )
            options.add_option(Option(line))
        options.highlighted = min(place, len(items) - 1) if items else None
        self._show()

    @on(OptionList.OptionHighlighted, "#items")
    def _show(self) -> None:
        item = self.chosen
        said = mine = Content("")
        keys = [("esc", "close")]
        if item is not None:
            said = Content(item.refusal.reason)
            mine = text_of(item)
            first = "compare" if item.refusal.conflict and item.refusal.conflict.fields else "try again"
            if item.refusal.gone is not None:
                first = "restore with my text"
            change = [("e", "change")] if isinstance(item.edit, Create | Update) else []
            keys = [("enter", first), ("r", "try again"), *change, ("c", "copy"), ("d", "discard"), *keys]
        self.query_one("#said", Static).update(said)
        self.query_one("#mine", Static).update(mine)
        self.query_one("#keys", KeyHints).show(*keys)

    @on(OptionList.OptionSelected, "#items")
    def _entered(self) -> None:
        item = self.chosen
        if item is None:
            return
        conflict = item.refusal.conflict
        if conflict is None or not conflict.fields or not isinstance(item.edit, Update):
            self.action_retry()
            return

        def decided(patch: TaskPatch | None) -> None:
            if patch is None:
                return
            if patch_values(patch):
                self.board.retry(item.edit.op_id, patch)
            else:
                self.board.discard(item.edit.op_id)

        self.app.push_screen(
            ConflictScreen(self.board, item.edit.task_id, conflict, item.edit.patch), decided
        )

    def action_step(self, distance: int) -> None:
        options = self.query_one("#items", OptionList)
        if self.board.attention:
            place = (options.highlighted or 0) + distance
            options.highlighted = max(0, min(place, len(self.board.attention) - 1))

    def action_retry(self) -> None:
        item = self.chosen
        if item is not None:
            self.board.retry(item.edit.op_id)

    def action_rewrite(self) -> None:
        item = self.chosen
        if item is None or not isinstance(item.edit, Create | Update):
            return
        edit = item.edit
        start = edit.task if isinstance(edit, Create) else self._as_it_is(item)
        values = patch_values(edit.patch) if isinstance(edit, Update) else {}

        def send(changed: TaskPatch) -> None:
            if isinstance(edit, Create):
                self.board.retry(edit.op_id, changed)
                return
            # What the form has no field for goes along; what is there already need not be sent.
            rest = msgspec.structs.replace(edit.patch, **dict.fromkeys(FIELDS, UNSET))
            patch = msgspec.structs.replace(rest, **patch_values(changed))
            if patch_values(patch) or item.refusal.gone is not None:
                self.board.retry(edit.op_id, patch)
            else:
                self.board.discard(edit.op_id)
                self.notify("Nothing is left to send: the task has it all", timeout=5)

        mine = {name: field_text(value, name) for name, value in values.items() if name in FIELDS}
        editor = EditorScreen(self.board, self.today, task_id=edit.task_id, draft=Draft(start, mine, send))
        self.app.push_screen(editor)

    def _as_it_is(self, item: Attention) -> Task:
        """The task of a refused change, as far as it is known."""
        conflict = item.refusal.conflict
        known = self.board.tasks.get(item.edit.task_id) or item.refusal.gone
        return known or (conflict.task if conflict else Task(id=item.edit.task_id, title=item.title))

    def action_copy(self) -> None:
        item = self.chosen
        if item is not None:
            self.app.copy_to_clipboard(text_of(item).plain)
            self.notify("Sent to the terminal's clipboard", timeout=3)

    def action_discard(self) -> None:
        item = self.chosen
        if item is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.board.discard(item.edit.op_id)

        hint = "Your text is gone then."
        question = ConfirmScreen("Discard this edit?", item.title or UNTITLED, yes="Discard", hint=hint)
        self.app.push_screen(question, answered)

    def action_leave(self) -> None:
        self.dismiss(None)


def deed(item: Attention) -> str:
    """What was tried, in a word or two."""
    match item.edit:
        case Create():
            return "new"
        case Delete():
            return "delete"
        case Restore():
            return "bring back"
        case AddComment() | ChangeComment() | RemoveComment():
            return "comment"
    words = dict.fromkeys(WORDS[name] for name in patch_values(item.edit.patch))
    return "move" if {"column", "place"} & words.keys() else " and ".join(words)


def text_of(item: Attention) -> Content:
    """All that I wrote in an edit."""
    match item.edit:
        case Create(body=body):
            return Content("\n\n".join(part for part in (body.title, body.description) if part))
        case Update(patch=patch):
            parts = []
            for name, value in patch_values(patch).items():
                shown = value if isinstance(value, str) else _joined(value)
                parts.append(Content.assemble((f"{WORDS[name]}: ", "$flux-muted"), shown))
            return Content("\n").join(parts)
        case AddComment(comment=comment) | ChangeComment(comment=comment):
            return Content(comment.content)
    return Content("")


def _joined(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(getattr(part, "text", part)) for part in value)
    return "none" if value is None else str(value)


def _when(item: Attention) -> str:
    return item.refusal.at[11:16] + " UTC"
