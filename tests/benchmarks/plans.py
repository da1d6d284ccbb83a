"""How the database finds what each statement asks for: ``python -m tests.benchmarks.plans [projects]``.

Fills a PostgreSQL database of its own (on the server of FLUXBOARD_TEST_POSTGRES) with so many projects of 100
tasks each, by default 10,000, runs every statement of the server with EXPLAIN ANALYZE, each in a transaction
that is rolled back, and prints what was used, how many rows came and how long it took. Fails where a large
table is read from end to end. The database is dropped at the end.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

from fluxboard.server import commands
from fluxboard.server.storage.migrate import migrate
from fluxboard.server.storage.sql import Statement
from fluxboard.server.storage.tables import metadata

TASKS_A_PROJECT: Final = 100
PEOPLE_A_PROJECT: Final = 5
#: Read from end to end by design, once an hour: an index would cost each refresh and each edit more.
BY_DESIGN: Final = {
    "upkeep._LONG_LOGS": "projects",
    "upkeep._OLD_SESSIONS": "sessions",
    "upkeep._OLD_INVITES": "invites",
    "upkeep._OLD_INBOX": "inbox",
}

_ID: Final = "00000000-0000-7000-8000-"
_PROJECT: Final = 7
#: One with a comment, and in an inbox.
_TASK: Final = _PROJECT * TASKS_A_PROJECT + 49
NOW: Final = "2026-03-11T12:00:00.000Z"


def _id(number: int) -> str:
    """The id of a generated row; new rows sort last, as real ids do."""
    return f"{_ID}{number:012x}"


#: What the statements are asked with; a name with a module is for that one's statements.
VALUES: Final[dict[str, Any]] = {
    **dict.fromkeys((f"id_{number}" for number in range(100)), "none"),
    **dict.fromkeys(("now", "at", "when", "until", "updated_at"), NOW),
    **dict.fromkeys(("before", "done_before"), "2025-12-01T00:00:00.000Z"),
    **dict.fromkeys(("type", "date_from", "date_to", "history.user"), ""),
    **dict.fromkeys(
        ("body", "new_body", "new_columns", "new_content", "new_description", "new_mentions"), "{}"
    ),
    **dict.fromkeys(("deleted_at", "deleted_by", "due_date", "new_due_date", "new_start_date"), None),
    "inbox.before": "2026-03-14",
    "upkeep._LAST_OLD.before": NOW,
    "project": _id(_PROJECT),
    "task": _id(_TASK),
    "comment": _id(_TASK),
    "user": _id(_PROJECT),
    "person": _id(_PROJECT),
    "assigned_to": _id(_PROJECT),
    "session": _id(_PROJECT),
    "item": _id(_TASK),
    "email": f"{_PROJECT}@example.com",
    "of": f"key-{_PROJECT}",
    "hash": f"hash-{_PROJECT}",
    "column": "todo",
    "status": "todo",
    "key": "a0000050",
    "position": "a0000051",
    "new_name": "Renamed",
    "new_priority": "high",
    "new_role": "viewer",
    "new_status": "active",
    "answers.new_status": 200,
    **dict.fromkeys(("all", "known", "skip", "new_archived", "completed_count"), 0),
    "count": 100,
    "since": 90,
    "rev": 1000,
    "task_count": 100,
    "up_to": 100,
    "rows_kept": 10_000,
}


@dataclass(frozen=True)
class Query:
    """A statement of the server with values to ask it with."""

    name: str
    statement: Statement[Any]
    values: dict[str, Any]

    def in_dialect(self, dialect: str) -> tuple[str, dict[str, Any]]:
        text, own = self.statement.compiled(dialect)
        return text, {**self.values, **own}


def queries() -> Iterator[Query]:
    """Every statement of the commands but those that only insert; one that is new is found by itself."""
    seen: set[int] = set()
    for module in pkgutil.iter_modules(commands.__path__):
        for name, statement in vars(importlib.import_module(f"{commands.__name__}.{module.name}")).items():
            if not isinstance(statement, Statement) or id(statement) in seen:
                continue
            seen.add(id(statement))
            text, own = statement.compiled("postgresql")
            if text.startswith("INSERT"):
                continue
            names = set(re.findall(r"%\((\w+)\)s", text)) - set(own)
            values = {
                wanted: next(
                    VALUES[key]
                    for key in (f"{module.name}.{name}.{wanted}", f"{module.name}.{wanted}", wanted)
                    if key in VALUES
                )
                for wanted in names
            }
            yield Query(f"{module.name}.{name}", statement, values)


def cascades() -> Iterator[tuple[str, str, str]]:
    """Table, column and referred table of each foreign key along which a deletion spreads."""
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.ondelete == "CASCADE":
                yield table.name, key.parent.name, key.column.table.name


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes from the top."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def read_whole(plan: dict[str, Any]) -> set[str]:
    """The tables that a plan reads from end to end."""
    return {str(node["Relation Name"]) for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


def explain(
    connection: psycopg.Connection[Any], text: str, values: dict[str, Any], *, analyze: bool
) -> dict[str, Any]:
    """What PostgreSQL does, or would do, for a statement; nothing of it stays."""
    with connection.transaction(force_rollback=True):
        options = "ANALYZE, FORMAT JSON" if analyze else "FORMAT JSON"
        row = connection.execute(f"EXPLAIN ({options}) {text}", values).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0][0]
    return found


FILL: Final = (
    """INSERT INTO users SELECT {id:n}, n || '@example.com', 'Person ' || n, 'client', '$argon2', '{now}'
       FROM generate_series(1, {people}) n""",
    """INSERT INTO sessions SELECT {id:n}, {id:(n % {people} + 1)}, '{now}', '2026-04-01', NULL, 3, '{now}'
       FROM generate_series(1, 2 * {people}) n""",
    """INSERT INTO projects SELECT {id:n}, 'Project ' || n, '', 'active', 'medium', NULL, NULL, '[]', {id:n},
       '{now}', '{now}', 0, 2 * {tasks}, 0, {tasks}, {tasks} / 4 FROM generate_series(1, {projects}) n""",
    """INSERT INTO members SELECT {id:n}, {id:((n + m * 17 - 1) % {people} + 1)}, 'member', '{now}', NULL,
       NULL
       FROM generate_series(1, {projects}) n, generate_series(0, {members} - 1) m""",
    """INSERT INTO tasks SELECT {id:(n * {tasks} + t)}, {id:n},
       (ARRAY['todo','in_progress','review','completed'])[t % 4 + 1], 'a' || lpad(t::text, 7, '0'),
       '{{"archived":false,"description":"' || repeat(md5((n * t)::text), 12) || '"}}',
       CASE WHEN t % 50 = 0 THEN '{now}' END, NULL, {id:((n + t % {members} * 17 - 1) % {people} + 1)},
       CASE WHEN t % 3 = 0 THEN '2026-0' || t % 9 + 1 || '-11' END
       FROM generate_series(1, {projects}) n, generate_series(1, {tasks}) t""",
    """INSERT INTO changes SELECT {id:n}, r, 'task.updated', 'task', {id:(n * {tasks} + r % {tasks} + 1)},
       'Title', '{{}}', '{{"task":"' || repeat(md5((n * r)::text), 12) || '"}}', {id:n}, NULL, '{now}'
       FROM generate_series(1, {projects}) n, generate_series(1, 2 * {tasks}) r""",
    """INSERT INTO comments SELECT {id:(n * {tasks} + t)}, {id:n}, {id:(n * {tasks} + t)},
       repeat('word ', 20), '[]', {id:n}, '{now}', '{now}'
       FROM generate_series(1, {projects}) n, generate_series(1, {tasks}, 2) t""",
    """INSERT INTO inbox SELECT {id:(n * {tasks} + t)}, {id:n}, {id:n}, {id:(n * {tasks} + t)}, 'comment',
       {id:n}, repeat('word ', 20), {id:(n * {tasks} + t)}, '{now}', CASE WHEN t % 10 > 0 THEN '{now}' END
       FROM generate_series(1, {projects}) n, generate_series(1, {tasks}, 3) t""",
    """INSERT INTO answers SELECT {id:n}, 'key-' || n || CASE WHEN t > 1 THEN '-' || t ELSE '' END,
       'hash', 200, repeat('x', 300), '{now}'
       FROM generate_series(1, {projects}) n, generate_series(1, {tasks}, 4) t""",
    """INSERT INTO invites SELECT 'hash-' || n, {id:n}, 'member', '2026-04-01', 1, {id:n}
       FROM generate_series(1, {projects}) n""",
    """INSERT INTO mutes SELECT {id:n}, {id:(n * {tasks} + t)}
       FROM generate_series(1, {projects}) n, generate_series(1, 3) t""",
    """INSERT INTO preferences SELECT {id:n}, '{{}}' FROM generate_series(1, {people}) n""",
)


def fill(url: str, projects: int) -> None:
    """A board of a company, of rows as long as real ones."""
    numbers = {
        "projects": projects,
        "tasks": TASKS_A_PROJECT,
        "people": 2 * projects,
        "members": PEOPLE_A_PROJECT,
    }
    with psycopg.connect(url, autocommit=True) as connection:
        # What is made here is whole: the keys need not be looked up a million times, nor the disk waited for.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        for statement in FILL:
            sql = re.sub(r"{(\w+)}", lambda found: str({**numbers, "now": NOW}[found[1]]), statement)
            sql = re.sub(r"{id:((?:[^{}])+)}", rf"('{_ID}' || lpad(to_hex((\1)::int), 12, '0'))", sql)
            begun = time.perf_counter()
            count = connection.execute(sql.replace("{{", "{").replace("}}", "}")).rowcount
            told = sql.split(maxsplit=3)[2]
            print(f"{told:12} {count:>10,} rows  {time.perf_counter() - begun:6.1f} s", flush=True)
        connection.execute("VACUUM (ANALYZE)")


def report(url: str) -> list[str]:
    """Prints a line for each statement; answers what is read from end to end and should not be."""
    bad: list[str] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET jit = off")
        asked = [(query.name, *query.in_dialect("postgresql")) for query in queries()]
        asked += [
            (
                f"cascade {referred} to {table}",
                f'DELETE FROM "{table}" WHERE {column} = %(it)s',
                {"it": VALUES[referred[:-1]]},
            )
            for table, column, referred in cascades()
        ]
        print(f"\n{'statement':36} {'rows':>7} {'ms':>9}  by")
        for name, text, values in asked:
            found = explain(connection, text, values, analyze=True)
            used = [
                f"{node['Node Type']} {node.get('Index Name') or node['Relation Name']}"
                for node in nodes(found["Plan"])
                if "Index Name" in node or node["Node Type"] == "Seq Scan"
            ]
            rows = max(int(node["Actual Rows"] * node["Actual Loops"]) for node in nodes(found["Plan"]))
            whole = read_whole(found["Plan"]) - {BY_DESIGN.get(name)}
            bad += [f"{name} reads all of {table}" for table in whole]
            mark = "!" if whole else " "
            print(f"{name:36} {rows:>7,} {found['Execution Time']:>9.2f} {mark}{', '.join(used)}")
    return bad


def main() -> None:
    projects = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    server = os.environ.get("FLUXBOARD_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
    name = f"fluxboard_plans_{uuid4().hex}"
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type, unused-ignore]
    try:
        migrate(url)
        fill(url, projects)
        bad = report(url)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type, unused-ignore]
    if bad:
        raise SystemExit("\n".join(bad))


if __name__ == "__main__":
    main()
