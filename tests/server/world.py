"""A running server, people who call it with plain HTTP, and bare sockets that write down what they hear."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import socketio

from fluxboard.server.app import Server
from fluxboard.server.process import listener
from fluxboard.server.settings import Settings
from tests.support.waiting import until

PASSWORD = "correct horse"
SECRET = "tests-sign-with-this-secret-and-no-other"

Json = dict[str, Any]


class Ear:
    """A bare Socket.IO client.

    ``heard`` is every event in its order, ``refusal`` why the handshake was refused; at the end ``closed``
    turns true.
    """

    def __init__(self, url: str) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.closed = False
        self.refusal = ""
        self._url = url
        self.sio = socketio.AsyncClient(reconnection=False)
        self.sio.on("*", lambda event, data=None: self.heard.append((event, data)))
        self.sio.on("disconnect", self._ended)
        self.sio.on("connect_error", self._refused)

    def _ended(self, *_: object) -> None:
        self.closed = True

    def _refused(self, why: Any = None) -> None:
        self.refusal = why["message"] if isinstance(why, dict) else str(why)

    async def connect(self, auth: object, transport: str = "websocket") -> None:
        await self.sio.connect(self._url, auth=auth, transports=[transport], wait_timeout=5)

    @property
    def id(self) -> str:
        return str(self.sio.get_sid())

    async def call(self, event: str, data: object = None) -> Any:
        """What the server acknowledges."""
        return await self.sio.call(event, data, timeout=5)

    async def join(self, project_id: str) -> Json:
        answer: Json = await self.call("join:project", {"projectId": project_id})
        return answer

    def of(self, *names: str) -> list[Any]:
        """The payloads of the events with one of these names."""
        return [data for event, data in self.heard if event in names]

    def errors(self) -> list[str]:
        return [data["message"] for data in self.of("error")]

    def online(self) -> set[str]:
        """The names in the newest presence list."""
        lists = self.of("presence:update")
        return {user["name"] for user in lists[-1]["users"]} if lists else set()

    async def close(self) -> None:
        with contextlib.suppress(Exception):
            await self.sio.disconnect()
        with contextlib.suppress(Exception):
            await self.sio.shutdown()


@dataclass
class Person:
    """Somebody who is signed in."""

    world: World
    name: str
    email: str
    id: str
    token: str
    auth: Json = field(default_factory=dict)

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if body is None:
            return await self.world.http.request(method, path, headers=sent)
        return await self.world.http.request(method, path, json=body, headers=sent)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        return await self.call("POST", path, body, **headers)

    async def put(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        return await self.call("PUT", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> httpx.Response:
        return await self.call("DELETE", path, **headers)

    async def project(self, name: str = "Relaunch") -> str:
        """The id of a new project of this person."""
        return str((await done(self.post("/api/projects", {"name": name})))["project"]["id"])

    async def task(self, project_id: str, title: str = "Write", **fields: object) -> Json:
        body = {"title": title, **fields}
        task: Json = (await done(self.post(f"/api/projects/{project_id}/tasks", body)))["task"]
        return task

    async def change(self, project_id: str, task_id: str, **fields: object) -> Json:
        path = f"/api/projects/{project_id}/tasks/{task_id}"
        task: Json = (await done(self.put(path, fields)))["task"]
        return task

    async def tasks(self, project_id: str) -> Json:
        return await done(self.get(f"/api/projects/{project_id}/tasks"))

    async def column(self, project_id: str, status: str = "todo") -> list[str]:
        """The titles of a column from top to bottom."""
        tasks = (await self.tasks(project_id))["tasks"]
        tasks = sorted((t for t in tasks if t["status"] == status), key=lambda t: (t["position"], t["id"]))
        return [task["title"] for task in tasks]

    async def changes(self, project_id: str, since: int = 0) -> list[Json]:
        """The whole log after a revision."""
        found: list[Json] = []
        while True:
            at = found[-1]["rev"] if found else since
            answer = await done(self.get(f"/api/projects/{project_id}/changes?since={at}"))
            found += answer["changes"]
            if not answer["hasMore"]:
                return found

    async def add(self, project_id: str, other: Person, role: str = "member") -> None:
        await done(self.post(f"/api/projects/{project_id}/members", {"userId": other.id, "role": role}))

    async def ear(self, *projects: str, transport: str = "websocket") -> Ear:
        """A connected socket that joined these projects."""
        ear = self.world.new_ear()
        await ear.connect({"token": self.token}, transport)
        for project_id in projects:
            assert (await ear.join(project_id))["ok"]
        return ear


class InTurn(httpx.AsyncBaseTransport):
    """Sends each request to the next of several servers."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = itertools.cycle([httpx.URL(url) for url in urls])
        self._connections = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        node = next(self._urls)
        request.url = request.url.copy_with(host=node.host, port=node.port)
        return await self._connections.handle_async_request(request)

    async def aclose(self) -> None:
        await self._connections.aclose()


