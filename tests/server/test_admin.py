"""Looking after a database while a server runs on it: the server's people hear what was changed."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from fluxboard.model.order import spread
from fluxboard.server.admin import accounts, boards, sizes
from fluxboard.server.admin.database import Database, DatabaseTooOld, open_database
from fluxboard.server.auth import Passwords
from fluxboard.server.commands import upkeep
from fluxboard.server.commands.accounts import NO_PASSWORD
from fluxboard.server.errors import BadInput, Conflict, NotFound
from fluxboard.server.settings import Settings
from fluxboard.server.storage.migrate import DatabaseUnreachable, file_of, migrate
from fluxboard.server.storage.sql import Tx
from fluxboard.server.storage.turn import WriterTurn
from tests.server.world import PASSWORD, Person, World, done, refused
from tests.support.waiting import until

T = TypeVar("T")


async def admin(world: World, work: Callable[[Database], T]) -> T:
    """What an administrator does beside the server, on a connection of their own."""

    def job() -> T:
        with open_database(world.settings.database) as database:
            return work(database)

    return await asyncio.to_thread(job)


async def write(world: World, job: Callable[[Tx], T]) -> T:
    return await admin(world, lambda database: database.write(job))


async def gapless(person: Person, project: str) -> list[dict[str, Any]]:
    """The whole log of a project, which has no gap and leads to what its list says."""
    log = await person.changes(project)
    assert [change["rev"] for change in log] == list(range(1, len(log) + 1))
    replayed: dict[str, Any] = {}
    for change in log:
        if change.get("task"):
            replayed[change["task"]["id"]] = change["task"]
        elif change["type"] == "task:deleted":
            del replayed[change["taskId"]]
    listed = await person.tasks(project)
    assert listed["rev"] == len(log)
    assert {task["id"]: task for task in listed["tasks"]} == replayed
    return log


# -- positions


async def test_positions_are_spread_while_people_edit_and_everybody_hears_it(world: World) -> None:
    ada = await world.person("ada")
    project = await ada.project()
    ear = await ada.ear(project)
    for number in range(30):  # always to the top: the keys grow
        await ada.task(project, f"t{number}", afterId=None)
    middle = (await ada.tasks(project))["tasks"][7]["id"]
    for number in range(40):  # always into the same gap
        await ada.task(project, f"u{number}", afterId=middle)
    before = await ada.column(project)
    longest = max(len(task["position"]) for task in (await ada.tasks(project))["tasks"])

    stop = asyncio.Event()

    async def edit() -> int:
        count = 0
        while not stop.is_set():
            await ada.task(project, f"during {count}", status="review")
            count += 1
        return count

    editing = asyncio.create_task(edit())
    moved = await write(world, lambda tx: boards.reindex(tx, project))
    stop.set()
    await editing
    assert moved > 60
    assert await ada.column(project) == before
    tasks = [task for task in (await ada.tasks(project))["tasks"] if task["status"] == "todo"]
    assert [task["position"] for task in tasks] == spread(70)
    assert longest > max(len(task["position"]) for task in tasks)
    log = await gapless(ada, project)
    told = [change for change in log if change["userName"] == "Administrator"]
    assert {tuple(change["fields"]) for change in told} == {("position",)}
    head = len(log)
    await until(
        lambda: any(data["rev"] >= told[-1]["rev"] for data in ear.of("sync:needed")), what="it was many"
    )
    await until(lambda: max(data["rev"] for _, data in ear.heard if "rev" in data) == head)
    assert await write(world, lambda tx: boards.reindex(tx, project)) == 0, "it is even already"
    feed = await done(ada.get(f"/api/projects/{project}/activities?userId=administrator"))
    assert feed["activities"][0]["userName"] == "Administrator"


# -- sessions and accounts


async def test_a_revoked_session_ends_its_token_and_its_socket(world: World) -> None:
    ada = await world.person("ada")
    other = await done(world.http.post("/api/auth/login", json={"email": ada.email, "password": PASSWORD}))
    project = await ada.project()
    ear = await ada.ear(project)
    listed = await admin(world, lambda db: db.read(lambda tx: accounts.open_sessions(tx, ada.email, 10)))
    assert len(listed) == 2
    first = min(listed, key=lambda session: session.created_at)
    await write(world, lambda tx: accounts.revoke(tx, first.id))
    await refused(ada.get("/api/projects"), 403)
    await until(lambda: ear.closed, 5, "the socket")
    assert ear.of("auth:expired")
    with pytest.raises(NotFound, match="no open session"):
        await write(world, lambda tx: accounts.revoke(tx, first.id))
    ada.token = other["token"]
    await done(ada.get("/api/projects"))
    assert await write(world, lambda tx: accounts.revoke_all(tx, ada.id)) == 1
    await refused(ada.get("/api/projects"), 403)


async def test_a_closed_account_lets_nobody_in_until_it_has_a_password(world: World) -> None:
    ada = await world.person("ada")
    signed = {"email": ada.email, "password": PASSWORD}
    assert await write(world, lambda tx: accounts.deactivate(tx, ada.email.upper())) == 1
    await refused(ada.get("/api/projects"), 403)
    await refused(world.http.post("/api/auth/login", json=signed), 401)
    await refused(world.http.post("/api/auth/login", json={**signed, "password": "!!!!!!!!"}), 401)
    found = await admin(world, lambda db: db.read(lambda tx: accounts.find(tx, ada.id)))
    assert (found.active, found.sessions) == (False, 0)
    hashed = await Passwords().hash("battery staple")
    await write(world, lambda tx: accounts.set_password(tx, ada.id, hashed))
    signed["password"] = "battery staple"
    await done(world.http.post("/api/auth/login", json=signed))
    assert (await admin(world, lambda db: db.read(lambda tx: accounts.find(tx, ada.id)))).active


async def test_a_closed_account_takes_a_guesser_as_long_as_none() -> None:
    passwords = Passwords()
    assert not await passwords.fits(NO_PASSWORD, PASSWORD)
    assert passwords._nobodys, "another hash was computed in its place"


async def test_an_account_that_was_made_can_sign_in(world: World) -> None:
    hashed = await Passwords().hash(PASSWORD)
    own = uuid4().hex[:8]
    email = f"Made.Here{own}@Example.com"
    made = await write(world, lambda tx: accounts.create(tx, email, "Made\x1b[31m Here", "client", hashed))
    assert (made.email, made.name) == (email.lower(), "Made Here")
    await done(world.http.post("/api/auth/login", json={"email": email, "password": PASSWORD}))
    with pytest.raises(Conflict):
        await write(world, lambda tx: accounts.create(tx, email, "Twice", "client", hashed))
    found = await admin(world, lambda db: db.read(lambda tx: accounts.listed(tx, f"here{own}@", 10)))
    assert [row.email for row in found] == [email.lower()]
    assert not await admin(world, lambda db: db.read(lambda tx: accounts.listed(tx, f"made_here{own}", 10)))


async def test_a_new_name_is_told_in_each_project(world: World) -> None:
    ada, mila = await world.person("ada"), await world.person("mila")
    first, second = await ada.project("First"), await ada.project("Second")
    for project in (first, second):
        await ada.add(project, mila)
    ears = [await mila.ear(project) for project in (first, second)]
    assert await admin(world, lambda db: accounts.rename(db, ada.email, "Ada L.")) == 2
    for ear, project in zip(ears, (first, second), strict=True):
        await until(lambda ear=ear: ear.of("members:updated"), 5, "told")  # type: ignore[misc]
        told = ear.of("members:updated")[-1]
        assert {member["name"] for member in told["project"]["members"]} == {"Ada L.", "mila"}
        assert told["userName"] == "Administrator"
        await gapless(mila, project)


async def test_another_address_signs_in_and_is_told(world: World) -> None:
    ada, mila = await world.person("ada"), await world.person("mila")
    project = await ada.project()
    await ada.add(project, mila)
    ear = await mila.ear(project)
    new = f"new-{ada.email}"
    with pytest.raises(Conflict):
        await admin(world, lambda db: accounts.readdress(db, ada.email, mila.email))
    with pytest.raises(BadInput):
        await admin(world, lambda db: accounts.readdress(db, ada.email, "nobody"))
    assert await admin(world, lambda db: accounts.readdress(db, ada.email, new.upper())) == 1
    await until(lambda: ear.of("members:updated"), 5, "told")
    assert new in {member["email"] for member in ear.of("members:updated")[-1]["project"]["members"]}
    signed = {"email": new, "password": PASSWORD}
    await done(world.http.post("/api/auth/login", json=signed))
    await refused(world.http.post("/api/auth/login", json=signed | {"email": ada.email}), 401)
    await done(ada.get("/api/projects"))


# -- projects


async def test_who_an_administrator_removes_is_out_and_hears_nothing_more(world: World) -> None:
    ada, mila = await world.person("ada"), await world.person("mila")
    project = await ada.project()
    await ada.add(project, mila)
    ear = await mila.ear(project)
    await write(world, lambda tx: boards.remove_member(tx, project, mila.id))
    await until(lambda: ear.of("project:removed"), 5, "told")
    await ada.task(project, "Secret")
    await refused(mila.get(f"/api/projects/{project}/tasks"), 403)
    assert not ear.of("task:created")
    with pytest.raises(Conflict, match="last owner"):
        await write(world, lambda tx: boards.remove_member(tx, project, ada.id))
    await gapless(ada, project)


async def test_a_project_changes_hands(world: World) -> None:
    ada, mila, sara = [await world.person(name) for name in ("ada", "mila", "sara")]
    project = await ada.project()
    await write(world, lambda tx: boards.add_member(tx, project, sara.id, "owner"))
    kept = await write(world, lambda tx: boards.add_member(tx, project, sara.id))
    assert kept.role == "owner", "who is in already keeps their role where none is given"
    await write(world, lambda tx: boards.transfer(tx, project, mila.id))
    members = (await done(mila.get(f"/api/projects/{project}/members")))["members"]
    assert {member["name"]: member["role"] for member in members} == {
        "ada": "admin",
        "sara": "admin",
        "mila": "owner",
    }
    await gapless(mila, project)


async def test_a_project_is_archived_brought_back_and_deleted(world: World) -> None:
    ada = await world.person("ada")
    project = await ada.project("Old\x1b[2J one")
    ear = await ada.ear(project)
    archived = await write(world, lambda tx: boards.archive(tx, project, archived=True))
    assert archived.archived
    await until(lambda: ear.of("project:updated"), 5, "told")
    assert ear.of("project:updated")[-1]["project"]["archived"] is True
    assert not (await write(world, lambda tx: boards.archive(tx, project, archived=False))).archived
    await write(world, lambda tx: boards.delete(tx, project))
    await until(lambda: ear.of("project:removed"), 5, "its people are put out")
    await refused(ada.get(f"/api/projects/{project}/tasks"), 404)
    with pytest.raises(NotFound):
        await admin(world, lambda db: db.read(lambda tx: boards.find(tx, project)))


async def test_a_name_that_several_projects_have_is_not_guessed(world: World) -> None:
    ada = await world.person("ada")
    name = f"Twice {ada.id}"
    ids = [await ada.project(name) for _ in range(2)]
    with pytest.raises(Conflict) as refusal:
        await write(world, lambda tx: boards.archive(tx, name, archived=True))
    assert all(project in refusal.value.message for project in ids)


# -- room


async def test_the_log_is_cut_to_what_is_promised_and_sizes_are_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.person("ada")
    project = await ada.project()
    for number in range(40):
        await ada.task(project, f"t{number}")
    removed = await admin(world, sizes.compact)
    assert sum(row.rows for row in removed) == 0, "all of it is younger than seven days"

    monkeypatch.setattr(upkeep, "LOG_ROWS_KEPT", 10)
    monkeypatch.setattr(upkeep, "LOG_KEPT", upkeep.LOG_KEPT * 0)
    monkeypatch.setattr(sizes, "ROWS_A_STEP", 7)
    removed = await admin(world, sizes.compact)
    assert {row.what: row.rows for row in removed}["log"] >= 31
    await refused(ada.get(f"/api/projects/{project}/changes?since=30"), 410, "since")
    assert len(await ada.changes(project, 31)) == 10
    # A neighbour that is at an earlier step does not bring the beginning back.
    await write(world, lambda tx: upkeep.cut_log(tx, project, 14))
    await refused(ada.get(f"/api/projects/{project}/changes?since=20"), 410, "since")

    found = await admin(world, lambda db: db.read(lambda tx: sizes.sizes(tx, db.dialect, 1000)))
    rows = {row.table: row for row in found.tables}
    assert rows["tasks"].rows >= 40
    assert all(row.bytes is None or row.bytes > 0 for row in found.tables)
    mine = next(row for row in found.projects if row.id == project)
    assert (mine.tasks, mine.log) == (40, 10)
    assert mine.tasks_bytes > 40 * 100
    await admin(world, lambda db: db.vacuum())
    await ada.task(project, "And on it goes")
    await gapless_tail(ada, project)


async def gapless_tail(person: Person, project: str) -> None:
    log = await person.changes(project, 31)
    assert [change["rev"] for change in log] == list(range(32, 32 + len(log)))


# -- two that write one file


async def test_server_and_administrator_write_one_file_by_turns(world: World) -> None:
    ada = await world.person("ada")
    project, other = await ada.project("Busy"), await ada.project("Other")
    stop = threading.Event()

    def administer() -> int:
        count = 0
        with open_database(world.settings.database) as database:
            while not stop.is_set():
                database.write(lambda tx, n=count: boards.archive(tx, other, archived=n % 2 == 0))  # type: ignore[misc]
                count += 1
        return count

    administering = asyncio.create_task(asyncio.to_thread(administer))
    kept = [task["id"] for task in await asyncio.gather(*(ada.task(project, f"t{n}") for n in range(300)))]
    stop.set()
    count = await administering
    assert count > 5
    assert {task["id"] for task in (await ada.tasks(project))["tasks"]} == set(kept)
    assert len(await gapless(ada, other)) == count + 1
    if (file := file_of(world.settings.database)) is not None:
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_nobody_writes_a_file_out_of_turn(world: World) -> None:
    ada = await world.person("ada")
    project = await ada.project()
    turn = WriterTurn(file_of(world.settings.database) or Path())
    with turn:
        creating = asyncio.create_task(ada.task(project, "Waits"))
        archiving = asyncio.create_task(write(world, lambda tx: boards.archive(tx, project, archived=True)))
        assert (await ada.tasks(project))["tasks"] == [], "reading needs no turn"
        finished, _ = await asyncio.wait({creating, archiving}, timeout=0.3)
        assert not finished
    turn.close()
    await creating
    await archiving


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_the_administrator_leaves_checkpoints_to_the_server(world: World) -> None:
    ada = await world.person("ada")
    project = await ada.project()
    file = file_of(world.settings.database) or Path()

    def work(database: Database) -> int:
        for number in range(400):
            database.write(lambda tx, n=number: boards.archive(tx, project, archived=n % 2 == 0))  # type: ignore[misc]
        return Path(f"{file}-wal").stat().st_size

    before = file.stat().st_mtime_ns
    assert await admin(world, work) > 1500 * 4096, "SQLite itself would checkpoint at 1000 pages"
    assert file.stat().st_mtime_ns == before


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    with pytest.raises(DatabaseUnreachable, match=r"none\.db"), open_database(f"sqlite:///{missing}"):
        pass
    assert list(tmp_path.iterdir()) == []
    sqlite3.connect(missing).close()
    missing.touch()
    with pytest.raises(DatabaseTooOld, match="no board in it"), open_database(f"sqlite:///{missing}"):
        pass


async def test_a_postgres_without_a_board_is_told(settings: Settings) -> None:
    from tests.server.conftest import drop_postgres, new_postgres

    name, url = new_postgres()
    with pytest.raises(DatabaseTooOld, match="no board in it"), open_database(url):
        pass
    drop_postgres(name)


async def test_a_postgres_that_does_not_let_us_read_is_told(postgres: str) -> None:
    migrate(postgres)
    for given, said in (
        ("options=-c%20role%3Dpg_monitor", "permission denied for table alembic_version"),
        ("nonsense=1", "nonsense"),
    ):
        with pytest.raises(DatabaseUnreachable, match=said), open_database(f"{postgres}?{given}"):
            pass
