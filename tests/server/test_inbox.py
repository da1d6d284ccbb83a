"""What comes into whose inbox, what is done with it, and how its owner's terminals hear of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from fluxboard.model.types import timestamp
from fluxboard.server.commands import upkeep
from tests.server.world import Ear, Json, Person, World, done, refused
from tests.support.waiting import until


async def team(world: World) -> tuple[Person, Person, Person, str]:
    """Ada's project with Mila and Tom."""
    ada, mila, tom = await world.person("ada"), await world.person("mila"), await world.person("tom")
    project = await ada.project()
    await ada.add(project, mila)
    await ada.add(project, tom)
    return ada, mila, tom, project


async def inbox(person: Person, query: str = "") -> list[tuple[str, str, str]]:
    """Kind, title and text of each item."""
    answer = await done(person.get(f"/api/inbox{query}"))
    assert answer["success"]
    return [(item["kind"], item.get("taskTitle", ""), item.get("text", "")) for item in answer["items"]]


async def unread(person: Person) -> int:
    return int((await done(person.get("/api/inbox")))["unread"])


async def say(person: Person, project: str, task: Json, content: str) -> Json:
    path = f"/api/projects/{project}/tasks/{task['id']}/comments"
    made: Json = (await done(person.post(path, {"content": content})))["comment"]
    return made


def day(distance: int) -> str:
    return (datetime.now(UTC) + timedelta(days=distance)).date().isoformat()


async def test_a_mention_comes_once_and_only_to_who_is_called(world: World) -> None:
    ada, mila, tom, project = await team(world)
    task = await ada.task(project, "Write")
    comment = await say(ada, project, task, "@mila, and @mila again: look @ada @nobody")
    assert await inbox(mila) == [("mention", "Write", "@mila, and @mila again: look @ada @nobody")]
    assert await inbox(ada) == await inbox(tom) == []
    path = f"/api/projects/{project}/tasks/{task['id']}/comments/{comment['id']}"
    await done(ada.put(path, {"content": "@mila and @tom"}))
    assert len(await inbox(mila)) == 1
    assert await inbox(tom) == [("mention", "Write", "@mila and @tom")]
    await done(ada.delete(path))
    assert await inbox(mila) == await inbox(tom) == []


async def test_a_description_calls_people_when_their_name_is_new_in_it(world: World) -> None:
    ada, mila, tom, project = await team(world)
    task = await ada.task(project, "Write", description="ask @mila")
    await ada.change(project, task["id"], description="ask @mila and @tom")
    assert await inbox(mila) == [("mention", "Write", "ask @mila")]
    assert await inbox(tom) == [("mention", "Write", "ask @mila and @tom")]


async def test_an_assignment_comes_to_the_assignee_unless_they_did_it(world: World) -> None:
    ada, mila, _, project = await team(world)
    task = await ada.task(project, "Write", assignedTo=mila.id)
    await ada.task(project, "Mine", assignedTo=ada.id)
    await mila.change(project, task["id"], title="Rewrite")
    await mila.change(project, task["id"], assignedTo=None)
    await mila.change(project, task["id"], assignedTo=mila.id)
    assert await inbox(mila) == [("assigned", "Rewrite", "Write")], "the title as it is, the text as it was"
    assert await inbox(ada) == []


async def test_a_batch_makes_items_too(world: World) -> None:
    ada, mila, _, project = await team(world)
    ops = [{"op": "create", "task": {"title": f"T{n}", "assignedTo": mila.id}} for n in range(30)]
    await done(ada.post(f"/api/projects/{project}/tasks/batch", {"ops": ops}))
    assert await unread(mila) == 30


async def test_comments_come_to_the_owner_the_maker_and_who_talked_before(world: World) -> None:
    ada, mila, tom, project = await team(world)
    task = await ada.task(project, "Write", assignedTo=mila.id)
    await say(tom, project, task, "first")
    assert ("comment", "Write", "first") in await inbox(ada)
    assert ("comment", "Write", "first") in await inbox(mila)
    assert await inbox(tom) == []
    await say(ada, project, task, "@mila second")
    assert await inbox(tom) == [("comment", "Write", "@mila second")]
    kinds = [kind for kind, _, text in await inbox(mila) if text == "@mila second"]
    assert kinds == ["mention"], "one item, the stronger one"


async def test_who_is_no_member_gets_nothing_and_who_leaves_loses_it(world: World) -> None:
    ada, mila, _, project = await team(world)
    eve = await world.person("eve")
    task = await ada.task(project, "Secret", assignedTo=mila.id)
    await say(ada, project, task, "@eve @mila")
    assert await inbox(eve) == []
    assert await unread(mila) == 2
    await done(ada.delete(f"/api/projects/{project}/members/{mila.id}"))
    assert await inbox(mila) == []
    await say(ada, project, task, "@mila are you there")
    assert await inbox(mila) == []


