"""One text, to be changed before it is sent again."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from fluxboard.tui.widgets.dialog import Dialog, hints


class RewriteScreen(ModalScreen[str]):
    """A text area with ``text``; answers what it became, None when it was left."""

    AUTO_FOCUS = "#text"
    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+s", "save", "Save"), ("escape", "leave", "Close")]
    DEFAULT_CSS = """
    RewriteScreen { align: center middle; }
    RewriteScreen Dialog { width: 84; }
    RewriteScreen #heading { text-style: bold; margin-bottom: 1; }
    RewriteScreen TextArea { height: 14; }
    RewriteScreen #keys { margin-top: 1; }
    """

    def __init__(self, what: str, text: str) -> None:
        super().__init__()
        self._what, self._text = what, text

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static(f"Your {self._what}", id="heading", markup=False)
            yield TextArea(self._text, id="text", tab_behavior="focus", classes="-squeeze")
            yield Static(hints(("ctrl+s", "send"), ("esc", "leave")), id="keys")

    def action_save(self) -> None:
        self.dismiss(self.query_one(TextArea).text)

    def action_leave(self) -> None:
        self.dismiss(None)
