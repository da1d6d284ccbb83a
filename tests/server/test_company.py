"""Where cursors are, who types, who is idle and who hides: volatile, and only inside the room."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fluxboard.server.whispers import RATE, Whisper, Whispers
from tests.server.world import Ear, Person, World
from tests.support.waiting import until


async def pair(world: World) -> tuple[Person, Person, str, Ear, Ear]:
    """Two members of a project, and a socket of each in its room."""
    ada, mila = await world.person("ada"), await world.person("mila")
    project = await ada.project()
    await ada.add(project, mila)
    return ada, mila, project, await ada.ear(project), await mila.ear(project)


def listed(ear: Ear, name: str) -> dict[str, Any]:
    """A person in the newest list."""
    lists = ear.of("presence:update")
    return next((user for user in lists[-1]["users"] if user["name"] == name), {}) if lists else {}


@pytest.fixture(params=["fast", "plain"])
def publishing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUXBOARD_PUBLISH", request.param)


async def test_a_cursor_is_seen_by_the_others_with_the_accounts_name(publishing: None, world: World) -> None:
    ada, _, project, hers, milas = await pair(world)
    task = await ada.task(project)
    told = {"projectId": project, "taskId": task["id"], "column": "todo", "rev": 1, "userName": "Root"}
    assert (await hers.call("cursor:update", told))["ok"]
    await until(lambda: milas.of("cursor:update"))
    (heard,) = milas.of("cursor:update")
    assert heard == told | {"userId": ada.id, "userName": "ada"}
    assert not hers.of("cursor:update")


async def test_a_cursor_is_in_the_list_of_who_comes_later(world: World) -> None:
    ada, mila, project, hers, _ = await pair(world)
    await hers.call("cursor:update", {"projectId": project, "taskId": "t1"})
    late = await mila.ear(project)
    await until(lambda: listed(late, "ada").get("taskId") == "t1" and listed(late, "mila")["terminals"] == 2)
    assert ada.id == listed(late, "ada")["id"]


async def test_typing_is_told_for_each_field(world: World) -> None:
    ada, _, project, hers, milas = await pair(world)
    for field in ("title", "description"):
        told = {"projectId": project, "taskId": "t1", "field": field, "typing": True}
        assert (await hers.call("typing:update", told))["ok"]
    await until(lambda: len(milas.of("typing:update")) == 2)
    assert {event["field"] for event in milas.of("typing:update")} == {"title", "description"}
    assert all(event["userId"] == ada.id for event in milas.of("typing:update"))


async def test_only_who_is_in_the_room_may_say_where_they_are(world: World) -> None:
    _, _, project, hers, _ = await pair(world)
    stranger = await (await world.person("eve")).ear()
    for event in ("cursor:update", "typing:update", "presence:state"):
        answer = await stranger.call(
            event, {"projectId": project, "taskId": "t1", "field": "title", "typing": True}
        )
        assert not answer["ok"]
    assert stranger.errors() == ["Join the project first"] * 3
    assert not stranger.of("presence:update", "cursor:update")
    assert not hers.of("cursor:update", "typing:update")


async def test_what_is_no_id_is_refused(world: World) -> None:
    _, _, project, hers, _ = await pair(world)
    assert not (await hers.call("cursor:update", {"projectId": project, "taskId": "x" * 5000}))["ok"]
    assert not (await hers.call("cursor:update", {"projectId": project, "taskId": 7}))["ok"]
    assert hers.errors()[0] == "taskId is too long"


async def test_somebody_is_idle_when_all_their_terminals_are(world: World) -> None:
    ada, _, project, hers, milas = await pair(world)
    other = await ada.ear(project)
    await hers.call("presence:state", {"projectId": project, "idle": True})
    await until(lambda: listed(milas, "ada").get("terminals") == 2)
    assert listed(milas, "ada")["idle"] is False
    await other.call("presence:state", {"projectId": project, "idle": True})
    await until(lambda: listed(milas, "ada")["idle"])
    await hers.call("presence:state", {"projectId": project})
    await until(lambda: not listed(milas, "ada")["idle"])


async def test_who_is_invisible_is_in_no_list_and_moves_no_cursor(world: World) -> None:
    ada, _, project, hers, milas = await pair(world)
    other = await ada.ear(project)
    await hers.call("presence:state", {"projectId": project, "invisible": True})
    await until(lambda: milas.online() == {"mila"})
    await other.call("cursor:update", {"projectId": project, "taskId": "t1"})
    await other.call(
        "typing:update", {"projectId": project, "taskId": "t1", "field": "title", "typing": True}
    )
    await hers.call("presence:state", {"projectId": project})
    await until(lambda: milas.online() == {"ada", "mila"})
    assert not milas.of("cursor:update", "typing:update")


async def test_who_is_removed_is_gone_at_once_and_says_nothing_more(world: World) -> None:
    ada, mila, project, hers, milas = await pair(world)
    await milas.call("cursor:update", {"projectId": project, "taskId": "t1"})
    await ada.delete(f"/api/projects/{project}/members/{mila.id}")
    await until(lambda: hers.online() == {"ada"} and milas.of("project:removed"))
    assert not (await milas.call("cursor:update", {"projectId": project, "taskId": "t2"}))["ok"]
    assert [event["taskId"] for event in hers.of("cursor:update")] in ([], ["t1"])


async def test_a_flood_is_dropped_and_the_newest_wins(world: World) -> None:
    _, _, project, hers, milas = await pair(world)
    answers = [
        await hers.call("cursor:update", {"projectId": project, "taskId": f"t{number}"})
        for number in range(200)
    ]
    taken = sum(answer["ok"] for answer in answers)
    assert 2 * RATE <= taken < 200
    last = max(number for number, answer in enumerate(answers) if answer["ok"])
    await until(lambda: milas.of("cursor:update") and milas.of("cursor:update")[-1]["taskId"] == f"t{last}")
    assert not hers.errors(), "what is dropped is no mistake"


async def test_whispers_wait_while_there_are_commits_and_only_the_newest_of_each_is_left() -> None:
    told: list[list[Whisper]] = []
    busy = True

    async def send(_: str, whispers: list[Whisper]) -> None:
        told.append(whispers)

    whispers = Whispers(send, lambda: busy, lambda _: False)
    for number in range(5):
        whispers.add("p", ("cursor", "a"), Whisper("cursor:update", str(number).encode(), "a"))
        await asyncio.sleep(0)
    whispers.add("p", ("cursor", "b"), Whisper("cursor:update", b"x", "b"))
    await asyncio.sleep(0.12)
    assert not told
    busy = False
    await until(lambda: told)
    assert [[each.payload for each in batch] for batch in told] == [[b"4", b"x"]]
