"""The objects of the wire contract as frozen structs.

JSON keys are camelCase, times are ISO 8601 UTC strings ending in ``Z`` (they sort as text), ids are UUID
strings. Fields that a Core server does not send carry defaults.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from functools import lru_cache
from math import floor
from typing import Final, Literal

import uuid6
from msgspec import UNSET, Struct, UnsetType

Role = Literal["owner", "admin", "member", "viewer"]
ROLES: Final[tuple[Role, ...]] = ("owner", "admin", "member", "viewer")
Priority = Literal["low", "medium", "high", "critical"]
PRIORITIES: Final[tuple[Priority, ...]] = ("low", "medium", "high", "critical")
WipPolicy = Literal["warn", "block"]
#: What a column may be marked with; each theme has its own shade of it.
COLORS: Final = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "grey")
UserType = Literal["client", "designer", "admin"]
USER_TYPES: Final[tuple[UserType, ...]] = ("client", "designer", "admin")
ProjectStatus = Literal["planning", "active", "on_hold", "in_progress", "review", "completed", "cancelled"]

TITLE_MAX: Final = 500
DESCRIPTION_MAX: Final = 5000
PROJECT_NAME_MAX: Final = 200
PROJECT_DESCRIPTION_MAX: Final = 2000
COMMENT_MAX: Final = 2000
PERSON_NAME_MAX: Final = 100
EMAIL_MAX: Final = 254
PASSWORD_MIN: Final = 8
PASSWORD_MAX: Final = 1024
LABEL_MAX: Final = 50
LABELS_MAX: Final = 50
CHECKLIST_MAX: Final = 200
BATCH_MAX: Final = 1000

COMPLETED: Final = "completed"


class Column(Struct, frozen=True, kw_only=True, rename="camel"):
    """One column of a board; a task's ``status`` is the id of its column.

    ``wip_policy`` says whether ``wip_limit`` warns or blocks; ``color`` is one of :data:`COLORS`.
    """

    id: str
    name: str
    wip_limit: int | None = None
    wip_policy: WipPolicy = "warn"
    color: str | None = None


DEFAULT_COLUMNS: Final[tuple[Column, ...]] = (
    Column(id="todo", name="To Do"),
    Column(id="in_progress", name="In Progress"),
    Column(id="review", name="Review"),
    Column(id=COMPLETED, name="Completed"),
)


class ChecklistItem(Struct, frozen=True, kw_only=True, rename="camel"):
    """One line of a task's checklist."""

    id: str
    text: str
    done: bool = False