async def test_a_deleted_task_leaves_the_inbox_and_a_muted_one_is_quiet(world: World) -> None:
    ada, mila, _, project = await team(world)
    task = await ada.task(project, "Write", assignedTo=mila.id, dueDate=day(0))
    other = await ada.task(project, "Else", assignedTo=mila.id)
    assert await unread(mila) == 3
    await done(mila.put(f"/api/projects/{project}/tasks/{task['id']}/mute", {"muted": True}))
    await say(ada, project, task, "@mila hello?")
    assert await inbox(mila) == [("assigned", "Else", "Else")]
    assert (await done(mila.get("/api/inbox")))["muted"] == [task["id"]]
    await done(mila.put(f"/api/projects/{project}/tasks/{task['id']}/mute", {"muted": False}))
    await say(ada, project, task, "@mila now?")
    assert await unread(mila) == 3
    await done(ada.delete(f"/api/projects/{project}/tasks/{other['id']}"))
    assert {kind for kind, _, _ in await inbox(mila)} == {"mention", "due"}


async def test_what_is_due_soon_is_there_until_it_is_done(world: World) -> None:
    ada, mila, _, project = await team(world)
    for distance in (-3, 0, 2, 3):
        await mila.task(project, f"in {distance}", assignedTo=mila.id, dueDate=day(distance))
    await mila.task(project, "finished", assignedTo=mila.id, dueDate=day(0), status="completed")
    await mila.task(project, "somebody else's", dueDate=day(0))
    await mila.task(project, "with a time", assignedTo=mila.id, dueDate=f"{day(2)}T23:59:00Z")
    titles = [title for kind, title, _ in await inbox(mila) if kind == "due"]
    assert sorted(titles) == ["in -3", "in 0", "in 2", "with a time"]
    items = (await done(mila.get("/api/inbox")))["items"]
    late = next(item for item in items if item["taskTitle"] == "in -3")
    answer = await done(mila.post("/api/inbox/done", {"ids": [late["id"]]}))
    assert answer["unread"] == 3
    task = late["taskId"]
    await mila.change(project, task, dueDate=day(1))
    assert await unread(mila) == 4, "another date is news again"
    assert await inbox(ada) == []


async def test_done_and_not_done_again(world: World) -> None:
    ada, mila, _, project = await team(world)
    one = await ada.task(project, "One", assignedTo=mila.id, dueDate=day(0))
    two = await ada.task(project, "Two", assignedTo=mila.id)
    await say(ada, project, two, "@mila")
    items = (await done(mila.get("/api/inbox")))["items"]
    assert len(items) == 4
    await done(
        mila.post("/api/inbox/done", {"ids": [item["id"] for item in items if item["taskId"] == one["id"]]})
    )
    assert {title for _, title, _ in await inbox(mila)} == {"Two"}
    assert len(await inbox(mila, "?done=true")) == 4
    await done(mila.post("/api/inbox/done", {"taskId": two["id"]}))
    assert await inbox(mila) == []
    await done(mila.post("/api/inbox/done", {"ids": [items[0]["id"], items[-1]["id"]], "done": False}))
    assert await unread(mila) == 2
    await done(mila.post("/api/inbox/done", {"all": True}))
    assert await unread(mila) == 0
    assert len(await inbox(mila, "?done=true&limit=2")) == 2


async def test_nobody_marks_somebody_elses_items(world: World) -> None:
    ada, mila, _, project = await team(world)
    await ada.task(project, "One", assignedTo=mila.id)
    item = (await done(mila.get("/api/inbox")))["items"][0]
    await done(ada.post("/api/inbox/done", {"ids": [item["id"]], "all": True}))
    assert await unread(mila) == 1


async def test_every_terminal_hears_of_it_wherever_it_is(world: World) -> None:
    ada, mila, _, project = await team(world)
    first, second, adas = await mila.ear(project), await mila.ear(), await ada.ear(project)
    task = await ada.task(project, "Write", assignedTo=mila.id)
    await until(lambda: first.of("inbox:updated") and second.of("inbox:updated"))
    (heard,) = second.of("inbox:updated")
    assert heard["unread"] == 1
    assert heard["items"][0] | {"id": "", "at": ""} == {
        "id": "",
        "at": "",
        "kind": "assigned",
        "projectId": project,
        "projectName": "Relaunch",
        "taskId": task["id"],
        "taskTitle": "Write",
        "userId": ada.id,
        "userName": "ada",
        "text": "Write",
    }
    await done(mila.post("/api/inbox/done", {"all": True}))
    await until(
        lambda: first.of("inbox:updated")[-1]["unread"] == second.of("inbox:updated")[-1]["unread"] == 0
    )
    assert not adas.of("inbox:updated")


