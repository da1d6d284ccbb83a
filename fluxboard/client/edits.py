"""Own edits that the server has not confirmed: what each does to the task it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from fluxboard.model.types import Task, TaskPatch, new_id
from fluxboard.model.wire import TaskCreate

Action = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit of one task. ``op_id`` is its Idempotency-Key: sent however often, it takes effect once."""

    task_id: str
    op_id: str = field(default_factory=new_id)

    @property
    def action(self) -> Action:
        """What a refusal of it is called."""
        return "update"

    def on(self, task: Task | None) -> Task | None:
        """The task with this edit; None where there is none (any more)."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(Edit):
    """A new task, shown as ``task`` until the server's own arrives."""

    task: Task
    body: TaskCreate

    @property
    def action(self) -> Action:
        return "create"

    def on(self, task: Task | None) -> Task | None:
        return task or self.task


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Edit):
    """Changed fields: ``patch`` is what is sent, ``values`` what is shown meanwhile, by attribute."""

    patch: TaskPatch
    values: dict[str, Any]

    def on(self, task: Task | None) -> Task | None:
        return None if task is None else msgspec.structs.replace(task, **self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Edit):
    """The end of a task."""

    @property
    def action(self) -> Action:
        return "delete"

    def on(self, task: Task | None) -> Task | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore(Edit):
    """A deleted task comes back as ``task``."""

    task: Task

    @property
    def action(self) -> Action:
        return "create"

    def on(self, task: Task | None) -> Task | None:
        return task or self.task
