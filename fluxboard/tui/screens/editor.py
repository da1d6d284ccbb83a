"""Creating and editing a task, while others change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Select, Static, TextArea

from fluxboard.client.events import BoardEvent, Changed, Moved, Remote
from fluxboard.model.text import clean_line
from fluxboard.model.types import (
    Task,
    TaskPatch,
)
from fluxboard.tui.form import FIELDS, FieldError, Values, creation, field_text, patch, read_form
from fluxboard.tui.memory import Memory, NoMemory
from fluxboard.tui.ports import Board, Unsubscribe
from fluxboard.tui.sentences import writing_text
from fluxboard.tui.widgets.card import clip, priorities_of, priority_text
from fluxboard.tui.widgets.dialog import Dialog, KeyHints
from fluxboard.tui.widgets.line_input import LineInput

_LINES = ("title", "due_date", "labels")
_WORDS = {"assigned_to": "assignee", "due_date": "due date"}
_LABELS = {
    "title": "Title",
    "description": "Description (Markdown)",
    "status": "Status",
    "priority": "Priority",
    "assigned_to": "Assignee",
    "due_date": "Due date",
    "labels": "Labels",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What was written before and not taken: the task as it is, my values, and what sends them again."""

    start: Task
    values: dict[str, str]
    send: Callable[[TaskPatch], None]


