"""One task, with its description as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Markdown, Static

from fluxboard.client.events import BoardEvent, Changed
from fluxboard.model.types import COMPLETED, Task
from fluxboard.tui.commands import priority_text
from fluxboard.tui.dates import due_day, due_text
from fluxboard.tui.histories import history_text
from fluxboard.tui.ports import Board, Unsubscribe
from fluxboard.tui.widgets.card import UNTITLED
from fluxboard.tui.widgets.dialog import Dialog, hints

_PRIORITY_STYLES = {
    "low": "$flux-low",
    "medium": "$flux-medium",
    "high": "$warning",
    "critical": "bold $error",
}


class DetailScreen(ModalScreen[str]):
    """Shows a task and keeps it up to date; answers ``edit`` or ``delete`` when that is asked for."""

    AUTO_FOCUS = "#scroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,enter", "leave", "Close"),
        ("e", "answer('edit')", "Edit"),
        ("d,delete", "answer('delete')", "Delete"),
        ("j", "scroll(1)", "Down"),
        ("k", "scroll(-1)", "Up"),
    ]
    DEFAULT_CSS = """
    DetailScreen { align: center middle; }
    DetailScreen Dialog { width: 88; }
    DetailScreen #title { text-style: bold; max-height: 5; }
    DetailScreen #facts { max-height: 4; margin-top: 1; }
    DetailScreen #scroll { height: auto; margin-top: 1; }
    DetailScreen Markdown { padding: 0; margin: 0; background: $panel; }
    DetailScreen #checklist { height: auto; margin-bottom: 1; display: none; }
    DetailScreen #history { height: auto; margin-top: 1; color: $flux-muted; display: none; }
    DetailScreen #keys { margin-top: 1; }
    """

    def __init__(self, board: Board, task_id: str, today: date) -> None:
        super().__init__()
        self.board = board
        self.task_id = task_id
        self.today = today
        self._stop: Unsubscribe | None = None
        self._shown: Task | None = None
        self._described: str | None = None

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static("", id="title", markup=False)
            yield Static("", id="facts", markup=False)
            with VerticalScroll(id="scroll", classes="-squeeze"):
                yield Static("", id="checklist", markup=False)
                yield Markdown("", open_links=False)
                yield Static("", id="history", markup=False)
            yield Static(
                hints(("e", "edit"), ("d", "delete"), ("j k", "scroll"), ("esc", "close")), id="keys"
            )

    async def on_mount(self) -> None:
        self._stop = self.board.subscribe(self._on_board_event)
        await self._show()
        self._tell_history()

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop()

    def _on_board_event(self, event: BoardEvent) -> None:
        if isinstance(event, Changed) and (not event.task_ids or self.task_id in event.task_ids):
            self._follow()
            self._tell_history()

    @work(exclusive=True)
    async def _follow(self) -> None:
        await self._show()

    @work(exclusive=True, group="history")
    async def _tell_history(self) -> None:
        """Who did what, below the text; without a network it says that there is none to tell."""
        history = self.query_one("#history", Static)
        try:
            entries = await self.board.history(self.task_id)
        except Exception:  # the board itself is there without it
            # What was loaded before is better than nothing.
            if not history.display:
                history.display = True
                history.update("The history is on the server, which cannot be reached now.")
            return
        history.display = bool(entries)
        history.update(history_text(entries))

    async def _show(self) -> None:
        task = self.board.tasks.get(self.task_id)
        if task is None:
            self.query_one("#facts", Static).update("Somebody deleted this task. esc closes.")
            return
        self._shown = task
        self.query_one("#title", Static).update(task.title or UNTITLED)
        self.query_one("#facts", Static).update(self._facts(task))
        checklist = self.query_one("#checklist", Static)
        checklist.display = bool(task.checklist)
        checklist.update(_checklist(task))
        if self._described != task.description:
            await self.query_one(Markdown).update(task.description or "*No description yet. e writes one.*")
            # Only now: the next change may have cancelled the update.
            self._described = task.description

    def _facts(self, task: Task) -> Content:
        names = {column.id: column.name for column in self.board.project.columns}
        facts = [
            Content(names.get(task.status, task.status)),
            Content.styled(priority_text(task.priority), _PRIORITY_STYLES.get(task.priority, "")),
        ]
        if task.assigned_to is not None:
            facts.append(Content(self._assignee(task.assigned_to)))
        due = due_text(task.due_date, self.today, done=task.status == COMPLETED)
        if due:
            late = due.endswith("late")
            facts.append(Content.styled(f"due {due_day(task.due_date, self.today)}"))
            if late or due == "today":
                facts[-1] += Content.styled(f", {due}", "bold $error" if late else "$flux-medium")
        room = self.query_one("#facts").size.width or 1
        if task.labels:
            facts.append(Content.styled(" ".join(f"#{label}" for label in task.labels), "$secondary"))
        return Content("\n").join(_flow(facts, Content.styled("  ·  ", "$flux-muted"), room))

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

    def action_scroll(self, distance: int) -> None:
        self.query_one("#scroll", VerticalScroll).scroll_relative(y=distance, animate=False)

    def action_answer(self, answer: str) -> None:
        self.dismiss(answer)

    def action_leave(self) -> None:
        self.dismiss(None)


def _flow(parts: Iterable[Content], between: Content, width: int) -> list[Content]:
    """The parts on as many lines as they need, each part whole."""
    lines: list[Content] = []
    for part in parts:
        joined = lines[-1] + between + part if lines else part
        if lines and joined.cell_length <= width:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines


def _checklist(task: Task) -> Content:
    lines = [
        Content.styled(f"☑ {item.text}", "$flux-muted") if item.done else Content(f"☐ {item.text}")
        for item in task.checklist
    ]
    return Content("\n").join(lines)
