"""A client that knows only Core, as the old web system's own, works against our server.

It reads the fields that Core names, sends its notices after each call, and waits for no acknowledgement.
"""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
import socketio

from tests.server.world import PASSWORD, Ear, Json, World, done
from tests.support.waiting import until


class CoreClient:
    """What the old client does: sign up, list, join, write, emit."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.http = httpx.AsyncClient(base_url=url)
        self.ear = Ear(url)
        self.user: Json = {}

    async def start(self, transport: str) -> None:
        email = f"{self.name}-{uuid4().hex[:8]}@core.example"
        body = {"email": email, "password": PASSWORD, "name": self.name, "userType": "designer"}
        await done(self.http.post("/api/auth/signup", json=body))
        answer = await done(self.http.post("/api/auth/login", json={"email": email, "password": PASSWORD}))
        self.user = answer["user"]
        self.http.headers["Authorization"] = f"Bearer {answer['token']}"
        await self.ear.connect({"token": answer["token"]}, transport)

    async def join(self, project: str) -> None:
        body = {"projectId": project, "userId": self.user["id"], "userName": self.name}
        await self.ear.sio.emit("join:project", body)
        await until(lambda: self.name in self.ear.online(), what="in the room")

    async def create(self, project: str, title: str) -> Json:
        answer = await self.http.post(f"/api/projects/{project}/tasks", json={"title": title})
        assert answer.status_code == 201
        task: Json = answer.json()["task"]
        await self.ear.sio.emit("task:created", {"projectId": project, "task": task})
        return task

    async def update(self, project: str, task: Json, **fields: object) -> Json:
        path = f"/api/projects/{project}/tasks/{task['id']}"
        body = {"title": task["title"], **fields}
        updated: Json = (await done(self.http.put(path, json=body)))["task"]
        await self.ear.sio.emit("task:updated", {"projectId": project, "task": updated})
        return updated

    async def delete(self, project: str, task: Json) -> None:
        await done(self.http.delete(f"/api/projects/{project}/tasks/{task['id']}"))
        await self.ear.sio.emit("task:deleted", {"projectId": project, "taskId": task["id"]})

    async def close(self) -> None:
        await self.ear.close()
        await self.http.aclose()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_two_core_clients_work_together(world: World, transport: str) -> None:
    ada, bob = CoreClient(world.url, "ada"), CoreClient(world.url, "bob")
    await ada.start(transport)
    await bob.start(transport)
    created = await done(ada.http.post("/api/projects", json={"name": "Web"}))
    assert created["success"] is True
    project = created["project"]["id"]
    await done(ada.http.post(f"/api/projects/{project}/members", json={"email": bob.user["email"]}))
    assert [found["id"] for found in (await done(bob.http.get("/api/projects")))["projects"]] == [project]
    await ada.join(project)
    await bob.join(project)
    await until(lambda: ada.ear.online() == {"ada", "bob"})
    (listed,) = [told for told in ada.ear.of("presence:update") if len(told["users"]) == 2][:1]
    assert listed["projectId"] == project
    for user in listed["users"]:
        assert user.keys() >= {"id", "name", "joinedAt"}

    task = await ada.create(project, "Draw it")
    task = await ada.update(project, task, status="in_progress", description="now")
    task = await bob.update(project, task, status="completed")
    await ada.delete(project, task)
    for client in (ada, bob):
        ear = client.ear
        await until(lambda e=ear: e.of("task:deleted") and len(e.of("activity:new")) >= 4)  # type: ignore[misc]
        assert len(ear.of("task:created")) == 1, "the author's emit is not repeated"
        assert len(ear.of("task:updated")) == 2
        assert len(ear.of("task:deleted")) == 1
        told = ear.of("task:created")[0]
        assert told.keys() >= {"projectId", "task", "userId", "userName", "timestamp"}
        assert (told["task"]["title"], told["userId"], told["userName"]) == ("Draw it", ada.user["id"], "ada")
        assert [update["userName"] for update in ear.of("task:updated")] == ["ada", "bob"]
        gone = ear.of("task:deleted")[0]
        assert gone.keys() >= {"projectId", "taskId", "userId", "userName", "timestamp"}
        assert gone["taskId"] == task["id"]
        kinds = [activity["type"] for activity in ear.of("activity:new")]
        assert kinds == ["task.created", "task.updated", "task.completed", "task.deleted"]
        assert not ear.of("error")
    feed = await done(bob.http.get(f"/api/projects/{project}/activities?limit=2"))
    assert feed.keys() >= {"success", "activities", "total", "hasMore"}
    assert [activity["type"] for activity in feed["activities"]] == ["task.deleted", "task.completed"]

    leaving = {"projectId": project, "userId": bob.user["id"]}
    await bob.ear.sio.emit("leave:project", leaving)
    await until(lambda: ada.ear.online() == {"ada"})
    await bob.close()
    await ada.close()


async def test_core_errors_are_read_by_either_key(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.url) as http:
        wrong = await http.post("/api/auth/login", json={"email": "x@y.example", "password": "nothing"})
        assert (wrong.status_code, wrong.json()["message"]) == (
            401,
            "The email address or the password is wrong",
        )
        missing = await http.get("/api/projects")
        assert (missing.status_code, missing.json()["error"]) == (401, "Access token required")
        bad = await http.get("/api/projects", headers={"Authorization": "Bearer x"})
        assert (bad.status_code, bad.json()["error"]) == (403, "Invalid or expired token")


async def test_the_reconnecting_client_of_the_library_is_served_again(lone: World) -> None:
    """The stock client with its own reconnection, over websocket after polling, as a browser does it."""
    ada = await lone.person()
    project = await ada.project()
    client = socketio.AsyncClient(reconnection_delay=0.05, reconnection_delay_max=0.1)
    heard: list[str] = []
    client.on("task:created", lambda data: heard.append(data["task"]["title"]))
    joined: list[bool] = []
    client.on("connect", lambda: joined.append(True))
    await client.connect(lone.url, auth={"token": ada.token})  # polling, then the upgrade
    await client.emit("join:project", {"projectId": project})
    await until(lambda: lone.server.live.presence.online(project))
    await ada.task(project, "one")
    await until(lambda: heard == ["one"])
    await client.eio.ws.close()
    await until(lambda: len(joined) == 2, what="connected again by itself")
    await client.emit("join:project", {"projectId": project})
    await until(lambda: lone.server.live.presence.online(project))
    await ada.task(project, "two")
    await until(lambda: heard == ["one", "two"])
    await client.disconnect()
