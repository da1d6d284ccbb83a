"""What two people did to one field: merged where that is clean, and otherwise a conflict.

What says "put it there" (status and position, assignee, priority, due date) is no conflict: the last wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from msgspec.structs import asdict, replace

from fluxboard.model.types import ChecklistItem, Column

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


def merge_columns(
    base: Sequence[Column], mine: Sequence[Column], theirs: Sequence[Column]
) -> tuple[Column, ...]:
    """What each side made, changed and removed is done to the other's; in my order where I changed it."""
    before, after, now = ({column.id: column for column in side} for side in (base, mine, theirs))

    def merged(id_: str) -> Column:
        if id_ not in before:
            return after[id_] if id_ in after else now[id_]
        old = asdict(before[id_])
        return replace(now[id_], **{n: v for n, v in asdict(after[id_]).items() if v != old[n]})

    kept = [id_ for id_ in before if id_ in after]
    first, second = (mine, theirs) if kept != [id_ for id_ in after if id_ in before] else (theirs, mine)
    there = (after.keys() & now.keys()) | ((after.keys() | now.keys()) - before.keys())
    order = [column.id for column in first if column.id in there]
    place = 0
    for column in second:  # a new one goes behind the one that it stands behind
        if column.id in order:
            place = order.index(column.id) + 1
        elif column.id in there:
            order.insert(place, column.id)
            place += 1
    return tuple(merged(id_) for id_ in order)


def _hunks(old: list[str], text: str) -> list[_Hunk]:
    new = text.splitlines(keepends=True)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        _Hunk(start, end, tuple(new[first:last]))
        for tag, start, end, first, last in matcher.get_opcodes()
        if tag != "equal"
    ]
