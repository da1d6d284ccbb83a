"""One task over the board, where there is no room beside it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from fluxboard.tui.memory import Memory
from fluxboard.tui.ports import Board, Clock
from fluxboard.tui.widgets.task_pane import TaskPane


class DetailScreen(ModalScreen[None]):
    """Shows a task and keeps it up to date; what is wanted of it the board does."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "Close")]
    DEFAULT_CSS = """
    DetailScreen { align: center middle; }
    DetailScreen TaskPane { width: 88; max-width: 98%; height: 90%; border-left: thick $primary; }
    """

    def __init__(self, board: Board, task_id: str, clock: Clock, memory: Memory) -> None:
        super().__init__()
        self.board = board
        self.task_id = task_id
        self._clock = clock
        self._memory = memory

    def compose(self) -> ComposeResult:
        yield TaskPane(self.board, self._clock, self._memory)

    def on_mount(self) -> None:
        pane = self.query_one(TaskPane)
        pane.show(self.task_id)
        pane.focus_body()

    def on_task_pane_left(self) -> None:
        self.action_leave()

    async def on_task_pane_wants(self, message: TaskPane.Wants) -> None:
        from fluxboard.tui.screens.board import BoardScreen

        self.dismiss(None)
        board = next((screen for screen in self.app.screen_stack if isinstance(screen, BoardScreen)), None)
        if board is not None:
            board.post_message(message)

    def action_leave(self) -> None:
        self.dismiss(None)
