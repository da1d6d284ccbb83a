"""Who may connect, who may join, and what a room hears."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec
import pytest
import socketio.exceptions

from fluxboard.server import connection, feed, live, sockets
from fluxboard.server.errors import Unavailable
from tests.server.world import SECRET, Ear, Json, Person, World, done
from tests.support.waiting import until


def claims_of(person: Person) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(person.token, SECRET, algorithms=["HS256"])
    return claims


def sid_of(opened: str) -> str:
    """The id in the first packet of a polling connection."""
    return str(msgspec.json.decode(opened[1:])["sid"])


async def quiet(ear: Ear) -> None:
    """What the server sent to this socket before now has arrived: an answer comes after it."""
    await ear.call("leave:project", {"projectId": "none"})


@pytest.fixture
def quick_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comes before ``world``, whose server reads it when it starts."""
    monkeypatch.setattr(live, "SWEEP_SECONDS", 0.05)


def slow_reads(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """From now on what reads the database says so with the first event, and waits for the second."""
    storage, asked, go = world.server.live._storage, asyncio.Event(), asyncio.Event()
    assert storage is not None
    read = storage.read

    async def slow(job: Callable[[Any], Any]) -> Any:
        asked.set()
        await go.wait()
        return await read(job)

    monkeypatch.setattr(storage, "read", slow)
    return asked, go


# -- the handshake


async def test_a_handshake_without_a_good_token_is_refused(lone: World) -> None:
    ada = await lone.person()
    old = claims_of(ada) | {"exp": int(time.time()) - 60}
    ended = await lone.person("bob")
    await done(ended.post("/api/auth/logout"))
    bad: list[object] = [
        None,
        {},
        {"token": ""},
        {"token": 7},
        {"token": ["x"]},
        {"token": "x.y.z"},
        {"token": jwt.encode(claims_of(ada), "another-secret-that-is-long-enough", algorithm="HS256")},
        {"token": jwt.encode(old, SECRET, algorithm="HS256")},
        {"token": ended.token},
        [ada.token],
        ada.token,
    ]
    for auth in bad:
        ear = lone.new_ear()
        with pytest.raises(socketio.exceptions.ConnectionError):
            await ear.connect(auth)
        assert ear.refusal.startswith("Authentication error"), auth
    assert not lone.server.live.sio.manager.rooms.get("/"), "none of them stayed"


async def test_a_database_that_is_away_is_not_called_a_bad_token(
    lone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await lone.person()

    async def away(_: object) -> None:
        raise Unavailable("The database cannot be reached", retry_after=1)

    monkeypatch.setattr(lone.server.live._storage, "read", away)
    ear = lone.new_ear()
    with pytest.raises(socketio.exceptions.ConnectionError):
        await ear.connect({"token": ada.token})
    assert ear.refusal == "The database cannot be reached"
    assert not lone.server.live.sio.manager.rooms.get("/")


# -- joining


async def test_joining_checks_membership(lone: World) -> None:
    ada, eve = await lone.person(), await lone.person("eve")
    project = await ada.project()
    ear = await eve.ear()
    assert await ear.join(project) == {"ok": False, "message": "Access denied to project"}
    assert await ear.join("nothing") == {"ok": False, "message": "Project not found"}
    assert ear.errors() == ["Access denied to project", "Project not found"]
    await ada.task(project, "secret")
    await quiet(ear)
    assert [event for event, _ in ear.heard] == ["error", "error"]
    assert lone.server.live.presence.online(project) == ()


async def test_joining_answers_the_head(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    task = await ada.task(project)
    ear = await ada.ear()
    assert await ear.join(project) == {"ok": True, "rev": task["rev"], "visitedAt": None}


async def test_who_waits_for_an_answer_to_a_refused_join_hears_nothing_meanwhile(
    lone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, eve = await lone.person(), await lone.person("eve")
    project = await ada.project()
    ear = await eve.ear()
    asked, go = slow_reads(lone, monkeypatch)
    await ear.sio.emit("join:project", {"projectId": project})
    await asked.wait()
    await ada.task(project, "secret")
    await asyncio.wait_for(lone.server.live._queue.join(), 5)
    go.set()
    await until(ear.errors)
    assert [event for event, _ in ear.heard] == ["error"]


# -- presence


async def test_presence_lists_a_person_once_however_many_sockets(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    ear = await ada.ear(project)
    first, second = await bob.ear(project), await bob.ear(project)
    await until(lambda: ear.online() == {"ada", "bob"}, what="bob came")
    users = ear.of("presence:update")[-1]["users"]
    assert [user["id"] for user in users] == [ada.id, bob.id]
    assert all(user["joinedAt"].endswith("Z") for user in users)
    await first.close()
    await second.call("leave:project", {"projectId": project})
    await until(lambda: ear.online() == {"ada"}, what="bob left with his second socket")
    assert await second.join(project)
    await until(lambda: ear.online() == {"ada", "bob"}, what="bob is back")
    assert second.sio.eio.ws is not None
    await second.sio.eio.ws.close()  # as a network that breaks
    await until(lambda: ear.online() == {"ada"}, what="bob is gone")


async def test_names_come_from_the_account(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ear = await ada.ear()
    body = {"projectId": project, "userId": "somebody", "userName": "Somebody Else"}
    assert (await ear.call("join:project", body))["ok"]
    await until(lambda: ear.online() == {"ada"})
    assert ear.of("presence:update")[-1]["users"][0]["id"] == ada.id


async def test_presence_is_told_at_most_ten_times_a_second_and_ends_true(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    ear, other = await ada.ear(project), await bob.ear()
    started = time.monotonic()
    for _ in range(30):
        await other.join(project)
        await other.call("leave:project", {"projectId": project})
    await other.join(project)
    await until(lambda: ear.online() == {"ada", "bob"})
    assert len(ear.of("presence:update")) <= 3 + (time.monotonic() - started) / 0.1


async def test_a_socket_that_ends_while_it_joins_leaves_no_ghost(
    lone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await lone.person()
    project = await ada.project()
    ear = await ada.ear()
    asked, go = slow_reads(lone, monkeypatch)
    await ear.sio.emit("join:project", {"projectId": project})
    await asked.wait()
    ending = asyncio.create_task(lone.server.live.sio.disconnect(ear.id))
    await until(lambda: not lone.server.live._clients, what="disconnected")
    go.set()
    await ending
    await until(lambda: ear.closed)
    monkeypatch.undo()
    await until(lambda: not lone.server.live.sio.manager.rooms.get("/"), what="no room is left")
    assert lone.server.live.presence.online(project) == ()


# -- what a room hears


async def test_every_commit_is_heard_once_by_everybody_in_the_room(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project, elsewhere = await ada.project(), await ada.project("Other")
    await ada.add(project, bob)
    mine, twin, his = await ada.ear(project), await ada.ear(project), await bob.ear(project)
    far = await ada.ear(elsewhere)
    task = await ada.task(project)
    path = f"/api/projects/{project}/tasks/{task['id']}"
    changed = await ada.change(project, task["id"], title="Rewrite", priority="high")
    await done(ada.delete(path, Idempotency_Key="op-1"))
    for ear in (mine, twin, his):
        await until(lambda e=ear: e.of("task:deleted"))  # type: ignore[misc]
        heard = [(event, data) for event, data in ear.heard if event.startswith("task:")]
        assert [event for event, _ in heard] == ["task:created", "task:updated", "task:deleted"]
        created, updated, deleted = (data for _, data in heard)
        assert created["task"] == task
        assert updated["task"] == changed
        assert sorted(updated["fields"]) == ["priority", "title"]
        assert [created["rev"], updated["rev"], deleted["rev"]] == [
            task["rev"],
            changed["rev"],
            changed["rev"] + 1,
        ]
        assert deleted["taskId"] == task["id"]
        assert deleted["opId"] == "op-1"
        for data in (created, updated, deleted):
            assert data["projectId"] == project
            assert (data["userId"], data["userName"]) == (ada.id, "ada")
            assert data["timestamp"].endswith("Z")
        kinds = [data["type"] for data in ear.of("activity:new")]
        assert kinds == ["task.created", "task.updated", "task.deleted"]
    await quiet(far)
    assert not [event for event, _ in far.heard if event.startswith("task:")]


async def test_an_activity_has_its_whole_shape(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ear = await ada.ear(project)
    task = await ada.task(project)
    await ada.change(project, task["id"], status="completed")
    await until(lambda: len(ear.of("activity:new")) == 2)
    told = ear.of("activity:new")[1]
    stored = (await done(ada.get(f"/api/projects/{project}/activities")))["activities"][0]
    assert told == stored
    assert stored == {
        "id": stored["id"],
        "projectId": project,
        "type": "task.completed",
        "userId": ada.id,
        "userName": "ada",
        "userEmail": ada.email,
        "entityType": "task",
        "entityId": task["id"],
        "entityTitle": "Write",
        "action": "completed",
        "metadata": {"field": "status", "oldValue": "todo", "newValue": "completed"},
        "timestamp": stored["timestamp"],
    }


async def test_a_comment_is_told_as_itself(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    task = await ada.task(project)
    ear = await ada.ear(project)
    path = f"/api/projects/{project}/tasks/{task['id']}/comments"
    made = (await done(ada.post(path, {"content": "hello"})))["comment"]
    edited = (await done(ada.put(f"{path}/{made['id']}", {"content": "goodbye"})))["comment"]
    await done(ada.delete(f"{path}/{made['id']}"))
    await until(lambda: ear.of("comment:deleted"))
    (created,), (updated,), (deleted,) = (ear.of(f"comment:{w}") for w in ("created", "updated", "deleted"))
    assert created.items() >= made.items()
    assert updated.items() >= edited.items()
    assert (deleted["commentId"], deleted["taskId"]) == (made["id"], task["id"])
    assert [created["task"]["commentCount"], updated["task"]["commentCount"]] == [1, 1]
    assert (await ada.tasks(project))["tasks"][0]["commentCount"] == 0


async def test_x_socket_id_keeps_an_event_from_ones_own_socket_and_no_other(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    mine, twin, his = await ada.ear(project), await ada.ear(project), await bob.ear(project)
    path = f"/api/projects/{project}/tasks"
    await done(ada.post(path, {"title": "first"}, X_Socket_ID=mine.id))
    await done(ada.post(path, {"title": "second"}, X_Socket_ID=his.id))
    await until(lambda: mine.of("task:created"))
    assert [data["task"]["title"] for data in mine.of("task:created")] == ["second"]
    for ear in (twin, his):
        await until(lambda e=ear: len(e.of("task:created")) == 2)  # type: ignore[misc]


async def test_more_than_fifty_changes_are_told_as_one(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ear = await ada.ear(project)
    ops = [{"op": "create", "task": {"title": str(number)}} for number in range(51)]
    path = f"/api/projects/{project}/tasks/batch"
    answer = await done(ada.post(path, {"ops": ops}))
    await until(lambda: ear.of("sync:needed"))
    assert ear.of("sync:needed") == [{"projectId": project, "rev": answer["rev"]}]
    assert not ear.of("task:created", "activity:new")
    await done(ada.post(path, {"ops": ops[:50]}))
    await until(lambda: len(ear.of("task:created")) == 50)
    assert len(ear.of("sync:needed")) == 1


async def test_a_quiet_room_is_told_its_head(
    quick_sweeps: None, lone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "HEAD_SOON", 0.1)
    ada = await lone.person()
    project = await ada.project()
    ear = await ada.ear(project)
    await ear.call("leave:project", {"projectId": project})
    unheard = await ada.task(project)  # committed while nobody is in the room
    await ear.join(project)
    lone.server.live._feed._rooms[project].due = 0
    await until(lambda: ear.of("sync:head"))
    assert ear.of("sync:head")[-1] == {"projectId": project, "rev": unheard["rev"]}
    task = await ada.task(project)
    await until(lambda: ear.of("sync:head")[-1]["rev"] == task["rev"])


# -- notices


async def test_a_notice_is_acknowledged_and_never_passed_on(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    task = await ada.task(project)
    mine, his = await ada.ear(project), await bob.ear(project)
    forged = {**task, "title": "forged"}
    told: Json = {"projectId": project, "task": forged, "userId": bob.id, "userName": "Bob"}
    for event in ("task:created", "task:updated"):
        assert await mine.call(event, told) == {"ok": True}
    assert await mine.call("task:deleted", {"projectId": project, "taskId": task["id"]}) == {"ok": True}
    await quiet(his)
    assert not his.of("task:created", "task:updated", "task:deleted")
    assert (await ada.tasks(project))["tasks"] == [task]


async def test_false_notices_get_an_error(world: World) -> None:
    ada, eve = await world.person(), await world.person("eve")
    project, other = await ada.project(), await ada.project("Other")
    task, foreign = await ada.task(project), await ada.task(other)
    mine, twin, hers = await ada.ear(project), await ada.ear(project), await eve.ear()
    for event in ("task:created", "task:updated"):
        for told in ("no-such-task", foreign["id"], ""):
            answer = await mine.call(event, {"projectId": project, "task": {"id": told, "title": "x"}})
            assert answer == {"ok": False, "message": "Task not found"}
    answer = await mine.call("task:deleted", {"projectId": project})
    assert answer == {"ok": False, "message": "Task not found"}
    answer = await mine.call("task:updated", {"projectId": other, "task": foreign})
    assert answer["message"] == "Join the project first"
    answer = await hers.call("task:updated", {"projectId": project, "task": task})
    assert answer["message"] == "Join the project first"
    assert len(mine.errors()) == 8
    await quiet(twin)
    assert not twin.of("task:created", "task:updated", "task:deleted", "error")


# -- nonsense


async def test_malformed_payloads_get_an_error_and_the_server_lives(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ear = await ada.ear(project)
    nonsense: list[object] = [
        None,
        [],
        [1, 2],
        {},
        7,
        "text",
        True,
        b"bytes",
        {"projectId": None},
        {"projectId": 7},
        {"projectId": [project]},
        {"projectId": {"$ne": None}},
        {"projectId": project, "task": "x", "userId": 3},
        {"token": {"a": 1}},
        (1, 2, 3),
        ({"projectId": project}, {"projectId": project}),
    ]
    for event in ("join:project", "leave:project", "task:created", "auth:refresh"):
        for data in nonsense:
            before = len(ear.errors())
            await ear.sio.emit(event, data)
            await until(lambda n=before: len(ear.errors()) > n, what=repr((event, data)))  # type: ignore[misc]
    assert all(message.startswith("Bad p") for message in ear.errors())
    await ada.task(project)
    await until(lambda: ear.of("task:created"), what="still in the room")


async def test_ids_that_no_database_can_hold_get_an_error(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ear = await ada.ear(project)
    for hostile in ("a\x00b", "\ud800", "x" * 50_000):
        for event, data in (
            ("join:project", {"projectId": hostile}),
            ("task:updated", {"projectId": project, "task": {"id": hostile}}),
        ):
            before = len(ear.errors())
            await ear.sio.emit(event, data)
            await until(lambda n=before: len(ear.errors()) > n, what=repr((event, hostile[:9])))  # type: ignore[misc]
    assert (await ear.join(project))["ok"]


BROKEN_PACKETS = [
    *("2[]", "2", "2{}", "2[7]", "2[null]", '2[{"a":1},{}]', '2[["join:project"]]', "2[" + "[" * 5000),
    *("2not json", "5", '51-["join:project",{"_placeholder":true,"num":0}]', '5999999999-["x"]'),
    *('0{"token":"again"}', "3[1]", "31[]", "4", "9", "", "/admin,", '2/other,["join:project",{}]'),
    '2["join:project",{"projectId":"\\ud800"}]',
]


async def test_a_broken_packet_harms_nobody(world: World, caplog: pytest.LogCaptureFixture) -> None:
    ada = await world.person()
    project = await ada.project()
    bystander = await ada.ear(project)
    for packet in BROKEN_PACKETS:
        ear = await ada.ear(project)
        assert ear.sio.eio.ws is not None
        await ear.sio.eio.ws.send_str("4" + packet)
        task = await ada.task(project, packet[:9] or "empty")
        await until(
            lambda: any(data["task"] == task for data in bystander.of("task:created")),  # noqa: B023
            what=packet[:20],
        )
        await until(lambda: ear.closed or ear.of("task:created"), what=packet[:20])  # noqa: B023
        await ear.close()
    assert not [record for record in caplog.records if record.levelname == "ERROR"], "no traceback for that"


async def test_binary_data_is_not_gathered(lone: World) -> None:
    ada = await lone.person()
    ear = await ada.ear()
    assert ear.sio.eio.ws is not None
    await ear.sio.eio.ws.send_str('45999999999-["x"]')
    for _ in range(20):
        await ear.sio.eio.ws.send_bytes(b"x" * 1000)
    await until(lambda: len(ear.errors()) >= 20)
    assert not lone.server.live.sio._binary_packet


async def test_a_packet_that_is_too_large_closes_only_its_sender(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    ear, bystander = await ada.ear(project), await ada.ear(project)
    await ear.sio.emit("join:project", {"projectId": "x" * 200_000})
    await until(lambda: ear.closed)
    await ada.task(project)
    await until(lambda: bystander.of("task:created"))
    assert not ear.of("task:created")


@pytest.mark.parametrize("event", ["connect", "disconnect"])
async def test_a_client_cannot_call_the_servers_own_handlers(world: World, event: str) -> None:
    """A socket that the server forgot, or knows anew, would stay in its rooms after a removal."""
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    ear, mine = await bob.ear(project), await ada.ear(project)
    extra = ({}, {"token": bob.token}) if event == "connect" else ()
    await ear.sio.eio.send(ear.sio.packet_class(2, data=[event, *extra]).encode())
    await until(lambda: ear.errors() or ear.closed, what="refused")
    await done(ada.delete(f"/api/projects/{project}/members/{bob.id}"))
    await ada.task(project, "secret")
    await until(lambda: mine.of("task:created"))
    if not ear.closed:
        await quiet(ear)
    assert not ear.of("task:created", "activity:new")
    assert not ear.closed
    assert ear.of("project:removed")


# -- sessions


async def test_a_revoked_session_loses_its_sockets_within_five_seconds(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    ear, polling, his = await ada.ear(), await ada.ear(transport="polling"), await bob.ear()
    await done(ada.post("/api/auth/logout"))
    await until(lambda: ear.closed and polling.closed, 5)
    assert ear.of("auth:expired")
    assert polling.of("auth:expired")
    await quiet(his)
    assert not his.closed


async def test_a_dead_client_does_not_hold_up_the_others(quick_sweeps: None, lone: World) -> None:
    """A polling client that went away never takes its last packet; nothing may wait for that."""
    ada, bob = await lone.person(), await lone.person("bob")
    dead = lone.http
    opened = (await dead.get("/socket.io/?EIO=4&transport=polling")).text
    path = f"/socket.io/?EIO=4&transport=polling&sid={sid_of(opened)}"
    await dead.post(path, content='40{"token":"' + ada.token + '"}')
    await until(lambda: lone.server.live._clients)
    ear = await bob.ear()
    await done(ada.post("/api/auth/logout"))
    await until(lambda: len(lone.server.live._clients) == 1, what="the dead one is out")
    await done(bob.post("/api/auth/logout"))
    await until(lambda: ear.closed, 5, what="the sweep goes on")


async def test_a_token_that_ends_is_announced_and_can_be_renewed(quick_sweeps: None, world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    soon = int((datetime.now(UTC) + timedelta(seconds=2)).timestamp())
    short = jwt.encode(claims_of(ada) | {"exp": soon}, SECRET, algorithm="HS256")
    renewed, ended = world.new_ear(), world.new_ear()
    for ear in (renewed, ended):
        await ear.connect({"token": short})
    await until(lambda: renewed.of("auth:expiring") and ended.of("auth:expiring"))
    assert renewed.of("auth:expiring")[0]["expiresIn"] <= 2
    for token in (bob.token, "x", jwt.encode(claims_of(ada), "x" * 40, algorithm="HS256")):
        answer = await renewed.call("auth:refresh", {"token": token})
        assert answer == {"ok": False, "message": "Invalid or expired token"}
    assert await renewed.call("auth:refresh", {"token": ada.token}) == {"ok": True}
    await until(lambda: ended.closed, 5)
    assert ended.of("auth:expired")
    await quiet(renewed)
    assert not renewed.closed
    assert not renewed.of("auth:expired")


# -- what must not grow


async def test_a_connection_on_which_nobody_signs_in_is_closed(
    monkeypatch: pytest.MonkeyPatch, quick_sweeps: None, lone: World
) -> None:
    monkeypatch.setattr(sockets, "SIGN_IN_SECONDS", 0.2)
    ada = await lone.person()
    ear = await ada.ear()
    opened = (await lone.http.get("/socket.io/?EIO=4&transport=polling")).text
    stranger = sid_of(opened)
    assert stranger in lone.server.live.sio.eio.sockets
    path = f"/socket.io/?EIO=4&transport=polling&sid={stranger}"
    assert (await lone.http.get(path)).text.startswith(("1", "6"))
    assert (await lone.http.get(path)).status_code == 400
    await quiet(ear)
    assert not ear.closed


async def test_a_connection_that_closes_during_its_handshake_leaves_nothing(
    lone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await lone.person()
    opened = (await lone.http.get("/socket.io/?EIO=4&transport=polling")).text
    path = f"/socket.io/?EIO=4&transport=polling&sid={sid_of(opened)}"
    asked, go = slow_reads(lone, monkeypatch)
    shaking = asyncio.create_task(lone.http.post(path, content='40{"token":"' + ada.token + '"}'))
    await asked.wait()
    await lone.http.post(path, content="1")
    go.set()
    await shaking
    await until(lambda: not lone.server.live.sio.manager.rooms.get("/"))
    assert not lone.server.live._clients


async def test_a_poll_does_not_wait_on_a_connection_that_was_closed(lone: World) -> None:
    """It would, for 25 seconds, and a shutdown would wait for it."""
    opened = (await lone.http.get("/socket.io/?EIO=4&transport=polling")).text
    path = f"/socket.io/?EIO=4&transport=polling&sid={sid_of(opened)}"
    polling = asyncio.create_task(lone.http.get(path))
    engine = lone.server.live.sio.eio.sockets[sid_of(opened)]
    await until(lambda: engine.queue._queue._getters, what="it waits")
    await lone.http.post(path, content="1")
    await asyncio.wait_for(polling, 3)


async def test_a_client_that_does_not_read_is_closed(monkeypatch: pytest.MonkeyPatch, lone: World) -> None:
    monkeypatch.setattr(connection, "BACKLOG_MAX", 20)
    ada = await lone.person()
    project = await ada.project()
    opened = (await lone.http.get("/socket.io/?EIO=4&transport=polling")).text
    path = f"/socket.io/?EIO=4&transport=polling&sid={sid_of(opened)}"
    await lone.http.post(path, content='40{"token":"' + ada.token + '"}')
    await lone.http.post(path, content=f'42["join:project",{{"projectId":"{project}"}}]')
    await until(lambda: lone.server.live.presence.online(project))
    ops = [{"op": "create", "task": {"title": str(number)}} for number in range(30)]
    await done(ada.post(f"/api/projects/{project}/tasks/batch", {"ops": ops}))
    await until(lambda: not lone.server.live._clients)
    assert lone.server.live.presence.online(project) == ()
