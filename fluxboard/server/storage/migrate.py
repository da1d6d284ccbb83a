"""Brings a database to the schema of this program, or refuses one that a newer program wrote."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import URL, Engine, column, create_engine, event, inspect, select, table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from fluxboard.server.storage.sql import Statement, Tx
from fluxboard.server.storage.turn import WriterTurn

HEAD = "0003"
_SCHEMA: Final = Statement(select(column("version_num")).select_from(table("alembic_version")), str)


class DatabaseTooNew(Exception):
    """The database was written by a newer fluxboard; nothing was touched."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The database has schema {found}, this fluxboard knows up to {HEAD}. "
            "Upgrade fluxboard, or use the database of this version."
        )


class DatabaseUnreachable(Exception):
    """The database does not let us in; the message says where it was looked for, without a password."""

    def __init__(self, database: str, reason: str) -> None:
        password = urlsplit(database).password or "\0"
        first = (reason.replace(password, "…").splitlines() or [""])[0].strip()
        super().__init__(f"The database at {place_of(database)} cannot be opened: {first}")


def schema_of(tx: Tx) -> str:
    """The name of the schema that a database has; :data:`HEAD` is the one of this program."""
    return tx.one(_SCHEMA) or ""


def migrate(database: str) -> None:
    """Runs the migrations that are missing. Raises DatabaseTooNew and DatabaseUnreachable."""
    engine = open_engine(database)
    try:
        _upgrade(engine, database)
    except DBAPIError as error:
        raise DatabaseUnreachable(database, str(error.orig)) from None


def _upgrade(engine: Engine, database: str) -> None:
    with writing(database), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # Two servers that start together migrate one after the other.
            connection.execute(text("SELECT pg_advisory_xact_lock(7203371)"))
        found = None
        if inspect(connection).has_table("alembic_version"):
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found == HEAD:
            return
        if found is not None and str(found) > HEAD:
            raise DatabaseTooNew(str(found))
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)


def open_engine(database: str, begin: str = "BEGIN IMMEDIATE") -> Engine:
    """SQLAlchemy's way to a database; SQLite begins its transactions with ``begin``.

    Raises DatabaseUnreachable.
    """
    engine = create_engine(_with_driver(database), poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        # The driver begins no transaction for DDL by itself: a process that died would leave half a schema.
        event.listen(engine, "connect", lambda driver, _: setattr(driver, "isolation_level", None))
        event.listen(engine, "begin", lambda begun: begun.exec_driver_sql(begin))
    try:
        with engine.connect() as opened:
            if engine.dialect.name == "sqlite":  # only who reads it sees whether it is one
                opened.connection.cursor().execute("PRAGMA schema_version")
    except (DBAPIError, sqlite3.DatabaseError) as error:
        raise DatabaseUnreachable(database, str(getattr(error, "orig", error))) from None
    return engine


@contextlib.contextmanager
def writing(database: str) -> Iterator[None]:
    """Waits for the turn to write where the database is a file; PostgreSQL needs none.

    Raises DatabaseUnreachable.
    """
    file = file_of(database)
    if file is None:
        yield
        return
    try:
        turn = WriterTurn(file)
    except OSError as error:
        raise DatabaseUnreachable(database, str(error)) from None
    try:
        with turn:
            yield
    finally:
        turn.close()


def file_of(database: str) -> Path | None:
    """The file behind a URL, None for PostgreSQL."""
    path = database.removeprefix("sqlite:///")
    return None if path == database else Path(path)


def place_of(database: str) -> str:
    """Where a database is, in words that hold no password."""
    file = file_of(database)
    if file is not None:
        return str(file)
    where = urlsplit(database)
    return f"{where.hostname or 'localhost'}:{where.port or 5432}{where.path}"


def _with_driver(database: str) -> str | URL:
    """SQLAlchemy's spelling of a URL; the path of a file stays as it is, with any ``%`` and ``?`` in it."""
    if (file := file_of(database)) is not None:
        return URL.create("sqlite", database=str(file))
    for scheme in ("postgresql://", "postgres://"):
        if database.startswith(scheme):
            return "postgresql+psycopg://" + database.removeprefix(scheme)
    return database
