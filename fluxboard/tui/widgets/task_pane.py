"""One task with all that belongs to it: facts, description, checklist, history."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Markdown, Static, TextArea

from fluxboard.client.events import BoardEvent, Changed, Commented, Moved, Presence
from fluxboard.model.types import COMPLETED, Task
from fluxboard.tui.dates import due_day, due_text
from fluxboard.tui.histories import history_text
from fluxboard.tui.memory import Memory
from fluxboard.tui.ports import Board, Clock, Unsubscribe
from fluxboard.tui.sentences import writing_text
from fluxboard.tui.widgets.card import UNTITLED, priority_text
from fluxboard.tui.widgets.checklist import Checklist
from fluxboard.tui.widgets.comments import Conversation
from fluxboard.tui.widgets.dialog import KeyHints, flow
from fluxboard.tui.widgets.waiting import Waiting

_PRIORITY_STYLES: Final = {
    "low": "$flux-low",
    "medium": "$flux-medium",
    "high": "$warning",
    "critical": "bold $error",
}
_LINK: Final = re.compile(r"https?://[^\s<>\"')\]]+")
#: A cursor that runs past cards shows each, but asks the server only for the one it rests on.
_REST: Final = 0.25
_NO_DESCRIPTION: Final = "*No description yet. e writes one.*"


class Body(VerticalScroll):
    """What scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("j", "scroll_down", "Down"),
        ("k", "scroll_up", "Up"),
        ("g", "scroll_home", "Top"),
        ("G", "scroll_end", "Bottom"),
    ]


