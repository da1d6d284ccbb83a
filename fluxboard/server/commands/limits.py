"""How many tasks a column takes: the one rule for whoever asks."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, func, select

from fluxboard.model.types import Column
from fluxboard.server.commands.ledger import Ledger
from fluxboard.server.errors import Conflict
from fluxboard.server.storage.sql import Statement
from fluxboard.server.storage.tables import tasks

# In JSON a quote inside a text is escaped, so this is the field and never somebody's words.
_ARCHIVED: Final = '%"archived":true%'
_COUNT: Final = Statement(
    select(func.count())
    .select_from(tasks)
    .where(
        tasks.c.project_id == bindparam("project"),
        tasks.c.status == bindparam("column"),
        tasks.c.deleted_at.is_(None),
        tasks.c.id != bindparam("task"),
        tasks.c.body.not_like(_ARCHIVED),
    ),
    int,
)


def may_enter(ledger: Ledger, status: str, task_id: str) -> None:
    """Raises Conflict where one more task would take a column above a limit that blocks.

    The project's row is locked, so two that come at once are counted one after the other.
    """
    column = next((column for column in ledger.columns if column.id == status), None)
    if column is None or column.wip_policy != "block" or column.wip_limit is None:
        return
    count = _count(ledger, status, task_id)
    if count >= column.wip_limit:
        raise Conflict(f"{column.name} is full: {count} of {column.wip_limit}", field="status")


def may_limit(ledger: Ledger, columns: tuple[Column, ...]) -> None:
    """Raises Conflict where a limit that blocks is below what stands in its column already."""
    for column in columns:
        if column.wip_policy == "block" and column.wip_limit is not None:
            count = _count(ledger, column.id, "")
            if count > column.wip_limit:
                message = f"{column.name} holds {count} tasks, more than a limit of {column.wip_limit}"
                raise Conflict(message, field="columns")


def _count(ledger: Ledger, status: str, but: str) -> int:
    return ledger.tx.one(_COUNT, project=ledger.row.id, column=status, task=but) or 0
