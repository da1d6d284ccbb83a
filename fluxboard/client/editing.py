"""From what a user asks to the edits that do it, and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from fluxboard.client.edits import Create, Delete, Edit, Restore, Update, completion
from fluxboard.client.replica import Replica
from fluxboard.client.undo import Deed, History, Overtaken, Step
from fluxboard.model.order import FIRST, between
from fluxboard.model.text import clean_line, clean_text
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

    def create(self, tasks: Sequence[TaskCreate]) -> list[str]:
        """Adds tasks as one step and answers their ids."""
        edits: list[Create] = []
        lasts: dict[str, str] = {}
        for task in tasks:
            low, high = self._gap(task.status, (), task.after_id, task.before_id)
            if task.after_id is None and task.before_id is None:
                low = lasts.get(task.status, low)  # each below the one before
            edits.append(self._creation(task, _key(low, high)))
            lasts[task.status] = edits[-1].task.position
        self._do(edits)
        made = [edit.task for edit in edits]
        if made:
            self._record(_named("create", made), [Deed(None, task) for task in made])
        return [task.id for task in made]

    def _creation(self, task: TaskCreate, position: str) -> Create:
        task_id = task.id or new_id()
        now = timestamp()
        body = msgspec.structs.replace(
            task, id=task_id, title=clean_line(task.title), description=clean_text(task.description)
        )
        shown = Task(
            id=task_id,
            title=body.title,
            description=body.description,
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
            position=position,
        )
        return Create(task_id=task_id, task=shown, body=body)

    def update(self, patches: Mapping[str, TaskPatch]) -> None:
        """Changes tasks, each the fields of its patch, as one step."""
        changes: list[tuple[Task, TaskPatch, str | UnsetType]] = []
        for task_id, wanted in patches.items():
            task = self.tasks.get(task_id)
            if task is None:
                continue
            patch = _clean(wanted)
            position: str | UnsetType = UNSET
            if patch.status not in {UNSET, task.status} and patch.position is UNSET:
                position = _key(*self._gap(str(patch.status), (task_id,), None, None))
            changes.append((task, patch, position))
        self._change(changes, "change")

    def move(self, task_ids: Iterable[str], status: str, after_id: str | None, before_id: str | None) -> None:
        """Puts tasks into a column, in the order given, behind or before a neighbour, else at its bottom."""
        moved = [self.tasks[task_id] for task_id in task_ids if task_id in self.tasks]
        if self._plain():
            moved = [task for task in moved if task.status != status]
        changes: list[tuple[Task, TaskPatch, str | UnsetType]] = []
        low, high = self._gap(status, [task.id for task in moved], after_id, before_id)
        for task in moved:
            patch = TaskPatch(status=status)
            if after_id is not None:
                patch = TaskPatch(status=status, after_id=after_id)
            elif before_id is not None:
                patch = TaskPatch(status=status, before_id=before_id)
            low = _key(low, high)
            changes.append((task, patch, low))
            after_id = task.id
        self._change(changes, "move")

    def delete(self, task_ids: Iterable[str]) -> None:
        """Deletes tasks."""
        gone = [self.tasks[task_id] for task_id in task_ids if task_id in self.tasks]
        self._do([Delete(task_id=task.id, base_rev=self._base()) for task in gone])
        if gone:
            self._record(_named("delete", gone), [Deed(task, None) for task in gone])

    def undo(self, *, overwrite: bool = False) -> str | None:
        """Takes back my last step and says what it was; None where there is none.

        Raises Overtaken, with nothing done, when somebody changed meanwhile what the step changed.
        """
        step = self._history.last
        if step is None:
            return None
        self._check(step.reversed(), overwrite)
        self._history.back(self._replica.rev)
        self._perform(step.reversed())
        return step.name

    def redo(self, *, overwrite: bool = False) -> str | None:
        """Does again what was last taken back; None where nothing was. Raises Overtaken."""
        step = self._history.next
        if step is None:
            return None
        self._check(step, overwrite)
        self._history.forth(self._replica.rev)
        self._perform(step)
        return step.name

    # -- within

    def _base(self) -> int | None:
        return None if self._plain() else self._replica.rev

    def _change(self, changes: list[tuple[Task, TaskPatch, str | UnsetType]], verb: str) -> None:
        now = timestamp()
        edits: list[Edit] = []
        before: list[Task] = []
        for task, patch, position in changes:
            status = task.status if patch.status is UNSET else patch.status
            edit = Update(
                task_id=task.id,
                patch=patch,
                position=position,
                completed_at=completion(task, status, now),
                base_rev=self._base(),
            )
            if edit.on(task) != task:
                edits.append(edit)
                before.append(task)
        self._do(edits)
        if edits:
            deeds = [Deed(old, self.tasks[old.id]) for old in before if old.id in self.tasks]
            self._record(_named(verb, before), deeds)

    def _record(self, name: str, deeds: Sequence[Deed]) -> None:
        self._history.record(Step(name, tuple(deeds), self._replica.rev))

    def _check(self, step: Step, overwrite: bool) -> None:
        """Raises Overtaken when somebody else changed what ``step`` changed since, even to and fro.

        A task's place alone may have been repaired.
        """
        if overwrite:
            return
        overtaken = []
        for deed in step.deeds:
            shown = self.tasks.get(deed.before.id) if deed.before else None
            if deed.before is None or shown is None:
                continue
            names = deed.changed_fields() or tuple(TASK_FIELDS)
            names = tuple(name for name in names if name != "position")
            if any(
                getattr(shown, name) != getattr(deed.before, name)
                or self._replica.changed_by_others(shown.id, name, step.rev)
                for name in names
            ):
                overtaken.append(shown)
        if overtaken:
            raise Overtaken(
                step.name, tuple(task.id for task in overtaken), tuple(t.title for t in overtaken)
            )

    def _perform(self, step: Step) -> None:
        """Makes each task of a step what it was after it, as edits of the fields that the step changed."""
        edits: list[Edit] = []
        for deed in step.deeds:
            before, after = deed.before, deed.after
            if after is None:
                if before is not None and before.id in self.tasks:
                    edits.append(Delete(task_id=before.id, base_rev=self._base()))
            elif before is None:
                edits.append(self._bring_back(after))
            elif after.id in self.tasks:
                edits.append(self._revert(deed, after))
        self._do(edits)

    def _revert(self, deed: Deed, after: Task) -> Edit:
        # What nobody here knows yet, the server does: it does not overwrite others for a step back either.
        values = {name: getattr(after, name) for name in deed.changed_fields()}
        patch = TaskPatch(**values, if_unchanged=not self._plain())
        completed_at: str | UnsetType | None = UNSET
        if patch.status is not UNSET or patch.position is not UNSET:
            patch = msgspec.structs.replace(patch, status=after.status, position=after.position)
            completed_at = after.completed_at
        return Update(task_id=after.id, patch=patch, completed_at=completed_at, base_rev=self._base())

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


def _clean(patch: TaskPatch) -> TaskPatch:
    if patch.title is not UNSET:
        patch = msgspec.structs.replace(patch, title=clean_line(patch.title))
    if patch.description is not UNSET:
        patch = msgspec.structs.replace(patch, description=clean_text(patch.description))
    return patch


def _key(low: str | None, high: str | None) -> str:
    """A position to show until the server's own arrives."""
    try:
        return between(low or None, high or None)
    except (ValueError, IndexError):
        return low or high or FIRST


def _named(verb: str, tasks: Sequence[Task]) -> str:
    return f"{verb} “{tasks[0].title}”" if len(tasks) == 1 else f"{verb} {len(tasks)} tasks"
