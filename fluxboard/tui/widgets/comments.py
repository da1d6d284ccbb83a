"""The conversation below a task: reading it, and writing, changing and deleting one's own words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, OptionList, Static, TextArea

from fluxboard.model.types import COMMENT_MAX, Comment
from fluxboard.tui.completion import Choice, completed, fitting, fragment
from fluxboard.tui.dates import ago
from fluxboard.tui.memory import Memory
from fluxboard.tui.ports import Board, Clock
from fluxboard.tui.widgets.completing import Choices
from fluxboard.tui.widgets.waiting import Waiting

#: The newest so many are shown at once; each is a Markdown of its own.
_SHOWN: Final = 20
_HINT: Final = "ctrl+s sends, esc keeps it for later. Markdown; @name calls somebody."


class _Remark(Vertical, can_focus=True):
    """One comment; one's own can be changed and deleted while it has the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("e,enter", "rewrite", "Change"),
        ("d,delete", "remove", "Delete"),
    ]
    DEFAULT_CSS = """
    _Remark { height: auto; margin-top: 1; padding-left: 1; border-left: outer $panel-lighten-2; }
    _Remark:focus { border-left: outer $primary; }
    _Remark Markdown { padding: 0; margin: 0; background: $panel; }
    """

    def __init__(self, owner: Conversation, comment: Comment) -> None:
        super().__init__()
        self.owner = owner
        self.comment = comment

    def compose(self) -> ComposeResult:
        yield Static(self.owner.told(self.comment), markup=False)
        yield Markdown(self.comment.content, open_links=False)

    def action_rewrite(self) -> None:
        self.owner.rewrite(self.comment)

    def action_remove(self) -> None:
        self.owner.remove_comment(self.comment)


