"""The schema that a fresh database gets, and databases that this program must not touch."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from fluxboard.server.settings import BadSettings, Settings
from fluxboard.server.storage import migrate as migrating
from fluxboard.server.storage.migrate import DatabaseTooNew, migrate
from fluxboard.server.storage.tables import metadata
from tests.server.conftest import drop_postgres, new_postgres


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.db'}"
    else:
        name, url = new_postgres()
        yield url
        drop_postgres(name)


def with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def test_a_fresh_database_has_the_tables_of_the_program(empty: str) -> None:
    migrate(empty)
    migrate(empty)
    engine = create_engine(with_driver(empty))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        found = inspect(connection)
        for table in metadata.sorted_tables:
            keys = {tuple(key["constrained_columns"]): key for key in found.get_foreign_keys(table.name)}
            for wanted in table.foreign_key_constraints:
                ondelete = keys[tuple(wanted.column_keys)]["options"].get("ondelete")
                assert ondelete == wanted.ondelete, (table.name, wanted.column_keys)
            primary = found.get_pk_constraint(table.name)["constrained_columns"]
            assert primary == [column.name for column in table.primary_key]
    engine.dispose()


def test_the_tasks_of_an_older_program_are_found_by_person_and_day(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "HEAD", "0001")
    migrate(empty)
    monkeypatch.undo()
    engine = create_engine(with_driver(empty))
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO projects VALUES ('p','P','','','',NULL,NULL,'[]','','','',0,0,0,0,0)")
        )
        for number in range(2500):
            body = f'{{"assignedTo": "mila", "dueDate": "2026-12-0{number % 9 + 1}"}}'
            connection.execute(
                text("INSERT INTO tasks VALUES (:id, 'p', 'todo', :id, :body, NULL, NULL)"),
                {"id": f"t{number}", "body": body if number % 2 else '{"assignedTo": null}'},
            )
    migrate(empty)
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT assigned_to, count(*), min(due_date), max(due_date) FROM tasks GROUP BY assigned_to")
        )
        assert {row[0]: tuple(row[1:]) for row in found} == {
            "mila": (1250, "2026-12-01", "2026-12-09"),
            None: (1250, None, None),
        }
    engine.dispose()


async def test_servers_that_start_together_migrate_once(empty: str) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate, empty) for _ in range(4)))


def test_a_migration_that_dies_leaves_nothing_behind(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create = op.create_table

    def dies(name: str, *columns: object, **options: object) -> object:
        if name == "changes":
            raise RuntimeError("killed")
        return create(name, *columns, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(op, "create_table", dies)
    with pytest.raises(RuntimeError, match="killed"):
        migrate(empty)
    monkeypatch.undo()
    engine = create_engine(with_driver(empty))
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    migrate(empty)


def test_a_database_of_a_newer_program_is_refused_untouched(empty: str) -> None:
    migrate(empty)
    engine = create_engine(with_driver(empty))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseTooNew, match=r"schema 9999.*up to " + migrating.HEAD):
        migrate(empty)


def test_serve_refuses_a_newer_database_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "fluxboard.db"
    migrate(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    told = subprocess.run(
        [sys.executable, "-m", "fluxboard", "serve", "--port", "0", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert told.returncode != 0
    assert "schema 9999" in told.stderr
    assert "Upgrade fluxboard" in told.stderr
    assert "Traceback" not in told.stderr
    assert path.read_bytes() == before


# -- the secret


def test_the_secret_is_made_once_and_is_its_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JWT_SECRET", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    first = Settings.load(data=tmp_path / "data").jwt_secret
    path = tmp_path / "data" / "jwt-secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(first) >= 32
    assert Settings.load(data=tmp_path / "data").jwt_secret == first
    assert [found.name for found in path.parent.iterdir()] == ["jwt-secret"]
    assert first not in repr(Settings.load(data=tmp_path / "data"))


async def test_two_servers_that_start_together_have_one_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JWT_SECRET", raising=False)
    made = await asyncio.gather(*(asyncio.to_thread(Settings.load, data=tmp_path) for _ in range(8)))
    assert len({settings.jwt_secret for settings in made}) == 1


@pytest.mark.parametrize("content", ["", "short"])
def test_a_damaged_secret_signs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """An empty key would let everybody sign."""
    monkeypatch.delenv("JWT_SECRET", raising=False)
    (tmp_path / "jwt-secret").write_text(content)
    with pytest.raises(BadSettings, match="damaged"):
        Settings.load(data=tmp_path)


def test_secrets_may_come_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"JWT_SECRET": "s" * 40, "DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "METRICS_TOKEN": "m" * 20}
    for name, value in given.items():
        monkeypatch.delenv(name, raising=False)
        (tmp_path / name).write_text(f"{value}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    settings = Settings.load(data=tmp_path / "data")
    assert (settings.jwt_secret, settings.database, settings.metrics_token) == tuple(given.values())
    monkeypatch.setenv("JWT_SECRET", "t" * 40)
    assert Settings.load(data=tmp_path / "data").jwt_secret == "t" * 40, "what is nearer wins"
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(BadSettings, match=r"METRICS_TOKEN_FILE names .*none"):
        Settings.load(data=tmp_path / "data")


def test_settings_that_cannot_be_used_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "short")
    with pytest.raises(BadSettings, match="32 characters"):
        Settings.load(data=tmp_path)
    monkeypatch.delenv("JWT_SECRET")
    with pytest.raises(BadSettings, match="Set JWT_SECRET"):
        Settings.load(data=tmp_path, database="postgresql://x@127.0.0.1/x")
    with pytest.raises(BadSettings, match="sqlite:///PATH"):
        Settings.load(data=tmp_path, database="mysql://x")