class Task(Struct, frozen=True, kw_only=True, rename="camel"):
    """A card. ``rev`` is the project revision of its last change, ``field_revs`` that of each field's.

    An ``archived`` one is finished business: it stays in the list and leaves the board.
    """

    id: str
    title: str
    description: str = ""
    status: str = "todo"
    priority: str = "medium"
    assigned_to: str | None = None
    due_date: str | None = None
    created_by: str = ""
    created_at: str = ""
    updated_at: str = ""
    completed_at: str | None = None
    position: str = ""
    labels: tuple[str, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    archived: bool = False
    comment_count: int = 0
    rev: int = 0
    field_revs: dict[str, int] = {}


class TaskPatch(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The changed fields of a task; what is UNSET stays as it is.

    ``after_id`` / ``before_id`` place the task behind / before a neighbour of the column it goes to; the
    server computes ``position`` from them. With ``if_unchanged`` nothing is done where it would overwrite
    what somebody else put after the revision that the patch was made from.
    """

    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    priority: str | UnsetType = UNSET
    assigned_to: str | UnsetType | None = UNSET
    due_date: str | UnsetType | None = UNSET
    labels: tuple[str, ...] | UnsetType = UNSET
    checklist: tuple[ChecklistItem, ...] | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    position: str | UnsetType = UNSET
    after_id: str | UnsetType | None = UNSET
    before_id: str | UnsetType | None = UNSET
    if_unchanged: bool = False


#: The fields of a task that people change; the names used in ``fields`` and ``fieldRevs`` on the wire.
TASK_FIELDS: Final[dict[str, str]] = {
    "title": "title",
    "description": "description",
    "status": "status",
    "priority": "priority",
    "assigned_to": "assignedTo",
    "due_date": "dueDate",
    "labels": "labels",
    "checklist": "checklist",
    "archived": "archived",
    "position": "position",
}


class Member(Struct, frozen=True, kw_only=True, rename="camel"):
    """A person's place in a project. ``name`` and what follows come with Plus only.

    ``last_seen_at`` is when they last left the board; "" for never, and for who stays invisible.
    """

    user_id: str
    role: Role = "member"
    joined_at: str = ""
    name: str = ""
    email: str = ""
    last_seen_at: str = ""


class Project(Struct, frozen=True, kw_only=True, rename="camel"):
    """A board. ``progress`` is round(100 x completed / all); ``rev`` is its newest revision."""

    id: str
    name: str
    description: str = ""
    status: str = "active"
    priority: str = "medium"
    start_date: str | None = None
    due_date: str | None = None
    progress: int = 0
    created_by: str = ""
    created_at: str = ""
    updated_at: str = ""
    members: tuple[Member, ...] = ()
    columns: tuple[Column, ...] = DEFAULT_COLUMNS
    rev: int = 0
    archived: bool = False


class ProjectPatch(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The changed fields of a project; what is UNSET stays as it is."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    priority: str | UnsetType = UNSET
    start_date: str | UnsetType | None = UNSET
    due_date: str | UnsetType | None = UNSET
    columns: tuple[Column, ...] | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


class User(Struct, frozen=True, kw_only=True, rename="camel"):
    """An account, never with its password hash."""

    id: str
    email: str
    name: str
    user_type: str = "client"
    created_at: str = ""


class Author(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who wrote a comment."""

    id: str
    name: str
    email: str = ""


class Comment(Struct, frozen=True, kw_only=True, rename="camel"):
    """A comment on a task; ``content`` is Markdown."""

    id: str
    task_id: str
    project_id: str
    content: str
    mentions: tuple[str, ...] = ()
    created_by: str = ""
    created_at: str = ""
    updated_at: str = ""
    author: Author | None = None


class ActivityMetadata(Struct, frozen=True, kw_only=True, rename="camel"):
    """The field that an activity is about, with its values as text."""

    field: str | None = None
    old_value: str | None = None
    new_value: str | None = None


class Activity(Struct, frozen=True, kw_only=True, rename="camel"):
    """One line of a project's activity feed."""

    id: str
    project_id: str
    type: str
    user_id: str
    user_name: str = ""
    user_email: str = ""
    entity_type: str = "task"
    entity_id: str = ""
    entity_title: str = ""
    action: str = ""
    metadata: ActivityMetadata = ActivityMetadata()
    timestamp: str = ""


class OnlineUser(Struct, frozen=True, kw_only=True, rename="camel"):
    """A person in a project's room, listed once however many ``terminals`` they use.

    ``idle`` when they touched none of them for a while; ``task_id`` is what they look at.
    """

    id: str
    name: str = ""
    joined_at: str = ""
    color: str | None = None
    idle: bool = False
    task_id: str | None = None
    terminals: int = 1


def new_id() -> str:
    """A fresh UUIDv7 string: unique without asking anyone, and sorting by the time it was made."""
    return str(uuid6.uuid7())


def timestamp(moment: datetime | None = None) -> str:
    """``moment`` (default: now) as the wire's ISO 8601 UTC text with milliseconds and ``Z``."""
    if moment is None:
        seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    else:
        seconds, milliseconds = floor(moment.timestamp()), moment.microsecond // 1000
    return f"{_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[: -len("+00:00")]


def day_of(text: str | None) -> date | None:
    """The calendar day of a wire date or time; None for None and for what is not one."""
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def progress_of(completed: int, total: int) -> int:
    """Share of completed tasks in whole percent, halves rounded up as JavaScript's Math.round does."""
    return int(100 * completed / total + 0.5) if total else 0