class TaskPane(Vertical):
    """Shows a task and keeps it up to date. It stands beside the board, or in a dialog over it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q", "leave", "Close"),
        ("e,enter", "want('edit')", "Edit"),
        ("d,delete", "want('delete')", "Delete"),
        ("o", "open_link", "Open a link"),
        ("x", "add_item", "Add to the checklist"),
        ("c", "comment", "Write a comment"),
    ]
    DEFAULT_CSS = """
    TaskPane { height: 1fr; background: $panel; padding: 1 2; border-left: vkey $panel; }
    TaskPane.-active { border-left: thick $primary; }
    TaskPane #title { text-style: bold; height: auto; max-height: 5; }
    TaskPane #facts { height: auto; max-height: 4; margin-top: 1; }
    TaskPane #company { height: 1; color: $secondary; text-style: italic; text-wrap: nowrap;
        text-overflow: ellipsis; display: none; }
    TaskPane Body { height: 1fr; margin-top: 1; scrollbar-size-vertical: 1; }
    TaskPane Markdown { padding: 0; margin: 0; background: $panel; }
    TaskPane #history { height: auto; margin-top: 1; color: $flux-muted; display: none; }
    TaskPane #pane-keys { height: 1; margin-top: 1; }
    """

    @dataclass
    class Left(Message):
        """The user is done with the task."""

    @dataclass
    class Wants(Message):
        """The task is to be edited or deleted."""

        task_id: str
        action: str

    def __init__(self, board: Board, clock: Clock, memory: Memory) -> None:
        super().__init__()
        self.board = board
        self.clock = clock
        self.task_id: str | None = None
        self._stop: Unsubscribe | None = None
        self._past = Static("", id="history", markup=False)
        self._reading = Waiting("Reading the task")
        self._talk = Conversation(board, clock, memory, self._reading)
        self._shown: Task | None = None
        self._described: tuple[str, str] | None = None
        self._following = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield Static("", id="title", markup=False)
        yield Static("", id="facts", markup=False)
        yield Static("", id="company", markup=False)
        with Body(id="scroll"):
            yield Markdown("", open_links=False)
            yield Checklist(self.board)
            yield self._talk
            yield self._past
        yield self._reading
        yield KeyHints(
            ("e", "edit"),
            ("c", "comment"),
            ("esc", "close"),
            ("x", "checklist"),
            ("o", "link"),
            ("d", "delete"),
            id="pane-keys",
        )

    def on_mount(self) -> None:
        self._stop = self.board.subscribe(self._on_board_event)

    def on_descendant_focus(self) -> None:
        self.add_class("-active")
        self._read()

    def on_descendant_blur(self) -> None:
        # From one part of the task to another this is told after the other's focus.
        self.set_class(self._has_focus, "-active")

    @property
    def _has_focus(self) -> bool:
        focused = self.screen.focused
        return focused is not None and self in focused.ancestors

    @property
    def holds_text(self) -> bool:
        """Whether I still write here, though the task was deleted meanwhile."""
        writing = isinstance(self.screen.focused, Input | TextArea)
        return writing and self._has_focus and self.task_id not in self.board.tasks

    @property
    def own_keys(self) -> frozenset[str]:
        """The keys that do something here now, whatever they do on the board."""
        return frozenset(self._bindings.key_to_bindings) if self._has_focus else frozenset()

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop()

    def show(self, task_id: str) -> None:
        """Shows this task from now on."""
        if task_id != self.task_id:
            self.task_id = task_id
            self._past.display = False
            self._tell_company()
            self.query_one(Body).scroll_home(animate=False)
            self._follow()
            self._tell_history()
        elif self.board.tasks.get(task_id) is not self._shown:
            self._follow()

    def focus_body(self) -> None:
        """Gives the task the keys."""
        self.query_one(Body).focus()

    def _on_board_event(self, event: BoardEvent) -> None:
        if isinstance(event, Commented):
            self._talk.follow(event.task_id)
        if isinstance(event, Presence) or (isinstance(event, Moved) and self.task_id in event.task_ids):
            self._tell_company()
        mine = isinstance(event, Changed) and (not event.task_ids or self.task_id in event.task_ids)
        if mine and self.display and self.task_id is not None:
            self._follow()
            self._tell_history()

    def _tell_company(self) -> None:
        """Who else is on this task, and what they write."""
        others = [user for user in self.board.online if user.id != self.board.user.id]
        names = {user.id: user.name for user in others}
        writing = writing_text(self.board.company.writers(self.task_id or ""), names)
        here = ", ".join(user.name or "?" for user in others if user.task_id == self.task_id)
        text = (
            f"✎ {writing}" if writing else f"{here} {'are' if ',' in here else 'is'} here too" if here else ""
        )
        company = self.query_one("#company", Static)
        company.display = bool(text)
        company.update(text)

    @work(exclusive=True, group="history")
    async def _tell_history(self) -> None:
        """Who did what, below the text; without a network it says that there is none to tell."""
        await asyncio.sleep(_REST)
        if not self.is_attached:
            return
        self._talk.load()
        self._read()
        history = self._past
        try:
            with self._reading.on():
                entries = await self.board.history(self.task_id or "")
        except Exception:  # the board itself is there without it
            # What was loaded before is better than nothing.
            if not history.display:
                history.display = True
                history.update("The history is on the server, which cannot be reached now.")
            return
        history.display = bool(entries)
        history.update(history_text(entries))

    def _read(self) -> None:
        """What was written here is read once the user is in the task, not while the cursor passes by."""
        if self.has_class("-active") and self.task_id is not None:
            self.board.inbox.read_task(self.task_id)

    @work(group="follow")
    async def _follow(self) -> None:
        # One at a time, and never cancelled half way: a widget whose removal is cancelled lives for ever.
        async with self._following:
            if not self.is_attached:
                return
            task = self.board.tasks.get(self.task_id or "")
            if task is None:
                self.query_one("#facts", Static).update("Somebody deleted this task. esc closes.")
                return
            self._shown = task
            self.query_one("#title", Static).update(task.title or UNTITLED)
            self.query_one("#facts", Static).update(self._facts(task))
            self.query_one(Checklist).show(task)
            self._talk.show(task.id)
            if self._described != (task.id, task.description):
                self._described = task.id, task.description
                await self.query_one(Markdown).update(task.description or _NO_DESCRIPTION)

    def _facts(self, task: Task) -> Content:
        names = {column.id: column.name for column in self.board.project.columns}
        facts = [
            Content(names.get(task.status, task.status)),
            Content.styled(priority_text(task.priority), _PRIORITY_STYLES.get(task.priority, "")),
        ]
        if task.assigned_to is not None:
            facts.append(Content(self._assignee(task.assigned_to)))
        today = self.clock().date()
        due = due_text(task.due_date, today, done=task.status == COMPLETED)
        if due:
            late = due.endswith("late")
            facts.append(Content.styled(f"due {due_day(task.due_date, today)}"))
            if late or due == "today":
                facts[-1] += Content.styled(f", {due}", "bold $error" if late else "$flux-medium")
        if task.archived:
            facts.append(Content.styled("archived", "$warning"))
        room = self.query_one("#facts").size.width or 1
        if task.labels:
            facts.append(Content.styled(" ".join(f"#{label}" for label in task.labels), "$secondary"))
        return Content("\n").join(flow(facts, Content.styled("  ·  ", "$flux-muted"), room))

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit_facts)

    def _fit_facts(self) -> None:
        if self._shown is not None:
            self.query_one("#facts", Static).update(self._facts(self._shown))

    def _assignee(self, user_id: str) -> str:
        if user_id == self.board.user.id:
            return "assigned to you"
        people = {member.user_id: member.name or member.email for member in self.board.members}
        return f"assigned to {people.get(user_id) or 'somebody'}"

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """Opens web links only: a description comes from somebody else."""
        if event.href.startswith(("https://", "http://")):
            self.app.open_url(event.href)

    def action_open_link(self) -> None:
        """Opens the one web link of the task, or asks which."""
        from fluxboard.tui.screens.picker import Item, PickScreen

        task = self._shown
        links = list(dict.fromkeys(_LINK.findall(task.description))) if task is not None else []
        if not links:
            self.notify("There is no link in this task.", timeout=3)
        elif len(links) == 1:
            self.app.open_url(links[0])
        else:

            def chosen(link: str | None) -> None:
                if link is not None:
                    self.app.open_url(link)

            self.app.push_screen(PickScreen("Open", [Item(link, link) for link in links]), chosen)

    def action_add_item(self) -> None:
        self.query_one(Checklist).add()

    def action_comment(self) -> None:
        self._talk.write()

    def action_want(self, action: str) -> None:
        gone = self.task_id not in self.board.tasks
        self.post_message(self.Left() if gone else self.Wants(self.task_id or "", action))

    def action_leave(self) -> None:
        self.post_message(self.Left())
