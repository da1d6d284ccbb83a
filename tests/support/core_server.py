"""A double of the old web system's server (Express and Socket.IO), which speaks only the Core layer.

It shares no code with fluxboard, so that a mistake of ours cannot hide in both ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import secrets
import socket
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import parse_qsl

import jwt
import socketio
import uvicorn
from socketio.exceptions import ConnectionRefusedError as SocketRefused

Json = dict[str, Any]
Texts = dict[str, str]
Rules = dict[str, range | tuple[str, ...]]

#: What a body may set: a text of that length, which gets escaped; one of those words; () any text or null.
TASK: Rules = {"title": range(1, 501), "description": range(5001), "assignedTo": (), "dueDate": ()}
TASK |= {"status": ("todo", "in_progress", "completed"), "priority": ("low", "medium", "high")}
PROJECT: Rules = {"name": range(1, 201), "description": range(2001)}
PROJECT |= {"status": (), "priority": (), "startDate": (), "dueDate": ()}
MANAGERS = ("owner", "admin")
NO_TOKEN, BAD_TOKEN = "Access token required", "Invalid or expired token"
NO_PROJECT, NO_ACCESS = "Project not found", "Access denied to project"


class Refusal(Exception):
    def __init__(self, status: int, error: str, **more: str) -> None:
        super().__init__(status, error)
        self.status, self.body = status, {"success": False, "error": error} | more


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(body: Json, rules: Rules, demanded: str = "") -> Json:
    fields: Json = {}
    for name in [name for name in rules if name in body or name == demanded]:
        rule, value = rules[name], body.get(name)
        if isinstance(rule, range):
            text = value.strip() if isinstance(value, str) else ""
            good = isinstance(value, str) and len(text) in rule
            # as validator.escape of npm, which the old server runs over what it stores
            value = html.escape(text).replace("/", "&#x2F;").replace("\\", "&#x5C;").replace("`", "&#96;")
        else:
            good = value in rule if rule else isinstance(value, str | None)
        if not good:
            raise Refusal(400, "Validation error", field=name)
        fields[name] = value
    return fields


def _made_by(user: Json, **defaults: str | None) -> Json:
    made = {"id": str(uuid.uuid4()), "createdBy": user["id"], "createdAt": _now(), "description": ""}
    return made | {"updatedAt": made["createdAt"], "priority": "medium", "dueDate": None} | defaults


class CoreServer:
    """``async with CoreServer() as server``, then ``server.url``.

    Stopped and started again it keeps its address and its data. A new ``secret`` makes all tokens bad ones.

    - ``requests``: the (method, path) of every REST request, refused or not; Socket.IO's own are not in it.
    - ``notices``: every event that a socket sent; ``malformed``: those that would have ended the old server.
    - ``limit_after``: so many more REST requests are served, then each gets 429; None is no limit.
    - ``sockets_refused``: while true, /socket.io/ answers 403; WebSockets that are open already stay open.
    """

    def __init__(self) -> None:
        self.url, self._port, self.secret = "", 0, secrets.token_hex(32)
        self.limit_after: int | None = None
        self.sockets_refused = False
        self.requests: list[tuple[str, str]] = []
        self.notices: list[tuple[str, Any]] = []
        self.malformed: list[tuple[str, Any]] = []
        self.users: dict[str, Json] = {}
        self.projects: dict[str, Json] = {}
        self.tasks: dict[str, dict[str, Json]] = {}  # by project, then task
        self.activities: dict[str, list[Json]] = {}  # by project, oldest first
        self._passwords: dict[str, str] = {}

    async def start(self) -> None:
        self.presence: dict[str, dict[str, Json]] = {}  # by project, then socket
        self._said: dict[str, Json] = {}  # by socket: the user of its token, and who it says it is
        self._sio = socketio.AsyncServer(async_mode="asgi", async_handlers=False)  # events in their order
        self._sio.on("connect", self._on_connect)
        self._sio.on("disconnect", self._on_disconnect)
        self._sio.on("*", self._on_event)
        self._engine = socketio.ASGIApp(self._sio)
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        quiet: Json = {"lifespan": "off", "log_config": None, "access_log": False}
        config = uvicorn.Config(self._app, interface="asgi3", **quiet)
        self._server = uvicorn.Server(config)
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            assert not self._serving.done(), self._serving
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Ends as a killed process does: what is open is cut, nobody is told."""
        self._server.should_exit = self._server.force_exit = True
        await self._serving
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        for running in list(self._server.server_state.tasks):
            running.cancel()
        await self._sio.shutdown()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def add_member(self, project_id: str, email: str, role: str = "member") -> None:
        user = next(user for user in self.users.values() if user["email"] == email)
        self.projects[project_id]["members"].append({"userId": user["id"], "role": role, "joinedAt": _now()})

    async def _app(self, scope: Json, receive: Any, send: Any) -> None:
        for_sockets = scope["path"].startswith("/socket.io")
        if for_sockets and not self.sockets_refused:
            await self._engine(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})  # before it is accepted: 403
            return
        raw, more = b"", True
        while more:
            message = await receive()
            raw, more = raw + message.get("body", b""), message.get("more_body", False)
        try:
            if for_sockets:
                raise Refusal(403, "Forbidden")
            status, answer = self._answer(scope, raw)
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
            if scope["path"].startswith("/api/auth/") and status < 500:
                answer = {"message": refusal.body["error"]}
        headers = [(b"content-type", b"application/json")] + [(b"retry-after", b"1")] * (status == 429)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, scope: Json, raw: bytes) -> tuple[int, Json]:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode()))
        self.requests.append((scope["method"], scope["path"]))
        if self.limit_after == 0:
            raise Refusal(429, "Too many requests, please try again later")
        self.limit_after = self.limit_after and self.limit_after - 1
        try:
            body = json.loads(raw) if raw and "application/json" in headers.get("content-type", "") else {}
        except ValueError:
            raise Refusal(500, "Internal server error") from None
        body = body if isinstance(body, dict) else {}
        asked = [scope["method"], *scope["path"].strip("/").split("/")]
        token = headers.get("authorization", "").removeprefix("Bearer").strip()
        user = self._owner_of(token) or {}
        if not user and (asked[2:3] == ["projects"] or asked[2:] in (["auth", "me"], ["auth", "logout"])):
            return (403, {"error": BAD_TOKEN}) if token else (401, {"error": NO_TOKEN})
        answer: Json | None = None
        match asked:
            case "GET", "health":
                answer = {"status": "ok", "service": "core", "timestamp": _now(), "uptime": time.monotonic()}
            case "POST", "api", "auth", ("signup" | "login") as way:
                answer = self._session(way, body)
            case "POST", "api", "auth", "logout":
                answer = {"message": "Logged out successfully"}
            case "GET", "api", "auth", "me":
                answer = user
            case "GET", "api", "projects":
                mine = [self._shown(p) for p in self.projects.values() if self._role(p["id"], user)]
                answer = {"success": True, "projects": mine}
            case "POST", "api", "projects":
                made = _made_by(user, status="active", startDate=None) | _fields(body, PROJECT, "name")
                made["members"] = [{"userId": user["id"], "role": "owner", "joinedAt": made["createdAt"]}]
                self.projects[made["id"]], self.tasks[made["id"]], self.activities[made["id"]] = made, {}, []
                answer = {"success": True, "message": "Project created", "project": self._shown(made)}
            case _, "api", "projects", _, "tasks", _, "comments", *_:
                raise Refusal(404, "comments service not running")
            case method, "api", "projects", project_id, *rest:
                answer = self._in_project(user, project_id, [method, *rest], body, query)
        if answer is None:
            raise Refusal(404, "Route not found")
        return (201 if asked[0] == "POST" and asked[-1] not in ("login", "logout") else 200), answer

    def _in_project(self, user: Json, key: str, asked: list[str], body: Json, query: Texts) -> Json | None:
        if key not in self.projects:
            raise Refusal(404, NO_PROJECT)
        project, tasks, role = self.projects[key], self.tasks[key], self._role(key, user)
        needed = {"DELETE": MANAGERS} if asked[1:] else {"PUT": MANAGERS, "DELETE": ("owner",)}
        if role not in needed.get(asked[0], (*MANAGERS, "member")):
            raise Refusal(403, "Insufficient permissions" if role else NO_ACCESS)
        answer: Json | None = None
        match asked:
            case ["GET"]:
                answer = {"success": True, "project": self._shown(project) | {"tasks": list(tasks.values())}}
            case ["PUT"]:
                project.update(_fields(body, PROJECT), updatedAt=_now())
                answer = self._shown(project)
            case ["DELETE"]:
                del self.projects[key], self.tasks[key], self.activities[key]
                answer = {"success": True, "message": "Project deleted"}
            case "GET", "tasks":
                answer = {"success": True, "tasks": list(tasks.values())}
            case "POST", "tasks":
                task = _made_by(user, status="todo", assignedTo=None) | _fields(body, TASK, "title")
                task["completedAt"] = task["createdAt"] if task["status"] == "completed" else None
                tasks[task["id"]] = task
                self._log(user, project, task, "created")
                answer = {"success": True, "message": "Task created", "task": task}
            case (("PUT" | "DELETE"), "tasks", task_id) if task_id not in tasks:
                raise Refusal(404, "Task not found")
            case "PUT", "tasks", task_id:
                self._update(user, project, tasks[task_id], _fields(body, TASK, "title"))
                answer = {"success": True, "message": "Task updated", "task": tasks[task_id]}
            case "DELETE", "tasks", task_id:
                self._log(user, project, tasks.pop(task_id), "deleted")
                answer = {"success": True, "message": "Task deleted"}
            case "GET", "activities":
                answer = self._activities(key, query)
        return answer

    def _role(self, project_id: str, user: Json) -> str | None:
        members = self.projects[project_id]["members"]
        return next((member["role"] for member in members if member["userId"] == user["id"]), None)

    def _shown(self, project: Json) -> Json:
        states = [task["status"] for task in self.tasks[project["id"]].values()]
        return project | {"progress": int(100 * states.count("completed") / max(len(states), 1) + 0.5)}

    def _update(self, user: Json, project: Json, task: Json, fields: Json) -> None:
        before = dict(task)
        task.update(fields, updatedAt=_now())
        for key in [key for key in fields if fields[key] != before[key]]:
            completed = (key, task[key]) == ("status", "completed")
            if completed:
                task["completedAt"] = task["updatedAt"]  # and it stays when the task leaves
            change = {"field": key, "oldValue": before[key], "newValue": task[key]}
            self._log(user, project, task, "completed" if completed else "updated", **change)

    def _log(self, user: Json, project: Json, task: Json, action: str, **metadata: str | None) -> None:
        line = {"id": str(uuid.uuid4()), "projectId": project["id"], "type": f"task.{action}"}
        line |= {"userId": user["id"], "userName": user["name"], "userEmail": user["email"], "action": action}
        line |= {"entityType": "task", "entityId": task["id"], "entityTitle": task["title"]}
        self.activities[project["id"]].append(line | {"metadata": metadata, "timestamp": _now()})

    def _activities(self, key: str, query: Texts) -> Json:
        first, last = query.get("dateFrom", ""), query.get("dateTo", "~")  # compared as text
        hits = [line for line in reversed(self.activities[key]) if first <= line["timestamp"] <= last]
        for name in {"type", "userId"} & query.keys():
            hits = [line for line in hits if line[name] == query[name]]
        start = int(query.get("offset", "0"))
        end, total = start + int(query.get("limit", "50")), len(hits)
        return {"success": True, "activities": hits[start:end], "total": total, "hasMore": end < total}

    def _owner_of(self, token: object) -> Json | None:
        try:
            return self.users.get(jwt.decode(str(token), self.secret, algorithms=["HS256"])["id"])
        except jwt.InvalidTokenError:
            return None

    def _session(self, way: str, body: Json) -> Json:
        email, password, name = (str(body.get(key) or "") for key in ("email", "password", "name"))
        user = next((user for user in self.users.values() if user["email"] == email), None)
        if way == "signup":
            if not name.strip() or "@" not in email or len(password) < 8:
                raise Refusal(400, "A name, a valid email and a password of 8 characters are required")
            if user:
                raise Refusal(409, "User already exists")
            user = {"id": str(uuid.uuid4()), "email": email, "name": name, "createdAt": _now()}
            self.users[user["id"]] = user = user | {"userType": body.get("userType", "client")}
            self._passwords[user["id"]] = password
        elif user is None or self._passwords[user["id"]] != password:
            raise Refusal(401, "Invalid email or password")
        claims = {key: user[key] for key in ("id", "email", "userType")}
        claims |= {"iat": int(time.time()), "exp": int(time.time()) + 7 * 24 * 3600}
        return {"token": jwt.encode(claims, self.secret, algorithm="HS256"), "user": user}

    async def _on_connect(self, sid: str, environ: Json, auth: Json | None = None) -> None:
        token = auth.get("token") if isinstance(auth, dict) else None
        user = self._owner_of(token)
        if user is None:
            raise SocketRefused(BAD_TOKEN if token else NO_TOKEN)
        self._said[sid] = {"user": user, "userId": user["id"], "userName": user["name"]}

    async def _on_disconnect(self, sid: str, reason: str) -> None:
        for project_id in [key for key, present in self.presence.items() if sid in present]:
            await self._move(sid, project_id, None)
        self._said.pop(sid, None)

    async def _on_event(self, event: str, sid: str, *args: Any) -> object:
        payload: Any = args[0] if len(args) == 1 else list(args)
        self.notices.append((event, payload))
        match event, payload:
            case "join:project", {"projectId": str(), "userId": str(), "userName": str()}:
                await self._join(sid, payload)
            case "leave:project", {"projectId": str(project_id), "userId": str()}:
                await self._move(sid, project_id, None)
            case "task:created" | "task:updated", {"projectId": str(), "task": {"id": str(), "title": str()}}:
                await self._relay(sid, event, payload, "task")
            case "task:deleted", {"projectId": str(), "taskId": str()}:
                await self._relay(sid, event, payload, "taskId")
            case (("join:project" | "leave:project" | "task:created" | "task:updated" | "task:deleted"), _):
                self.malformed.append((event, payload))
        return self._sio.not_handled  # or else python-socketio would acknowledge

    async def _relay(self, sid: str, event: str, payload: Json, key: str) -> None:
        relayed = {name: self._said[sid][name] for name in ("userId", "userName")} | {"timestamp": _now()}
        relayed |= {"projectId": payload["projectId"], key: payload[key]}
        await self._sio.emit(event, relayed, room=f"project:{payload['projectId']}", skip_sid=sid)

    async def _join(self, sid: str, payload: Json) -> None:
        project_id, who = payload["projectId"], self._said[sid]
        if project_id not in self.projects or not self._role(project_id, who["user"]):
            message = NO_ACCESS if project_id in self.projects else NO_PROJECT
            await self._sio.emit("error", {"message": message}, to=sid)
            return
        who |= {"userId": payload["userId"], "userName": payload["userName"]}
        await self._move(sid, project_id, {"id": who["userId"], "name": who["userName"], "joinedAt": _now()})

    async def _move(self, sid: str, project_id: str, entry: Json | None) -> None:
        """Into the room as ``entry``, or out of it; then everybody there is told who is."""
        present, room = self.presence.setdefault(project_id, {}), f"project:{project_id}"
        present.pop(sid, None)
        if entry is None:
            await self._sio.leave_room(sid, room)
        else:
            present[sid] = entry
            await self._sio.enter_room(sid, room)
        notice = {"projectId": project_id, "users": list(present.values())}
        await self._sio.emit("presence:update", notice, room=room)
