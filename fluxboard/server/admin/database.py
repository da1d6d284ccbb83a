"""A database that servers may be using at the same time.

Transactions are short and follow the servers' own rules. In SQLite this is the second connection that
writes: it takes the same turn as the server's writer, and leaves the checkpoints to it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from fluxboard.server.errors import Unavailable
from fluxboard.server.storage.migrate import HEAD, DatabaseTooNew, DatabaseUnreachable, file_of, schema_of
from fluxboard.server.storage.sql import Tx
from fluxboard.server.storage.turn import WriterTurn

T = TypeVar("T")
Job = Callable[[Tx], T]

BUSY_SECONDS: Final = 10
TRIES: Final = 5


class DatabaseTooOld(Exception):
    """The database has no schema, or that of an older program; nothing was touched."""

    def __init__(self, found: str) -> None:
        has = f"schema {found}" if found else "no board in it"
        super().__init__(f"The database has {has}. Start a server of this version on it first.")


class Database(Protocol):
    """Runs one job after the other, each in a transaction."""

    dialect: str

    def read(self, job: Job[T]) -> T:
        """Runs ``job`` in one snapshot; it must not write."""
        ...

    def write(self, job: Job[T]) -> T:
        """Runs ``job`` and answers when it is on disk. What it announces, the servers find in the log."""
        ...

    def vacuum(self) -> None:
        """Gives room that nothing is in back to the system."""
        ...


@contextlib.contextmanager
def open_database(database: str) -> Iterator[Database]:
    """The database behind a URL. Raises DatabaseUnreachable, DatabaseTooOld and DatabaseTooNew."""
    file = file_of(database)
    opened = _postgres(database) if file is None else _sqlite(database, file)
    with opened as found:
        schema = _schema(found, database)
        if schema > HEAD:
            raise DatabaseTooNew(schema)
        if schema < HEAD:
            raise DatabaseTooOld(schema)
        yield found


def _schema(opened: Database, database: str) -> str:
    try:
        return opened.read(schema_of)
    except Exception as error:
        if any(words in str(error) for words in ("no such table", "does not exist")):
            return ""
        raise DatabaseUnreachable(database, str(error)) from None  # such as a role that may not read it


class _Sqlite:
    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, turn: WriterTurn) -> None:
        self._connection = connection
        self._turn = turn

    def read(self, job: Job[T]) -> T:
        self._connection.execute("BEGIN")
        try:
            return job(Tx(self._connection.execute, self.dialect))
        finally:
            self._connection.execute("ROLLBACK")

    def write(self, job: Job[T]) -> T:
        with self._turn:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                result = job(Tx(self._connection.execute, self.dialect))
                self._connection.execute("COMMIT")
            except BaseException as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise Unavailable(f"The database cannot be written: {error}", retry_after=5) from None
                raise
        return result

    def vacuum(self) -> None:
        with self._turn:
            self._connection.execute("VACUUM")


@contextlib.contextmanager
def _sqlite(database: str, file: Path) -> Iterator[Database]:
    try:
        # Not made where it is missing.
        connection = sqlite3.connect(
            f"{file.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=BUSY_SECONDS
        )
        connection.execute("PRAGMA schema_version")
        turn = WriterTurn(file)
    except (sqlite3.Error, OSError) as error:
        raise DatabaseUnreachable(database, str(error)) from None
    for pragma in ("foreign_keys=ON", "synchronous=FULL", "wal_autocheckpoint=0", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")
    try:
        yield _Sqlite(connection, turn)
    finally:
        with turn:  # the last one to close checkpoints
            connection.close()
        turn.close()


class _Postgres:
    dialect = "postgresql"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def read(self, job: Job[T]) -> T:
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return job(Tx(self._connection.execute, self.dialect))

    def write(self, job: Job[T]) -> T:
        import psycopg
        from psycopg import errors

        for _ in range(TRIES):
            try:
                with self._connection.transaction():
                    return job(Tx(self._connection.execute, self.dialect))
            except (errors.SerializationFailure, errors.DeadlockDetected):
                continue
            except psycopg.OperationalError as error:
                raise Unavailable(f"The database cannot be written: {error}", retry_after=5) from None
        raise Unavailable("The database is busy; nothing was changed", retry_after=1)

    def vacuum(self) -> None:
        self._connection.execute("VACUUM (ANALYZE)")


@contextlib.contextmanager
def _postgres(database: str) -> Iterator[Database]:
    import psycopg

    try:
        connection = psycopg.connect(database, autocommit=True)
    except psycopg.Error as error:
        raise DatabaseUnreachable(database, str(error)) from None
    with connection:
        yield _Postgres(connection)
