"""After g: the second key says where to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from fluxboard.tui.actions import Action
from fluxboard.tui.widgets.dialog import hints

PREFIX: Final = "g "


class GoScreen(ModalScreen[str]):
    """One line with every place and its key; answers the chosen action's id, None for any other key."""

    AUTO_FOCUS = ""
    DEFAULT_CSS: ClassVar[str] = """
    GoScreen { align: left bottom; }
    GoScreen Static { height: auto; padding: 0 1; background: $panel; border-left: thick $primary; }
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        super().__init__()
        self._places = {
            key.removeprefix(PREFIX): action
            for action in actions
            for key in action.keys
            if key.startswith(PREFIX)
        }

    def compose(self) -> ComposeResult:
        pairs = [(key, action.title.partition(":")[0].lower()) for key, action in self._places.items()]
        yield Static(Content("go to   ") + hints(*pairs), markup=False)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        action = self._places.get(event.key)
        self.dismiss(action.id if action is not None else None)

    def on_click(self) -> None:
        self.action_leave()

    def action_leave(self) -> None:
        """Goes nowhere, as any key does that is no place's."""
        self.dismiss(None)
