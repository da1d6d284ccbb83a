"""What is shown: the confirmed state with the pending edits folded over it.

Optimism, rollback, duplicates and events out of order are this one rule: confirmed state is only ever written
from what the server said, newest revision first, and what is shown is computed from it. Pure; no I/O.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fluxboard.client.edits import Edit
from fluxboard.model.types import TASK_FIELDS, Task
from fluxboard.model.wire import Change

SortKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a change did: ``fresh`` ones are news, ``known`` ones were seen, ``early`` ones wait for a gap.

    ``before`` is the task as it was confirmed, ``changed`` whether another picture is shown now.
    """

    outcome: Literal["fresh", "known", "early"]
    before: Task | None = None
    changed: bool = False


def sort_key(task: Task) -> SortKey:
    """The order inside a column; a Core server gives no positions, so by age there."""
    return (task.position, task.created_at, task.id)


class Replica:
    """One project's tasks, as ``user_id`` sees them. ``rev`` never goes back, but by :meth:`restart`."""

    def __init__(self, user_id: str = "") -> None:
        self.rev = 0
        self._user_id = user_id
        self.confirmed: dict[str, Task] = {}
        self.pending: list[Edit] = []
        self._shown: dict[str, Task] = {}
        self._columns: dict[str, list[SortKey]] = {}
        self._early: dict[int, Change] = {}
        self._unsaved: dict[str, Task | None] | None = {}
        # The revision at which a task went, until the replica has passed it.
        self._gone: dict[str, int] = {}
        # The revision at which somebody else last changed a field of a task, by its wire name.
        self._others: dict[tuple[str, str], int] = {}
        # The revisions of own edits that were answered and not passed yet.
        self._own: set[int] = set()

    @property
    def newest(self) -> int:
        """The newest revision that the server spoke of, be it in an answer."""
        return max(self.rev, *self._own, 0)

    @property
    def shown(self) -> Mapping[str, Task]:
        """Every task that is shown, by id."""
        return self._shown

    def column(self, status: str) -> Sequence[str]:
        """The ids of a column's tasks from top to bottom."""
        return [key[2] for key in self._columns.get(status, ())]

    def neighbours(self, status: str) -> list[SortKey]:
        """The sort keys of a column, in order; not to be changed."""
        return self._columns.get(status, [])

    def changed_by_others(self, task_id: str, attribute: str, since: int) -> bool:
        """Whether somebody else changed a field of a task after a revision, even to and fro."""
        return self._others.get((task_id, TASK_FIELDS[attribute]), 0) > since

    def forget_saved(self) -> None:
        """What was to be on this computer's disk is not."""
        self._unsaved = None

    def take_unsaved(self) -> dict[str, Task | None] | None:
        """The confirmed tasks that changed since the last call, with None for those that went.

        None alone: all of it changed.
        """
        unsaved, self._unsaved = self._unsaved, {}
        return unsaved

    # -- from the server

    def load(self, tasks: Iterable[Task], rev: int | None) -> frozenset[str]:
        """Takes a whole list as confirmed; answers the ids whose picture changed.

        A list that is older than what is known is ignored. ``rev`` is None on a Core server.
        """
        if rev is not None and rev < self.rev:
            return frozenset()
        self.confirmed = {task.id: task for task in tasks}
        self._unsaved = None
        if rev is not None:
            if self.rev:
                self._note_unheard()
            self.rev = rev
            self._own = {at for at in self._own if at > rev}
            self._gone = {task_id: at for task_id, at in self._gone.items() if at > rev}
            self._early = {at: change for at, change in self._early.items() if at > rev}
        before = self._shown
        self._shown = dict(self.confirmed)
        for edit in self.pending:
            folded = edit.on(self._shown.get(edit.task_id))
            if folded is None:
                self._shown.pop(edit.task_id, None)
            else:
                self._shown[edit.task_id] = folded
        self._columns = {}
        for task in self._shown.values():
            self._columns.setdefault(task.status, []).append(sort_key(task))
        for keys in self._columns.values():
            keys.sort()
        now = self._shown
        changed = {task_id for task_id, task in now.items() if before.get(task_id) != task}
        changed.update(task_id for task_id in before if task_id not in now)
        self._advance()
        return frozenset(changed)

    def restart(self) -> None:
        """What was confirmed is not true any more; the next list is the first. Own edits stay."""
        self.rev = 0
        self._early, self._gone, self._own = {}, {}, set()

    def apply(self, change: Change) -> Applied:
        """Takes one committed change, by its revision where it has one."""
        if change.rev is None:
            return self._take(change)
        if change.rev <= self.rev:
            return Applied("known")
        if change.rev > self.rev + 1:
            self._early.setdefault(change.rev, change)
            return Applied("early")
        applied = self._take(change)
        self.rev = change.rev
        self._own.discard(change.rev)
        if change.task is not None and change.user_id != self._user_id:
            self._others |= dict.fromkeys(((change.task.id, name) for name in change.fields), change.rev)
        return applied

    def next_early(self) -> Change | None:
        """The early change whose turn has come, if any; to be applied by the caller."""
        for rev in [rev for rev in self._early if rev <= self.rev]:
            del self._early[rev]
        return self._early.pop(self.rev + 1, None)

    def confirm(self, edit: Edit, task: Task | None, rev: int) -> None:
        """The server did ``edit``: ``task`` is its answer (None: the task is gone), at revision ``rev``.

        The revisions up to ``rev`` are still awaited, since others' may lie between.
        """
        self._drop(edit)
        if task is not None:
            # An answer that came late or twice is older than what is known: the task may be gone since.
            if not 0 < task.rev <= self.rev:
                self._set_confirmed(task)
                self._own.add(task.rev)
        elif not self.rev or rev > self.rev:
            # A late answer about a revision that has been seen says nothing: the task may be back since.
            self._set_gone(edit.task_id)
            if rev > self.rev:
                self._gone[edit.task_id] = rev
                self._own.add(rev)
        self._refold(edit.task_id)

    # -- own edits

    def add(self, edit: Edit) -> None:
        """Lays an own edit over what is confirmed."""
        self.pending.append(edit)
        self._refold(edit.task_id)

    def refuse(self, edit: Edit) -> None:
        """Takes an own edit away again."""
        self._drop(edit)
        self._refold(edit.task_id)

    # -- within

    def _take(self, change: Change) -> Applied:
        task = change.task
        task_id = task.id if task is not None else change.task_id
        if task_id is None:
            return Applied("fresh")
        before, shown = self.confirmed.get(task_id), self._shown.get(task_id)
        if task is not None:
            if change.rev is not None and change.rev < self._gone.get(task_id, 0):
                return Applied("fresh", before)
            self._set_confirmed(task)
        elif change.type.startswith("task:") and (before is None or before.rev <= (change.rev or before.rev)):
            self._set_gone(task_id)
        if change.op_id is not None:
            for edit in self.pending:
                if edit.op_id == change.op_id:
                    self._drop(edit)
                    break
        self._refold(task_id)
        return Applied("fresh", before, self._shown.get(task_id) != shown)

    def _note_unheard(self) -> None:
        """A list came instead of the log: what in it is newer, and not my own, somebody else changed."""
        for task in self.confirmed.values():
            if task.rev > self.rev and task.id in self._shown:
                for name, at in task.field_revs.items():
                    if at > self.rev and at not in self._own:
                        self._others[task.id, name] = at

    def _set_confirmed(self, task: Task) -> None:
        known = self.confirmed.get(task.id)
        if known is None or task.rev >= known.rev:
            self.confirmed[task.id] = task
            if self._unsaved is not None:
                self._unsaved[task.id] = task

    def _set_gone(self, task_id: str) -> None:
        self.confirmed.pop(task_id, None)
        # Marked each time: the first may have been saved at a revision that did not yet cover it.
        if self._unsaved is not None:
            self._unsaved[task_id] = None

    def _drop(self, edit: Edit) -> None:
        self.pending = [other for other in self.pending if other.op_id != edit.op_id]

    def _refold(self, task_id: str) -> None:
        before = self._shown.get(task_id)
        after = self.confirmed.get(task_id)
        for edit in self.pending:
            if edit.task_id == task_id:
                after = edit.on(after)
        if after == before:
            return
        if before is not None:
            keys = self._columns[before.status]
            del keys[bisect_left(keys, sort_key(before))]
            del self._shown[task_id]
        if after is not None:
            insort(self._columns.setdefault(after.status, []), sort_key(after))
            self._shown[task_id] = after

    def _advance(self) -> None:
        while (change := self.next_early()) is not None:
            self.apply(change)
