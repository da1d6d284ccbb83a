"""A transaction whose statements travel together answers, fails and ends as any other."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors
from psycopg.pq import TransactionStatus
from sqlalchemy import Integer, String, column, select, table

from fluxboard.server.settings import Settings
from fluxboard.server.storage.pipeline import Connection, Pipeline
from fluxboard.server.storage.sql import Statement, Tx, command
from tests.server.world import SECRET, done, running

_INSERT = "INSERT INTO notes (id, text) VALUES (%(id)s::INTEGER, %(text)s::VARCHAR)"
_ALL = "SELECT id, text FROM notes ORDER BY id"
_FIND = "SELECT text FROM notes WHERE id = %(id)s::INTEGER OR id = %(id)s::INTEGER + %(more)s::INTEGER"


@pytest.fixture
def connection(postgres: str) -> Iterator[Connection]:
    with Connection.connect(postgres, autocommit=True) as made:
        made.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text VARCHAR)")
        yield made
        if not made.closed:
            made.execute("DROP TABLE notes")


def stored(connection: Connection) -> list[tuple[Any, ...]]:
    assert connection.info.transaction_status is TransactionStatus.IDLE
    return connection.execute(_ALL).fetchall()


def test_answers_may_be_looked_at_late_and_in_any_order(connection: Connection) -> None:
    with Pipeline(connection) as pipeline:
        empty = pipeline.execute(_ALL, {})
        pipeline.execute(_INSERT, {"id": 1, "text": "one"})
        pipeline.execute(_INSERT, {"id": 2, "text": "two"})
        both = pipeline.execute(_ALL, {})
        second = pipeline.execute(_FIND, {"id": 1, "more": 1, "unused": "x"})
        assert second.fetchall() == [("one",), ("two",)]
        assert both.fetchone() == (1, "one")
        assert empty.fetchone() is None
        assert empty.fetchall() == []
    assert stored(connection) == [(1, "one"), (2, "two")]


@pytest.mark.parametrize(
    "text", [None, "", "O'Hara; DROP TABLE notes --", "100 % of %s", "\\x00 \\n", "a\nb\tc", "🦄" * 500, "$1"]
)
def test_a_text_comes_back_as_it_was(connection: Connection, text: str | None) -> None:
    with Pipeline(connection) as pipeline:
        pipeline.execute(_INSERT, {"id": 1, "text": text})
        assert pipeline.execute(_FIND, {"id": 1, "more": 0}).fetchall() == [(text,)]
    assert stored(connection) == [(1, text)]


@pytest.mark.parametrize("looked_at", [True, False], ids=["seen in it", "seen at its end"])
def test_an_error_undoes_it_all_and_the_connection_goes_on(connection: Connection, looked_at: bool) -> None:
    def fail() -> None:
        with Pipeline(connection) as pipeline:
            pipeline.execute(_INSERT, {"id": 1, "text": "one"})
            pipeline.execute(_INSERT, {"id": 1, "text": "again"})
            found = pipeline.execute(_ALL, {})
            if looked_at:
                found.fetchall()

    for _ in range(2):  # the second time its statements may be prepared
        with pytest.raises(errors.UniqueViolation):
            fail()
        assert stored(connection) == []
    with Pipeline(connection) as pipeline:
        pipeline.execute(_INSERT, {"id": 1, "text": "one"})
    assert stored(connection) == [(1, "one")]


def test_after_an_error_nothing_is_answered(connection: Connection) -> None:
    def go_on() -> None:
        with Pipeline(connection) as pipeline:
            wrong = pipeline.execute("SELECT 1 / 0", {})
            found = pipeline.execute(_ALL, {})
            with pytest.raises(errors.DivisionByZero):
                wrong.fetchall()
            found.fetchall()

    with pytest.raises(errors.PipelineAborted):
        go_on()
    assert stored(connection) == []


def test_what_the_caller_raises_undoes_it(connection: Connection) -> None:
    def fail() -> None:
        with Pipeline(connection) as pipeline:
            pipeline.execute(_INSERT, {"id": 1, "text": "one"})
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert stored(connection) == []


def test_what_was_prepared_stays_so_though_it_is_undone(connection: Connection) -> None:
    def fail(looked_at: bool) -> None:
        with Pipeline(connection) as pipeline:
            found = pipeline.execute(_ALL, {})
            if looked_at:
                found.fetchall()
            pipeline.execute(_INSERT, {"id": 1, "text": "one"})
            raise LookupError

    for looked_at in (True, False, True, False):
        with pytest.raises(LookupError):
            fail(looked_at)
    assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("text", "error"), [("a\0b", psycopg.DataError), ("\ud800", UnicodeEncodeError)], ids=["NUL", "surrogate"]
)
def test_a_text_that_no_column_holds_is_refused(
    connection: Connection, text: str, error: type[Exception]
) -> None:
    def fail() -> None:
        with Pipeline(connection) as pipeline:
            pipeline.execute(_INSERT, {"id": 1, "text": text})

    with pytest.raises(error):
        fail()
    assert stored(connection) == []


@pytest.mark.parametrize("looked_at", [True, False], ids=["seen in it", "seen at its end"])
def test_a_connection_that_breaks_is_closed(postgres: str, connection: Connection, looked_at: bool) -> None:
    def fail() -> None:
        with Pipeline(connection) as pipeline, psycopg.connect(postgres, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
            found = pipeline.execute(_ALL, {})
            if looked_at:
                found.fetchall()

    with pytest.raises(psycopg.OperationalError):
        fail()
    assert connection.closed
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("DROP TABLE notes")


def test_a_snapshot_writes_nothing(connection: Connection) -> None:
    def write() -> None:
        with Pipeline(connection, "ISOLATION LEVEL REPEATABLE READ READ ONLY") as pipeline:
            pipeline.execute(_INSERT, {"id": 1, "text": "one"})

    with pytest.raises(errors.ReadOnlySqlTransaction):
        write()
    assert stored(connection) == []


def test_what_was_asked_ahead_is_not_older_than_what_was_written(connection: Connection) -> None:
    notes = table("notes", column("id", Integer), column("text", String))
    find, insert = Statement(select(notes.c.text), str), command(notes.insert())
    with Pipeline(connection) as pipeline:
        tx = Tx(pipeline.execute, "postgresql", pipelined=True)
        tx.ahead(find)
        assert tx.one(find) is None
        tx.ahead(find)
        tx.run(insert, id=1, text="one")
        assert tx.one(find) == "one"


async def test_an_edit_waits_once_for_what_it_looks_at(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[str] = []
    flush = Pipeline._flush
    monkeypatch.setattr(Pipeline, "_flush", lambda self: (waits.append("waited"), flush(self)))
    async with running(Settings(database=postgres, jwt_secret=SECRET)) as world:
        ada = await world.person("ada")
        path = f"/api/projects/{await ada.project()}/tasks"
        one = {"title": "one", "id": str(uuid4())}

        async def round_trips(call: Awaitable[Any]) -> int:
            waits.clear()
            await done(call)
            return len(waits)

        # Once for what it looks at, and once before the commit.
        assert await round_trips(ada.post(path, one)) == 2
        assert await round_trips(ada.put(f"{path}/{one['id']}", {"title": "two"})) == 2
        # And once for what was done since an older revision, or for whose inbox it was in.
        assert await round_trips(ada.put(f"{path}/{one['id']}", {"title": "three", "baseRev": 2})) == 3
        assert await round_trips(ada.delete(f"{path}/{one['id']}")) == 3
