"""Where a task goes in its column: a key between two neighbours, never a column's whole order."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from msgspec import UnsetType
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from fluxboard.model.order import between, is_position, spread
from fluxboard.model.types import Task
from fluxboard.model.wire import TASK_UPDATED
from fluxboard.server.commands.ledger import Ledger, encode
from fluxboard.server.errors import BadInput
from fluxboard.server.storage.sql import Statement, Tx, command
from fluxboard.server.storage.tables import tasks

R = TypeVar("R")

#: Far more than any number of moves needs; what is longer was not made by moving.
POSITION_MAX: Final = 2000

_task: Final = msgspec.json.Decoder(Task)


class _Neighbour(msgspec.Struct, frozen=True):
    status: str
    position: str


class _Placed(msgspec.Struct, frozen=True):
    id: str
    position: str
    body: str


def _others() -> tuple[ColumnElement[bool], ...]:
    """The tasks of a column but the one that is placed."""
    return (
        tasks.c.project_id == bindparam("project"),
        tasks.c.status == bindparam("column"),
        tasks.c.deleted_at.is_(None),
        tasks.c.id != bindparam("task"),
    )


_NEIGHBOUR: Final = Statement(
    select(tasks.c.status, tasks.c.position).where(
        tasks.c.id == bindparam("task"),
        tasks.c.project_id == bindparam("project"),
        tasks.c.deleted_at.is_(None),
    ),
    _Neighbour,
)
# Not min() and max(), for which PostgreSQL reads the whole column while it has no statistics of a table.
_POSITIONS: Final = select(tasks.c.position).where(*_others()).limit(1)
_LAST: Final = Statement(_POSITIONS.order_by(tasks.c.position.desc()), str)
_FIRST: Final = Statement(_POSITIONS.order_by(tasks.c.position), str)
_ABOVE: Final = Statement(
    _POSITIONS.where(tasks.c.position < bindparam("key")).order_by(tasks.c.position.desc()), str
)
_BELOW: Final = Statement(
    _POSITIONS.where(tasks.c.position > bindparam("key")).order_by(tasks.c.position), str
)
_HOLDERS: Final = Statement(
    select(func.count()).select_from(tasks).where(*_others(), tasks.c.position == bindparam("key")), int
)
_COLUMN: Final = Statement(
    select(tasks.c.id, tasks.c.position, tasks.c.body)
    .where(*_others())
    .order_by(tasks.c.position, tasks.c.id),
    _Placed,
)
_SET_POSITION: Final = command(
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(position=bindparam("position"), body=bindparam("body"))
)


class _NoRoom(Exception):
    """The neighbours' keys cannot be told apart, or something else than this program wrote them."""


def last_ahead(tx: Tx, project_id: str, column: str, task_id: str) -> None:
    """Says that :func:`place` comes, at the bottom of a column."""
    tx.ahead(_LAST, project=project_id, column=column, task=task_id)


def place(
    ledger: Ledger,
    column: str,
    task_id: str,
    after: str | UnsetType | None,
    before: str | UnsetType | None,
) -> str:
    """The position behind the task ``after`` or before the task ``before``.

    ``after`` None is the top, ``before`` None the bottom; a neighbour that left the column counts as not
    given, and without any the task goes to the bottom.
    """
    column_of = _Column(ledger, column, task_id)
    try:
        return column_of.place(after, before)
    except _NoRoom:
        repair(ledger, column, but=task_id)
        return column_of.place(after, before)


def place_at(ledger: Ledger, column: str, task_id: str, key: str) -> str:
    """``key`` itself where it is free, else right behind its holder. Raises BadInput for what is no key."""
    if len(key) > POSITION_MAX or not is_position(key):
        raise BadInput("This is not a position", field="position")
    column_of = _Column(ledger, column, task_id)
    if not column_of.ask(_HOLDERS, key=key):
        return key
    high = column_of.ask(_BELOW, key=key)
    return column_of.fit(key, high)


class _Column:
    """One column without the task that is placed in it."""

    def __init__(self, ledger: Ledger, column: str, task_id: str) -> None:
        self._ledger = ledger
        self._column = column
        self._task_id = task_id

    def ask(self, statement: Statement[R], **values: str) -> R | None:
        return self._ledger.tx.one(
            statement, project=self._ledger.row.id, column=self._column, task=self._task_id, **values
        )

    def place(self, after: str | UnsetType | None, before: str | UnsetType | None) -> str:
        if isinstance(after, str) and (low := self._key_of(after)) is not None:
            return self.fit(low, self.ask(_BELOW, key=low))
        if isinstance(before, str) and (high := self._key_of(before)) is not None:
            return self.fit(self.ask(_ABOVE, key=high), high)
        if after is None and not isinstance(before, str):
            return self.fit(None, self.ask(_FIRST))
        return self.fit(self.ask(_LAST), None)

    def fit(self, low: str | None, high: str | None) -> str:
        try:
            return between(low, high)
        except (ValueError, IndexError):
            raise _NoRoom from None

    def _key_of(self, neighbour: str) -> str | None:
        """A neighbour's position; with equal ones around there is no place that is right behind it."""
        found = self._ledger.tx.one(_NEIGHBOUR, project=self._ledger.row.id, task=neighbour)
        if found is None or found.status != self._column:
            return None
        holders = self.ask(_HOLDERS, key=found.position)
        if holders is not None and holders > 1:
            raise _NoRoom
        return found.position


def repair(ledger: Ledger, column: str, but: str = "") -> int:
    """Gives every task of a column a fresh position, in the order they stand: how many got another one.

    The task ``but``, which is about to be placed, is left out.
    """
    rows = ledger.tx.all(_COLUMN, project=ledger.row.id, column=column, task=but)
    moved = [(row, key) for row, key in zip(rows, spread(len(rows)), strict=True) if row.position != key]
    for row, key in moved:
        before = _task.decode(row.body)
        rev = ledger.next_rev
        after = msgspec.structs.replace(
            before, position=key, rev=rev, field_revs=before.field_revs | {"position": rev}
        )
        ledger.tx.run(_SET_POSITION, task=row.id, position=key, body=encode(after).decode())
        ledger.task(TASK_UPDATED, "task.updated", after, before=before, fields=("position",))
    return len(moved)
