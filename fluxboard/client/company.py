"""The others: who is in the project, where they look, what they are writing; and what they are told of me.

All of this is volatile: it is dropped rather than late, never stored, and never asked for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from fluxboard.client.events import BoardEvent, Delivery, Moved, Presence
from fluxboard.client.hygiene import convert
from fluxboard.model.types import OnlineUser, User
from fluxboard.model.wire import (
    CURSOR_UPDATE,
    PRESENCE_STATE,
    PRESENCE_UPDATE,
    TYPING_UPDATE,
    CursorUpdate,
    PresenceNotice,
    PresenceState,
    TypingUpdate,
)

#: Seconds between two cursors that are sent, between two renewals of typing, and two reports of a revision.
CURSOR_GAP: Final = 0.15
TYPING_GAP: Final = 2.0
REPORT_GAP: Final = 1.0
#: Who has not touched a key for so long no longer types, and what was not renewed for so long is over.
TYPING_PAUSE: Final = 4.0
TYPING_LIFE: Final = 5.0
#: What others do within this time is told once.
GATHER: Final = 0.04

EVENTS: Final = frozenset({PRESENCE_UPDATE, CURSOR_UPDATE, TYPING_UPDATE})


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who is writing into a field of a task right now."""

    user_id: str
    name: str
    task_id: str
    field: str


