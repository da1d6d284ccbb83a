"""One task, with its description as Markdown."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Markdown, Static

from fluxboard.client.events import BoardEvent, Changed
from fluxboard.model.types import COMPLETED, Task
from fluxboard.tui.commands import priority_text
from fluxboard.tui.dates import due_text
from fluxboard.tui.ports import Board, Unsubscribe
from fluxboard.tui.widgets.card import UNTITLED


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
    DetailScreen #dialog { width: 84; max-width: 96%; height: auto; max-height: 92%; padding: 1 2;
        background: $panel; border-left: thick $primary; }
    DetailScreen #title { text-style: bold; max-height: 6; }
    DetailScreen #facts { color: $flux-muted; max-height: 6; margin-top: 1; }
    DetailScreen #scroll { height: auto; max-height: 24; margin-top: 1; }
    DetailScreen Markdown { padding: 0; margin: 0; background: $panel; }
    DetailScreen #keys { color: $flux-muted; margin-top: 1; }
    """

    def __init__(self, board: Board, task_id: str, today: date) -> None:
        super().__init__()
        self.board = board
        self.task_id = task_id
        self.today = today
        self._stop: Unsubscribe | None = None
        self._shown: Task | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("", id="title", markup=False)
            yield Static("", id="facts", markup=False)
            with VerticalScroll(id="scroll"):
                yield Markdown("", open_links=False)
            yield Static("e edit   d delete   esc close", id="keys", markup=False)

    async def on_mount(self) -> None:
        self._stop = self.board.subscribe(self._on_board_event)
        await self._show()

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop()

    def _on_board_event(self, event: BoardEvent) -> None:
        if isinstance(event, Changed) and (not event.task_ids or self.task_id in event.task_ids):
            self.run_worker(self._show(), exclusive=True)

    async def _show(self) -> None:
        task = self.board.tasks.get(self.task_id)
        if task is None:
            self.query_one("#facts", Static).update("This task was deleted. esc closes.")
            return
        before, self._shown = self._shown, task
        self.query_one("#title", Static).update(task.title or UNTITLED)
        self.query_one("#facts", Static).update(self._facts(task))
        if before is None or before.description != task.description:
            await self.query_one(Markdown).update(task.description or "*No description yet. e writes one.*")

    def _facts(self, task: Task) -> Content:
        names = {column.id: column.name for column in self.board.project.columns}
        people = {member.user_id: member.name or member.email for member in self.board.members}
        facts = [names.get(task.status, task.status), priority_text(task.priority)]
        if task.assigned_to is not None:
            mine = task.assigned_to == self.board.user.id
            facts.append("assigned to " + ("you" if mine else people.get(task.assigned_to) or "somebody"))
        due = due_text(task.due_date, self.today, done=task.status == COMPLETED)
        if due:
            facts.append(f"due {(task.due_date or '')[:10]} ({due})")
        lines = ["  ·  ".join(facts)]
        if task.labels:
            lines.append(" ".join(f"#{label}" for label in task.labels))
        lines += [f"{'☑' if item.done else '☐'} {item.text}" for item in task.checklist]
        return Content("\n".join(lines))

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
