"""Who is in a project, what their role lets them do, and what who left hears: nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from fluxboard.model.types import timestamp
from fluxboard.server import live
from fluxboard.server.errors import Unavailable
from fluxboard.server.storage.engine import Committed
from tests.server.world import Ear, Person, World, done, refused
from tests.support.waiting import until


async def team(world: World) -> tuple[dict[str, Person], str]:
    """An owner, an admin, a member and a viewer of one project."""
    people = {role: await world.person(role) for role in ("owner", "admin", "member", "viewer")}
    project = await people["owner"].project()
    for role in ("admin", "member", "viewer"):
        await people["owner"].add(project, people[role], role)
    return people, f"/api/projects/{project}"


async def test_members_are_listed_with_their_roles(world: World) -> None:
    people, path = await team(world)
    listed = await done(people["viewer"].get(f"{path}/members"))
    assert listed["success"] is True
    assert [(m["userId"], m["role"], m["name"]) for m in listed["members"]] == [
        (people[role].id, role, role) for role in ("owner", "admin", "member", "viewer")
    ]
    assert (await done(people["member"].get(path)))["project"]["members"] == listed["members"]


async def test_adding_members(world: World) -> None:
    people, path = await team(world)
    bob = await world.person("bob")
    answer = await people["admin"].post(f"{path}/members", {"email": bob.email.upper(), "role": "viewer"})
    assert answer.status_code == 201
    member = answer.json()["member"]
    assert (member["userId"], member["role"], member["name"]) == (bob.id, "viewer", "bob")
    again = await done(people["owner"].post(f"{path}/members", {"userId": bob.id, "role": "admin"}))
    assert again["member"]["role"] == "viewer", "one who is in stays as they are"
    rev = (await done(bob.get(f"{path}/tasks")))["rev"]
    assert rev == 5
    for body, field in (
        ({"email": "nobody@example.com"}, "email"),
        ({"email": "x"}, "email"),
        ({"userId": str(uuid4())}, "userId"),
        ({}, "userId"),
        ({"userId": bob.id, "role": "king"}, "role"),
        ({"email": 7}, "email"),
    ):
        await refused(people["owner"].post(f"{path}/members", body), 400, field)


async def test_what_each_role_may_do_with_members(world: World) -> None:
    people, path = await team(world)
    bob = await world.person("bob")
    body = {"userId": bob.id}
    for role in ("member", "viewer"):
        await refused(people[role].post(f"{path}/members", body), 403)
        await refused(people[role].put(f"{path}/members/{people['viewer'].id}", {"role": "admin"}), 403)
        await refused(people[role].delete(f"{path}/members/{people['admin'].id}"), 403)
        await refused(people[role].post(f"{path}/invites", {}), 403)
        await refused(people[role].put(path, {"name": "x"}), 403)
        await refused(people[role].delete(path), 403)
    admin, owner = people["admin"], people["owner"]
    await refused(admin.post(f"{path}/members", body | {"role": "owner"}), 403)
    await refused(admin.post(f"{path}/invites", {"role": "owner"}), 403)
    await refused(admin.put(f"{path}/members/{admin.id}", {"role": "owner"}), 403)
    await refused(admin.put(f"{path}/members/{owner.id}", {"role": "member"}), 403)
    await refused(admin.delete(f"{path}/members/{owner.id}"), 403)
    await refused(admin.delete(path), 403)
    await done(admin.put(path, {"name": "New"}))
    changed = await done(admin.put(f"{path}/members/{people['viewer'].id}", {"role": "member"}))
    assert changed["member"]["role"] == "member"
    await people["viewer"].task(path.rsplit("/", 1)[1])
    await done(owner.put(f"{path}/members/{people['viewer'].id}", {"role": "viewer"}))
    await refused(people["viewer"].post(f"{path}/tasks", {"title": "x"}), 403)
    await done(admin.delete(f"{path}/members/{people['member'].id}"))
    await refused(people["member"].get(path), 403)
    await refused(owner.put(f"{path}/members/{bob.id}", {"role": "member"}), 404)
    await refused(owner.delete(f"{path}/members/{bob.id}"), 404)
    await refused(owner.put(f"{path}/members/{admin.id}", {"role": "king"}), 400, "role")
    await refused(owner.put(f"{path}/members/{admin.id}", {}), 400, "role")


async def test_the_last_owner_stays(world: World) -> None:
    people, path = await team(world)
    owner, admin = people["owner"], people["admin"]
    await refused(owner.delete(f"{path}/members/{owner.id}"), 409, "role")
    await refused(owner.put(f"{path}/members/{owner.id}", {"role": "admin"}), 409, "role")
    await done(owner.put(f"{path}/members/{admin.id}", {"role": "owner"}))
    await done(owner.delete(f"{path}/members/{owner.id}"))
    await refused(owner.get(path), 403)
    await refused(admin.delete(f"{path}/members/{admin.id}"), 409, "role")
    for role in ("member", "viewer"):
        await done(people[role].delete(f"{path}/members/{people[role].id}"))


# -- invites


async def test_an_invite_lets_in_as_many_as_it_says(world: World) -> None:
    people, path = await team(world)
    answer = await people["admin"].post(f"{path}/invites", {"role": "viewer", "maxUses": 1})
    assert answer.status_code == 201
    code = answer.json()["code"]
    assert answer.json()["url"].endswith(f"/#{code}")
    assert len(code) >= 20
    await done(people["member"].post(f"/api/invites/{code}/accept"))  # who is in uses nothing up
    bob, eve = await world.person("bob"), await world.person("eve")
    joined = await done(bob.post(f"/api/invites/{code}/accept"))
    assert joined["project"]["id"] == path.rsplit("/", 1)[1]
    assert {m["userId"]: m["role"] for m in joined["project"]["members"]}[bob.id] == "viewer"
    await done(bob.post(f"/api/invites/{code}/accept"))
    await refused(eve.post(f"/api/invites/{code}/accept"), 404)
    await refused(eve.get(path), 403)
    for wrong in ("x", code[:-1], code + "x", code.swapcase(), "%00", "a" * 3000):
        await refused(eve.post(f"/api/invites/{wrong}/accept"), 404)
    for body, field in (
        *(
            ({"expiresIn": 59}, "expiresIn"),
            ({"expiresIn": 10**9}, "expiresIn"),
            ({"expiresIn": "x"}, "expiresIn"),
        ),
        *(({"maxUses": 0}, "maxUses"), ({"maxUses": 1001}, "maxUses"), ({"role": "king"}, "role")),
    ):
        await refused(people["owner"].post(f"{path}/invites", body), 400, field)


async def test_an_invite_ends_and_only_its_hash_is_kept(lone: World) -> None:
    ada, bob = await lone.person(), await lone.person("bob")
    project = await ada.project()
    code = (await done(ada.post(f"/api/projects/{project}/invites", {"expiresIn": 60})))["code"]
    storage = lone.server.live._storage
    assert storage is not None
    past = timestamp(datetime.now(UTC) - timedelta(seconds=1))

    of_it = f"SELECT * FROM invites WHERE project_id = '{project}'"

    def rows(tx: object) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = tx._execute(of_it, {}).fetchall()  # type: ignore[attr-defined]
        return found

    (row,) = await storage.read(rows)
    assert code not in str(row)
    await storage.write(lambda tx: tx._execute(f"UPDATE invites SET expires_at = '{past}'", {}))
    await refused(bob.post(f"/api/invites/{code}/accept"), 404)
    await refused(bob.get(f"/api/projects/{project}"), 403)


async def test_an_invite_ends_with_its_project(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    code = (await done(ada.post(f"/api/projects/{project}/invites", {})))["code"]
    await done(ada.delete(f"/api/projects/{project}"))
    await refused(bob.post(f"/api/invites/{code}/accept"), 404)


# -- I9


async def test_who_is_removed_leaves_the_room_at_once_and_hears_no_more(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project, other = await ada.project(), await ada.project("Other")
    for place in (project, other):
        await ada.add(place, bob)
    mine, his, twin = await ada.ear(project), await bob.ear(project, other), await bob.ear(project)
    await until(lambda: mine.online() == {"ada", "bob"})
    await done(ada.delete(f"/api/projects/{project}/members/{bob.id}"))
    secret = await ada.task(project, "secret")
    await until(lambda: mine.of("task:created"))
    for ear in (his, twin):
        await until(lambda e=ear: e.of("project:removed"))  # type: ignore[misc]
        assert ear.of("project:removed") == [{"projectId": project}]
        answer = await ear.call("task:updated", {"projectId": project, "task": secret})
        assert answer["message"] == "Join the project first"
        assert (await ear.join(project))["message"] == "Access denied to project"
        names = [event for event, _ in ear.heard]
        after = ear.heard[names.index("project:removed") + 1 :]
        assert {event for event, _ in after} <= {"error", "presence:update"}
        assert all(data.get("projectId") == other for event, data in after if event == "presence:update")
        assert not ear.of("task:created", "activity:new", "members:updated")
    await until(lambda: mine.online() == {"ada"})
    assert mine.of("members:updated")[-1]["project"]["members"][0]["userId"] == ada.id
    assert len(mine.of("members:updated")[-1]["project"]["members"]) == 1
    await ada.task(other, "still theirs")
    await until(lambda: his.of("task:created"))
    assert [data["task"]["title"] for data in his.of("task:created")] == ["still theirs"]


async def test_a_removal_during_the_join_wins(lone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The join looked up a membership that ended, and was published as ended, before it entered the room."""
    ada, bob = await lone.person(), await lone.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    ear, mine = await bob.ear(), await ada.ear(project)
    storage = lone.server.live._storage
    looked, go, at_last = asyncio.Event(), asyncio.Event(), asyncio.Event()
    assert storage is not None
    read = storage.read

    async def slow(job: Any) -> Any:
        if looked.is_set():
            await at_last.wait()
            return await read(job)
        result = await read(job)
        looked.set()
        await go.wait()
        return result

    monkeypatch.setattr(storage, "read", slow)
    joining = asyncio.create_task(ear.join(project))
    await looked.wait()
    await done(ada.delete(f"/api/projects/{project}/members/{bob.id}"))
    await ada.task(project, "secret")
    await until(lambda: mine.of("task:created"))
    go.set()
    await ear.sio.emit("unknown:event")  # what came before it is in the hands of the server
    await ada.task(project, "another")
    await until(lambda: len(mine.of("task:created")) == 2)
    at_last.set()
    assert (await joining) == {"ok": False, "message": "Access denied to project"}
    assert (await ear.join(project))["ok"] is False
    assert {event for event, _ in ear.heard} == {"error"}
    assert mine.online() <= {"ada"}


