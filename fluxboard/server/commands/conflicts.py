"""What a change made from an older revision may do: merge with what others did since, or be refused."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, select

from fluxboard.model.merge import ITEM_FIELDS, TEXT_FIELDS, merge_checklist, merge_labels, merge_text
from fluxboard.model.types import DESCRIPTION_MAX, TASK_FIELDS, TITLE_MAX, ChecklistItem, Task
from fluxboard.model.wire import Conflict, FieldConflict
from fluxboard.server.commands import fields
from fluxboard.server.commands.ledger import Ledger
from fluxboard.server.errors import Overwrites
from fluxboard.server.storage.sql import Statement
from fluxboard.server.storage.tables import changes, users


class _Logged(msgspec.Struct):
    prev: dict[str, msgspec.Raw] = {}


class _Row(msgspec.Struct, frozen=True):
    actor_id: str
    actor_name: str | None
    at: str
    prev: dict[str, msgspec.Raw]


_LONGEST: Final = {"title": TITLE_MAX, "description": DESCRIPTION_MAX}
#: What people call a field.
_WORDS: Final = {"status": "column", "assigned_to": "assignee", "due_date": "due date", "archived": "archive"}
_logged: Final = msgspec.json.Decoder(_Logged)
_SINCE: Final = Statement(
    select(changes.c.actor_id, users.c.name, changes.c.at, changes.c.prev)
    .outerjoin(users, users.c.id == changes.c.actor_id)
    .where(
        changes.c.project_id == bindparam("project"),
        changes.c.entity_id == bindparam("task"),
        changes.c.rev > bindparam("since"),
    )
    .order_by(changes.c.rev),
    lambda actor, name, at, prev: _Row(actor, name, at, _logged.decode(prev).prev),
)


def merged(
    ledger: Ledger, task: Task, wanted: dict[str, Any], base_rev: int, *, if_unchanged: bool = False
) -> dict[str, Any]:
    """``wanted``, which was made at ``base_rev``, with what others did to the same fields since.

    Labels and checklists are merged by their items, texts by their lines; raises Overwrites where two people
    wrote the same lines, and with ``if_unchanged`` where the last writer would win. The caller's own changes
    since are no conflict: they come from one hand.
    """
    contested = [
        name
        for name in wanted
        if (if_unchanged or name in TEXT_FIELDS | ITEM_FIELDS)
        and task.field_revs.get(TASK_FIELDS[name], 0) > base_rev
        and wanted[name] != getattr(task, name)
    ]
    if not contested:
        return wanted
    others = _of_others(ledger, task.id, base_rev)
    result = dict(wanted)
    conflicts: dict[str, FieldConflict] = {}
    refused: dict[str, _Row | None] = {}
    for name in contested:
        touching = [row for row in others if TASK_FIELDS[name] in row.prev]
        # A log that no longer reaches back says that somebody may have written, not what was there.
        if not touching and base_rev >= ledger.row.log_start:
            continue
        base = touching[0].prev[TASK_FIELDS[name]] if touching else None
        last = touching[-1] if touching else None
        mine, theirs = wanted[name], getattr(task, name)
        if name == "labels":
            result[name] = fields.labels(merge_labels(_read(base, tuple[str, ...], ()), mine, theirs))
        elif name == "checklist":
            old = _read(base, tuple[ChecklistItem, ...], ())
            result[name] = fields.checklist(merge_checklist(old, mine, theirs))
        elif name not in TEXT_FIELDS:
            refused[name] = last
        else:
            before = _read(base, str, "")
            both = merge_text(before, mine, theirs)
            if both is not None and len(both) <= _LONGEST[name]:
                result[name] = both
                continue
            refused[name] = last
            conflicts[TASK_FIELDS[name]] = _clash(task, before, mine, theirs, last)
    if refused:
        who = next((row.actor_name for row in refused.values() if row), None) or "Somebody"
        what = " and the ".join(_WORDS.get(name, name) for name in refused)
        raise Overwrites(f"{who} changed the {what} meanwhile", Conflict(fields=conflicts, task=task))
    return result


def _clash(task: Task, before: str, mine: str, theirs: str, last: _Row | None) -> FieldConflict:
    return FieldConflict(
        base=before,
        mine=mine,
        theirs=theirs,
        user_name=(last.actor_name or "") if last else "",
        timestamp=last.at if last else task.updated_at,
    )


def unchanged_by_others(ledger: Ledger, task: Task, base_rev: int) -> None:
    """Raises Overwrites when somebody else changed the task after ``base_rev``."""
    if task.rev <= base_rev:
        return
    others = _of_others(ledger, task.id, base_rev)
    if others or base_rev < ledger.row.log_start:
        who = (others[-1].actor_name if others else None) or "Somebody"
        raise Overwrites(f"{who} changed this task meanwhile", Conflict(fields={}, task=task))


def _of_others(ledger: Ledger, task_id: str, base_rev: int) -> list[_Row]:
    rows = ledger.tx.all(_SINCE, project=ledger.row.id, task=task_id, since=base_rev)
    return [row for row in rows if row.actor_id != ledger.access.person.id]


def _read(raw: msgspec.Raw | None, kind: type[Any], missing: Any) -> Any:
    return missing if raw is None else msgspec.json.decode(raw, type=kind)