class Company:
    """``send`` emits on the socket, ``emit`` tells the subscribers, ``rev`` is how far this board is."""

    def __init__(
        self,
        project_id: str,
        user: User,
        *,
        send: Callable[[str, dict[str, Any]], Awaitable[None]],
        emit: Callable[[BoardEvent], None],
        rev: Callable[[], int],
    ) -> None:
        self._project_id = project_id
        self._me = OnlineUser(id=user.id, name=user.name)
        self._send = send
        self._emit = emit
        self._rev = rev
        self._listed: dict[str, OnlineUser] = {}
        self.online: tuple[OnlineUser, ...] = (self._me,)
        self._revs: dict[str, int] = {}
        self._writers: dict[Writer, float] = {}
        self._moved: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._sending: set[asyncio.Future[None]] = set()
        self._plus = False
        self._place: tuple[str | None, str | None] = (None, None)
        self._told: CursorUpdate | None = None
        self._told_at = 0.0
        self._typing: tuple[str, str] | None = None
        self._typing_told_at = 0.0
        self._state = PresenceState(project_id=project_id)
        self._mine: int | None = None
        self._delivery = Delivery(0, 0)

    # -- what is known of the others

    def writers(self, task_id: str) -> tuple[Writer, ...]:
        """Who is writing into a task."""
        return tuple(writer for writer in self._writers if writer.task_id == task_id)

    @property
    def delivery(self) -> Delivery:
        """How many of the others have my last edit on their screens."""
        return self._delivery

    def hear(self, event: str, data: Any, *, escaped: bool = False) -> None:
        """One of :data:`EVENTS`. Raises msgspec.ValidationError."""
        if event == PRESENCE_UPDATE:
            notice = convert(data, PresenceNotice, escaped=escaped)
            if notice.project_id == self._project_id:
                self._seat(notice.users)
        elif event == CURSOR_UPDATE:
            self._cursor_moved(convert(data, CursorUpdate))
        else:
            self._typed(convert(data, TypingUpdate))

    def alone(self) -> None:
        """Without a socket nobody is known to be here but oneself."""
        self._revs.clear()
        self._seat(())

    def _seat(self, users: tuple[OnlineUser, ...]) -> None:
        # A Core server lists a person once for each of their sockets.
        listed = {user.id: user for user in users}
        mine = listed.pop(self._me.id, self._me)
        before = {user.id: user for user in self.online}
        # The list is older than the cursors that were heard; it tells only of who is new.
        listed = {
            user_id: replace(user, task_id=before[user_id].task_id) if user_id in before else user
            for user_id, user in listed.items()
        }
        self._listed = listed
        gone = before.keys() - listed.keys()
        for writer in [writer for writer in self._writers if writer.user_id in gone]:
            self._hush(writer)
        self._revs = {user_id: rev for user_id, rev in self._revs.items() if user_id in listed}
        online = (mine, *listed.values())
        if online != self.online:
            self.online = online
            self._emit(Presence(online))
            self._tell_delivery()

    def _cursor_moved(self, cursor: CursorUpdate) -> None:
        user = self._listed.get(cursor.user_id)
        if cursor.project_id != self._project_id or user is None:
            return
        if cursor.rev is not None and cursor.rev > self._revs.get(user.id, 0):
            self._revs[user.id] = cursor.rev
            self._tell_delivery()
        if user.task_id != cursor.task_id:
            self._moved |= {task_id for task_id in (user.task_id, cursor.task_id) if task_id is not None}
            self._listed[user.id] = replace(user, task_id=cursor.task_id)
            self._tell_moved()

    def _typed(self, typed: TypingUpdate) -> None:
        if typed.project_id != self._project_id or typed.user_id not in self._listed:
            return
        name = self._listed[typed.user_id].name or typed.user_name
        writer = Writer(typed.user_id, name, typed.task_id, typed.field)
        if not typed.typing:
            self._hush(writer)
            return
        if writer not in self._writers:
            self._moved.add(writer.task_id)
            self._tell_moved()
        self._writers[writer] = asyncio.get_running_loop().time() + TYPING_LIFE
        self._later("hush", TYPING_LIFE, self._hush_the_silent)

    def _hush(self, writer: Writer) -> None:
        if self._writers.pop(writer, None) is not None:
            self._moved.add(writer.task_id)
            self._tell_moved()

    def _hush_the_silent(self) -> None:
        now = asyncio.get_running_loop().time()
        for writer in [writer for writer, until in self._writers.items() if until <= now + GATHER]:
            self._hush(writer)
        if self._writers:
            self._later("hush", min(self._writers.values()) - now, self._hush_the_silent)

    def _tell_moved(self) -> None:
        self._later("moved", GATHER, self._flush_moved)

    def _flush_moved(self) -> None:
        self.online = (self.online[0], *self._listed.values())
        moved, self._moved = frozenset(self._moved), set()
        self._emit(Moved(moved))

    # -- what the others are told

    def joined(self, *, plus: bool) -> None:
        """The socket is in the room; only a server that speaks Plus passes on what follows."""
        self._plus = plus
        self._told = None
        if self._state.idle or self._state.invisible:
            self._say(PRESENCE_STATE, self._state)
        self._tell_cursor()

    def look_at(self, task_id: str | None, column: str | None) -> None:
        """My cursor is on a task, or on none."""
        if self._place != (task_id, column):
            self._place = (task_id, column)
            self._tell_cursor_soon(CURSOR_GAP)

    def caught_up(self) -> None:
        """The board shows a newer revision; those who wrote it are told."""
        if len(self.online) > 1 and self._told is not None and self._told.rev != self._rev():
            self._tell_cursor_soon(REPORT_GAP)

    def typing(self, task_id: str, field: str) -> None:
        """I am writing into a field of a task; said again now and then, and over after a pause."""
        now = asyncio.get_running_loop().time()
        if self._typing not in (None, (task_id, field)):
            self.stop_typing()
        if self._typing is None or now - self._typing_told_at >= TYPING_GAP:
            self._typing, self._typing_told_at = (task_id, field), now
            self._tell_typing(task_id, field, typing=True)
        self._later("typing", TYPING_PAUSE, self.stop_typing, again=True)

    def stop_typing(self) -> None:
        """I am no longer writing."""
        typing, self._typing = self._typing, None
        if typing is not None:
            self._tell_typing(*typing, typing=False)

    def be(self, *, idle: bool | None = None, invisible: bool | None = None) -> None:
        """Whether anybody is at these keys, and whether I am listed; None leaves it."""
        state = self._state
        state = state if idle is None else replace(state, idle=idle)
        state = state if invisible is None else replace(state, invisible=invisible)
        if state != self._state:
            self._state, self._told = state, None
            self._say(PRESENCE_STATE, state)
            self._tell_cursor_soon(CURSOR_GAP)

    @property
    def invisible(self) -> bool:
        """Whether I am not listed."""
        return self._state.invisible

    def mine_is_in(self, rev: int) -> None:
        """The server has all that I did, up to this revision; from now on it is counted who sees it."""
        self._mine = rev
        self._tell_delivery()

    def close(self) -> None:
        """Nothing is told any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _tell_delivery(self) -> None:
        if self._mine is None:
            return
        mine = self._mine
        seen = sum(rev >= mine for rev in self._revs.values())
        delivery = Delivery(mine, seen)
        if delivery != self._delivery:
            self._delivery = delivery
            self._emit(delivery)

    def _tell_cursor_soon(self, gap: float) -> None:
        now = asyncio.get_running_loop().time()
        self._later("cursor", max(0.0, self._told_at + gap - now), self._tell_cursor)

    def _tell_cursor(self) -> None:
        task_id, column = self._place
        cursor = CursorUpdate(
            project_id=self._project_id,
            task_id=task_id,
            column=msgspec.UNSET if column is None else column,
            rev=self._rev(),
        )
        if cursor != self._told and not self._state.invisible:
            self._told, self._told_at = cursor, asyncio.get_running_loop().time()
            self._say(CURSOR_UPDATE, cursor)

    def _tell_typing(self, task_id: str, field: str, *, typing: bool) -> None:
        if not self._state.invisible:
            told = TypingUpdate(project_id=self._project_id, task_id=task_id, field=field, typing=typing)
            self._say(TYPING_UPDATE, told)

    def _say(self, event: str, payload: msgspec.Struct) -> None:
        if not self._plus:
            return
        task = asyncio.ensure_future(self._send(event, msgspec.to_builtins(payload)))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def _later(self, name: str, wait: float, work: Callable[[], None], *, again: bool = False) -> None:
        """Does something in a while, once however often it is asked for; ``again`` starts the wait anew."""
        timer = self._timers.get(name)
        if timer is not None and not again:
            return
        if timer is not None:
            timer.cancel()

        def due() -> None:
            self._timers.pop(name, None)
            work()

        self._timers[name] = asyncio.get_running_loop().call_later(wait, due)