async def test_joining_and_being_removed_at_once(lone: World) -> None:
    ada, bob = await lone.person(), await lone.person("bob")
    project = await ada.project()
    for _ in range(15):
        await ada.add(project, bob)
        ear = await bob.ear()
        await asyncio.gather(ear.join(project), ada.delete(f"/api/projects/{project}/members/{bob.id}"))
        await ada.task(project, "secret")
        await ear.call("leave:project", {"projectId": "none"})
        assert not ear.of("task:created"), ear.heard
        await ear.close()
    assert lone.server.live.presence.online(project) == ()


async def test_a_lost_message_of_a_removal_is_made_up_for(
    monkeypatch: pytest.MonkeyPatch, lone: World
) -> None:
    ada, bob = await lone.person(), await lone.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    his, mine = await bob.ear(project), await ada.ear(project)

    def lost(_: Committed) -> None: ...

    storage = lone.server.live._storage
    monkeypatch.setattr(storage, "_on_commit", lost)
    await done(ada.delete(f"/api/projects/{project}/members/{bob.id}"))
    await lone.server.live._sweep_members()
    await until(lambda: his.of("project:removed"))
    assert not mine.of("project:removed")


async def test_a_database_that_is_away_removes_nobody(monkeypatch: pytest.MonkeyPatch, lone: World) -> None:
    ada = await lone.person()
    project = await ada.project()
    ear = await ada.ear(project)

    async def away(_: object) -> None:
        raise Unavailable("The database cannot be reached", retry_after=1)

    with monkeypatch.context() as patched:
        patched.setattr(lone.server.live._storage, "read", away)
        with pytest.raises(Unavailable):
            await lone.server.live._sweep_members()
    await ada.task(project)
    await until(lambda: ear.of("task:created"))
    assert not ear.of("project:removed")


async def test_a_deleted_project_is_told_and_its_room_is_closed(lone: World) -> None:
    ada, bob = await lone.person(), await lone.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    mine, his = await ada.ear(project), await bob.ear(project)
    await done(ada.delete(f"/api/projects/{project}"))
    for ear in (mine, his):
        await until(lambda e=ear: e.of("project:deleted"))  # type: ignore[misc]
        (told,) = ear.of("project:deleted")
        assert (told["projectId"], told["userName"]) == (project, "ada")
        assert (await ear.join(project))["message"] == "Project not found"
    assert lone.server.live.presence.online(project) == ()
    assert live.room_of(project) not in lone.server.live.sio.manager.rooms.get("/", {})


async def test_one_connection_joins_only_so_many_projects(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    monkeypatch.setattr(live, "ROOMS_A_SOCKET", 2)
    ada = await world.person()
    projects = [await ada.project() for _ in range(3)]
    ear: Ear = await ada.ear(*projects[:2])
    assert (await ear.join(projects[2]))["message"] == "Too many projects on one connection"
    assert (await ear.join(projects[0]))["ok"]
    await ear.call("leave:project", {"projectId": projects[0]})
    assert (await ear.join(projects[2]))["ok"]
