"""A question with a yes and a no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from fluxboard.tui.widgets.dialog import Dialog


class ConfirmScreen(ModalScreen[bool]):
    """Asks before something is done; ``what`` is a user's text and shown as it is."""

    AUTO_FOCUS = "#yes"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("y", "answer(True)", "Yes"),
        ("n", "answer(False)", "No"),
        ("escape", "answer(False)", "No"),
        ("left,h", "app.focus_previous", "Other"),
        ("right,l", "app.focus_next", "Other"),
    ]
    DEFAULT_CSS = """
    ConfirmScreen { align: center middle; }
    ConfirmScreen Dialog { width: 56; }
    ConfirmScreen .-grave { border-left: thick $error; }
    ConfirmScreen #question { text-style: bold; }
    ConfirmScreen #what { max-height: 5; margin-top: 1; }
    ConfirmScreen #hint { color: $flux-muted; margin-top: 1; }
    ConfirmScreen #buttons { height: 1; margin-top: 1; }
    """

    def __init__(
        self,
        question: str,
        what: str = "",
        *,
        yes: str = "Yes",
        no: str = "Cancel",
        hint: str = "",
        grave: bool = True,
    ) -> None:
        """``grave`` where something would be lost."""
        super().__init__()
        self._grave = grave
        self._question, self._what, self._yes, self._no, self._hint = question, what, yes, no, hint

    def compose(self) -> ComposeResult:
        with Dialog(classes="-grave" if self._grave else ""):
            yield Static(self._question, id="question", markup=False)
            if self._what:
                yield Static(self._what, id="what", markup=False)
            if self._hint:
                yield Static(self._hint, id="hint", markup=False)
            with Horizontal(id="buttons"):
                yes, no = Content(f"{self._yes} (y)"), Content(f"{self._no} (n)")
                yield Button(yes, id="yes", variant="error" if self._grave else "primary", compact=True)
                yield Button(no, id="no", compact=True)

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")
