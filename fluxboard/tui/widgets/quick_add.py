"""Adding tasks in place: one line in the column, and below it what it will become."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from rich.highlighter import Highlighter
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static

from fluxboard.model.quickadd import QuickAdd, read_line
from fluxboard.model.text import clean_line
from fluxboard.model.types import TITLE_MAX, Member, User
from fluxboard.tui.completion import Choice
from fluxboard.tui.dates import due_day
from fluxboard.tui.widgets.card import GLYPHS, wrap_title
from fluxboard.tui.widgets.completing import Choices, CompletingInput
from fluxboard.tui.widgets.dialog import flow

Read = Callable[[str], QuickAdd]


class _Marks(Highlighter):
    """Colours what of the line was understood."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def highlight(self, text: Text) -> None:
        for start, end, _ in self._read(text.plain).spans:
            text.stylize("bold cyan", start, end)


class QuickInput(CompletingInput):
    """Hands on a paste of several lines instead of its first one."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "Close")]

    def _on_paste(self, event: events.Paste) -> None:
        lines = [line for text in event.text.splitlines() if (line := clean_line(text))]
        if len(lines) > 1:
            event.prevent_default()
            event.stop()
            self.post_message(QuickAddBox.Pasted(lines))

    async def on_key(self, event: events.Key) -> None:
        """Takes enter in its turn, as letters are: over a slow link the next title comes along with it."""
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            if not self.take_stepped():
                self.query_ancestor(QuickAddBox).enter()

    def action_leave(self) -> None:
        if not self.choices.close():
            self.post_message(QuickAddBox.Left(self.value))


class QuickAddBox(Vertical):
    """Enter adds the task and stays for the next one; escape leaves, and keeps what was typed."""

    DEFAULT_CSS = """
    QuickAddBox { height: auto; dock: bottom; background: $panel; border-left: thick $primary; padding: 0 1; }
    QuickAddBox Input { border: none; height: 1; padding: 0; background: $panel; }
    QuickAddBox Input:focus { border: none; }
    QuickAddBox #preview { height: auto; max-height: 4; color: $flux-muted; }
    """

    @dataclass
    class Added(Message):
        """A task is to be made."""

        task: QuickAdd

    @dataclass
    class Pasted(Message):
        """Several lines were pasted."""

        lines: list[str]

    @dataclass
    class Left(Message):
        """The user is done; ``text`` was not added."""

        text: str

    def __init__(
        self,
        today: date,
        me: User,
        members: Sequence[Member],
        words: Callable[[], Iterable[Choice]],
        text: str = "",
        *,
        has_room: Callable[[], bool],
    ) -> None:
        """``has_room`` says whether the column takes one more, and tells the user where it does not."""
        super().__init__(id="quick-add")
        self._has_room = has_room
        self._today, self._me = today, me
        self._names = {member.user_id: member.name or member.email for member in members} | {me.id: "you"}
        self._people = {member.user_id: f"{member.name} {member.email}" for member in members}
        self._words = words
        self._text = text

    def read(self, line: str) -> QuickAdd:
        """What a line will become."""
        return read_line(line, self._today, self._me.id, self._people)

    def compose(self) -> ComposeResult:
        choices = Choices()
        yield QuickInput(
            self._text,
            self._words,
            choices,
            placeholder="Title !high @me #label ^fri",
            highlighter=_Marks(self.read),
        )
        yield choices
        yield Static("", id="preview", markup=False)

    def on_mount(self) -> None:
        self._tell(self._text)
        self.screen.set_focus(self.query_one(QuickInput))  # at once: the next key may be here already

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.query_one(QuickInput).clicked(event)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._tell(event.value)

    def enter(self) -> None:
        """Has a task made of the line and begins the next one; from an empty line it leaves."""
        line = self.query_one(QuickInput)
        task = self.read(line.value)
        if not task.title:
            self.post_message(self.Left(line.value))
        elif len(task.title) > TITLE_MAX:
            self.query_one("#preview", Static).update(
                Content.styled(f"The title has {len(task.title)} characters, {TITLE_MAX} fit.", "$error")
            )
        elif self._has_room():
            self.post_message(self.Added(task))
            line.value = ""

    def on_resize(self) -> None:
        self._tell(self.query_one(QuickInput).value)

    def _tell(self, line: str) -> None:
        """The preview: the title on up to two lines, below it the other parts, each in words."""
        task = self.read(line)
        preview = self.query_one("#preview", Static)
        width = preview.size.width or TITLE_MAX
        if not line.strip():
            told = Content.styled("enter adds, esc closes", "$flux-muted")
        else:
            parts = [Content(f"{GLYPHS[task.priority]} {task.priority}")]
            if task.assigned_to is not None:
                parts.append(Content(f"@{self._names.get(task.assigned_to, '')}"))
            parts += [Content(f"#{label}") for label in task.labels]
            if task.due_date is not None:
                parts.append(Content(f"due {due_day(task.due_date, self._today)}"))
            told = Content.assemble(
                ("\n".join(wrap_title(task.title or "(no title yet)", width, width)), "bold $foreground"),
                "\n",
                Content("\n").join(flow(parts, Content("  "), width)),
            )
        preview.update(told)
