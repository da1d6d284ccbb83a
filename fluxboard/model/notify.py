"""What a person is told of: their inbox, and which news they want, where and when."""

from __future__ import annotations

from datetime import datetime, time
from typing import Final, Literal

from msgspec import Struct

NewsKind = Literal["created", "updated", "completed", "deleted", "commented", "assigned", "mentioned"]
NEWS_KINDS: Final[tuple[NewsKind, ...]] = (
    "created",
    "updated",
    "completed",
    "deleted",
    "commented",
    "assigned",
    "mentioned",
)
Level = Literal["all", "mine", "none"]
LEVELS: Final[tuple[Level, ...]] = ("all", "mine", "none")
InboxKind = Literal["mention", "assigned", "comment", "due"]
#: So many days before its due date a task of mine comes into the inbox.
DUE_SOON_DAYS: Final = 2


class ProjectPreferences(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Which news of a project are told: of all tasks, of mine (assigned to me or made by me), or none."""

    created: Level = "all"
    updated: Level = "all"
    completed: Level = "all"
    deleted: Level = "all"
    commented: Level = "all"
    assigned: Level = "mine"
    mentioned: Level = "mine"
    muted_until: str | None = None

    def level(self, kind: NewsKind) -> Level:
        """The level of one kind of news."""
        found: Level = getattr(self, kind)
        return found


class Preferences(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How a person wants to hear of things; ``quiet_from`` and ``quiet_to`` are "HH:MM" on their clock.

    ``invisible`` hides them from the list of who is online.
    """

    dnd: bool = False
    quiet_from: str | None = None
    quiet_to: str | None = None
    toasts: bool = True
    bell: bool = False
    desktop: bool = False
    invisible: bool = False
    projects: dict[str, ProjectPreferences] = {}

    def of(self, project_id: str) -> ProjectPreferences:
        """What is wanted of one project."""
        return self.projects.get(project_id, ProjectPreferences())

    def silent(self, project_id: str, now: datetime) -> bool:
        """Whether nothing is told now: do not disturb, quiet hours, or a project that is muted for a while.

        ``now`` carries the zone of the person's clock.
        """
        until = _moment(self.of(project_id).muted_until)
        return self.dnd or self._quiet(now.time()) or (until is not None and now < until)

    def wants(self, project_id: str, kind: NewsKind, *, mine: bool) -> bool:
        """Whether news of a kind are told; ``mine`` when they are about a task of mine."""
        level = self.of(project_id).level(kind)
        return level == "all" or (level == "mine" and mine)

    def _quiet(self, now: time) -> bool:
        start, end = clock_time(self.quiet_from), clock_time(self.quiet_to)
        if start is None or end is None or start == end:
            return False
        return start <= now < end if start < end else now >= start or now < end


class InboxItem(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One thing that concerns a person: who did what to which task, and when."""

    id: str
    kind: InboxKind
    project_id: str
    task_id: str
    at: str
    project_name: str = ""
    task_title: str = ""
    user_id: str = ""
    user_name: str = ""
    text: str = ""
    comment_id: str | None = None
    done: bool = False


class InboxAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """The inbox, newest first. ``unread`` counts all that is not done; ``muted`` tasks add nothing to it."""

    items: tuple[InboxItem, ...]
    unread: int
    muted: tuple[str, ...] = ()
    success: bool = True


class InboxDone(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Which items are done, or not: some, those of a task, or all."""

    ids: tuple[str, ...] = ()
    task_id: str | None = None
    all: bool = False
    done: bool = True


class Mute(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether a task is quiet: what happens on it makes no inbox items."""

    muted: bool


class InboxNotice(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """``inbox:updated``: how much is not done, and what is new."""

    unread: int
    items: tuple[InboxItem, ...] = ()


class PreferencesAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """The preferences of the caller; also the payload of ``preferences:updated``."""

    preferences: Preferences
    success: bool = True


def clock_time(text: str | None) -> time | None:
    """ "HH:MM" as a time of day; None for None and for what is none."""
    try:
        return time.fromisoformat(text) if text and len(text) == 5 else None
    except ValueError:
        return None


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
