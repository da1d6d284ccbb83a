"""What others did becomes toasts and lines of the sidebar."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.notifications import SeverityLevel

from fluxboard.client.events import BoardEvent, News, Refused, Remote, Trouble
from fluxboard.tui.widgets.card import clip
from fluxboard.tui.widgets.sidebar import Happening
from fluxboard.tui.widgets.toasts import Gatherer

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen

_LONGEST = 160
_DONE = {"create": "created", "update": "changed", "delete": "deleted", "comment": "commented on"}


class NewsDesk:
    """Takes the board's news for one screen; never tells of one's own changes."""

    def __init__(self, screen: BoardScreen) -> None:
        self.screen = screen
        self._gatherer = Gatherer()

    def tell(self, event: BoardEvent) -> None:
        """Shows one event."""
        screen = self.screen
        match event:
            case Remote():
                if event.user_id == screen.board.user.id:
                    return
                text = f"{event.kind} {event.title}" if event.title else f"{event.kind} a task"
                screen.sidebar.add(Happening(event.user_id, event.user_name, text, screen.clock()))
                if screen.config.toasts and self._gatherer.add(event):
                    screen.set_timer(self._gatherer.window, self._flush)
            case News(activity):
                if activity.user_id != screen.board.user.id and activity.entity_type != "task":
                    text = f"{activity.action or activity.type} {activity.entity_title}".strip()
                    screen.sidebar.add(Happening(activity.user_id, activity.user_name, text, screen.clock()))
            case Refused():
                what = f"“{clip(event.title, 60)}”" if event.title else "A task"
                screen.notify(
                    f"{what} was not {_DONE[event.action]}: {event.reason}. Your text is kept: ! shows it.",
                    severity="error",
                    timeout=10,
                )
            case Trouble(message):
                # What fails again each second is told once, as long as it can be read.
                if all(toast.message != message for toast in screen.app._notifications):
                    screen.notify(message, severity="error", timeout=10)
            case _:
                pass

    def _flush(self) -> None:
        for toast in self._gatherer.flush():
            # Severities become CSS classes; "success" has its own in the app's styles.
            severity = cast("SeverityLevel", toast.kind)
            self.screen.notify(clip(toast.text, _LONGEST), severity=severity)
