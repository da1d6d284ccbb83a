"""What travels: REST bodies and answers, and with :mod:`fluxboard.model.events` what the socket says.

What `docs/protocol.md` calls Plus is defaulted, so that one decoder reads both layers.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from fluxboard.model.events import *  # noqa: F403 (one door for all that travels)
from fluxboard.model.types import (
    Activity,
    ChecklistItem,
    Comment,
    Member,
    Project,
    Role,
    Task,
    TaskPatch,
    User,
)

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
SOCKET_ID: Final = "X-Socket-ID"
PROJECT_REV: Final = "X-Project-Rev"


class _Wire(Struct, frozen=True, kw_only=True, rename="camel"):
    pass


# -- authentication


class SignupBody(_Wire, frozen=True, kw_only=True):
    email: str
    password: str
    name: str
    user_type: str = "client"
    refresh: bool = False


class LoginBody(_Wire, frozen=True, kw_only=True):
    email: str
    password: str
    refresh: bool = False


class RefreshBody(_Wire, frozen=True, kw_only=True):
    refresh_token: str


class AuthAnswer(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    """A token; ``refresh_token`` and ``expires_at`` only when a refresh session was asked for."""

    token: str
    user: User
    refresh_token: str | None = None
    expires_at: str | None = None


class Message(_Wire, frozen=True, kw_only=True):
    message: str


class ErrorAnswer(_Wire, frozen=True, kw_only=True):
    """Every error body: ``error`` and ``message`` say the same, ``field`` names the bad input.

    ``request_id`` is what the server's log calls the request.
    """

    error: str
    message: str
    success: bool = False
    field: str | None = None
    request_id: str | None = None


class FieldConflict(_Wire, frozen=True, kw_only=True):
    """One text that two people changed: what it was, what the request says, and what somebody made of it."""

    base: str
    mine: str
    theirs: str
    user_name: str = ""
    timestamp: str = ""


class Conflict(_Wire, frozen=True, kw_only=True):
    """Why nothing of a change was applied: the fields in conflict, and the task as it is."""

    fields: dict[str, FieldConflict]
    task: Task


class ConflictAnswer(ErrorAnswer, frozen=True, kw_only=True, rename="camel"):
    """409 for a change that would overwrite what somebody else wrote."""

    conflict: Conflict


class TaskGoneAnswer(ErrorAnswer, frozen=True, kw_only=True, rename="camel"):
    """410 for a deleted task: what is left of it, who deleted it and when."""

    task: Task
    deleted_by: str
    at: str


# -- projects


class ProjectCreate(_Wire, frozen=True, kw_only=True):
    name: str
    description: str = ""
    status: str = "active"
    priority: str = "medium"
    start_date: str | None = None
    due_date: str | None = None


class ProjectsAnswer(_Wire, frozen=True, kw_only=True):
    projects: tuple[Project, ...]
    success: bool = True


class ProjectWithTasks(Project, frozen=True, kw_only=True, rename="camel"):
    tasks: tuple[Task, ...] = ()


class ProjectAnswer(_Wire, frozen=True, kw_only=True):
    project: Project
    success: bool = True
    message: str = ""


class ProjectDetailAnswer(_Wire, frozen=True, kw_only=True):
    project: ProjectWithTasks
    success: bool = True


# -- tasks


class TaskCreate(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    """POST body; ``id`` (a UUID made by the client) and the fields below it are Plus."""

    title: str
    description: str = ""
    status: str = "todo"
    priority: str = "medium"
    assigned_to: str | None = None
    due_date: str | None = None
    id: str | None = None
    labels: tuple[str, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    after_id: str | None = None
    before_id: str | None = None


class TaskUpdate(TaskPatch, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """PUT body: the patch, and the revision that it was made from."""

    base_rev: int | None = None


class TaskAnswer(_Wire, frozen=True, kw_only=True):
    task: Task
    success: bool = True
    message: str = ""
    rev: int = 0


class TasksAnswer(_Wire, frozen=True, kw_only=True):
    """The task list. ``rev`` is what tells a Plus server from one that knows only Core."""

    tasks: tuple[Task, ...]
    success: bool = True
    rev: int | None = None


class DoneAnswer(_Wire, frozen=True, kw_only=True):
    message: str
    success: bool = True
    rev: int = 0


class BatchOp(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    """``create`` reads ``task``, ``update`` reads ``task_id``, ``patch`` and ``base_rev``, ``delete`` reads
    ``task_id`` and ``base_rev``, ``restore`` reads ``task_id``. ``op_id`` is an Idempotency-Key of its own.
    """

    op: Literal["create", "update", "delete", "restore"]
    op_id: str | None = None
    task_id: str | None = None
    base_rev: int | None = None
    task: TaskCreate | None = None
    patch: TaskPatch | None = None


class BatchBody(_Wire, frozen=True, kw_only=True):
    ops: tuple[BatchOp, ...]
    atomic: bool = False


class BatchResult(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one operation, in the order of the request; ``rev`` is that of a deletion."""

    success: bool
    status: int = 200
    task: Task | None = None
    task_id: str | None = None
    error: str | None = None
    field: str | None = None
    conflict: Conflict | None = None
    rev: int = 0


