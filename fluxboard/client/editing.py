"""From what a user asks to the edits that do it, and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from fluxboard.client.edits import Create, Delete, Edit, Restore, Update
from fluxboard.client.replica import Replica
from fluxboard.client.undo import Deed, History, Step
from fluxboard.model.order import FIRST, between
from fluxboard.model.types import COMPLETED, TASK_FIELDS, Task, TaskPatch, User, new_id, timestamp
from fluxboard.model.wire import TaskCreate


class Editing:
    """Makes edits of a replica's tasks and hands them to ``do``; every step can be undone.

    ``plain`` tells a server without positions and restoring.
    """

    def __init__(
        self,
        replica: Replica,
        user: User,
        do: Callable[[Sequence[Edit]], None],
        plain: Callable[[], bool],
    ) -> None:
        self._replica = replica
        self._user = user
        self._do = do
        self._plain = plain
        self._history = History()

    @property
    def tasks(self) -> Mapping[str, Task]:
        """What is shown."""
        return self._replica.shown

    def create(self, task: TaskCreate) -> str:
        """Adds a task and answers its id."""
        task_id = task.id or new_id()
        now = timestamp()
        shown = Task(
            id=task_id,
            title=task.title,
            description=task.description,
            status=task.status,
            priority=task.priority,
            assigned_to=task.assigned_to,
            due_date=task.due_date,
            labels=task.labels,
            checklist=task.checklist,
            created_by=self._user.id,
            created_at=now,
            updated_at=now,
            completed_at=now if task.status == COMPLETED else None,
            position=self._position(task.status, (), task.after_id, task.before_id),
        )
        body = msgspec.structs.replace(task, id=task_id)
        self._do([Create(task_id=task_id, task=shown, body=body)])
        self._history.record(Step(f"create “{shown.title}”", (Deed(None, shown),)))
        return task_id

    def update(self, task_ids: Iterable[str], patch: TaskPatch) -> None:
        """Changes the fields of ``patch`` in each of the tasks."""
        values = _values(patch)
        self._change([(task_id, patch, dict(values)) for task_id in task_ids], "change")

    def move(
        self,
        task_ids: Iterable[str],
        status: str,
        after_id: str | None,
        before_id: str | None,
    ) -> None:
        """Puts tasks into a column, in the order given, behind or before a neighbour, else at its bottom."""
        moved = [task_id for task_id in task_ids if task_id in self.tasks]
        if self._plain():
            moved = [task_id for task_id in moved if self.tasks[task_id].status != status]
        changes: list[tuple[str, TaskPatch, dict[str, Any]]] = []
        low, high = self._gap(status, moved, after_id, before_id)
        for task_id in moved:
            patch = TaskPatch(status=status)
            if after_id is not None:
                patch = TaskPatch(status=status, after_id=after_id)
            elif before_id is not None:
                patch = TaskPatch(status=status, before_id=before_id)
            low = _key(low, high)
            changes.append((task_id, patch, {"status": status, "position": low}))
            after_id = task_id
        self._change(changes, "move")

    def delete(self, task_ids: Iterable[str]) -> None:
        """Deletes tasks."""
        gone = [self.tasks[task_id] for task_id in task_ids if task_id in self.tasks]
        self._do([Delete(task_id=task.id) for task in gone])
        if gone:
            self._history.record(Step(_named("delete", gone), tuple(Deed(task, None) for task in gone)))

    def undo(self) -> str | None:
        """Takes back my last step and says what it was; None where there is none."""
        step = self._history.back()
        if step is None:
            return None
        self._perform(step.reversed())
        return step.name

    def redo(self) -> str | None:
        """Does again what was last taken back; None where nothing was."""
        step = self._history.forth()
        if step is None:
            return None
        self._perform(step)
        return step.name

    def _change(self, changes: list[tuple[str, TaskPatch, dict[str, Any]]], verb: str) -> None:
        edits: list[Edit] = []
        before: list[Task] = []
        for task_id, patch, values in changes:
            task = self.tasks.get(task_id)
            if task is None:
                continue
            if "status" in values and (values["status"] == COMPLETED) != (task.status == COMPLETED):
                values["completed_at"] = timestamp() if values["status"] == COMPLETED else None
            if "status" in values and values["status"] != task.status and "position" not in values:
                values["position"] = self._position(values["status"], (task_id,), None, None)
            if all(getattr(task, name) == value for name, value in values.items()):
                continue
            before.append(task)
            edits.append(Update(task_id=task_id, patch=patch, values=values))
        self._do(edits)
        if edits:
            deeds = tuple(Deed(old, self.tasks[old.id]) for old in before if old.id in self.tasks)
            self._history.record(Step(_named(verb, before), deeds))

    def _perform(self, step: Step) -> None:
        """Makes each task of a step what it was after it, as edits of the fields that the step changed."""
        edits: list[Edit] = []
        for deed in step.deeds:
            before, after = deed.before, deed.after
            if after is None and before is not None:
                if before.id in self.tasks:
                    edits.append(Delete(task_id=before.id))
            elif before is None and after is not None:
                edits.append(self._bring_back(after))
            elif after is not None and after.id in self.tasks:
                values = {name: getattr(after, name) for name in deed.changed_fields()}
                patch = TaskPatch(**values)
                if "status" in values or "position" in values:
                    values |= {"status": after.status, "completed_at": after.completed_at}
                    patch = msgspec.structs.replace(patch, status=after.status, position=after.position)
                edits.append(Update(task_id=after.id, patch=patch, values=values))
        self._do(edits)

    def _bring_back(self, task: Task) -> Edit:
        if not self._plain():
            return Restore(task_id=task.id, task=task)
        body = TaskCreate(
            title=task.title,
            description=task.description,
            status=task.status,
            priority=task.priority,
            assigned_to=task.assigned_to,
            due_date=task.due_date,
            id=task.id,
        )
        return Create(task_id=task.id, task=task, body=body)

    def _gap(
        self, status: str, moving: Sequence[str], after_id: str | None, before_id: str | None
    ) -> tuple[str | None, str | None]:
        """The positions around the place behind ``after_id`` or before ``before_id``, else the bottom."""
        away = set(moving)
        rest = [key for key in self._replica.neighbours(status) if key[2] not in away]
        ids = [key[2] for key in rest]
        place = len(rest)
        if after_id in ids:
            place = ids.index(after_id) + 1
        elif before_id in ids:
            place = ids.index(before_id)
        low = rest[place - 1][0] if place > 0 else None
        high = rest[place][0] if place < len(rest) else None
        return low, high

    def _position(
        self, status: str, moving: Sequence[str], after_id: str | None, before_id: str | None
    ) -> str:
        return _key(*self._gap(status, moving, after_id, before_id))


def _values(patch: TaskPatch) -> dict[str, Any]:
    """A patch's values by attribute; neighbours are no fields."""
    return {name: value for name in TASK_FIELDS if (value := getattr(patch, name)) is not UNSET}


def _key(low: str | None, high: str | None) -> str:
    """A position to show until the server's own arrives."""
    try:
        return between(low or None, high or None)
    except (ValueError, IndexError):
        return low or high or FIRST


def _named(verb: str, tasks: Sequence[Task]) -> str:
    return f"{verb} “{tasks[0].title}”" if len(tasks) == 1 else f"{verb} {len(tasks)} tasks"
