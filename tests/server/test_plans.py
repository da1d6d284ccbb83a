"""Every statement of the server finds its rows by an index, on both databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg

from fluxboard.server.storage.migrate import file_of, migrate
from fluxboard.server.storage.tables import metadata
from tests.benchmarks.plans import BY_DESIGN, cascades, explain, nodes, queries

INDEXED = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}


def test_postgres_has_an_index_for_each_statement(postgres: str) -> None:
    """On empty tables it would rather read them whole; told not to, it does so only where it must."""
    migrate(postgres)
    bad = []
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")
        for query in queries():
            plan = explain(connection, *query.in_dialect("postgresql"), analyze=False)["Plan"]
            for node in nodes(plan):
                whole = node["Node Type"] == "Seq Scan"
                if whole or (node["Node Type"] in INDEXED and "Index Cond" not in node):
                    table = node.get("Relation Name", node.get("Index Name"))
                    if BY_DESIGN.get(query.name) != table:
                        bad.append(f"{query.name}: {node['Node Type']} {table}")
    assert bad == []


def test_sqlite_has_an_index_for_each_statement(sqlite: str) -> None:
    bad = []
    with closing(sqlite3.connect(str(file_of(sqlite)))) as connection:
        for query in queries():
            text, values = query.in_dialect("sqlite")
            steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]
            bad += [
                f"{query.name}: {step}"
                for step in steps
                if step.startswith("SCAN") and BY_DESIGN.get(query.name) != step.split()[1]
            ]
    assert bad == []


def test_a_deletion_finds_what_it_takes_with_it() -> None:
    found = list(cascades())
    assert ("comments", "project_id", "projects") in found
    for table, column, _ in found:
        leading = {index.columns[0].name for index in metadata.tables[table].indexes}
        leading.add(metadata.tables[table].primary_key.columns[0].name)
        assert column in leading, (table, column)