class CommentBox(TextArea):
    """The box for a comment; what is written into it is told to the others, not what it says."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("ctrl+s", "send", "Send"),
        ("escape", "leave", "Close"),
        Binding("tab", "complete", "Complete a name", priority=True),
    ]

    def __init__(self, choices: Choices, words: Callable[[], Sequence[Choice]]) -> None:
        """``words`` are what completes a name; ``choices`` is mounted by the owner."""
        super().__init__(tab_behavior="focus", soft_wrap=True)
        self.choices = choices
        self._words = words

    def offer(self) -> None:
        """Shows who could be meant by the @ that is being written."""
        row, column = self.cursor_location
        typed = fragment(self.document.get_line(row), column)
        self.choices.offer(fitting(typed, self._words()) if typed.startswith("@") and self.has_focus else [])
        if self.choices.display:
            self.call_after_refresh(self.choices.scroll_visible, animate=False)

    def take(self, place: int) -> None:
        """Writes a name in full."""
        row, column = self.cursor_location
        line = self.document.get_line(row)
        written, end = completed(line, column, self.choices.offered[place])
        self.replace(written, (row, 0), (row, len(line)))
        self.move_cursor((row, end))

    def action_complete(self) -> None:
        """Takes the choice; where there is none, goes on to what comes next."""
        if self.choices.highlighted is not None:
            self.take(self.choices.highlighted)
        else:
            self.screen.focus_next()

    def action_cursor_down(self, select: bool = False) -> None:
        if self.choices.display:
            self.choices.step(1)
        else:
            super().action_cursor_down(select)

    def action_cursor_up(self, select: bool = False) -> None:
        if self.choices.display:
            self.choices.step(-1)
        else:
            super().action_cursor_up(select)

    def on_key(self, event: events.Key) -> None:
        """Enter takes a choice once an arrow was used."""
        if event.key == "enter" and self.choices.stepped and self.choices.highlighted is not None:
            event.prevent_default()
            event.stop()
            self.take(self.choices.highlighted)

    def on_text_area_selection_changed(self) -> None:
        self.offer()

    def on_blur(self) -> None:
        self.choices.close()

    def on_text_area_changed(self) -> None:
        if self.display and self.text:
            self.screen.query_one(Conversation).tell_writing()

    def action_send(self) -> None:
        self.screen.query_one(Conversation).send()

    def action_leave(self) -> None:
        if not self.choices.close():
            self.screen.query_one(Conversation).stop_writing()


class Conversation(Vertical):
    """The comments of the task that is shown, and the box to write in."""

    DEFAULT_CSS = """
    Conversation { height: auto; margin-top: 1; }
    Conversation #comments-title { color: $flux-muted; text-style: bold; height: auto; }
    Conversation #remarks { height: auto; }
    Conversation CommentBox { height: auto; min-height: 4; max-height: 12; margin-top: 1; display: none; }
    Conversation #hint { color: $flux-muted; display: none; height: auto; }
    """

    def __init__(self, board: Board, clock: Clock, memory: Memory, reading: Waiting) -> None:
        super().__init__()
        self.board = board
        self._memory = memory
        self._clock = clock
        self._reading = reading
        self._heading = Static("", id="comments-title", markup=False)
        self._remarks = Vertical(id="remarks")
        self._task_id = ""
        self._changing: Comment | None = None
        self._drawn: tuple[Comment, ...] | None = None
        self._drawing = asyncio.Lock()
        #: From this moment on comments were new to me when I opened the task.
        self._new_since = "~"

    def compose(self) -> ComposeResult:
        yield self._heading
        yield self._remarks
        choices = Choices()
        yield CommentBox(choices, self.names)
        yield choices
        yield Static(_HINT, id="hint", markup=False)

    def show(self, task_id: str) -> None:
        """Shows the comments of a task, at first those that are known."""
        if task_id != self._task_id:
            self.stop_writing(quietly=True)
            self._task_id, self._drawn = task_id, None
            mine = [item.at for item in self.board.inbox.items if item.task_id == task_id and not item.done]
            self._new_since = min(mine, default="~")
            self._draw()

    @work(exclusive=True, group="comments")
    async def load(self) -> None:
        """Asks the server for them; without one what is known stays."""
        try:
            with self._reading.on():
                await self.board.load_comments(self._task_id)
        except Exception:  # the title says so
            self._draw(away=True)
        else:
            self._draw()

    def follow(self, task_id: str) -> None:
        """The comments of a task changed."""
        if task_id == self._task_id:
            self._draw()

    def told(self, comment: Comment) -> Content:
        """Who wrote it, and how long ago."""
        mine = comment.created_by == self.board.user.id
        name = "You" if mine else comment.author.name if comment.author else "Somebody"
        when = _since(comment.created_at, self._clock())
        changed = ", changed" if comment.updated_at != comment.created_at else ""
        new = not mine and comment.updated_at >= self._new_since
        return Content.assemble(
            (name or "Somebody", "bold"),
            (f"  {when}{changed}", "$flux-muted"),
            ("  new", "bold $primary") if new else "",
        )

    # -- writing

    def names(self) -> list[Choice]:
        """How the members are called: by the first name where that is enough."""
        firsts = [(member.name or member.email).split(" ")[0].casefold() for member in self.board.members]
        names = []
        for member, first in zip(self.board.members, firsts, strict=True):
            whole = ".".join((member.name or member.email).casefold().split())
            name = first if firsts.count(first) == 1 else whole
            if member.user_id != self.board.user.id and "@" not in name:
                names.append(Choice(f"@{name}", member.name or member.email))
        return sorted(names, key=lambda choice: choice.text)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._box.take(event.option_index)
        self._box.focus()

    def write(self) -> None:
        """Opens the box for a new comment."""
        self._changing = None
        self._open("")

    def rewrite(self, comment: Comment) -> None:
        """Opens the box with one's own comment."""
        if comment.created_by != self.board.user.id:
            self.notify("Only its author may change a comment.", timeout=3)
            return
        self._changing = comment
        self._open(comment.content)

    def remove_comment(self, comment: Comment) -> None:
        """Deletes one's own comment, after a question."""
        from fluxboard.tui.screens.confirm import ConfirmScreen

        if comment.created_by != self.board.user.id:
            self.notify("Only its author may delete a comment.", timeout=3)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.board.remove_comment(comment)

        self.app.push_screen(ConfirmScreen("Delete this comment?", comment.content, yes="Delete"), answered)

    def tell_writing(self) -> None:
        """The others see that I write here."""
        if self._box.has_focus:
            self._keep()
            self.board.company.typing(self._task_id, "comment")

    def send(self) -> None:
        """Sends what is written; says what is wrong and stays when something is."""
        text = self._box.text.strip()
        if len(text) > COMMENT_MAX:
            self.notify(f"{len(text)} characters, {COMMENT_MAX} fit.", severity="warning")
            return
        if text and self._changing is None:
            self.board.comment(self._task_id, text)
        elif text and self._changing is not None and text != self._changing.content:
            self.board.change_comment(self._changing, text)
        self._box.text = ""
        self.stop_writing()

    def stop_writing(self, *, quietly: bool = False) -> None:
        """Closes the box; what was not sent is there next time."""
        if self._box.display:
            self._keep()
        self._box.display = False
        self.query_one("#hint").display = False
        self.board.company.stop_typing()
        if not quietly:
            self.screen.query_one("#scroll").focus()

    @property
    def _box(self) -> CommentBox:
        return self.query_one(CommentBox)

    @property
    def _kept_as(self) -> str:
        about = self._changing.id if self._changing is not None else self._task_id
        return f"{self.board.project.id}/{about}/comment"

    def _keep(self) -> None:
        """What was not sent is there next time, after a crash as well."""
        text = self._box.text
        unsent = bool(text) and (self._changing is None or text != self._changing.content)
        self._memory.keep_draft(self._kept_as, {"comment": text} if unsent else {})

    def _open(self, text: str) -> None:
        self._box.display = True
        self._box.load_text(self._memory.draft(self._kept_as).get("comment", text))
        self._box.move_cursor(self._box.document.end)
        self.query_one("#hint").display = True
        self._box.focus()
        self.call_after_refresh(self.query_one("#hint").scroll_visible, animate=False)

    @work(group="drawing")
    async def _draw(self, *, away: bool = False) -> None:
        # One at a time, and never cancelled half way: a widget whose removal is cancelled lives for ever.
        async with self._drawing:
            if not self.is_attached:
                return
            comments = self.board.comments(self._task_id)
            task = self.board.tasks.get(self._task_id)
            count = max(len(comments), task.comment_count if task is not None else 0)
            title = f"Comments {count}" if count else "No comments"
            if len(comments) > _SHOWN:
                title += f", the newest {_SHOWN}"
            if task is not None:
                title += "; they are on the server, which cannot be reached now" if away else "; c writes one"
            self._heading.update(title)
            if comments == self._drawn:
                return
            self._drawn = comments
            await self._remarks.remove_children()
            await self._remarks.mount(*(_Remark(self, comment) for comment in comments[-_SHOWN:]))


def _since(at: str, now: datetime) -> str:
    """How long ago a wire timestamp is, in words."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return ""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    past = ago((now - moment).total_seconds())
    return past if past == "now" else f"{past} ago"