class EditorScreen(ModalScreen[str]):
    """A form for one task. It saves only the fields that were changed here.

    Where somebody else changes the task meanwhile, fields that are untouched here follow, and those
    touched keep what was typed; beside each it says who changed it. With a ``draft`` it starts from that.
    """

    AUTO_FOCUS = ""  # given once mounted
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012 (so declared by Textual)
    BINDINGS: ClassVar[list[BindingType]] = [
        ("ctrl+s", "save", "Save"),
        ("ctrl+o", "write_outside", "Write the description in $EDITOR"),
        ("escape", "leave", "Close"),
    ]
    DEFAULT_CSS = """
    EditorScreen { align: center middle; }
    EditorScreen Dialog { width: 84; max-width: 98%; max-height: 98%; }
    EditorScreen #heading { text-style: bold; margin-bottom: 1; }
    EditorScreen Label { color: $flux-muted; width: 1fr; }
    EditorScreen Input { margin-bottom: 1; }
    EditorScreen TextArea { height: 10; margin-bottom: 1; }
    EditorScreen .pair { height: auto; }
    EditorScreen .first { margin-bottom: 1; }
    EditorScreen .last { height: auto; margin-top: 1; }
    EditorScreen .last Input { margin-bottom: 0; }
    EditorScreen .half { width: 1fr; height: auto; }
    EditorScreen .half Input { margin-bottom: 0; }
    EditorScreen .gap { width: 2; }
    EditorScreen #note { color: $warning; display: none; max-height: 4; margin-top: 1; }
    EditorScreen #buttons { height: 1; margin-top: 1; }
    EditorScreen #keys { width: 1fr; text-align: right; text-wrap: nowrap; }
    EditorScreen.-low #heading { margin-bottom: 0; }
    EditorScreen.-low TextArea { height: 5; }
    """

    def __init__(
        self,
        board: Board,
        today: date,
        *,
        task_id: str | None = None,
        status: str | None = None,
        draft: Draft | None = None,
        memory: Memory | None = None,
    ) -> None:
        super().__init__()
        self._memory: Memory = memory or NoMemory()
        self._kept_as = f"{board.project.id}/{task_id or 'new'}"
        self.board = board
        self.today = today
        self.task_id = task_id
        self._draft = draft
        self._base = board.tasks.get(task_id) if task_id is not None else None
        if draft is not None:
            self._base = draft.start
        start = self._base or Task(id="", title="", status=status or board.project.columns[0].id)
        self._shown: dict[str, str] = {name: field_text(getattr(start, name), name) for name in FIELDS}
        #: What my draft says; as long as a field has this, nothing was typed into it here.
        self._drafted = draft.values if draft is not None else self._memory.draft(self._kept_as)
        #: The fields that somebody changed at last, with what they made of each and whether mine is kept.
        self._news: dict[str, tuple[str, bool]] = {}
        self._gone = False
        self._stop: Unsubscribe | None = None

    def compose(self) -> ComposeResult:
        shown = self._shown | self._drafted
        with Dialog():
            yield Static("New task" if self._base is None else "Edit task", id="heading", markup=False)
            with VerticalScroll(id="form", classes="-squeeze", can_focus=False):
                yield self._label("title")
                yield LineInput(
                    shown["title"], id="title", placeholder="What is to be done", select_on_focus=False
                )
                yield self._label("description")
                yield TextArea(shown["description"], id="description", tab_behavior="focus")
                with Horizontal(classes="pair first"):
                    yield from self._choice("status", self._statuses())
                    yield Static(classes="gap")
                    yield from self._choice("priority", self._priorities())
                with Horizontal(classes="pair"):
                    yield from self._choice("assigned_to", self._people())
                    yield Static(classes="gap")
                    with Vertical(classes="half"):
                        yield self._label("due_date")
                        yield LineInput(
                            shown["due_date"],
                            id="due_date",
                            placeholder="fri, in 2 weeks, 2026-12-01",
                            select_on_focus=False,
                        )
                with Vertical(classes="last", id="labels-row"):
                    yield self._label("labels")
                    yield LineInput(
                        shown["labels"], id="labels", placeholder="backend, ux", select_on_focus=False
                    )
            yield Static("", id="note", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Save", id="save", variant="primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
                yield KeyHints(("ctrl+s", "save"), ("ctrl+o", "$EDITOR"), ("esc", "leave"), id="keys")

    def _label(self, name: str) -> Label:
        return Label(_LABELS[name], id=f"{name}-label")

    def _choice(self, name: str, options: list[tuple[str, str]]) -> ComposeResult:
        value = (self._shown | self._drafted)[name]
        if value not in {option for _, option in options}:
            options = [*options, (value, value)]
        prompts = [(Content(prompt), option) for prompt, option in options]
        with Vertical(classes="half"):
            yield self._label(name)
            yield Select(prompts, value=value, allow_blank=False, id=name, compact=True)

    def _statuses(self) -> list[tuple[str, str]]:
        return [(column.name, column.id) for column in self.board.project.columns]

    def _priorities(self) -> list[tuple[str, str]]:
        return [(priority_text(name), name) for name in priorities_of(self.board.layer)]

    def _people(self) -> list[tuple[str, str]]:
        me = self.board.user.id
        people = [("Nobody", "")]
        for member in sorted(self.board.members, key=lambda member: member.user_id != me):
            name = member.name or member.email or member.user_id
            people.append((f"{name} (you)" if member.user_id == me else name, member.user_id))
        return people

    @property
    def tells_of(self) -> str | None:
        """The task whose changes are told here, beside its fields."""
        return self.task_id

    def on_mount(self) -> None:
        self._stop = self.board.subscribe(self._on_board_event)
        self._tell_writers()
        # Before the layout is known Textual would scroll the field's label out of sight.
        self.query_one("#title").focus(scroll_visible=False)
        self.query_one("#labels-row").display = self.board.layer == "plus"
        if self._draft is None and self._drafted:
            self._say("What you last wrote here and did not save is back. esc discards it.")

    def on_unmount(self) -> None:
        self.board.company.stop_typing()
        if self._stop is not None:
            self._stop()

    # -- what others do meanwhile

    def _tell_writers(self) -> None:
        """Above the form: who writes into the same task right now."""
        names = {user.id: user.name for user in self.board.online}
        text = writing_text(self.board.company.writers(self.task_id or ""), names)
        heading = "New task" if self._base is None else "Edit task"
        told = (f"   ✎ {text}", "$secondary italic not bold") if text else ("", "")
        self.query_one("#heading", Static).update(Content.assemble(heading, told))

    def _on_board_event(self, event: BoardEvent) -> None:
        if isinstance(event, Moved) and self.task_id in event.task_ids:
            self._tell_writers()
        if isinstance(event, Remote) and event.task_id == self.task_id and event.user_name:
            self._announce(event.user_name)
        if self.task_id is None or not isinstance(event, Changed):
            return
        task = self.board.tasks.get(self.task_id)
        if task is None and self._draft is not None:
            return  # the one who sends the draft brings the task back
        if task is None:
            self._gone = True
            self._say("This task was deleted meanwhile. What you typed is kept; saving makes it new.")
            return
        if self._gone:
            self._gone = False
            self._say("This task is back: somebody undid its deletion.")
        if task is self._base:
            return
        typed = self._values()
        self._news = {}
        for name in FIELDS:
            theirs, seen = field_text(getattr(task, name), name), self._shown[name]
            if theirs == seen:
                continue
            if typed[name] == seen:
                self._put(name, theirs)
            self._news[name] = (theirs, typed[name] not in {seen, theirs})
            self._shown[name] = theirs
        self._base = task
        # Who it was is told by the next event.
        self._announce("Somebody")

    def _announce(self, who: str) -> None:
        """Says beside each field that just changed who changed it, and that mine is kept where it is."""
        for name, (theirs, kept) in self._news.items():
            word = _WORDS.get(name, name)
            text = f"changed by {who}"
            if kept:
                text = f"{who} changed the {word}: {self._quoted(name, theirs)}; yours is kept until you save"
            label = Content.assemble(_LABELS[name], (f"  {text}", "$warning" if kept else "italic"))
            self.query_one(f"#{name}-label", Label).update(label)

    def _quoted(self, name: str, value: str) -> str:
        """What somebody made of a field, as far as a line has room."""
        options = self._options(name)
        shown = next((prompt for prompt, option in options if option == value), value)
        return f"“{clip(clean_line(shown), 60 if name in ('title', 'description') else 20)}”"

    def _put(self, name: str, value: str) -> None:
        if name == "description":
            self.query_one("#description", TextArea).load_text(value)
        elif name in _LINES:
            self.query_one(f"#{name}", Input).value = value
        else:
            select: Select[str] = self.query_one(f"#{name}", Select)
            self._offer(select, name, value)
            select.value = value

    def _offer(self, select: Select[str], name: str, value: str) -> None:
        """Makes sure that a value of somebody else's is among the choices."""
        options = self._options(name)
        if value not in {option for _, option in options}:
            options.append((value, value))
        select.set_options([(Content(prompt), option) for prompt, option in options])

    def _options(self, name: str) -> list[tuple[str, str]]:
        """What a field may be, where that is a list."""
        lists = {"status": self._statuses, "priority": self._priorities, "assigned_to": self._people}
        return lists[name]() if name in lists else []

    def _values(self) -> dict[str, str]:
        values = {name: self.query_one(f"#{name}", Input).value for name in _LINES}
        values["description"] = self.query_one("#description", TextArea).text
        for name in ("status", "priority", "assigned_to"):
            select: Select[str] = self.query_one(f"#{name}", Select)
            values[name] = str(select.value)
        return values

    # -- writing

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Select.Changed)
    def _keep(self, event: Input.Changed | TextArea.Changed | Select.Changed) -> None:
        """A crash takes nothing: what differs from the task is kept here. The others see that I write."""
        if not self.is_mounted:
            return
        changed = self._keep_draft()
        field = event.control.id
        if self.task_id is not None and field in changed:
            self.board.company.typing(self.task_id, field)

    def _keep_draft(self) -> dict[str, str]:
        changed = {name: value for name, value in self._values().items() if value != self._shown[name]}
        if self._draft is None:
            self._memory.keep_draft(self._kept_as, changed)
        return changed

    @work
    async def action_write_outside(self) -> None:
        """The description in the user's own editor; the connection lives on meanwhile."""
        from asyncio import to_thread

        import click

        def edited(text: str) -> str | None:
            # As bytes: what an editor writes need not be UTF-8.
            written = click.edit(f"{text}\n".encode(), extension=".md")
            return None if written is None else written.decode("utf-8-sig", "replace")

        area = self.query_one("#description", TextArea)
        try:
            with self.app.suspend(), self.app.batch_update():
                text = await to_thread(edited, area.text)
        except SuspendNotSupported:
            self._say("This terminal cannot make room for another program.")
        except click.ClickException as error:
            self._say(f"The editor did not start: {error.format_message()}. Set $EDITOR to yours.")
        except (OSError, ValueError) as error:  # it took the file away, or a quote in $EDITOR stays open
            self._say(f"Nothing came back from the editor: {error}")
        else:
            if text is not None:
                area.load_text(text.replace("\r\n", "\n").rstrip("\n"))
                self._keep_draft()  # at once: where the board was lost meanwhile, this screen closes now
        self.app.refresh(layout=True)

    # -- saving and leaving

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_save()

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "save":
            self.action_save()
        else:
            await self.action_leave()

    def action_save(self) -> None:
        """Saves what was changed and closes; says what is wrong and stays when something is."""
        typed = self._values()
        try:
            values = read_form(typed, self.today)
        except FieldError as error:
            self._say(str(error))
            self.query_one(f"#{error.field}").focus()
        else:
            self._forget_draft()
            self.dismiss(self._store(values))

    def _store(self, values: Values) -> str:
        if self._base is None or self.task_id is None or self._gone:
            return self.board.create(creation(values))
        changed = {name: value for name, value in values.items() if (value or "") != self._shown[name]}
        if self._draft is not None:
            self._draft.send(patch(changed))
        elif changed:
            self.board.update([self.task_id], patch(changed))
        return self.task_id

    async def action_leave(self) -> None:
        """Closes; asks first when something was typed."""
        kept = self._drafted if self._draft is not None else {}
        if all(text in {self._shown[name], kept.get(name)} for name, text in self._values().items()):
            self.dismiss(None)
            return
        from fluxboard.tui.screens.confirm import ConfirmScreen

        def answered(discard: bool | None) -> None:
            if discard:
                self._forget_draft()
                self.dismiss(None)

        question = ConfirmScreen("Discard what you typed?", yes="Discard", no="Stay")
        await self.app.push_screen(question, answered)

    def _forget_draft(self) -> None:
        if self._draft is None:
            self._memory.keep_draft(self._kept_as, {})

    def _say(self, text: str) -> None:
        note = self.query_one("#note", Static)
        note.update(text)
        note.display = True
