"""How much is in a database, and what may go from it."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec
from sqlalchemy import Table, bindparam, func, select, text

from fluxboard.server.admin import boards
from fluxboard.server.admin.database import Database
from fluxboard.server.commands.upkeep import EXPIRING, cut_log, old_logs
from fluxboard.server.storage.sql import Statement, Tx
from fluxboard.server.storage.tables import changes, comments, metadata, projects, tasks

#: Log rows that go in one transaction, so that no server waits long for it.
ROWS_A_STEP: Final = 5000


class TableRow(msgspec.Struct, frozen=True, rename="camel"):
    """A table with what it takes on disk, its indexes included; None where the database does not say."""

    table: str
    rows: int
    bytes: int | None


class BoardRow(msgspec.Struct, frozen=True, rename="camel"):
    """A project with how long the texts of its rows are, in bytes or nearly so."""

    id: str
    name: str
    tasks: int
    tasks_bytes: int
    log: int
    log_bytes: int
    comments_bytes: int


class Sizes(msgspec.Struct, frozen=True, rename="camel"):
    """The tables, the largest first, and the largest projects."""

    tables: list[TableRow]
    projects: list[BoardRow]


class Removed(msgspec.Struct, frozen=True, rename="camel"):
    """How many rows of a kind went."""

    what: str
    rows: int


def _pair(name: str, size: int) -> tuple[str, int]:
    return str(name), int(size)


_COUNTS: Final = {
    name: Statement(select(func.count()).select_from(table), int) for name, table in metadata.tables.items()
}
_POSTGRES_BYTES: Final = Statement(
    text("SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r'"), _pair
)
_SQLITE_BYTES: Final = Statement(
    text(
        "SELECT m.tbl_name, SUM(d.pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name "
        "WHERE d.aggregate = TRUE GROUP BY m.tbl_name"
    ),
    _pair,
)
_LOG_START: Final = Statement(select(projects.c.log_start).where(projects.c.id == bindparam("project")), int)


def _length(table: Table, *columns: str) -> Statement[int]:
    long = sum((func.length(table.c[name]) for name in columns[1:]), func.length(table.c[columns[0]]))
    return Statement(
        select(func.coalesce(func.sum(long), 0)).where(table.c.project_id == bindparam("project")), int
    )


_TASKS_BYTES: Final = _length(tasks, "body")
_LOG_BYTES: Final = _length(changes, "body", "prev")
_COMMENTS_BYTES: Final = _length(comments, "content")


def sizes(tx: Tx, dialect: str, top: int) -> Sizes:
    """What is where."""
    taken = _bytes(tx, dialect)
    tables = [
        TableRow(name, tx.one(count) or 0, taken.get(name) if taken else None)
        for name, count in _COUNTS.items()
    ]
    tables.sort(key=lambda row: (row.bytes or 0, row.rows), reverse=True)
    largest = [
        BoardRow(
            project.id,
            project.name,
            project.tasks,
            tx.one(_TASKS_BYTES, project=project.id) or 0,
            project.log,
            tx.one(_LOG_BYTES, project=project.id) or 0,
            tx.one(_COMMENTS_BYTES, project=project.id) or 0,
        )
        for project in boards.listed(tx, "%", top)
    ]
    return Sizes(tables, largest)


def _bytes(tx: Tx, dialect: str) -> dict[str, int]:
    try:
        return dict(tx.all(_POSTGRES_BYTES if dialect == "postgresql" else _SQLITE_BYTES))
    except sqlite3.OperationalError:  # a SQLite that was built without dbstat
        return {}


def compact(database: Database) -> list[Removed]:
    """Removes what is older than its time, in short transactions, and says how much that was."""
    removed = {what: database.write(forget) for what, forget in EXPIRING.items()}
    removed["log"] = 0
    for project_id, last in database.read(old_logs):
        at = database.read(lambda tx, project=project_id: tx.one(_LOG_START, project=project))  # type: ignore[misc]
        while at is not None and at < last:
            at = min(at + ROWS_A_STEP, last)
            removed["log"] += database.write(
                lambda tx, project=project_id, up_to=at: cut_log(tx, project, up_to)  # type: ignore[misc]
            )
    return [Removed(what, rows) for what, rows in removed.items()]