class BatchAnswer(_Wire, frozen=True, kw_only=True):
    results: tuple[BatchResult, ...]
    success: bool = True
    rev: int = 0


class FieldChange(_Wire, frozen=True, kw_only=True):
    """One field before and after, as text; None is nothing."""

    field: str
    old: str | None = None
    new: str | None = None


class HistoryEntry(_Wire, frozen=True, kw_only=True):
    """One change of a task: who did it, when, and to what."""

    rev: int
    type: str
    user_id: str
    user_name: str
    timestamp: str
    changes: tuple[FieldChange, ...] = ()


class HistoryAnswer(_Wire, frozen=True, kw_only=True):
    """A task's history, newest first."""

    history: tuple[HistoryEntry, ...]
    success: bool = True


# -- membership


class MembersAnswer(_Wire, frozen=True, kw_only=True):
    members: tuple[Member, ...]
    success: bool = True


class MemberAnswer(_Wire, frozen=True, kw_only=True):
    member: Member
    success: bool = True


class MemberAdd(_Wire, frozen=True, kw_only=True):
    email: str | None = None
    user_id: str | None = None
    role: Role = "member"


class MemberRole(_Wire, frozen=True, kw_only=True):
    role: Role


class InviteCreate(_Wire, frozen=True, kw_only=True):
    """``expires_in`` is in seconds."""

    role: Role = "member"
    expires_in: int = 7 * 24 * 3600
    max_uses: int = 1


class InviteAnswer(_Wire, frozen=True, kw_only=True):
    code: str
    url: str
    success: bool = True


# -- comments and activities


class CommentBody(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    """``id`` is made by the client (Plus)."""

    content: str
    id: str | None = None


class CommentAnswer(_Wire, frozen=True, kw_only=True):
    """``task`` is the comment's task with its new count (Plus)."""

    comment: Comment
    success: bool = True
    message: str = ""
    task: Task | None = None
    rev: int = 0


class CommentGoneAnswer(DoneAnswer, frozen=True, kw_only=True, rename="camel"):
    """As :class:`DoneAnswer`, with the task and its new count (Plus)."""

    task: Task | None = None


class CommentsAnswer(_Wire, frozen=True, kw_only=True):
    comments: tuple[Comment, ...]
    success: bool = True


class ActivitiesAnswer(_Wire, frozen=True, kw_only=True):
    activities: tuple[Activity, ...]
    total: int
    has_more: bool
    success: bool = True


# -- revisions


class Change(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    """One row of a project's change log, as an event and as an entry of ``changes``.

    ``type`` is the event's name. ``fields`` are the wire names of the changed fields. A plain Core event
    has no ``rev``.
    """

    type: str
    project_id: str = ""
    rev: int | None = None
    task: Task | None = None
    task_id: str | None = None
    task_title: str | None = None
    comment: Comment | None = None
    comment_id: str | None = None
    project: Project | None = None
    fields: tuple[str, ...] = ()
    user_id: str = ""
    user_name: str = ""
    timestamp: str = ""
    op_id: str | None = None


class ChangesAnswer(_Wire, frozen=True, kw_only=True):
    changes: tuple[Change, ...]
    rev: int
    has_more: bool = False
    success: bool = True
