"""A board that moves to another database is the same there, or nothing of it is."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fluxboard.server.settings import Settings
from fluxboard.server.storage import migrate as migrating
from fluxboard.server.storage.migrate import file_of
from fluxboard.server.storage.moving import CannotMove, Comparison, count_rows, move
from tests.server.conftest import drop_postgres, new_postgres
from tests.server.world import PASSWORD, Person, World, done, running
from tests.support.hostile import RAW
from tests.support.waiting import until

TASKS = 3000


@pytest.fixture
def target() -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    name, url = new_postgres()
    yield url
    drop_postgres(name)


async def a_real_board(world: World) -> tuple[Person, Person, str]:
    """Two people and all that a year leaves behind."""
    ada, mila = await world.person("ada", refresh=True), await world.person("mila")
    project, other = await ada.project("Relaunch 漢"), await mila.project("Mila's")
    await ada.add(project, mila)
    for first in range(0, TASKS, 1000):
        ops = [
            {"op": "create", "task": {"title": f"Task {n}", "assignedTo": mila.id, "dueDate": "2026-03-11"}}
            for n in range(first, first + 1000)
        ]
        await done(ada.post(f"/api/projects/{project}/tasks/batch", {"ops": ops}))
    tasks = (await ada.tasks(project))["tasks"]
    for task, text in zip(tasks, RAW.values(), strict=False):
        at = f"/api/projects/{project}/tasks/{task['id']}"
        await done(ada.put(at, {"title": f"x{text}"[:400], "description": text, "labels": ["ü"]}))
        await done(mila.post(f"{at}/comments", {"content": f"@ada {text}"}))
    for task in tasks[100:120]:
        await done(ada.delete(f"/api/projects/{project}/tasks/{task['id']}", Idempotency_Key=task["id"]))
    await done(ada.put(f"/api/projects/{project}/tasks/{tasks[200]['id']}/mute", {"muted": True}))
    await done(ada.put("/api/preferences", {"dnd": True}))
    await done(
        ada.post(f"/api/projects/{project}/invites", {"role": "member", "expiresIn": 3600, "maxUses": 2})
    )
    await mila.task(other, "Only hers")
    await done(mila.post("/api/auth/logout"))
    return ada, mila, project


async def seen_by(person: Person, project: str) -> dict[str, Any]:
    """All that a client can read of a board."""
    tasks = await person.tasks(project)
    commented = [task["id"] for task in tasks["tasks"] if task["commentCount"]]
    paths = {
        "projects": "/api/projects",
        "activities": f"/api/projects/{project}/activities?limit=200",
        "inbox": "/api/inbox?done=true",
        "preferences": "/api/preferences",
        **{task: f"/api/projects/{project}/tasks/{task}/comments" for task in commented},
        **{f"h{task}": f"/api/projects/{project}/tasks/{task}/history" for task in commented},
    }
    seen = {name: await done(person.get(path)) for name, path in paths.items()}
    return {"tasks": tasks, "changes": await person.changes(project), **seen}


@pytest.mark.long(15)
async def test_a_real_board_is_the_same_on_the_other_database(
    settings: Settings, target: str, tmp_path: Path
) -> None:
    async with running(settings) as world:
        ada, _, project = await a_real_board(world)
        before = await seen_by(ada, project)
    assert len(before["tasks"]["tasks"]) == TASKS - 20
    assert before["inbox"]["items"]

    told: list[int] = []
    rows = count_rows(settings.database)
    compared = await asyncio.to_thread(move, settings.database, target, told.append)
    assert sum(told) == 3 * rows
    counts = {row.table: (row.source, row.target) for row in compared.tables}
    assert counts["tasks"] == (TASKS + 1, TASKS + 1)
    assert all(source == there > 0 for source, there in counts.values()), counts
    assert (compared.projects, compared.same) == (2, True)

    async with running(replace(settings, database=target)) as moved:
        with pytest.raises(CannotMove, match=r"not empty: there are .*users"):
            await asyncio.to_thread(move, settings.database, target)
        there = replace_world(ada, moved)
        assert await seen_by(there, project) == before, "with the old token, since the secret is the same"
        signed = await done(
            moved.http.post("/api/auth/login", json={"email": ada.email, "password": PASSWORD})
        )
        there.token = signed["token"]
        ear = await there.ear(project)
        renewed = await done(
            moved.http.post("/api/auth/refresh", json={"refreshToken": ada.auth["refreshToken"]})
        )
        assert renewed["user"]["id"] == ada.id
        task = await there.task(project, "And on it goes")
        assert task["rev"] == before["tasks"]["rev"] + 1
        await until(lambda: ear.of("task:created"))
        after = await seen_by(there, project)

    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert (await asyncio.to_thread(move, target, back)).same
    async with running(replace(settings, database=back)) as home:
        assert await seen_by(replace_world(there, home), project) == after


def replace_world(person: Person, world: World) -> Person:
    return replace(person, world=world)


@pytest.fixture
async def small(settings: Settings) -> str:
    """A board of one task."""
    async with running(settings) as world:
        ada = await world.person("ada")
        await ada.task(await ada.project(), "One")
    return settings.database


def run_sql(database: str, sql: str) -> None:
    with closing(sqlite3.connect(str(file_of(database)))) as connection, connection:
        connection.execute(sql)


def empty(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


async def fails(source: str, target: str, said: str, meanwhile: str = "") -> Comparison | None:
    """Moving fails with these words and leaves nothing behind, and later it works."""
    done_already = False

    def progress(rows: int) -> None:
        nonlocal done_already
        if meanwhile and not done_already:
            run_sql(source, meanwhile)
        done_already = True

    with pytest.raises(CannotMove, match=said):
        await asyncio.to_thread(move, source, target, progress)
    assert empty(target)
    return None


async def test_who_edits_the_source_meanwhile_is_found(small: str, target: str) -> None:
    edit = "UPDATE tasks SET body = replace(body, 'One', 'Two')"
    await fails(small, target, r"differ.*Rows: as many.*still runs", edit)
    more = "INSERT INTO preferences SELECT id, '{}' FROM users"
    await fails(small, target, r"Rows: preferences 1/0\. Not the same: accounts", more)
    assert (await asyncio.to_thread(move, small, target)).same


async def test_a_target_that_alters_what_it_is_given_is_found(small: str, target: str) -> None:
    migrating.migrate(target)
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.position := 'a7'; RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER spoil BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION spoil()"
        )
    await fails(small, target, r"differ")


async def test_what_postgres_cannot_store_is_named(small: str, target: str) -> None:
    run_sql(small, "UPDATE tasks SET body = body || char(0)")
    await fails(small, target, r"A row of tasks holds a NUL character.*Nothing was moved")


async def test_one_that_is_interrupted_leaves_nothing(small: str, target: str) -> None:
    def interrupted(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move(small, target, interrupted)
    assert empty(target)


def test_a_database_of_something_else_is_not_touched(small: str, target: str) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("CREATE TABLE shop (id int)")
    with pytest.raises(CannotMove, match="not a board"):
        move(small, target)
    with psycopg.connect(target) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("shop",)]


def test_an_older_board_that_is_not_empty_is_not_even_migrated(
    small: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "HEAD", "0001")
    migrating.migrate(target)
    monkeypatch.undo()
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("INSERT INTO users VALUES ('u', 'u@example.com', 'U', 'client', '!', '')")
        with pytest.raises(CannotMove, match="not empty: there are users"):
            move(small, target)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        connection.execute("DELETE FROM users")
    assert move(small, target).same


def test_as_somebody_types_it(small: str, target: str, tmp_path: Path) -> None:
    (tmp_path / "jwt-secret").write_text("x" * 40)
    with_password = target.replace("postgres@", "postgres:hush-hush@")

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        return subprocess.run(
            [sys.executable, "-m", "fluxboard", "migrate-store", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    moved = call(small, with_password)
    assert moved.returncode == 0, moved.stderr
    assert [line.split() for line in moved.stdout.splitlines() if line.startswith("tasks")] == [
        ["tasks", "1", "1"]
    ]
    assert "1 projects are the same on both sides" in moved.stdout
    assert f"JWT_SECRET set to what is in {tmp_path / 'jwt-secret'}" in moved.stderr
    again = call(small, with_password)
    assert again.returncode == 1
    assert again.stderr.splitlines()[-1].startswith("fluxboard: 127.0.0.1:5432/fluxboard_")
    missing = call(f"sqlite:///{tmp_path}/none.db", with_password)
    assert missing.returncode == 1
    assert "none.db cannot be opened: there is no such file" in missing.stderr
    assert not (tmp_path / "none.db").exists()
    refused = call(small, "postgresql://x:hush-hush@127.0.0.1:1/x")
    assert refused.returncode == 1
    for answer in (moved, again, missing, refused):
        assert "hush-hush" not in answer.stdout + answer.stderr
        assert "Traceback" not in answer.stderr
