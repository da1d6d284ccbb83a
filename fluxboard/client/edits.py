"""Own edits that the server has not confirmed: what each does to the task it is about.

They are JSON as well: an edit is on this computer's disk before it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from fluxboard.model.types import COMPLETED, TASK_FIELDS, Comment, Task, TaskPatch, new_id
from fluxboard.model.wire import TaskCreate

Action = Literal["create", "update", "delete", "comment"]


class _Edit(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """``op_id`` is the Idempotency-Key: sent however often, an edit takes effect once.

    Edits of one ``step`` on many tasks go out in one request.
    """

    task_id: str
    op_id: str = msgspec.field(default_factory=new_id)
    step: str = ""


class Create(_Edit, frozen=True, kw_only=True, tag="create"):
    """A new task, shown as ``task`` until the server's own arrives."""

    task: Task
    body: TaskCreate

    def on(self, task: Task | None) -> Task | None:
        """The task with this edit; None where there is none (any more)."""
        return task or self.task


class Update(_Edit, frozen=True, kw_only=True, tag="update"):
    """Changed fields, made from revision ``base_rev``.

    ``patch`` is what is sent; ``position`` and ``completed_at`` are shown until the server's own come.
    """

    patch: TaskPatch
    position: str | UnsetType = UNSET
    completed_at: str | UnsetType | None = UNSET
    base_rev: int | None = None

    def values(self) -> dict[str, Any]:
        """What is shown, by attribute."""
        shown = patch_values(self.patch)
        if self.position is not UNSET:
            shown["position"] = self.position
        if self.completed_at is not UNSET:
            shown["completed_at"] = self.completed_at
        return shown

    def on(self, task: Task | None) -> Task | None:
        """The task with this edit; None where there is none (any more)."""
        return None if task is None else msgspec.structs.replace(task, **self.values())


class Delete(_Edit, frozen=True, kw_only=True, tag="delete"):
    """The end of a task."""

    base_rev: int | None = None

    def on(self, task: Task | None) -> Task | None:
        """None: there is no task any more."""
        return None


class Restore(_Edit, frozen=True, kw_only=True, tag="restore"):
    """A deleted task comes back as ``task``."""

    task: Task

    def on(self, task: Task | None) -> Task | None:
        """The task with this edit."""
        return task or self.task


class AddComment(_Edit, frozen=True, kw_only=True, tag="comment"):
    """A new comment, shown as ``comment`` until the server's own arrives."""

    comment: Comment

    def on(self, task: Task | None) -> Task | None:
        """The task, which counts one comment more."""
        return _counting(task, 1)


class ChangeComment(_Edit, frozen=True, kw_only=True, tag="comment-change"):
    """Another text for one's own comment."""

    comment: Comment

    def on(self, task: Task | None) -> Task | None:
        """The task as it is."""
        return task


class RemoveComment(_Edit, frozen=True, kw_only=True, tag="comment-remove"):
    """The end of one's own comment."""

    comment_id: str

    def on(self, task: Task | None) -> Task | None:
        """The task, which counts one comment less."""
        return _counting(task, -1)


TaskEdit = Create | Update | Delete | Restore
CommentEdit = AddComment | ChangeComment | RemoveComment
Edit = TaskEdit | CommentEdit


def _counting(task: Task | None, by: int) -> Task | None:
    if task is None:
        return None
    return msgspec.structs.replace(task, comment_count=max(0, task.comment_count + by))


def as_step(edits: Sequence[Edit]) -> list[Edit]:
    """The edits as one step, where they are several and of tasks alone."""
    if len(edits) < 2 or not all(isinstance(edit, TaskEdit) for edit in edits):
        return list(edits)
    step = new_id()
    return [msgspec.structs.replace(edit, step=step) for edit in edits]


def action_of(edit: Edit) -> Action:
    """What a refusal of an edit is called."""
    match edit:
        case Create() | Restore():
            return "create"
        case Delete():
            return "delete"
        case AddComment() | ChangeComment() | RemoveComment():
            return "comment"
    return "update"


def patch_values(patch: TaskPatch) -> dict[str, Any]:
    """A patch's values by attribute; neighbours are no fields."""
    return {name: value for name in TASK_FIELDS if (value := getattr(patch, name)) is not UNSET}


def with_patch(edit: Edit, patch: TaskPatch) -> Edit:
    """An edit with the values of ``patch`` for its own; a change has no others than these."""
    match edit:
        case Update():
            return msgspec.structs.replace(edit, patch=patch)
        case Create(task=task, body=body):
            values = patch_values(patch)
            named = {name: value for name, value in values.items() if name in body.__struct_fields__}
            return msgspec.structs.replace(
                edit,
                task=msgspec.structs.replace(task, **values),
                body=msgspec.structs.replace(body, **named),
            )
    return edit


def completion(before: Task, status: str, now: str) -> str | UnsetType | None:
    """What ``completed_at`` becomes when a task goes to a column; UNSET where it stays as it is."""
    if (status == COMPLETED) == (before.status == COMPLETED):
        return UNSET
    return now if status == COMPLETED else None
