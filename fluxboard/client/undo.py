"""Undo and redo: each step knows its tasks before and after, and is taken back as an edit like any."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from fluxboard.model.types import TASK_FIELDS, Task

STEPS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Deed:
    """One task before and after a step; None where it did not exist."""

    before: Task | None
    after: Task | None

    def reversed(self) -> Deed:
        """The way back."""
        return Deed(self.after, self.before)

    def changed_fields(self) -> tuple[str, ...]:
        """The attributes that differ; a place is column and position together."""
        if self.before is None or self.after is None:
            return ()
        before, after = self.before, self.after
        names = {name for name in TASK_FIELDS if getattr(before, name) != getattr(after, name)}
        return tuple(name for name in TASK_FIELDS if name in names)


@dataclass(frozen=True, slots=True)
class Step:
    """What one key press did, with its name for the user, and the board's revision when it was done."""

    name: str
    deeds: tuple[Deed, ...]
    rev: int = 0

    def reversed(self) -> Step:
        """The step that takes this one back."""
        return Step(self.name, tuple(deed.reversed() for deed in reversed(self.deeds)), self.rev)


class Overtaken(Exception):
    """Somebody changed meanwhile what a step changed; doing it would overwrite them."""

    def __init__(self, step: str, task_ids: tuple[str, ...], titles: tuple[str, ...]) -> None:
        super().__init__(f"{step}: changed by somebody else since")
        self.step = step
        self.task_ids = task_ids
        self.titles = titles


class History:
    """The steps that can be taken back, and those that can be done again."""

    def __init__(self) -> None:
        self._past: deque[Step] = deque(maxlen=STEPS_MAX)
        self._future: deque[Step] = deque(maxlen=STEPS_MAX)

    def record(self, step: Step) -> None:
        """A new step; what was undone before it cannot be redone any more."""
        self._past.append(step)
        self._future.clear()

    @property
    def last(self) -> Step | None:
        """The step that would be taken back."""
        return self._past[-1] if self._past else None

    @property
    def next(self) -> Step | None:
        """The step that would be done again."""
        return self._future[-1] if self._future else None

    def back(self, rev: int) -> None:
        """The last step was taken back, at this revision of the board."""
        self._future.append(replace(self._past.pop(), rev=rev))

    def forth(self, rev: int) -> None:
        """The next step was done again, at this revision of the board."""
        self._past.append(replace(self._future.pop(), rev=rev))
