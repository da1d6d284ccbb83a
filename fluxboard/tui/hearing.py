"""What the board tells its screen, and how soon that is painted: at once, and in a burst together."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from fluxboard.client import events
from fluxboard.tui.wishes import BoardClosed

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen

#: A timer's shortest time, in seconds.
_AT_ONCE: Final = 0.001


class Hearing:
    """Listens to one board for one screen."""

    def __init__(self, screen: BoardScreen) -> None:
        self.screen = screen
        #: The tasks that changed since they were painted; None for all.
        self._unpainted: set[str] | None = set()
        self._painting = False

    @property
    def behind(self) -> bool:
        """Whether the board has moved on since it was painted."""
        return self._unpainted is None or bool(self._unpainted)

    def take_unpainted(self) -> set[str] | None:
        """The tasks that are to be painted, which are then taken as painted; None for all."""
        unpainted, self._unpainted = self._unpainted, set()
        return unpainted

    def hear(self, event: events.BoardEvent) -> None:
        """Shows what happened. Called by the board, on the event loop."""
        screen = self.screen
        match event:
            case events.Changed(task_ids):
                self._paint_soon(task_ids or None)
            case events.ProjectChanged():
                screen.project_changed()
            case events.Presence():
                screen.lanes.remark(screen.faces.refresh_people())
                screen.following.step()
                screen.refresh_chrome()
            case events.Moved(task_ids):
                screen.lanes.remark(screen.faces.refresh_visitors(task_ids))
                screen.following.step()
                screen.sidebar.refresh()
            case events.AccessLost(reason):
                screen.post_message(BoardClosed(reason, sign_in=False))
            case events.SignInNeeded(reason):
                screen.post_message(BoardClosed(reason, sign_in=True))
            case events.Connection():
                screen.header.connected(event)
                screen.header.delivery.connected(event)
            case events.Delivery():
                screen.header.delivery.delivered(event)
            case events.InboxChanged():
                self._mark_unread()
                screen.news.tell(event)
            case events.PreferencesChanged(preferences):
                screen.board.company.be(invisible=preferences.invisible)
                screen.refresh_chrome()
            case events.CatchingUp():
                screen.header.catch_up(event)
            case _:
                screen.news.tell(event)

    def _paint_soon(self, task_ids: Iterable[str] | None) -> None:
        """At once, and in a burst as often as leaves half of the time to keys."""
        known = self._unpainted
        self._unpainted = None if task_ids is None or known is None else {*known, *task_ids}
        if not self._painting:
            self._painting = True
            self._paint()

    def _paint(self) -> None:
        if self.behind:
            begun, used = time.monotonic(), time.thread_time()
            self.screen.sync(())
            self.screen.call_after_refresh(self._painted, begun, used)
        else:
            self._painting = False

    def _painted(self, begun: float, used: float) -> None:
        """Goes on when the loop has been free for keys for as long as the painting took."""
        wait = begun + 2 * (time.thread_time() - used) - time.monotonic()
        self.screen.set_timer(max(_AT_ONCE, wait), self._paint)

    def _mark_unread(self) -> None:
        """Cards with words for me are marked."""
        faces = self.screen.faces
        before, after = set(faces.unread), self.screen.board.inbox.unread_tasks
        faces.unread = after
        self.screen.lanes.remark(before ^ after)
        self.screen.header.refresh()