class World:
    """One or several servers of a board, and those who talk to them.

    Requests and sockets take the servers in turn; ``server`` and ``url`` are the first one.
    """

    def __init__(self, servers: dict[str, Server], settings: Settings, http: httpx.AsyncClient) -> None:
        self.url, self.server = next(iter(servers.items()))
        self.servers = list(servers.values())
        self.settings = settings
        self.http = http
        self.ears: list[Ear] = []
        self._urls = itertools.cycle(servers)

    def new_ear(self) -> Ear:
        ear = Ear(next(self._urls))
        self.ears.append(ear)
        return ear

    async def person(self, name: str = "ada", *, refresh: bool = False) -> Person:
        email = f"{name}-{uuid4().hex[:10]}@example.com"
        body = {"email": email, "password": PASSWORD, "name": name, "refresh": refresh}
        auth = await done(self.http.post("/api/auth/signup", json=body))
        return Person(self, name, email, auth["user"]["id"], auth["token"], auth)


async def done(call: Any) -> Json:
    """The body of an answer that says yes."""
    answer: httpx.Response = await call
    assert answer.is_success, (answer.status_code, answer.text)
    body: Json = answer.json()
    return body


async def refused(call: Any, status: int, field: str | None = None) -> Json:
    """The body of an error, which has the shape of every error of the contract."""
    answer: httpx.Response = await call
    assert answer.status_code == status, (answer.status_code, answer.text)
    body: Json = answer.json()
    assert body["success"] is False
    assert body["error"]
    assert body["error"] == body["message"]
    assert body.get("field") == field, body
    return body


@contextlib.asynccontextmanager
async def running(settings: Settings, nodes: int = 1) -> AsyncIterator[World]:
    """The real application behind the real uvicorn, in this loop, on free ports of the loopback."""
    async with contextlib.AsyncExitStack() as started:
        servers = dict([await started.enter_async_context(_node(settings)) for _ in range(nodes)])
        if nodes > 1:
            await until(lambda: all(_meets(server, nodes - 1) for server in servers.values()), what="met")
        transport = InTurn(list(servers))
        async with httpx.AsyncClient(base_url="http://board", transport=transport, timeout=20) as http:
            world = World(servers, settings, http)
            try:
                yield world
            finally:
                await asyncio.gather(*(ear.close() for ear in world.ears))


def _meets(server: Server, others: int) -> bool:
    bus = server.live.cluster.bus
    return bus is not None and bus.ready and server.live.cluster.others >= others


@contextlib.asynccontextmanager
async def _node(settings: Settings) -> AsyncIterator[tuple[str, Server]]:
    server = Server(settings)
    process = listener(server)
    accepting = socket.create_server(("127.0.0.1", 0))
    accepting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = f"http://127.0.0.1:{accepting.getsockname()[1]}"
    serving = asyncio.create_task(process.serve(sockets=[accepting]))
    try:
        await until(lambda: process.started or serving.done(), what="started")
        assert process.started, serving
        yield url, server
    finally:
        process.end()
        await serving
        accepting.close()
