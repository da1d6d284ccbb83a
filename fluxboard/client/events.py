"""What a live board tells whoever shows it.

A :class:`~fluxboard.client.board.Board` calls its subscribers with these, on the event loop, in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fluxboard.model.notify import InboxItem, Preferences
from fluxboard.model.types import Activity, OnlineUser, Project, Task

ConnectionWord = Literal["connecting", "live", "polling", "offline"]


@dataclass(frozen=True, slots=True)
class Changed:
    """What is shown changed: these tasks appeared, changed, moved or went (an empty set: all of them)."""

    task_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Remote:
    """Somebody else's committed change; ``task`` is None where its content is unknown.

    ``kind`` is ``completed`` for the update that moved the task into the last column.
    """

    kind: Literal["created", "updated", "completed", "deleted"]
    user_id: str
    user_name: str
    task_id: str
    title: str
    task: Task | None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commented:
    """The comments of a task changed."""

    task_id: str


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is in the project now."""

    users: tuple[OnlineUser, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """Others look at, or write into, other tasks than before; these are the tasks where that shows."""

    task_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """My last edit got this revision, and so many of the others have it on their screens."""

    rev: int
    seen: int


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection's word, how many own edits the server has not confirmed yet, and how many it refused."""

    word: ConnectionWord
    queued: int
    refused: int = 0


@dataclass(frozen=True, slots=True)
class ProjectChanged:
    """The project's own fields, columns or members changed."""

    project: Project


@dataclass(frozen=True, slots=True)
class Refused:
    """An own edit that the server did not take; it is no longer shown. ``reason`` is fit to be read."""

    task_id: str
    title: str
    action: Literal["create", "update", "delete", "comment"]
    reason: str
    status: int


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """How many of the changes that were missed are in; sent only while that takes long, and at its end."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something on this computer failed, such as a full disk. The text is fit to be read."""

    message: str


@dataclass(frozen=True, slots=True)
class News:
    """A new line of the activity feed."""

    activity: Activity


@dataclass(frozen=True, slots=True)
class InboxChanged:
    """My inbox changed: so much is not done, and these items have just come."""

    unread: int
    new: tuple[InboxItem, ...] = ()


@dataclass(frozen=True, slots=True)
class PreferencesChanged:
    """I want to hear of things in another way, said here or in another terminal."""

    preferences: Preferences


@dataclass(frozen=True, slots=True)
class AccessLost:
    """This user is no longer a member, or the project is gone. The board is closed."""

    reason: str


@dataclass(frozen=True, slots=True)
class SignInNeeded:
    """The token is no longer valid. What is unsent is kept until the next sign-in."""

    reason: str


BoardEvent = (
    Changed
    | Remote
    | Commented
    | Presence
    | Moved
    | Delivery
    | Connection
    | ProjectChanged
    | Refused
    | CatchingUp
    | Trouble
    | News
    | InboxChanged
    | PreferencesChanged
    | AccessLost
    | SignInNeeded
)
