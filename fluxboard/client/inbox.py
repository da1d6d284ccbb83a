"""What concerns me in all my projects, and how I want to hear of things. The server keeps both.

What I do here is shown at once and sent in order; without a network it waits while the program runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from fluxboard.client.events import BoardEvent, InboxChanged, PreferencesChanged, Trouble
from fluxboard.client.hygiene import convert
from fluxboard.model.notify import InboxDone, InboxItem, InboxNotice, Preferences, PreferencesAnswer
from fluxboard.model.wire import INBOX_UPDATED, PREFERENCES_UPDATED

if TYPE_CHECKING:
    from fluxboard.client.api import Api

EVENTS: Final = frozenset({INBOX_UPDATED, PREFERENCES_UPDATED})
#: Several reasons to ask again within so many seconds are one.
AGAIN: Final = 1.0
#: Without a socket it is asked again after so many seconds.
POLL: Final = 60.0
#: The kinds of items that are new words for me to read.
_WORDS: Final = frozenset({"mention", "comment"})


class Inbox:
    """``emit`` tells the subscribers."""

    def __init__(self, api: Api, emit: Callable[[BoardEvent], None]) -> None:
        self._api = api
        self._emit = emit
        self.items: tuple[InboxItem, ...] = ()
        self.unread = 0
        self.muted: frozenset[str] = frozenset()
        self.preferences = Preferences()
        #: Whether the server has an inbox, as far as is known.
        self.known = False
        self._unsent: list[Callable[[], Awaitable[object]]] = []
        self._busy: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0
        self._asked_at = -POLL
        self._closed = False

    @property
    def unread_tasks(self) -> frozenset[str]:
        """The tasks with words for me that I have not read."""
        return frozenset(item.task_id for item in self.items if item.kind in _WORDS and not item.done)

    # -- what the server says

    def refresh(self) -> None:
        """Sends what waits, and then asks for everything anew."""
        if self._api.rest and not self._unsent:
            self.refresh_soon()
        elif not self._closed and (self._busy is None or self._busy.done()):
            self._busy = asyncio.get_running_loop().create_task(self._refresh())

    def poll(self) -> None:
        """There is no socket: asks now and then, and sends what waits."""
        if self._unsent or time.monotonic() - self._asked_at > POLL:
            self.refresh_soon()

    def refresh_soon(self) -> None:
        """As :meth:`refresh`, a moment later and once, and not before the server wants it."""
        self._refresh_in(max(AGAIN, self._api.rest))

    def _refresh_in(self, seconds: float) -> None:
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._due)

    def _due(self) -> None:
        self._timer = None
        self.refresh()

    async def _refresh(self) -> None:
        from fluxboard.client.calls import RETRY_AFTER_MAX, ApiError, ApiUnreachable

        while self._unsent:
            send = self._unsent[0]
            try:
                await send()
            except ApiUnreachable:
                return
            except ApiError as error:
                if error.passing or error.signed_out:
                    if error.retry_after is not None:
                        self._refresh_in(min(error.retry_after, RETRY_AFTER_MAX))
                    return
                self._emit(Trouble(f"This was not kept on the server: {error}"))
            self._unsent.remove(send)
        heard = self._heard
        try:
            answer = await self._api.inbox()
            preferences = await self._api.preferences()
        except (ApiError, ApiUnreachable):
            if self._api.rest:
                self.refresh_soon()
            return  # a Core server has neither; any other is asked again with the next reason
        if self._unsent or heard != self._heard:
            self.refresh_soon()  # the answer may be older than what was heard or done meanwhile
            return
        self.known, self._asked_at = True, time.monotonic()
        self._take(answer.items, answer.unread)
        self.muted = frozenset(answer.muted)
        self._prefer(preferences)

    def hear(self, event: str, data: Any) -> None:
        """One of :data:`EVENTS`. Raises msgspec.ValidationError."""
        self._heard += 1
        if event == PREFERENCES_UPDATED:
            if not self._unsent:
                self._prefer(convert(data, PreferencesAnswer).preferences)
            return
        notice = convert(data, InboxNotice)
        known = {item.id for item in self.items}
        new = tuple(item for item in notice.items if item.id not in known)
        self._take((*new[::-1], *self.items), notice.unread, new)
        if not new and not self._unsent:
            self.refresh_soon()  # another terminal of mine marked something

    def _take(self, items: tuple[InboxItem, ...], unread: int, new: tuple[InboxItem, ...] = ()) -> None:
        if (items, unread) != (self.items, self.unread):
            self.items, self.unread = items, unread
            self._emit(InboxChanged(unread, new))

    def _prefer(self, preferences: Preferences) -> None:
        if preferences != self.preferences:
            self.preferences = preferences
            self._emit(PreferencesChanged(preferences))

    # -- what I do

    def mark(self, ids: Iterable[str], *, done: bool = True) -> None:
        """Marks items as done, or not done again."""
        wanted = set(ids)
        changed = {item.id for item in self.items if item.id in wanted and item.done != done}
        if done:
            wanted = changed
        if not wanted:
            return
        items = tuple(replace(item, done=done) if item.id in changed else item for item in self.items)
        self._take(items, max(0, self.unread + (-len(changed) if done else len(changed))))
        body = InboxDone(ids=tuple(sorted(wanted)), done=done)
        self._send(lambda: self._api.mark_inbox(body))

    def read_task(self, task_id: str) -> None:
        """I have read what was written on a task."""
        self.mark(item.id for item in self.items if item.task_id == task_id and item.kind != "due")

    def mute(self, project_id: str, task_id: str, *, muted: bool) -> None:
        """Has a task make no items, or make them again."""
        self.muted = self.muted | {task_id} if muted else self.muted - {task_id}
        if muted:
            items = tuple(
                replace(item, done=True) if item.task_id == task_id else item for item in self.items
            )
            gone = sum(before.done != after.done for before, after in zip(self.items, items, strict=True))
            self._take(items, max(0, self.unread - gone))
        self._send(lambda: self._api.mute(project_id, task_id, muted=muted))

    def prefer(self, preferences: Preferences) -> None:
        """Wants to hear of things in another way."""
        self._prefer(preferences)
        self._send(lambda: self._api.set_preferences(preferences))

    async def close(self) -> None:
        """Ends the work; what waits gets a last chance to be sent, of a second."""
        if self._timer is not None:
            self._timer.cancel()
        if self._unsent:
            self.refresh()
        self._closed = True
        if self._busy is not None:
            await asyncio.wait([self._busy], timeout=1 if self._unsent else 0)
            self._busy.cancel()

    def _send(self, send: Callable[[], Awaitable[object]]) -> None:
        self._unsent.append(send)
        if self._busy is None or self._busy.done():
            self.refresh()
