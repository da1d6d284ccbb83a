"""Moves a board from one database to another, whole or not at all.

The source is only read, in one snapshot. The target is written in one transaction, which is committed once
both sides, read anew, agree row by row: who edits the source meanwhile is found, and nothing is moved.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, Row, Table, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from fluxboard.server.storage.migrate import (
    HEAD,
    DatabaseTooNew,
    DatabaseUnreachable,
    file_of,
    migrate,
    open_engine,
    place_of,
    writing,
)
from fluxboard.server.storage.tables import metadata, projects

ROWS_A_BATCH: Final = 1000
_HASH_BYTES: Final = 16
#: Of what belongs to no project.
_NO_PROJECT: Final = ""

_encode: Final = msgspec.json.Encoder().encode
Progress = Callable[[int], None]


class CannotMove(Exception):
    """The board was not moved, and the target has nothing of it; the message says why."""


class Compared(msgspec.Struct, frozen=True, rename="camel"):
    """A table with its rows on either side."""

    table: str
    source: int
    target: int


class Comparison(msgspec.Struct, frozen=True, rename="camel"):
    """Both sides; ``differing`` has the projects whose rows are not the same, "" for what is in none."""

    tables: list[Compared]
    projects: int
    differing: list[str]

    @property
    def same(self) -> bool:
        """Whether the target has what the source has, and nothing else."""
        return not self.differing and all(row.source == row.target for row in self.tables)


class Side:
    """All rows of a database: how many of each table, and a hash of each project.

    The hash is a sum over the rows' own hashes, so that the order in which a database tells them, which
    depends on its collation, does not matter.
    """

    def __init__(self, connection: Connection, progress: Progress) -> None:
        self.rows: Counter[str] = Counter()
        self.hashes: dict[str, int] = defaultdict(int)
        for table in metadata.sorted_tables:
            at, name = _project_of(table), str(table.name)
            for batch in _batches(connection, table):
                for row in batch:
                    digest = hashlib.sha256(_encode([name, *row])).digest()[:_HASH_BYTES]
                    project = _NO_PROJECT if at is None else row[at]
                    self.hashes[project] = (self.hashes[project] + int.from_bytes(digest)) % 256**_HASH_BYTES
                self.rows[name] += len(batch)
                progress(len(batch))


def count_rows(source: str) -> int:
    """How many rows there are to move. Raises CannotMove, DatabaseUnreachable and DatabaseTooNew."""
    engine = _source(source)
    with _snapshot(engine) as connection:
        return sum(_count(connection, table) for table in metadata.sorted_tables)


def move(source: str, target: str, progress: Progress = lambda rows: None) -> Comparison:
    """Copies every row and compares both sides; ``progress`` hears of each row three times.

    Raises CannotMove, and what opening a database raises.
    """
    reading = _source(source)
    _prepare(target)
    engine = open_engine(target)
    try:
        with writing(target), engine.begin() as to:
            _lock_and_look(to, target)
            with _snapshot(reading) as from_:
                for table in metadata.sorted_tables:
                    _copy(from_, to, table, progress)
            with _snapshot(reading) as from_:
                compared = _compare(Side(from_, progress), Side(to, progress))
            if not compared.same:
                raise CannotMove(_difference(compared))
            if to.dialect.name == "postgresql":
                to.execute(text("ANALYZE"))  # or the first minutes would be planned for empty tables
            return compared
    except DBAPIError as error:
        reason = (str(error.orig).splitlines() or [""])[0]
        raise CannotMove(f"A database failed at this: {reason}. Nothing was moved.") from None


def _source(database: str) -> Engine:
    file = file_of(database)
    if file is not None and not file.exists():
        raise DatabaseUnreachable(database, "there is no such file")
    engine = open_engine(database, begin="BEGIN")
    found = _schema(engine)
    if found is not None and found > HEAD:
        raise DatabaseTooNew(found)
    if found != HEAD:
        has = "no board in it" if found is None else f"schema {found}"
        raise CannotMove(
            f"{place_of(database)} has {has}. Start a server of this version on it, end it, and try again."
        )
    return engine


def _prepare(target: str) -> None:
    """Brings an empty target to the schema of this program; what holds something is not touched."""
    engine = open_engine(target)
    found = inspect(engine).get_table_names()
    if found and _schema(engine) is None:
        raise CannotMove(f"{place_of(target)} holds something that is not a board. Name an empty database.")
    with engine.connect() as connection:
        _refuse_full(connection, [table for table in metadata.sorted_tables if table.name in found], target)
    migrate(target)


def _schema(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)


@contextlib.contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as opened:
        if engine.dialect.name == "postgresql":
            yield opened.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            yield opened


def _lock_and_look(connection: Connection, target: str) -> None:
    """Keeps servers from writing, and looks again whether there is nothing."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
    _refuse_full(connection, metadata.sorted_tables, target)


def _refuse_full(connection: Connection, tables: Sequence[Table], target: str) -> None:
    full = [table.name for table in tables if _count(connection, table)]
    if full:
        raise CannotMove(
            f"{place_of(target)} is not empty: there are {', '.join(full)}. Name an empty database; "
            "boards are not mixed."
        )


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _copy(from_: Connection, to: Connection, table: Table, progress: Progress) -> None:
    nul_fits = to.dialect.name == "sqlite"
    names = [column.name for column in table.columns]
    for batch in _batches(from_, table):
        if not nul_fits:
            _without_nul(table, batch)
        to.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in batch])
        progress(len(batch))


def _without_nul(table: Table, batch: Sequence[Row[Any]]) -> None:
    """Servers let no such text in; what else wrote the file may have."""
    for row in batch:
        if any(isinstance(value, str) and "\0" in value for value in row):
            raise CannotMove(
                f"A row of {table.name} holds a NUL character, which PostgreSQL cannot store: "
                f"{_encode(row[0]).decode()}. Nothing was moved."
            )


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    rows = connection.execute(select(table), execution_options={"yield_per": ROWS_A_BATCH})
    yield from rows.partitions()


def _project_of(table: Table) -> int | None:
    """At which column of a row its project stands; None where it belongs to none."""
    names = list(table.columns.keys())
    wanted = "id" if table is projects else "project_id"
    return names.index(wanted) if wanted in names else None


def _compare(source: Side, target: Side) -> Comparison:
    known = source.hashes.keys() | target.hashes.keys()
    return Comparison(
        tables=[Compared(name, source.rows[name], target.rows[name]) for name in map(str, metadata.tables)],
        projects=len(known - {_NO_PROJECT}),
        differing=sorted(p for p in known if source.hashes.get(p) != target.hashes.get(p)),
    )


def _difference(compared: Comparison) -> str:
    rows = [
        f"{row.table} {row.source:,}/{row.target:,}" for row in compared.tables if row.source != row.target
    ]
    boards = [project or "accounts" for project in compared.differing]
    return (
        "Source and target differ, so nothing was moved. "
        f"Rows: {', '.join(rows) or 'as many'}. Not the same: {', '.join(boards[:5]) or 'nothing'}"
        f"{f' and {len(boards) - 5} more' if len(boards) > 5 else ''}. "
        "If a server still runs on the source, end it and try again."
    )
