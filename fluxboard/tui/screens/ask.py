"""A question that is answered with one line of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from fluxboard.tui.widgets.dialog import Dialog, KeyHints
from fluxboard.tui.widgets.line_input import LineInput


class AskScreen(ModalScreen[str]):
    """Answers the text, or None when it is left. ``wrong`` says what an answer lacks, "" for nothing."""

    AUTO_FOCUS = "#answer"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "Close")]
    DEFAULT_CSS = """
    AskScreen { align: center middle; }
    AskScreen Dialog { width: 56; }
    AskScreen #question { text-style: bold; margin-bottom: 1; }
    AskScreen #wrong { color: $warning; display: none; margin-top: 1; }
    AskScreen #keys { margin-top: 1; }
    """

    def __init__(
        self, question: str, value: str = "", hint: str = "", wrong: Callable[[str], str] = lambda _: ""
    ) -> None:
        super().__init__()
        self._question, self._value, self._hint, self._wrong = question, value, hint, wrong

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static(self._question, id="question", markup=False)
            yield LineInput(self._value, placeholder=self._hint, id="answer", select_on_focus=False)
            yield Static("", id="wrong", markup=False)
            yield KeyHints(("enter", "takes it"), ("esc", "close"), id="keys")

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        reason = self._wrong(event.value)
        if not reason:
            self.dismiss(event.value)
            return
        told = self.query_one("#wrong", Static)
        told.update(reason)
        told.display = True

    def action_leave(self) -> None:
        self.dismiss(None)