async def test_what_is_repeated_counts_once(world: World) -> None:
    ada, mila, _, project = await team(world)
    task = await ada.task(project, "Write")
    key, path = str(uuid4()), f"/api/projects/{project}/tasks/{task['id']}/comments"
    for _ in range(3):
        await done(ada.post(path, {"content": "@mila"}, Idempotency_Key=key))
    assert await unread(mila) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/inbox/done", {"ids": ["x"] * 1001}, "ids"),
        ("POST", "/api/inbox/done", {"ids": "x"}, "ids"),
        ("PUT", "/api/preferences", {"quietFrom": "25:00"}, "quietFrom"),
        ("PUT", "/api/preferences", {"quietTo": "8"}, "quietTo"),
        ("PUT", "/api/preferences", {"dnd": "yes"}, "dnd"),
        ("PUT", "/api/preferences", {"projects": {"no-uuid": {}}}, "projects"),
        (
            "PUT",
            "/api/preferences",
            {"projects": {"0190a0a0-0000-7000-8000-000000000000": {"mutedUntil": "soon"}}},
            "mutedUntil",
        ),
    ],
)
async def test_bad_input_names_the_field(
    world: World, method: str, path: str, body: object, field: str
) -> None:
    ada = await world.person("ada")
    answer = await ada.call(method, path, body)
    assert answer.status_code == 400, answer.text
    assert field in answer.json()["field"]


async def test_muting_wants_a_task_of_ones_own_projects(world: World) -> None:
    ada, mila, _, project = await team(world)
    eve = await world.person("eve")
    task = await ada.task(project, "Write")
    await refused(eve.put(f"/api/projects/{project}/tasks/{task['id']}/mute", {"muted": True}), 403)
    await refused(mila.put(f"/api/projects/{project}/tasks/{uuid4()}/mute", {"muted": True}), 404)


async def test_preferences_are_kept_and_told_to_every_terminal(world: World) -> None:
    ada = await world.person("ada")
    project = await ada.project()
    assert (await done(ada.get("/api/preferences")))["preferences"] == {}
    ear, stranger = await ada.ear(), await (await world.person("eve")).ear()
    wanted: dict[str, Any] = {
        "dnd": True,
        "quietFrom": "22:00",
        "quietTo": "07:30",
        "toasts": False,
        "projects": {project: {"created": "none", "mutedUntil": "2026-12-01T09:00:00.000Z"}},
    }
    assert (await done(ada.put("/api/preferences", wanted)))["preferences"] == wanted
    assert (await done(ada.get("/api/preferences")))["preferences"] == wanted
    await until(lambda: ear.of("preferences:updated"))
    assert ear.of("preferences:updated")[0]["preferences"] == wanted
    await done(ada.put("/api/preferences", {}))
    assert (await done(ada.get("/api/preferences")))["preferences"] == {}
    assert not stranger.of("preferences:updated")


async def test_it_is_known_when_somebody_was_here_last_unless_they_hid(world: World) -> None:
    ada, mila, tom, project = await team(world)

    async def seen(person: Person) -> str:
        members = (await done(ada.get(f"/api/projects/{project}/members")))["members"]
        return str(next(member["lastSeenAt"] for member in members if member["userId"] == person.id))

    assert await seen(mila) == ""
    ear, other, hidden = await mila.ear(project), await mila.ear(project), await tom.ear(project)
    await hidden.call("presence:state", {"projectId": project, "invisible": True})
    before = timestamp()
    for each in (ear, other, hidden):
        await each.close()

    async def visited(ear: Ear) -> str:
        return str((await ear.join(project))["visitedAt"] or "")

    async def came() -> bool:
        return await seen(mila) >= before

    await until(came)
    again, late = await mila.ear(), await tom.ear()
    assert await visited(again) >= before

    async def own() -> bool:
        return await visited(late) >= before

    await until(own, what="one's own visit is known to oneself")
    assert await seen(tom) == "", "and to nobody else"


async def test_old_items_go(lone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, mila, _, project = await team(lone)
    await ada.task(project, "One", assignedTo=mila.id)
    await done(mila.post("/api/inbox/done", {"all": True}))
    await ada.task(project, "Two", assignedTo=mila.id)
    storage = lone.server.rest.state.services.storage
    await storage.write(upkeep.tidy)
    assert len(await inbox(mila, "?done=true")) == 2
    monkeypatch.setattr(upkeep, "DONE_KEPT", timedelta(seconds=-1))
    await storage.write(upkeep.tidy)
    assert [title for _, title, _ in await inbox(mila, "?done=true")] == ["Two"]
    monkeypatch.setattr(upkeep, "INBOX_KEPT", timedelta(seconds=-1))
    await storage.write(upkeep.tidy)
    assert await inbox(mila, "?done=true") == []
