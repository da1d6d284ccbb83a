"""What becomes of tasks: ids of clients, tombstones, moves, many at once, retries, and texts of all kinds."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from fluxboard.model.types import Task
from fluxboard.server.commands.tasks import save
from fluxboard.server.storage.sql import Tx
from tests.server.world import Json, Person, World, done, refused
from tests.support.hostile import LONG_DESCRIPTION, RAW
from tests.support.waiting import until

# -- ids


async def test_a_client_names_its_task(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project, other = await ada.project(), await ada.project("Other")
    await ada.add(project, bob)
    path = f"/api/projects/{project}/tasks"
    body = {"id": str(uuid4()), "title": "mine", "labels": ["a"]}
    made = await done(ada.post(path, body))
    assert made["task"]["id"] == body["id"]
    again = await done(ada.post(path, body))
    assert (again["task"], again["rev"]) == (made["task"], made["rev"]), "nothing happened"
    upper = await done(ada.post(path, body | {"id": body["id"].upper()}))  # type: ignore[attr-defined]
    assert upper["task"] == made["task"]
    await refused(ada.post(path, body | {"title": "another"}), 409, "id")
    await refused(ada.post(path, body | {"labels": ["b"]}), 409, "id")
    await refused(bob.post(path, body), 409, "id")
    await refused(ada.post(f"/api/projects/{other}/tasks", body), 409, "id")
    await done(ada.delete(f"{path}/{body['id']}"))
    await refused(ada.post(path, body), 409, "id")


# -- tombstones


async def test_what_was_deleted_stays_deleted_until_somebody_restores_it(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    _, task, _ = [await ada.task(project, title) for title in ("first", "task", "last")]
    path = f"/api/projects/{project}/tasks/{task['id']}"
    await done(bob.post(f"{path}/comments", {"content": "hm"}))
    await done(ada.delete(path))
    for call in (
        *(bob.put(path, {"title": "x"}), bob.get(path), ada.delete(path)),
        *(bob.get(f"{path}/comments"), bob.post(f"{path}/comments", {"content": "x"})),
    ):
        body = await refused(call, 410)
        assert body["deletedBy"] == "ada"
        assert body["at"].endswith("Z")
        assert body["task"]["title"] == "task"
    assert await ada.column(project) == ["first", "last"]
    restored = (await done(bob.post(f"{path}/restore")))["task"]
    assert restored["rev"] > task["rev"]
    assert (restored["id"], restored["commentCount"]) == (task["id"], 1)
    assert await ada.column(project) == ["first", "task", "last"], "where it was"
    again = await done(bob.post(f"{path}/restore"))
    assert again["task"] == restored
    await refused(bob.post(f"/api/projects/{project}/tasks/{uuid4()}/restore"), 404)


async def test_a_task_is_restored_into_a_board_that_changed(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    path = f"/api/projects/{project}"
    task = await ada.task(project, status="review")
    await done(ada.delete(f"{path}/tasks/{task['id']}"))
    taken = await ada.task(project)
    columns = [{"id": "completed", "name": "Done"}, {"id": "todo", "name": "To do"}]
    await done(ada.put(path, {"columns": columns}))
    restored = (await done(ada.post(f"{path}/tasks/{task['id']}/restore")))["task"]
    assert restored["status"] == "completed"
    assert restored["completedAt"]
    assert restored["fieldRevs"]["status"] == restored["rev"]
    assert (await done(ada.get(path)))["project"]["progress"] == 50
    assert taken["id"] != restored["id"]


async def test_who_may_delete_a_task(world: World) -> None:
    people: dict[str, Person] = {}
    for name in ("owner", "admin", "creator", "member", "viewer"):
        people[name] = await world.person(name)
    owner = people["owner"]
    project = await owner.project()
    for name in ("admin", "creator", "member", "viewer"):
        await owner.add(project, people[name], name if name in {"admin", "viewer"} else "member")
    for name, status in (("owner", 200), ("admin", 200), ("creator", 200), ("member", 403), ("viewer", 403)):
        task = await people["creator"].task(project)
        path = f"/api/projects/{project}/tasks/{task['id']}"
        assert (await people[name].delete(path)).status_code == status, name


# -- moves


async def test_cards_go_where_they_are_put(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ids = {name: (await ada.task(project, name))["id"] for name in "abcd"}
    other = (await ada.task(project, "e", status="review"))["id"]

    async def moved(name: str, **where: object) -> str:
        await ada.change(project, ids[name], **where)
        return "".join(await ada.column(project))

    assert await moved("d", afterId=None) == "dabc", "the top"
    assert await moved("d", beforeId=None) == "abcd", "the bottom"
    assert await moved("d", afterId=ids["a"]) == "adbc"
    assert await moved("d", beforeId=ids["c"]) == "abdc"
    assert await moved("d", beforeId=ids["a"]) == "dabc"
    assert await moved("d", afterId=ids["c"]) == "abcd"
    assert await moved("a", afterId=str(uuid4())) == "bcda", "a neighbour that is gone: the bottom"
    assert await moved("b", afterId=other) == "cdab", "a neighbour that left the column: the bottom"
    assert await moved("c", afterId=other, beforeId=ids["b"]) == "dacb", "the other neighbour counts"
    assert await moved("d", afterId=ids["d"]) == "dacb", "beside itself"
    await ada.change(project, ids["d"], status="review", beforeId=other)
    assert await ada.column(project, "review") == ["d", "e"]
    await ada.change(project, ids["a"], status="review")
    assert await ada.column(project, "review") == ["d", "e", "a"]
    assert await ada.column(project) == ["c", "b"]
    made = await ada.task(project, "top", beforeId=ids["c"])
    assert await ada.column(project) == ["top", "c", "b"]
    await ada.change(project, ids["b"], position=made["position"])
    assert await ada.column(project) == ["top", "b", "c"], "a place that is taken: right behind"


async def test_a_move_writes_one_card(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ids = [(await ada.task(project, str(number)))["id"] for number in range(5)]
    before = (await ada.tasks(project))["rev"]
    await ada.change(project, ids[4], status="review", afterId=None)
    (change,) = await ada.changes(project, before)
    assert sorted(change["fields"]) == ["position", "status"]
    assert change["task"]["fieldRevs"]["position"] == change["rev"]
    assert change["task"]["fieldRevs"]["title"] < change["rev"]


async def test_equal_positions_are_repaired_at_the_next_insert(lone: World) -> None:
    ada = await lone.person()
    project = await ada.project()
    made = [await ada.task(project, name) for name in "abcd"]
    storage = lone.server.live._storage
    assert storage is not None

    def collide(tx: Tx) -> None:
        for task in made[1:3]:
            old = Task(
                **{
                    "id": task["id"],
                    "title": task["title"],
                    "position": made[0]["position"],
                    "rev": task["rev"],
                    "created_by": ada.id,
                }
            )
            save(tx, old)

    await storage.write(collide)
    order = [task["title"] for task in sorted(made[:3], key=lambda task: task["id"])]
    assert await ada.column(project) == [*order, "d"]
    neighbour = next(task["id"] for task in made if task["title"] == order[0])
    await ada.change(project, made[3]["id"], afterId=neighbour)
    assert await ada.column(project) == [order[0], "d", *order[1:]]
    tasks = (await ada.tasks(project))["tasks"]
    assert len({task["position"] for task in tasks}) == 4
    logged = await ada.changes(project, made[3]["rev"])
    assert [change["rev"] for change in logged] == [6, 7, 8][: len(logged)]
    for change in logged:
        assert change["task"] == next(t for t in tasks if t["id"] == change["task"]["id"])


async def test_a_thousand_inserts_at_one_place_keep_their_order(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    top, bottom = await ada.task(project, "top"), await ada.task(project, "bottom")
    path = f"/api/projects/{project}/tasks/batch"
    for start in range(0, 300, 100):
        ops = [
            {"op": "create", "task": {"title": str(number), "beforeId": bottom["id"]}}
            for number in range(start, start + 100)
        ]
        await done(ada.post(path, {"ops": ops}))
    assert await ada.column(project) == ["top", *map(str, range(300)), "bottom"]
    assert top["rev"] < bottom["rev"]


async def test_moves_at_once_keep_every_card_once(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ids = [(await ada.task(project, str(number)))["id"] for number in range(8)]
    await asyncio.gather(
        *(ada.change(project, task, afterId=ids[3]) for task in ids if task != ids[3]),
        *(ada.change(project, task, beforeId=ids[3]) for task in ids if task != ids[3]),
    )
    tasks = (await ada.tasks(project))["tasks"]
    assert len({task["position"] for task in tasks}) == len(tasks) == 8


# -- many at once


async def test_a_batch_does_what_it_can(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    task = await ada.task(project)
    path = f"/api/projects/{project}/tasks/batch"
    ops = [
        {"op": "create", "task": {"title": "made"}},
        {"op": "create", "task": {"title": " "}},
        {"op": "update", "taskId": task["id"], "patch": {"priority": "high"}},
        {"op": "update", "taskId": str(uuid4()), "patch": {"priority": "high"}},
        {"op": "update", "taskId": task["id"]},
        {"op": "update", "patch": {"priority": "low"}},
        {"op": "delete", "taskId": task["id"]},
        {"op": "delete", "taskId": task["id"]},
        {"op": "delete"},
        {"op": "create"},
    ]
    answer = await done(ada.post(path, {"ops": ops}))
    told = [
        (result["success"], result.get("status", 200), result.get("field")) for result in answer["results"]
    ]
    assert told == [
        (True, 201, None),
        (False, 400, "title"),
        (True, 200, None),
        (False, 404, None),
        (False, 400, "patch"),
        (False, 400, "taskId"),
        (True, 200, None),
        (False, 410, None),
        (False, 400, "taskId"),
        (False, 400, "task"),
    ]
    assert all(result["error"] for result in answer["results"] if not result["success"])
    assert answer["rev"] == task["rev"] + 3
    assert await ada.column(project) == ["made"]


async def test_an_atomic_batch_is_all_or_nothing(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ear = await ada.ear(project)
    task = await ada.task(project)
    before = await ada.tasks(project)
    path = f"/api/projects/{project}/tasks/batch"
    ops: list[Json] = [
        {"op": "create", "task": {"title": "made"}},
        {"op": "update", "taskId": task["id"], "patch": {"title": ""}},
    ]
    await refused(ada.post(path, {"ops": ops, "atomic": True}), 400, "ops[1].title")
    assert await ada.tasks(project) == before
    ops[1] = {"op": "update", "taskId": str(uuid4()), "patch": {}}
    await refused(ada.post(path, {"ops": ops, "atomic": True}), 404, "ops[1]")
    assert await ada.tasks(project) == before
    ops[1] = {"op": "update", "taskId": task["id"], "patch": {"title": "ok"}}
    answer = await done(ada.post(path, {"ops": ops, "atomic": True}))
    assert answer["rev"] == before["rev"] + 2
    heard = lambda: [data["rev"] for data in ear.of("task:created", "task:updated")]  # noqa: E731
    await until(lambda: heard() == [2, 3, 4])


async def test_a_batch_has_limits(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    path = f"/api/projects/{project}/tasks/batch"
    op = {"op": "create", "task": {"title": "x"}}
    await refused(ada.post(path, {"ops": [op] * 1001}), 400, "ops")
    await refused(ada.post(path, {}), 400, "ops")
    await refused(ada.post(path, {"ops": {}}), 400, "ops")
    await refused(ada.post(path, {"ops": [{"op": "explode"}]}), 400, "ops[0].op")
    await refused(ada.post(path, {"ops": [{"op": "create", "task": {}}]}), 400, "ops[0].task.title")
    assert len((await done(ada.post(path, {"ops": [op] * 1000})))["results"]) == 1000


# -- retries


async def test_a_key_answers_again_what_it_answered(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    path = f"/api/projects/{project}/tasks"
    first = await ada.post(path, {"title": "once"}, Idempotency_Key="k")
    await ada.change(project, first.json()["task"]["id"], title="changed since")
    again = await ada.post(path, {"title": "once"}, Idempotency_Key="k")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert int(again.headers["x-project-rev"]) == int(first.headers["x-project-rev"]) + 1, (
        "the head is today's"
    )
    for call in (
        ada.post(path, {"title": "other"}, Idempotency_Key="k"),
        ada.put(f"{path}/{first.json()['task']['id']}", {"title": "once"}, Idempotency_Key="k"),
        ada.post("/api/projects", {"name": "P"}, Idempotency_Key="k"),
    ):
        await refused(call, 422, "Idempotency-Key")
    his = await bob.post(path, {"title": "once"}, Idempotency_Key="k")
    assert his.json()["task"]["id"] != first.json()["task"]["id"], "keys are everybody's own"
    for key in ("", "x" * 201, "tab\there"):
        await refused(ada.post(path, {"title": "x"}, Idempotency_Key=key), 400, "Idempotency-Key")
    assert len((await ada.tasks(project))["tasks"]) == 2


async def test_a_refused_request_may_be_sent_again_under_its_key(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    path = f"/api/projects/{project}/tasks"
    await refused(ada.post(path, {"title": ""}, Idempotency_Key="k"), 400, "title")
    await done(ada.post(path, {"title": "now"}, Idempotency_Key="k"))


async def test_leaving_and_deleting_may_be_sent_again(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    leave = f"/api/projects/{project}/members/{bob.id}"
    left = await bob.delete(leave, Idempotency_Key="k")
    again = await bob.delete(leave, Idempotency_Key="k")
    assert (again.status_code, again.content) == (200, left.content)
    assert "x-project-rev" not in again.headers, "no longer theirs to know"
    gone = await ada.delete(f"/api/projects/{project}", Idempotency_Key="k")
    again = await ada.delete(f"/api/projects/{project}", Idempotency_Key="k")
    assert (again.status_code, again.content) == (200, gone.content)


# -- what others changed meanwhile


async def test_edits_from_an_older_revision_merge_or_are_asked_about(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    task = await ada.task(project, "title", description="one\ntwo\nthree\nfour\n", labels=["a"])
    path = f"/api/projects/{project}/tasks/{task['id']}"
    base = task["rev"]
    await bob.change(
        project, task["id"], title="bob's", description="ONE\ntwo\nthree\nfour\n", labels=["a", "b"]
    )
    merged = {"description": "one\ntwo\nthree\nFOUR\n", "labels": ["a", "c"], "priority": "high"}
    now = await ada.change(project, task["id"], **merged, baseRev=base)
    assert now["description"] == "ONE\ntwo\nthree\nFOUR\n"
    assert set(now["labels"]) == {"a", "b", "c"}
    body = await refused(ada.put(path, {"title": "ada's", "status": "review", "baseRev": base}), 409, "title")
    conflict = body["conflict"]["fields"]["title"]
    assert (conflict["base"], conflict["mine"], conflict["theirs"]) == ("title", "ada's", "bob's")
    assert conflict["userName"] == "bob"
    assert body["conflict"]["task"] == now, "nothing of it was applied"
    await refused(ada.delete(f"{path}?baseRev={base}"), 409)
    for odd in (-(10**30), 10**30):
        assert (await ada.put(path, {"title": "t", "baseRev": odd})).status_code in {200, 400, 409}
    await done(ada.put(path, {"title": "ada's"}))
    await done(ada.delete(f"{path}?baseRev={10**6}"))


async def test_with_if_unchanged_nobody_is_overwritten_even_where_the_last_writer_would_win(
    world: World,
) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    task = await ada.task(project, "title", description="one\ntwo\nthree\n", labels=["a"])
    path = f"/api/projects/{project}/tasks/{task['id']}"
    guarded = {"baseRev": task["rev"], "ifUnchanged": True}
    await ada.change(project, task["id"], priority="high")
    await ada.change(project, task["id"], priority="low", **guarded)  # one's own changes are no conflict
    await bob.change(
        project, task["id"], dueDate="2026-01-02", labels=["a", "b"], description="1\ntwo\nthree\n"
    )
    await bob.change(project, task["id"], priority="critical")
    both = {"priority": "medium", "dueDate": None, "assignedTo": ada.id}
    body = await refused(ada.put(path, both | guarded), 409)
    assert body["error"] == "bob changed the priority and the due date meanwhile"
    assert body["conflict"]["fields"] == {}
    assert (body["conflict"]["task"]["priority"], body["conflict"]["task"]["assignedTo"]) == (
        "critical",
        None,
    )
    await ada.change(project, task["id"], priority="critical", **guarded)  # it says so already
    merged = await ada.change(project, task["id"], labels=["a", "c"], description="one\ntwo\n3\n", **guarded)
    assert (set(merged["labels"]), merged["description"]) == ({"a", "b", "c"}, "1\ntwo\n3\n")
    await ada.change(project, task["id"], **both, baseRev=task["rev"])


async def test_a_merge_stays_within_the_limits(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    base = "a\n" + "m\n" * 20 + "z\n"
    task = await ada.task(project, description=base, labels=[])
    path = f"/api/projects/{project}/tasks/{task['id']}"
    await bob.change(
        project, task["id"], description=base + "x" * 4000, labels=[f"b{number}" for number in range(40)]
    )
    await refused(
        ada.put(path, {"description": "y" * 4000 + "\n" + base, "baseRev": task["rev"]}), 409, "description"
    )
    mine = [f"a{number}" for number in range(40)]
    await refused(ada.put(path, {"labels": mine, "baseRev": task["rev"]}), 400, "labels")


# -- texts


async def test_texts_come_back_as_they_were_sent_without_what_a_terminal_obeys(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    wide = "\u6f22" * 500
    assert (await ada.task(project, wide))["title"] == wide
    path = f"/api/projects/{project}/tasks"
    await refused(ada.post(path, {"title": wide + "x"}), 400, "title")
    assert (await ada.task(project, f"  {'x' * 500}\t\n "))["title"] == "x" * 500
    assert (await ada.task(project, description=LONG_DESCRIPTION))["description"] == LONG_DESCRIPTION
    for text in (
        "a & b <i> 'c' \"d\"",
        "[bold]x[/]",
        "${x} %s {0}",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u05e9\u05dc\u05d5\u05dd",
    ):
        assert (await ada.task(project, text))["title"] == text, "neither escaped nor changed"
    for nothing in ("", " ", "\u200b", "\x1b[31m", "\u202e\u2066", "\x00", "\ufeff", "\x7f\x9b0m"):
        await refused(ada.post(path, {"title": nothing}), 400, "title")


@pytest.mark.parametrize("where", ["title", "comment"])
async def test_no_control_character_gets_in(world: World, where: str) -> None:
    ada = await world.person()
    project = await ada.project()
    task = await ada.task(project)
    controls = [chr(code) for code in (*range(32), *range(0x7F, 0xA0))]
    bidi = list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\U000e0041")
    texts = [f"a{char}b" for char in (*controls, *bidi)] + [f"x {text}" for text in RAW.values()]
    path = f"/api/projects/{project}/tasks"
    for text in texts:
        if where == "title":
            stored = (await ada.task(project, text[:500]))["title"]
            assert "\n" not in stored
            assert "\t" not in stored
        else:
            body = {"content": text[:2000]}
            stored = (await done(ada.post(f"{path}/{task['id']}/comments", body)))["comment"]["content"]
        left = set(stored) - {"\n", "\t"}
        assert not left & set(controls + bidi), (text, stored)


async def test_an_operation_that_was_done_in_a_batch_is_not_done_again_as_a_request(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    task, gone = await ada.task(project, "One"), await ada.task(project, "Two")
    path = f"/api/projects/{project}/tasks"
    ops = [
        {"op": "update", "opId": "op-1", "taskId": task["id"], "patch": {"priority": "high"}},
        {"op": "delete", "opId": "op-2", "taskId": gone["id"]},
    ]
    await done(ada.post(f"{path}/batch", {"ops": ops}))
    head = (await ada.tasks(project))["rev"]
    body = {"priority": "high", "baseRev": 1}
    changed = await done(ada.put(f"{path}/{task['id']}", body, Idempotency_Key="op-1"))
    assert (changed["success"], changed["task"]["priority"]) == (True, "high")
    deleted = await done(ada.delete(f"{path}/{gone['id']}", Idempotency_Key="op-2"))
    assert deleted["success"]
    assert deleted["message"]
    assert (await ada.tasks(project))["rev"] == head, "nothing was done again"
