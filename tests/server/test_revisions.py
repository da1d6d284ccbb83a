"""One log a project: without a gap, and its replay is the task list. What a database could do differently."""

from __future__ import annotations

import asyncio
import random
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluxboard.server.commands import upkeep
from fluxboard.server.storage.sql import Tx
from tests.server.world import Json, Person, World, done, refused
from tests.support.waiting import until

WRITERS = 32


def replayed(changes: list[Json]) -> dict[str, Json]:
    """The tasks after these changes."""
    tasks: dict[str, Json] = {}
    for change in changes:
        if change["type"] == "task:deleted":
            tasks.pop(change["taskId"])
        elif "task" in change:
            tasks[change["task"]["id"]] = change["task"]
    return tasks


async def check_log(person: Person, project: str) -> list[Json]:
    """I4 and I7: no gap, and every list at R is the replay up to R."""
    listed = await person.tasks(project)
    changes = await person.changes(project)
    assert [change["rev"] for change in changes] == list(range(1, listed["rev"] + 1))
    assert replayed(changes) == {task["id"]: task for task in listed["tasks"]}
    return changes


async def test_thirty_two_writers_leave_no_gap(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ears = [await ada.ear(project), await ada.ear(project)]
    shared = await ada.task(project, "shared")
    path = f"/api/projects/{project}/tasks"

    async def write(number: int) -> None:
        task = await ada.task(project, f"task {number}")
        await ada.change(project, task["id"], status="completed")
        await ada.change(project, shared["id"], title=f"shared {number}")
        if number % 4 == 0:
            await done(ada.delete(f"{path}/{task['id']}"))
        if number % 4 == 1:
            await refused(ada.post(path, {"title": " "}), 400, "title")

    await asyncio.gather(*(write(number) for number in range(WRITERS)))
    changes = await check_log(ada, project)
    assert len(changes) == 1 + 1 + 3 * WRITERS + WRITERS // 4
    for ear in ears:
        heard = [data["rev"] for event, data in ear.heard if event.startswith("task:")]
        await until(lambda h=ear: h.of("activity:new") and len(h.of("activity:new")) == len(changes) - 1)  # type: ignore[misc]
        heard = [data["rev"] for event, data in ear.heard if event.startswith("task:")]
        assert heard == [change["rev"] for change in changes[1:]], "each once, in the log's order"
    project_now = (await done(ada.get(f"/api/projects/{project}")))["project"]
    left = WRITERS - WRITERS // 4
    assert project_now["progress"] == int(100 * left / (left + 1) + 0.5)


async def test_writers_of_many_projects_do_not_disturb_each_other(world: World) -> None:
    people = await asyncio.gather(*(world.person(f"p{number}") for number in range(8)))
    projects = await asyncio.gather(*(person.project() for person in people))

    async def write(person: Person, project: str) -> None:
        for number in range(6):
            await person.task(project, str(number))

    await asyncio.gather(*(write(p, q) for p, q in zip(people, projects, strict=True) for _ in range(2)))
    for person, project in zip(people, projects, strict=True):
        assert len(await check_log(person, project)) == 13


async def test_random_edits_replay_to_the_list_at_every_revision(world: World) -> None:
    ada = await world.person()
    dice = random.Random(4)
    project = await ada.project()
    path = f"/api/projects/{project}/tasks"
    states = {}
    known: list[str] = []
    for number in range(120):
        task_id = dice.choice(known) if known else None
        match dice.choice(["create", "create", "edit", "move", "delete", "restore", "comment", "batch"]):
            case "edit" if task_id:
                await ada.put(f"{path}/{task_id}", {"title": f"t{number}", "labels": [str(number % 3)]})
            case "move" if task_id:
                status = dice.choice(["todo", "in_progress", "completed"])
                body = {"status": status, "afterId": dice.choice([None, *known])}
                await ada.put(f"{path}/{task_id}", body)
            case "delete" if task_id:
                await ada.delete(f"{path}/{task_id}")
            case "restore" if task_id:
                await ada.post(f"{path}/{task_id}/restore")
            case "comment" if task_id:
                await ada.post(f"{path}/{task_id}/comments", {"content": "hm"})
            case "batch" if task_id:
                ops = [{"op": "create", "task": {"title": "b"}}, {"op": "delete", "taskId": task_id}]
                await ada.post(f"{path}/batch", {"ops": ops})
            case _:
                known.append((await ada.task(project, str(number)))["id"])
        listed = await ada.tasks(project)
        states[listed["rev"]] = {task["id"]: task for task in listed["tasks"]}
    changes = await check_log(ada, project)
    for rev, tasks in states.items():
        assert replayed(changes[:rev]) == tasks


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.lists(st.tuples(st.sampled_from("cmdru"), st.integers(0, 5), st.integers(0, 5)), max_size=12))
@pytest.mark.long(10)
async def test_any_edits_replay_to_the_list(world: World, data: list[tuple[str, int, int]]) -> None:
    if not hasattr(world, "ada"):
        world.ada = await world.person()  # type: ignore[attr-defined]
    ada: Person = world.ada  # type: ignore[attr-defined]
    project = await ada.project()
    path = f"/api/projects/{project}/tasks"
    known: list[str] = []
    for op, one, other in data:
        if op == "c" or not known:
            known.append((await ada.task(project))["id"])
            continue
        task, neighbour = known[one % len(known)], known[other % len(known)]
        match op:
            case "m":
                status = ["todo", "review"][other % 2]
                await ada.put(f"{path}/{task}", {"status": status, "afterId": neighbour})
            case "d":
                await ada.delete(f"{path}/{task}")
            case "r":
                await ada.post(f"{path}/{task}/restore")
            case "u":
                await ada.put(f"{path}/{task}", {"title": f"t{other}"})
    await check_log(ada, project)


