"""Columns whose limit blocks (I12), operations of a batch that count once, comments with ids of their own."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from tests.server.world import Person, World, done, refused


async def limited(world: World, limit: int, policy: str = "block") -> tuple[Person, str, str]:
    """A person, the path of a project whose review takes so many tasks, and the path of its tasks."""
    ada = await world.person()
    project = await ada.project()
    path = f"/api/projects/{project}"
    columns: list[dict[str, Any]] = (await done(ada.get(path)))["project"]["columns"]
    for column in columns:
        if column["id"] == "review":
            column |= {"wipLimit": limit, "wipPolicy": policy}
    await done(ada.put(path, {"columns": columns}))
    return ada, path, f"{path}/tasks"


async def make(ada: Person, tasks: str, status: str = "review") -> Any:
    return await ada.post(tasks, {"title": "x", "status": status})


async def test_a_full_column_takes_nothing_more_by_any_way(world: World) -> None:
    ada, path, tasks = await limited(world, 2)
    first = (await make(ada, tasks)).json()["task"]
    second = (await make(ada, tasks)).json()["task"]
    other = (await make(ada, tasks, "todo")).json()["task"]
    error = await refused(make(ada, tasks), 409, "status")
    assert (error["error"], error["field"]) == ("Review is full: 2 of 2", "status")
    await refused(ada.put(f"{tasks}/{other['id']}", {"status": "review"}), 409, "status")
    op = {"op": "update", "taskId": other["id"], "patch": {"status": "review"}}
    answer = await done(ada.post(f"{tasks}/batch", {"ops": [op]}))
    assert [result["status"] for result in answer["results"]] == [409]
    await done(ada.delete(f"{tasks}/{first['id']}"))
    await done(ada.put(f"{tasks}/{other['id']}", {"status": "review"}))
    await refused(ada.post(f"{tasks}/{first['id']}/restore", {}), 409, "status")
    # Within and out of it one may move, and what stands there may be changed.
    await done(ada.put(f"{tasks}/{second['id']}", {"beforeId": other["id"], "title": "y"}))
    await done(ada.put(f"{tasks}/{second['id']}", {"archived": True}))
    await done(ada.post(f"{tasks}/{first['id']}/restore", {}))
    await refused(ada.put(f"{tasks}/{second['id']}", {"archived": False}), 409, "status")
    columns = (await done(ada.get(path)))["project"]["columns"]
    for column in columns:
        if column["id"] == "review":
            column["wipLimit"] = 1
    error = await refused(ada.put(path, {"columns": columns}), 409, "columns")
    assert error["error"] == "Review holds 2 tasks, more than a limit of 1"


async def test_a_limit_that_warns_lets_in(world: World) -> None:
    ada, _, tasks = await limited(world, 1, "warn")
    for _ in range(3):
        assert (await make(ada, tasks)).status_code == 201


async def test_of_many_at_once_no_more_get_in_than_fit(world: World) -> None:
    ada, _, tasks = await limited(world, 3)
    answers = await asyncio.gather(*(make(ada, tasks) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 5


async def test_an_operation_of_a_batch_takes_effect_once(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    tasks = f"/api/projects/{project}/tasks"
    made, gone = str(uuid4()), (await make(ada, tasks, "todo")).json()["task"]["id"]
    ops = [
        {"op": "create", "opId": "op-1", "task": {"title": "new", "id": made}},
        {"op": "delete", "opId": "op-2", "taskId": gone},
        {"op": "update", "opId": "op-3", "taskId": gone, "patch": {"title": "late"}},
    ]
    first = await done(ada.post(f"{tasks}/batch", {"ops": ops}))
    again = await done(ada.post(f"{tasks}/batch", {"ops": ops}))
    assert [result.get("status", 200) for result in first["results"]] == [201, 200, 410]
    assert first["results"][2]["task"]["id"] == gone, "what is left of it"
    assert [result.get("task", {}).get("rev") for result in again["results"][:2]] == [
        result.get("task", {}).get("rev") for result in first["results"][:2]
    ]
    assert again["rev"] == first["rev"], "nothing happened the second time"
    changes = (await done(ada.get(f"/api/projects/{project}/changes?since=0")))["changes"]
    assert [change.get("opId") for change in changes][-2:] == ["op-1", "op-2"]
    other = [{"op": "delete", "opId": "op-1", "taskId": made}]
    (result,) = (await done(ada.post(f"{tasks}/batch", {"ops": other})))["results"]
    assert (result["status"], result["field"]) == (422, "opId")


async def test_an_operation_that_was_a_request_of_its_own_is_known_in_a_batch(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    tasks = f"/api/projects/{project}/tasks"
    task = (await make(ada, tasks, "todo")).json()["task"]["id"]
    alone = await done(ada.put(f"{tasks}/{task}", {"title": "once"}, **{"Idempotency-Key": "op-9"}))
    ops = [{"op": "update", "opId": "op-9", "taskId": task, "patch": {"title": "once"}}]
    answer = await done(ada.post(f"{tasks}/batch", {"ops": ops}))
    assert answer["results"][0]["task"]["rev"] == alone["task"]["rev"]


async def test_a_comment_with_an_id_of_its_client_is_written_once(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    tasks = f"/api/projects/{project}/tasks"
    task = (await make(ada, tasks, "todo")).json()["task"]["id"]
    body = {"content": "hello", "id": str(uuid4())}
    first = (await ada.post(f"{tasks}/{task}/comments", body)).json()
    again = (await ada.post(f"{tasks}/{task}/comments", body)).json()
    assert first["comment"] == again["comment"]
    assert first["comment"]["id"] == body["id"]
    assert (first["task"]["commentCount"], again["task"]["commentCount"]) == (1, 1)
    await refused(bob.post(f"{tasks}/{task}/comments", body), 409, "id")
    await refused(ada.post(f"{tasks}/{task}/comments", body | {"content": "else"}), 409, "id")
    gone = await done(ada.delete(f"{tasks}/{task}/comments/{body['id']}"))
    assert gone["task"]["commentCount"] == 0
