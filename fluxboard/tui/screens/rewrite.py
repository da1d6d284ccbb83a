"""One text, to be changed before it is sent again."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from fluxboard.model.text import clean_line, clean_text
from fluxboard.model.types import DESCRIPTION_MAX, TITLE_MAX
from fluxboard.tui.screens.confirm import ConfirmScreen
from fluxboard.tui.widgets.dialog import Dialog, KeyHints


class RewriteScreen(ModalScreen[str]):
    """A text area with the ``text`` of a field; answers what it became, None when it was left."""

    AUTO_FOCUS = "#text"
    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+s", "save", "Save"), ("escape", "leave", "Close")]
    DEFAULT_CSS = """
    RewriteScreen { align: center middle; }
    RewriteScreen Dialog { width: 84; }
    RewriteScreen #heading { text-style: bold; margin-bottom: 1; }
    RewriteScreen TextArea { height: 14; }
    RewriteScreen #note { color: $warning; margin-top: 1; display: none; }
    RewriteScreen #keys { margin-top: 1; }
    """

    def __init__(self, field: Literal["title", "description"], text: str) -> None:
        super().__init__()
        self._field, self._text = field, text

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static(f"The {self._field}, out of both", id="heading", markup=False)
            yield TextArea(self._text, id="text", tab_behavior="focus", classes="-squeeze")
            yield Static("", id="note", markup=False)
            yield KeyHints(("ctrl+s", "take it"), ("esc", "leave"), id="keys")

    def on_mount(self) -> None:
        """One goes on writing a title, as in the editor; a description is read from its beginning."""
        if self._field == "title":
            area = self.query_one(TextArea)
            area.move_cursor(area.document.end)

    def action_save(self) -> None:
        """Answers with the text; says what is wrong and stays when something is."""
        text = self.query_one(TextArea).text
        title = self._field == "title"
        text, most = (clean_line(text), TITLE_MAX) if title else (clean_text(text), DESCRIPTION_MAX)
        if title and not text:
            self._say("A task needs a title.")
        elif len(text) > most:
            self._say(f"{len(text)} characters, {most} fit.")
        else:
            self.dismiss(text)

    def _say(self, reason: str) -> None:
        note = self.query_one("#note", Static)
        note.update(reason)
        note.display = True

    async def action_leave(self) -> None:
        """Closes; asks first when something was typed."""
        if self.query_one(TextArea).text == self._text:
            self.dismiss(None)
            return

        def answered(discard: bool | None) -> None:
            if discard:
                self.dismiss(None)

        question = ConfirmScreen("Discard what you typed?", yes="Discard", no="Stay")
        await self.app.push_screen(question, answered)