async def test_the_list_answers_304_until_something_changes(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    path = f"/api/projects/{project}/tasks"
    first = await ada.get(path)
    assert first.headers["x-project-rev"] == str(first.json()["rev"])
    again = await ada.get(path, If_None_Match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    changes = f"/api/projects/{project}/changes?since={first.json()['rev']}"
    assert (await ada.get(changes, If_None_Match=first.headers["etag"])).status_code == 304
    await ada.task(project)
    assert (await ada.get(path, If_None_Match=first.headers["etag"])).status_code == 200
    assert len((await done(ada.get(changes, If_None_Match=first.headers["etag"])))["changes"]) == 1


async def test_every_answer_about_a_project_carries_its_head(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    task = await ada.task(project)
    base = f"/api/projects/{project}"
    reads = ["", "/tasks", f"/tasks/{task['id']}", "/members", "/activities", "/changes?since=0"]
    reads += [f"/tasks/{task['id']}/comments", f"/tasks/{task['id']}/history"]
    for path in reads:
        assert (await ada.get(base + path)).headers["x-project-rev"] == str(task["rev"]), path
    writes = [
        ("POST", "/tasks", {"title": "x"}),
        ("PUT", f"/tasks/{task['id']}", {"title": "y"}),
        ("POST", f"/tasks/{task['id']}/comments", {"content": "z"}),
        ("POST", "/tasks/batch", {"ops": []}),
        ("POST", "/members", {"userId": bob.id}),
        ("PUT", f"/members/{bob.id}", {"role": "viewer"}),
        ("DELETE", f"/members/{bob.id}", None),
        ("PUT", "", {"name": "N"}),
        ("DELETE", f"/tasks/{task['id']}", None),
        ("POST", f"/tasks/{task['id']}/restore", None),
    ]
    rev = task["rev"]
    for method, path, body in writes:
        answer = await ada.call(method, base + path, body)
        rev += "batch" not in path
        assert answer.headers["x-project-rev"] == str(rev), (method, path, answer.text)


async def test_changes_come_in_pages(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    for number in range(5):
        await ada.task(project, str(number))
    path = f"/api/projects/{project}/changes"
    page = await done(ada.get(f"{path}?since=1&limit=2"))
    assert [change["rev"] for change in page["changes"]] == [2, 3]
    assert (page["rev"], page["hasMore"]) == (6, True)
    page = await done(ada.get(f"{path}?since=3&limit=3"))
    assert ([change["rev"] for change in page["changes"]], page["hasMore"]) == ([4, 5, 6], False)
    assert (await done(ada.get(f"{path}?since=6")))["changes"] == []
    assert len((await done(ada.get(f"{path}?since=0&limit=-5")))["changes"]) == 1
    for since in (7, -1, 10**30):
        await refused(ada.get(f"{path}?since={since}"), 410, "since")
    await refused(ada.get(f"{path}?since=x"), 400, "since")
    await refused(ada.get(path), 400, "since")


async def test_a_log_that_was_cut_answers_410_below_the_cut(lone: World, monkeypatch: object) -> None:
    ada = await lone.person()
    project = await ada.project()
    for number in range(20):
        await ada.task(project, str(number))
    storage = lone.server.live._storage
    assert storage is not None
    await storage.write(upkeep.tidy)
    assert len(await ada.changes(project)) == 21, "what is young stays"

    def age(tx: Tx) -> None:
        tx._execute("UPDATE changes SET at = '2020-01-01T00:00:00.000Z' WHERE rev <= 15", {})

    await storage.write(age)
    await storage.write(upkeep.tidy)
    assert len(await ada.changes(project)) == 21, "so do the newest ten thousand"
    kept, upkeep.LOG_ROWS_KEPT = upkeep.LOG_ROWS_KEPT, 10  # type: ignore[misc]
    try:
        await storage.write(upkeep.tidy)
    finally:
        upkeep.LOG_ROWS_KEPT = kept  # type: ignore[misc]
    body = await refused(ada.get(f"/api/projects/{project}/changes?since=10"), 410, "since")
    assert "load the list again" in body["error"]
    assert [change["rev"] for change in await ada.changes(project, since=11)] == list(range(12, 22))
    task = await ada.task(project)
    assert task["rev"] == 22


# -- what only a database can decide


async def test_concurrent_twins_take_effect_once(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    path = f"/api/projects/{project}/tasks"
    twins = await asyncio.gather(
        *(ada.post(path, {"title": "once"}, Idempotency_Key="key-1") for _ in range(12))
    )
    assert {answer.status_code for answer in twins} == {201}
    assert len({answer.json()["task"]["id"] for answer in twins}) == 1
    assert len((await ada.tasks(project))["tasks"]) == 1
    made = await asyncio.gather(
        *(ada.post("/api/projects", {"name": "P"}, Idempotency_Key="key-2") for _ in range(6))
    )
    assert len({answer.json()["project"]["id"] for answer in made}) == 1


async def test_the_same_id_made_twice_at_once_is_one_task_or_a_conflict(world: World) -> None:
    ada = await world.person()
    project, other = await ada.project(), await ada.project("Other")
    task_id = str(uuid4())
    body = {"id": task_id, "title": "mine"}
    answers = await asyncio.gather(
        *(ada.post(f"/api/projects/{place}/tasks", body) for place in (project, other) * 6)
    )
    assert {answer.status_code for answer in answers} == {201, 409}
    both_lists = (await ada.tasks(project))["tasks"] + (await ada.tasks(other))["tasks"]
    assert [task["id"] for task in both_lists] == [task_id]


async def test_the_same_address_signs_up_once_however_often_at_once(world: World) -> None:
    email = f"{uuid4().hex}@example.com"
    body = {"email": email, "password": "correct horse", "name": "ada"}
    answers = await asyncio.gather(*(world.http.post("/api/auth/signup", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]


async def test_two_owners_who_leave_at_once_do_not_leave_a_project_without_one(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    for _ in range(5):
        project = await ada.project()
        await ada.add(project, bob, "owner")
        left = await asyncio.gather(
            *(who.delete(f"/api/projects/{project}/members/{who.id}") for who in (ada, bob))
        )
        assert sorted(answer.status_code for answer in left) == [200, 409]


async def test_the_last_use_of_an_invite_is_used_once(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    code = (await done(ada.post(f"/api/projects/{project}/invites", {"maxUses": 2})))["code"]
    people = await asyncio.gather(*(world.person(f"p{number}") for number in range(6)))
    joined = await asyncio.gather(*(person.post(f"/api/invites/{code}/accept") for person in people))
    assert sorted(answer.status_code for answer in joined) == [200, 200, 404, 404, 404, 404]


async def test_refreshing_at_once_gives_one_successor(world: World) -> None:
    ada = await world.person(refresh=True)
    body = {"refreshToken": ada.auth["refreshToken"]}
    answers = await asyncio.gather(*(world.http.post("/api/auth/refresh", json=body) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refreshToken"] for answer in answers}) == 1


async def test_nobody_writes_after_their_removal(world: World) -> None:
    """I9's other side: a write that waits for the project's lock sees the removal that held it."""
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    for _ in range(6):
        await ada.add(project, bob)
        answers, _ = await asyncio.gather(
            asyncio.gather(*(bob.post(f"/api/projects/{project}/tasks", {"title": "b"}) for _ in range(12))),
            ada.delete(f"/api/projects/{project}/members/{bob.id}"),
        )
        assert {answer.status_code for answer in answers} <= {201, 403}
    inside = False
    for change in await ada.changes(project):
        if change["type"] == "members:updated":
            inside = any(member["userId"] == bob.id for member in change["project"]["members"])
        elif change["userId"] == bob.id:
            assert inside, "a write by somebody who was out"
