"""What two people did to one field: merged where that is clean, and otherwise a conflict.

What says "put it there" (status and position, assignee, priority, due date) is no conflict: the last wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from fluxboard.model.types import ChecklistItem

#: Fields whose text a person typed; overwriting it would lose work.
TEXT_FIELDS: Final = frozenset({"title", "description"})
#: Fields that are collections; what each side added and removed is done to the other's.
ITEM_FIELDS: Final = frozenset({"labels", "checklist"})


@dataclass(frozen=True, slots=True)
class _Hunk:
    """Lines ``start`` to ``end`` of the base became ``lines``."""

    start: int
    end: int
    lines: tuple[str, ...]

    def touches(self, other: _Hunk) -> bool:
        """Whether the two are about the same place, or so near that their order matters."""
        return self.start <= other.end and other.start <= self.end


def merge_text(base: str, mine: str, theirs: str) -> str | None:
    """Both sides' changes by lines; None where they touch the same or neighbouring lines."""
    if mine in {base, theirs}:
        return theirs
    if theirs == base:
        return mine
    old = base.splitlines(keepends=True)
    hunks = _hunks(old, mine)
    for hunk in _hunks(old, theirs):
        near = [other for other in hunks if other.touches(hunk)]
        if near == [hunk]:
            continue
        if near:
            return None
        hunks.append(hunk)
    merged = list(old)
    for hunk in sorted(hunks, key=lambda hunk: hunk.start, reverse=True):
        merged[hunk.start : hunk.end] = hunk.lines
    return "".join(merged)


def merge_labels(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """Theirs, without what I removed and with what I added."""
    removed, known = set(base) - set(mine), set(base)
    kept = [label for label in theirs if label not in removed]
    return tuple(dict.fromkeys([*kept, *(label for label in mine if label not in known)]))


def merge_checklist(
    base: Sequence[ChecklistItem], mine: Sequence[ChecklistItem], theirs: Sequence[ChecklistItem]
) -> tuple[ChecklistItem, ...]:
    """Theirs in their order, with the lines that I changed, without those I removed, then those I added."""
    before = {item.id: item for item in base}
    after = {item.id: item for item in mine}
    merged = [
        after[item.id] if after.get(item.id) not in {None, before.get(item.id)} else item
        for item in theirs
        if item.id in after or item.id not in before
    ]
    present = {item.id for item in theirs} | set(before)
    return (*merged, *(item for item in mine if item.id not in present))


def _hunks(old: list[str], text: str) -> list[_Hunk]:
    new = text.splitlines(keepends=True)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        _Hunk(start, end, tuple(new[first:last]))
        for tag, start, end, first, last in matcher.get_opcodes()
        if tag != "equal"
    ]
