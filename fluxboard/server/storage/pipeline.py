"""Statements of a transaction that travel together, over psycopg's libpq.

psycopg's own pipeline looks at the socket at each statement, and makes a cursor for it: with the short
statements of an edit that takes longer than the database needs to run them.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections import deque
from types import TracebackType
from typing import Any, Final, Self

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer
from psycopg.generators import fetch_many, send

Row = tuple[Any, ...]
_PARAMETER: Final = re.compile(r"%\((\w+)\)s")


class Connection(psycopg.Connection[Row]):
    """A connection that remembers the statements it has prepared."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        #: Their names there, and the names of their parameters in order.
        self.statements: dict[str, tuple[bytes, list[str]]] = {}
        self.numbers = itertools.count()


class Answer:
    """What a statement found; it is waited for when it is looked at."""

    __slots__ = ("_pipeline", "found")

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.found: pq.abc.PGresult | None = None

    def fetchall(self) -> list[Row]:
        """Every row. Raises what the database says of this statement or one before it."""
        return self._pipeline.rows(self)

    def fetchone(self) -> Row | None:
        """The first row, None without one."""
        rows = self._pipeline.rows(self)
        return rows[0] if rows else None


class Pipeline:
    """A context manager: a transaction whose statements are sent when an answer is looked at.

    It is committed when it is left without an error. Raises what psycopg raises.
    """

    def __init__(self, connection: Connection, mode: str = "") -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._begin = f"BEGIN {mode}".encode()
        self._values = Transformer(connection)
        #: What will be answered, in order: a statement, the text of one that is prepared, or None for what
        #: nobody looks at.
        self._expected: deque[Answer | str | None] = deque()
        #: The texts whose preparation was not answered; perhaps it never gets there.
        self._unprepared: set[str] = set()
        #: So many of the expected answers are on their way.
        self._flushed = 0
        self._synced = False

    def __enter__(self) -> Self:
        self._libpq.enter_pipeline_mode()
        self._send(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._send(b"COMMIT")
                self._finish()
        except BaseException:
            self._abandon()
            raise
        if error is not None:
            self._abandon()

    def execute(self, text: str, values: dict[str, Any]) -> Answer:
        """Runs a statement with parameters such as ``%(name)s``."""
        name, order = self._connection.statements.get(text) or self._prepare(text)
        self._libpq.send_query_prepared(name, [_as_text(values[key]) for key in order])
        answer = Answer(self)
        self._expected.append(answer)
        return answer

    def settle(self) -> None:
        """Waits until everything that was executed is done."""
        self._flush()
        while self._expected:
            self._receive()

    def rows(self, answer: Answer) -> list[Row]:
        """The rows of one of its answers."""
        while answer.found is None:
            if self._flushed <= 0:
                self._flush()
            self._receive()
        self._values.set_pgresult(answer.found)
        return self._values.load_rows(0, answer.found.ntuples, tuple)

    def _flush(self) -> None:
        self._flushed = len(self._expected)
        self._libpq.send_flush_request()
        self._connection.wait(send(self._libpq))

    def _prepare(self, text: str) -> tuple[bytes, list[str]]:
        order: list[str] = []

        def numbered(parameter: re.Match[str]) -> str:
            if parameter[1] not in order:
                order.append(parameter[1])
            return f"${order.index(parameter[1]) + 1}"

        name = b"fluxboard_%d" % next(self._connection.numbers)
        self._libpq.send_prepare(name, _PARAMETER.sub(numbered, text).replace("%%", "%").encode())
        self._expected.append(text)
        self._unprepared.add(text)
        self._connection.statements[text] = name, order
        return name, order

    def _send(self, command: bytes) -> None:
        self._libpq.send_query_params(command, None)
        self._expected.append(None)

    def _finish(self) -> None:
        self._sync()
        while self._expected:
            self._receive()
        self._connection.wait(fetch_many(self._libpq))
        self._libpq.exit_pipeline_mode()

    def _sync(self) -> None:
        if not self._synced:
            self._synced = True
            self._libpq.pipeline_sync()
            self._connection.wait(send(self._libpq))

    def _receive(self) -> None:
        (result,) = self._connection.wait(fetch_many(self._libpq))
        expected = self._expected.popleft()
        self._flushed -= 1
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result)
        if result.status == pq.ExecStatus.PIPELINE_ABORTED:
            raise errors.PipelineAborted("a statement before this one failed")
        if isinstance(expected, Answer):
            expected.found = result
        elif expected is not None:
            self._unprepared.remove(expected)

    def _abandon(self) -> None:
        """Undoes the transaction; a connection that is lost stays so, and its pool finds out."""
        try:
            self._sync()
            for _ in range(len(self._expected)):
                with contextlib.suppress(psycopg.Error):
                    self._receive()
            self._connection.wait(fetch_many(self._libpq))
            self._libpq.exit_pipeline_mode()
            self._connection.rollback()
        except psycopg.Error:
            self._connection.close()
        for text in self._unprepared:
            del self._connection.statements[text]


def _as_text(value: object) -> bytes | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else str(value)
    if "\0" in text:
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL bytes")
    return text.encode()
