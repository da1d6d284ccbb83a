"""Statements that are written in SQLAlchemy Core, compiled once, and run on the bare driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from sqlalchemy import Column, bindparam, literal
from sqlalchemy.sql.expression import ClauseElement, ColumnElement, Delete, Update

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from fluxboard.server.storage.engine import Committed

R = TypeVar("R")
#: A list of ids is a fixed number of parameters, so that its statement is compiled once like any other.
_IDS: Final = tuple(f"id_{number}" for number in range(100))
_NO_IDS: Final = dict.fromkeys(_IDS, "")


class Statement(Generic[R]):
    """A statement whose rows are passed to ``row`` positionally."""

    def __init__(self, clause: ClauseElement, row: Callable[..., R]) -> None:
        self._clause = clause
        self.row = row
        self._compiled: dict[str, tuple[str, dict[str, Any]]] = {}

    def compiled(self, dialect: str) -> tuple[str, dict[str, Any]]:
        """Its text in a dialect (``sqlite`` or ``postgresql``) and the values that it carries itself."""
        found = self._compiled.get(dialect)
        if found is None:
            made = self._clause.compile(dialect=_dialect(dialect))
            own = {name: value for name, value in made.params.items() if value is not None}
            found = self._compiled[dialect] = (str(made), own)
        return found


def command(clause: ClauseElement) -> Statement[None]:
    """A statement that answers no rows."""
    return Statement(clause, lambda *_: None)


def counted(clause: Update | Delete) -> Statement[int]:
    """A statement that answers a row for each that it changes, so that :meth:`Tx.count` can say how many."""
    return Statement(clause.returning(literal(1)), int)


def one_of(column: Column[str]) -> ColumnElement[bool]:
    """Whether a column is one of the ids that :meth:`Tx.each` gives."""
    return column.in_([bindparam(name) for name in _IDS])


def _dialect(name: str) -> Dialect:
    if name == "sqlite":
        from sqlalchemy.dialects.sqlite import pysqlite

        return pysqlite.dialect(paramstyle="named")
    from sqlalchemy.dialects.postgresql import psycopg

    return psycopg.dialect()  # type: ignore[no-untyped-call]


class Tx:
    """One transaction. What is announced in it is published after its commit, or never."""

    __slots__ = ("_ahead", "_dialect", "_execute", "_pipelined", "announced", "wrote")

    def __init__(
        self, execute: Callable[[str, dict[str, Any]], Any], dialect: str, *, pipelined: bool = False
    ) -> None:
        self._execute = execute
        self._dialect = dialect
        self._pipelined = pipelined
        self._ahead: dict[tuple[object, ...], Any] = {}
        self.announced: list[Committed] = []
        #: Whether it may have changed something.
        self.wrote = False

    def ahead(self, statement: Statement[Any], **values: Any) -> None:
        """Says that :meth:`one` will soon be asked this, so that what is far away is asked only once.

        What was asked ahead is forgotten when something is written, so it changes no answer.
        """
        if self._pipelined:
            self._ahead[statement, *values.items()] = self._run(statement, values)

    def one(self, statement: Statement[R], **values: Any) -> R | None:
        """The first row, None without one."""
        asked = self._ahead.pop((statement, *values.items()), None) if self._ahead else None
        row = (self._run(statement, values) if asked is None else asked).fetchone()
        return None if row is None else statement.row(*row)

    def all(self, statement: Statement[R], **values: Any) -> list[R]:
        """Every row."""
        make = statement.row
        return [make(*row) for row in self._run(statement, values).fetchall()]

    def each(self, statement: Statement[R], ids: list[str], **values: Any) -> list[R]:
        """Every row of a statement with :func:`one_of`, for any number of ids."""
        found: list[R] = []
        for start in range(0, len(ids), len(_IDS)):
            some = dict(zip(_IDS, ids[start : start + len(_IDS)], strict=False))
            found += self.all(statement, **(_NO_IDS | some), **values)
        return found

    def run(self, statement: Statement[None], **values: Any) -> None:
        """Changes rows. What it did may be known to the database only at the next look at something."""
        self._writes()
        self._run(statement, values)

    def count(self, statement: Statement[R], **values: Any) -> int:
        """How many rows a statement answers."""
        self._writes()
        return len(self._run(statement, values).fetchall())

    def announce(self, committed: Committed) -> None:
        """Publishes ``committed`` once this transaction is on disk."""
        self.announced.append(committed)

    def _writes(self) -> None:
        self.wrote = True
        self._ahead.clear()

    def _run(self, statement: Statement[Any], values: dict[str, Any]) -> Any:
        text, own = statement.compiled(self._dialect)
        return self._execute(text, {**own, **values} if own else values)
