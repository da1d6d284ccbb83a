"""What the socket says: the names of its events, and their payloads."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET, Struct, UnsetType

from fluxboard.model.types import Comment, OnlineUser, Task

JOIN_PROJECT: Final = "join:project"
LEAVE_PROJECT: Final = "leave:project"
TASK_CREATED: Final = "task:created"
TASK_UPDATED: Final = "task:updated"
TASK_DELETED: Final = "task:deleted"
PRESENCE_UPDATE: Final = "presence:update"
ACTIVITY_NEW: Final = "activity:new"
COMMENT_CREATED: Final = "comment:created"
COMMENT_UPDATED: Final = "comment:updated"
COMMENT_DELETED: Final = "comment:deleted"
PROJECT_UPDATED: Final = "project:updated"
PROJECT_DELETED: Final = "project:deleted"
PROJECT_REMOVED: Final = "project:removed"
MEMBERS_UPDATED: Final = "members:updated"
SYNC_HEAD: Final = "sync:head"
SYNC_NEEDED: Final = "sync:needed"
AUTH_EXPIRING: Final = "auth:expiring"
AUTH_EXPIRED: Final = "auth:expired"
AUTH_REFRESH: Final = "auth:refresh"
SERVER_DRAINING: Final = "server:draining"
CURSOR_UPDATE: Final = "cursor:update"
TYPING_UPDATE: Final = "typing:update"
PRESENCE_STATE: Final = "presence:state"
INBOX_UPDATED: Final = "inbox:updated"
PREFERENCES_UPDATED: Final = "preferences:updated"
ERROR: Final = "error"

TASK_EVENTS: Final = (TASK_CREATED, TASK_UPDATED, TASK_DELETED)


class _Payload(Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class JoinProject(_Payload, frozen=True, kw_only=True):
    project_id: str
    user_id: str = ""
    user_name: str = ""


class CommentNotice(Comment, frozen=True, kw_only=True, rename="camel"):
    """``comment:created`` and ``comment:updated``: the comment itself, and what Plus adds."""

    rev: int | None = None
    task: Task | None = None
    user_id: str = ""
    user_name: str = ""
    timestamp: str = ""
    op_id: str | None = None


class PresenceNotice(_Payload, frozen=True, kw_only=True):
    project_id: str
    users: tuple[OnlineUser, ...]


class Head(_Payload, frozen=True, kw_only=True):
    """``sync:head`` and ``sync:needed``."""

    project_id: str
    rev: int


class CursorUpdate(_Payload, frozen=True, kw_only=True):
    """Where somebody's cursor is, and up to which revision their board shows what others did."""

    project_id: str
    task_id: str | None = None
    column: str | UnsetType | None = UNSET
    rev: int | None = None
    user_id: str = ""
    user_name: str = ""


class TypingUpdate(_Payload, frozen=True, kw_only=True):
    """Somebody began or ended to write into a field of a task (``comment`` for its conversation)."""

    project_id: str
    task_id: str
    field: str
    typing: bool
    user_id: str = ""
    user_name: str = ""


class PresenceState(_Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What a terminal says of its person: nobody at the keys, or not to be listed."""

    project_id: str
    idle: bool = False
    invisible: bool = False
