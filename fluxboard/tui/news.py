"""What others did becomes toasts, lines of the sidebar, a bell, or a notification of the desktop."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

from textual.notifications import SeverityLevel

from fluxboard.client.events import BoardEvent, InboxChanged, News, Refused, Remote, Trouble
from fluxboard.model.notify import InboxItem, InboxKind, NewsKind
from fluxboard.model.types import Activity, Task
from fluxboard.tui.dates import ago
from fluxboard.tui.sentences import activity_text
from fluxboard.tui.widgets.card import clip
from fluxboard.tui.widgets.lanes import ALL_COLUMNS_FROM
from fluxboard.tui.widgets.sidebar import Happening
from fluxboard.tui.widgets.toasts import Gatherer, Headline, Toast
from fluxboard.tui.wishes import WantsTold

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen

_LONGEST: Final = 160
_REMEMBERED: Final = 100
_DONE: Final = {"create": "created", "update": "changed", "delete": "deleted", "comment": "commented on"}
_KINDS: Final[dict[InboxKind, NewsKind]] = {"mention": "mentioned", "assigned": "assigned"}


@dataclass(frozen=True, slots=True)
class Told:
    """A toast that was shown, or would have been had I not wanted silence."""

    toast: Toast
    at: datetime


class NewsDesk:
    """Takes the board's news for one screen; never tells of one's own changes."""

    def __init__(self, screen: BoardScreen) -> None:
        self.screen = screen
        #: What was told, the newest first.
        self.told: deque[Told] = deque(maxlen=_REMEMBERED)
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
                headline = Headline(event.kind, event.user_id, event.user_name, event.task_id, event.title)
                self._consider(headline, event.task)
            case News(activity):
                self._tell_activity(activity)
            case InboxChanged(new=new):
                for item in new:
                    self._tell_item(item)
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

    def jump(self, message: str | None = None) -> None:
        """Goes to the task that a toast is about, without a ``message`` the newest one that has a task."""
        screen = self.screen
        for told in self.told:
            toast = told.toast
            if toast.task_id and message in (None, shown_text(toast)):
                if toast.project_id not in ("", screen.board.project.id):
                    screen.go_to(toast.project_id, toast.task_id)
                else:
                    screen.jump_to(toast.task_id)
                return
        if message is None:
            screen.notify("Nothing was told yet that leads to a task.", timeout=3)

    def show_history(self) -> None:
        """All that was told, to go from there to the tasks."""
        from fluxboard.tui.screens.picker import Item, PickScreen

        if not self.told:
            self.screen.notify("Nothing was told yet.", timeout=3)
            return
        now = self.screen.clock()
        items = [
            Item(str(place), told.toast.text, ago((now - told.at).total_seconds()))
            for place, told in enumerate(self.told)
        ]
        kept = list(self.told)

        def chosen(place: str | None) -> None:
            if place is not None:
                self.jump(shown_text(kept[int(place)].toast))

        self.screen.app.push_screen(PickScreen("What you were told", items), chosen)

    def _tell_activity(self, activity: Activity) -> None:
        screen = self.screen
        if activity.user_id == screen.board.user.id or activity.entity_type == "task":
            return
        columns = {column.id: column.name for column in screen.board.project.columns}
        text = activity_text(activity, columns, screen.faces.names)
        screen.sidebar.add(Happening(activity.user_id, activity.user_name, text, screen.clock()))
        if activity.type == "comment.created":
            headline = Headline(
                "commented",
                activity.user_id,
                activity.user_name,
                activity.entity_id,
                activity.entity_title,
            )
            self._consider(headline, screen.board.tasks.get(activity.entity_id))

    def _tell_item(self, item: InboxItem) -> None:
        here = item.project_id == self.screen.board.project.id
        kind = _KINDS.get(item.kind)
        if kind is None and (here or item.kind == "due"):
            return  # a comment here is told by its own event
        title = item.task_title if here else f"{item.task_title} ({item.project_name})"
        headline = Headline(
            kind or "commented", item.user_id, item.user_name, item.task_id, title, item.project_id
        )
        self._consider(headline, None, mine=True)

    def _consider(self, headline: Headline, task: Task | None, *, mine: bool = False) -> None:
        """Tells some news if I want them."""
        screen = self.screen
        me = screen.board.user.id
        project_id = headline.project_id or screen.board.project.id
        mine = mine or (task is not None and me in (task.assigned_to, task.created_by))
        if screen.board.inbox.preferences.wants(project_id, headline.kind, mine=mine) and self._gatherer.add(
            headline
        ):
            screen.set_timer(self._gatherer.window, self._flush)

    @property
    def _crowded(self) -> bool:
        """On a phone a dialog has the whole screen, which a toast would hide; ``g t`` tells it later."""
        app = self.screen.app
        return app.screen.is_modal and app.size.width < ALL_COLUMNS_FROM

    def _told_in_place(self, toast: Toast) -> bool:
        """The open editor says beside its fields what somebody changed there; a toast would cover that."""
        tells_of: str | None = getattr(self.screen.app.screen, "tells_of", None)
        return toast.news == "updated" and toast.task_id == tells_of

    def _flush(self) -> None:
        screen = self.screen
        wanted, now = screen.board.inbox.preferences, screen.clock()
        for toast in self._gatherer.flush():
            self.told.appendleft(Told(toast, now))
            if wanted.silent(toast.project_id or screen.board.project.id, now):
                continue
            hidden = self._crowded or self._told_in_place(toast)
            if screen.config.toasts and wanted.toasts and not hidden:
                # Severities become CSS classes; "success" has its own in the app's styles.
                screen.notify(shown_text(toast), severity=cast("SeverityLevel", toast.kind))
            if wanted.bell:
                screen.app.bell()
            if wanted.desktop:
                screen.post_message(WantsTold(toast.text))


def shown_text(toast: Toast) -> str:
    """What a toast says on the screen."""
    return clip(toast.text, _LONGEST)
