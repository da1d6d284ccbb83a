"""Every route of the contract: what it answers, to whom, and each error's shape."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from tests.server.world import Json, Person, World, done, refused

TASK = {
    *("id", "title", "description", "status", "priority", "assignedTo", "dueDate"),
    *("createdBy", "createdAt", "updatedAt", "completedAt"),
}
PLUS_TASK = {"position", "labels", "rev", "fieldRevs", "commentCount", "checklist", "archived"}
PROJECT = {
    *("id", "name", "description", "status", "priority", "startDate", "dueDate", "progress"),
    *("createdBy", "createdAt", "updatedAt", "members"),
}
PLUS_PROJECT = {"columns", "rev", "archived"}

#: Every route that needs a member: method, path inside the project, a good body.
INSIDE: list[tuple[str, str, Json | None]] = [
    ("GET", "", None),
    ("PUT", "", {"name": "x"}),
    ("GET", "/tasks", None),
    ("POST", "/tasks", {"title": "x"}),
    ("POST", "/tasks/batch", {"ops": []}),
    ("GET", "/tasks/{task}", None),
    ("PUT", "/tasks/{task}", {"title": "x"}),
    ("GET", "/tasks/{task}/history", None),
    ("POST", "/tasks/{task}/restore", None),
    ("PUT", "/tasks/{task}/mute", {"muted": True}),
    ("GET", "/tasks/{task}/comments", None),
    ("POST", "/tasks/{task}/comments", {"content": "x"}),
    ("PUT", "/tasks/{task}/comments/{comment}", {"content": "x"}),
    ("DELETE", "/tasks/{task}/comments/{comment}", None),
    ("DELETE", "/tasks/{task}", None),
    ("GET", "/activities", None),
    ("GET", "/changes?since=0", None),
    ("GET", "/members", None),
    ("POST", "/members", {"email": "x@example.com"}),
    ("PUT", "/members/{member}", {"role": "admin"}),
    ("DELETE", "/members/{member}", None),
    ("POST", "/invites", {}),
    ("DELETE", "", None),
]
OUTSIDE = [
    *(("POST", f"/api/auth/{way}") for way in ("signup", "login", "refresh", "logout")),
    *(
        ("GET", "/api/auth/me"),
        ("GET", "/api/projects"),
        ("POST", "/api/projects"),
        ("GET", "/health"),
        ("GET", "/ready"),
        ("GET", "/metrics"),
    ),
    ("POST", "/api/invites/{code}/accept"),
    *(("GET", "/api/inbox"), ("POST", "/api/inbox/done")),
    *(("GET", "/api/preferences"), ("PUT", "/api/preferences")),
]


async def test_health(world: World) -> None:
    body = await done(world.http.get("/health"))
    assert body["status"] == "ok"
    assert body["service"] == "fluxboard"
    assert body["timestamp"].endswith("Z")
    assert body["uptime"] >= 0


async def test_projects_from_birth_to_death(world: World) -> None:
    ada = await world.person()
    assert await done(ada.get("/api/projects")) == {"success": True, "projects": []}
    body = {"name": " Relaunch ", "description": "d", "priority": "high", "dueDate": "2026-12-01"}
    answer = await ada.post("/api/projects", body)
    assert answer.status_code == 201
    made = answer.json()
    assert made["success"] is True
    assert made["message"]
    project = made["project"]
    assert project.keys() == PROJECT | PLUS_PROJECT
    assert project["name"] == "Relaunch"
    assert (project["status"], project["priority"], project["progress"]) == ("active", "high", 0)
    assert (project["startDate"], project["dueDate"]) == (None, "2026-12-01")
    assert project["createdBy"] == ada.id
    (owner,) = project["members"]
    assert owner.items() >= {"userId": ada.id, "role": "owner", "name": "ada"}.items()
    assert owner["joinedAt"].endswith("Z")
    path = f"/api/projects/{project['id']}"
    assert (await done(ada.get("/api/projects")))["projects"] == [project]
    found = await done(ada.get(path))
    assert found == {"success": True, "project": project | {"tasks": []}}
    changed = await done(ada.put(path, {"name": "New", "dueDate": None, "archived": True}))
    assert changed.keys() == PROJECT | PLUS_PROJECT, "the bare project"
    assert (changed["name"], changed["dueDate"], changed["archived"]) == ("New", None, True)
    assert changed["description"] == "d"
    gone = await done(ada.delete(path))
    assert gone["success"] is True
    assert gone["message"]
    await refused(ada.get(path), 404)
    assert (await done(ada.get("/api/projects")))["projects"] == []


async def test_a_task_from_birth_to_death(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    path = f"/api/projects/{project}/tasks"
    body = {
        "title": "  Write  it ",
        "description": "line\r\nline",
        "assignedTo": bob.id,
        "dueDate": "2026-12-01T10:00:00+02:00",
        "labels": ["a", "a", "b"],
        "checklist": [{"id": "1", "text": "one"}],
    }
    answer = await ada.post(path, body)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["success"], bool(made["message"])) == (True, True)
    task = made["task"]
    assert task.keys() == TASK | PLUS_TASK
    assert task["title"] == "Write it"
    assert task["description"] == "line\nline"
    assert task["dueDate"] == "2026-12-01T08:00:00.000Z"
    assert task["labels"] == ["a", "b"]
    assert task["checklist"] == [{"id": "1", "text": "one", "done": False}]
    assert (task["status"], task["priority"], task["completedAt"]) == ("todo", "medium", None)
    assert (task["createdBy"], task["assignedTo"]) == (ada.id, bob.id)
    assert task["createdAt"] == task["updatedAt"]
    assert made["rev"] == task["rev"]
    listed = await done(ada.get(path))
    assert listed == {"success": True, "tasks": [task], "rev": task["rev"]}
    assert (await done(ada.get(f"{path}/{task['id']}")))["task"] == task
    patch = {"title": "Write it", "status": "completed"}
    finished = (await done(bob.put(f"{path}/{task['id']}", patch)))["task"]
    assert finished["completedAt"] == finished["updatedAt"] > task["updatedAt"]
    assert finished["title"] == task["title"]
    assert (await done(ada.get(f"/api/projects/{project}")))["project"]["progress"] == 100
    reopened = (await done(bob.put(f"{path}/{task['id']}", {"status": "review", "assignedTo": None})))["task"]
    assert (reopened["completedAt"], reopened["assignedTo"]) == (None, None)
    same = await done(bob.put(f"{path}/{task['id']}", {"status": "review"}))
    assert same["task"] == reopened, "without a difference nothing happens"
    assert same["rev"] == reopened["rev"]
    gone = await done(ada.delete(f"{path}/{task['id']}"))
    assert gone.items() >= {"success": True, "rev": reopened["rev"] + 1}.items()
    assert (await done(ada.get(path)))["tasks"] == []


async def test_comments(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    task = await ada.task(project)
    path = f"/api/projects/{project}/tasks/{task['id']}/comments"
    answer = await ada.post(path, {"content": "  over to @bob, not @nobody "})
    assert answer.status_code == 201
    made = answer.json()["comment"]
    assert made == {
        "id": made["id"],
        "taskId": task["id"],
        "projectId": project,
        "content": "over to @bob, not @nobody",
        "mentions": [bob.id],
        "createdBy": ada.id,
        "createdAt": made["createdAt"],
        "updatedAt": made["createdAt"],
        "author": {"id": ada.id, "name": "ada", "email": ada.email},
    }
    assert await done(bob.get(path)) == {"success": True, "comments": [made]}
    for call in (bob.put(f"{path}/{made['id']}", {"content": "x"}), bob.delete(f"{path}/{made['id']}")):
        await refused(call, 403)
    edited = (await done(ada.put(f"{path}/{made['id']}", {"content": "never mind"})))["comment"]
    assert (edited["content"], edited["mentions"]) == ("never mind", [])
    assert edited["updatedAt"] > made["updatedAt"]
    for content, field in (("", "content"), (" \n ", "content"), ("x" * 2001, "content"), (7, "content")):
        await refused(ada.post(path, {"content": content}), 400, field)
        await refused(ada.put(f"{path}/{made['id']}", {"content": content}), 400, field)
    await refused(ada.post(path, {}), 400, "content")
    await refused(ada.put(f"{path}/{uuid4()}", {"content": "x"}), 404)
    await refused(ada.delete(f"{path}/{uuid4()}"), 404)
    other = await ada.task(project, "other")
    elsewhere = f"/api/projects/{project}/tasks/{other['id']}/comments/{made['id']}"
    await refused(ada.put(elsewhere, {"content": "x"}), 404)
    assert (await done(ada.delete(f"{path}/{made['id']}")))["success"] is True
    assert (await done(ada.get(path)))["comments"] == []
    await done(ada.post(path, {"content": "x" * 2000}))


async def test_activities_are_filtered_and_paged(world: World) -> None:
    ada, bob = await world.person(), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    for number in range(3):
        task = await ada.task(project, str(number))
    await bob.change(project, task["id"], status="completed")
    await bob.change(project, task["id"], title="two")
    path = f"/api/projects/{project}/activities"
    whole = await done(ada.get(path))
    assert whole.keys() == {"success", "activities", "total", "hasMore"}
    kinds = [activity["type"] for activity in whole["activities"]]
    assert kinds[:2] == ["task.updated", "task.completed"]
    assert (whole["total"], whole["hasMore"]) == (len(kinds), False)
    page = await done(ada.get(f"{path}?limit=2&offset=1"))
    assert page["activities"] == whole["activities"][1:3]
    assert (page["total"], page["hasMore"]) == (len(kinds), True)
    created = await done(ada.get(f"{path}?type=task.created"))
    assert [activity["entityTitle"] for activity in created["activities"]] == ["2", "1", "0"]
    assert created["total"] == 3
    assert {a["userName"] for a in (await done(ada.get(f"{path}?userId={bob.id}")))["activities"]} == {"bob"}
    today = whole["activities"][0]["timestamp"][:10]
    assert (await done(ada.get(f"{path}?dateFrom={today}&dateTo={today}")))["total"] == len(kinds)
    assert (await done(ada.get(f"{path}?dateTo=2020-01-01")))["total"] == 0
    at = whole["activities"][1]["timestamp"]
    assert (await done(ada.get(f"{path}?dateFrom={at}&dateTo={at}")))["total"] >= 1
    for query, field in (
        *(("limit=x", "limit"), ("offset=x", "offset")),
        *(("dateFrom=soon", "dateFrom"), ("dateTo=2026-13-01", "dateTo")),
    ):
        await refused(ada.get(f"{path}?{query}"), 400, field)
    for query in ("limit=-1", "limit=100000", "offset=-1", f"offset={10**30}", "type=%00", "userId='--"):
        assert (await ada.get(f"{path}?{query}")).status_code in {200, 400}, query


async def test_a_tasks_history(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    task = await ada.task(project)
    await ada.change(project, task["id"], title="Rewrite")
    history = (await done(ada.get(f"/api/projects/{project}/tasks/{task['id']}/history")))["history"]
    assert [entry["type"] for entry in history] == ["task.updated", "task.created"]
    assert history[0]["changes"] == [{"field": "title", "old": "Write", "new": "Rewrite"}]


# -- errors


async def filled(owner: Person, world: World) -> dict[str, str]:
    """A project with a task, a comment and a second member."""
    bob = await world.person("bob")
    project = await owner.project("Secret plan")
    await owner.add(project, bob)
    task = await owner.task(project, "Secret task")
    path = f"/api/projects/{project}/tasks/{task['id']}/comments"
    comment = (await done(owner.post(path, {"content": "Secret words"})))["comment"]
    return {"project": project, "task": task["id"], "comment": comment["id"], "member": bob.id}


async def test_who_is_no_member_learns_and_changes_nothing(world: World) -> None:
    ada, eve = await world.person(), await world.person("eve")
    ids = await filled(ada, world)
    before = (await ada.get(f"/api/projects/{ids['project']}")).json()
    for method, path, body in INSIDE:
        answer = await eve.call(method, f"/api/projects/{ids['project']}{path.format(**ids)}", body)
        assert answer.status_code == 403, (method, path)
        assert answer.json()["error"] == "Access denied to project"
        assert "ecret" not in answer.text
        assert "x-project-rev" not in answer.headers
        assert "etag" not in answer.headers
    assert (await done(eve.get("/api/projects")))["projects"] == []
    assert (await ada.get(f"/api/projects/{ids['project']}")).json() == before


async def test_a_project_that_does_not_exist_is_404_on_every_route(world: World) -> None:
    ada = await world.person()
    ids = dict.fromkeys(("task", "comment", "member"), str(uuid4()))
    for project in (str(uuid4()), "x", "%00", "%F0%9F", "'; DROP TABLE projects; --", "a" * 3000):
        for method, path, body in INSIDE if project == "x" else INSIDE[:4]:
            answer = await ada.call(method, f"/api/projects/{project}{path.format(**ids)}", body)
            assert answer.status_code == 404, (method, path, project, answer.text)
            assert answer.json()["error"] == answer.json()["message"] == "Project not found"


async def test_another_projects_task_is_404(world: World) -> None:
    ada = await world.person()
    ids = await filled(ada, world)
    mine = await ada.project("Mine")
    for method, path, body in INSIDE:
        if "{task}" not in path:
            continue
        answer = await ada.call(method, f"/api/projects/{mine}{path.format(**ids)}", body)
        if "history" in path:
            assert answer.json()["history"] == []
            continue
        assert answer.status_code == 404, (method, path, answer.text)
        assert "Secret" not in answer.text
    ops = [{"op": "delete", "taskId": ids["task"]}, {"op": "update", "taskId": ids["task"], "patch": {}}]
    results = (await done(ada.post(f"/api/projects/{mine}/tasks/batch", {"ops": ops})))["results"]
    assert [result["status"] for result in results] == [404, 404]


async def test_a_viewer_may_read_and_not_write(world: World) -> None:
    ada, eve = await world.person(), await world.person("eve")
    ids = await filled(ada, world)
    await ada.add(ids["project"], eve, "viewer")
    for method, path, body in INSIDE:
        answer = await eve.call(method, f"/api/projects/{ids['project']}{path.format(**ids)}", body)
        if path == "/tasks/batch":
            continue
        # What is quiet for a reader is their own affair.
        expected = 200 if method == "GET" or path.endswith("/mute") else 403
        assert answer.status_code == expected, (method, path, answer.text)
    ops = [{"op": "create", "task": {"title": "x"}}, {"op": "delete", "taskId": ids["task"]}]
    results = await done(eve.post(f"/api/projects/{ids['project']}/tasks/batch", {"ops": ops}))
    assert [result["status"] for result in results["results"]] == [403, 403]


async def test_bad_bodies_name_the_field(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    task = await ada.task(project)
    tasks, one = f"/api/projects/{project}/tasks", f"/api/projects/{project}/tasks/{task['id']}"
    bad_task: list[tuple[Json, str]] = [
        ({"title": ""}, "title"),
        ({"title": " \t\n"}, "title"),
        ({"title": 7}, "title"),
        ({"title": None}, "title"),
        ({"title": ["x"]}, "title"),
        ({"title": "x", "description": "x" * 5001}, "description"),
        ({"title": "x", "description": 1}, "description"),
        ({"title": "x", "status": "someday"}, "status"),
        ({"title": "x", "status": None}, "status"),
        ({"title": "x", "priority": "urgent"}, "priority"),
        ({"title": "x", "assignedTo": str(uuid4())}, "assignedTo"),
        ({"title": "x", "assignedTo": 3}, "assignedTo"),
        ({"title": "x", "dueDate": "tomorrow"}, "dueDate"),
        ({"title": "x", "dueDate": "2026-02-30"}, "dueDate"),
        ({"title": "x", "dueDate": "9999-12-31T23:59:59-23:00"}, "dueDate"),
        ({"title": "x", "dueDate": 20261201}, "dueDate"),
        ({"title": "x", "labels": "a"}, "labels"),
        ({"title": "x", "labels": [""]}, "labels"),
        ({"title": "x", "labels": ["x" * 51]}, "labels"),
        ({"title": "x", "labels": [str(number) for number in range(51)]}, "labels"),
        ({"title": "x", "checklist": [{"id": "1", "text": ""}]}, "checklist"),
        ({"title": "x", "checklist": [{"id": "1", "text": "a"}, {"id": "1", "text": "b"}]}, "checklist"),
        ({"title": "x", "checklist": [{"id": str(n), "text": "a"} for n in range(201)]}, "checklist"),
    ]
    for body, field in bad_task:
        await refused(ada.post(tasks, body), 400, field)
        await refused(ada.put(one, body), 400, field)
    for id_ in ("x", "", "../..", "1" * 40):
        await refused(ada.post(tasks, {"title": "x", "id": id_}), 400, "id")
    await refused(ada.post(tasks, {}), 400, "title")
    await refused(ada.post(tasks, {"title": "x", "labels": [1]}), 400, "labels[0]")
    await refused(ada.post(tasks, {"title": "x", "checklist": [{"id": "1"}]}), 400, "checklist[0].text")
    await refused(ada.put(one, {"position": "not a position"}), 400, "position")
    await refused(ada.put(one, {"position": "a0" + "V" * 3000}), 400, "position")
    await refused(ada.put(one, {"baseRev": "x"}), 400, "baseRev")
    assert (await ada.tasks(project))["tasks"] == [task]

    bad_project: list[tuple[Json, str]] = [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": 1}, "name"),
        ({"name": "x", "description": "x" * 2001}, "description"),
        ({"name": "x", "status": ""}, "status"),
        ({"name": "x", "priority": "x" * 51}, "priority"),
        ({"name": "x", "startDate": "now"}, "startDate"),
        ({"name": "x", "dueDate": "then"}, "dueDate"),
    ]
    for body, field in bad_project:
        await refused(ada.post("/api/projects", body), 400, field)
        await refused(ada.put(f"/api/projects/{project}", body), 400, field)
    await refused(ada.post("/api/projects", {}), 400, "name")
    column = {"id": "todo", "name": "To do"}
    completed = {"id": "completed", "name": "Done"}
    bad_columns: list[object] = [
        *([], [column], [completed, completed], [column, completed] * 11),
        [{"id": "UP", "name": "x"}, completed],
        [{"id": "todo", "name": " "}, completed],
        [{"id": "todo", "name": "x", "wipLimit": 0}, completed],
    ]
    for columns in bad_columns:
        await refused(ada.put(f"/api/projects/{project}", {"columns": columns}), 400, "columns")
    error = await refused(ada.put(f"/api/projects/{project}", {"columns": [completed]}), 409, "columns")
    assert error["error"] == "There are still tasks in To Do"
    await refused(ada.put(f"/api/projects/{project}", {"archived": "no"}), 400, "archived")


async def test_bodies_that_are_no_objects(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    path = f"/api/projects/{project}/tasks"
    head = {"Authorization": f"Bearer {ada.token}", "Content-Type": "application/json"}
    for content in (
        *(b"", b"{", b"[]", b"7", b"null", b'"x"', b"\xff\xfe", b'{"title": "\xff"}', b"{'title': 'x'}"),
        *(b'{"title": "x"', b'{"title": "\\ud800"}', b"[" * 100_000, b'{"title": NaN}', b"title=x"),
    ):
        answer = await world.http.post(path, content=content, headers=head)
        assert answer.status_code == 400, (content[:20], answer.text[:200])
        body = answer.json()
        assert body["error"] == body["message"]
        assert body["success"] is False
        assert len(body["error"]) < 300
    assert (await ada.tasks(project))["tasks"] == []


async def test_too_large_unknown_and_not_allowed(world: World) -> None:
    ada = await world.person()
    project = await ada.project()
    await refused(ada.post(f"/api/projects/{project}/tasks", {"title": "x" * 2_100_000}), 413)
    for path in ("/", "/api", "/api/nothing", f"/api/projects/{project}/nothing", "/favicon.ico"):
        await refused(ada.get(path), 404)
    await refused(ada.call("PATCH", f"/api/projects/{project}"), 405)
    await refused(ada.put("/api/auth/login", {}), 405)


async def test_a_body_that_is_announced_as_too_large_is_not_asked_for(world: World) -> None:
    ada = await world.person()
    url = urlsplit(world.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(
        b"POST /api/projects HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2100000\r\n"
        b"Authorization: Bearer %s\r\n\r\n" % ada.token.encode()
    )
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_the_document_names_every_route_and_error(world: World) -> None:
    document = await done(world.http.get("/api/docs"))
    assert document["info"]["title"] == "fluxboard"
    assert document["openapi"].startswith("3.")

    def plain(path: str) -> str:
        return re.sub(r"{[^}]*}", "{}", path.split("?", maxsplit=1)[0])

    wanted = {(method, plain(path)) for method, path in OUTSIDE}
    wanted |= {(method, plain(f"/api/projects/{{id}}{path}")) for method, path, _ in INSIDE}
    operations: dict[tuple[str, str], Any] = {
        (method.upper(), plain(path)): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "delete"}
    }
    assert operations.keys() == wanted
    for (method, path), operation in operations.items():
        assert operation["summary"], path
        if path in {"/health", "/ready", "/metrics"}:
            continue
        errors = {"400", "401", "403", "404", "409", "410", "413", "422", "429", "503"}
        assert operation["responses"].keys() >= errors, (method, path)
        assert any(status.startswith("2") for status in operation["responses"])
        for status in errors:
            content = operation["responses"][status]["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/ErrorAnswer"}
    error = document["components"]["schemas"]["ErrorAnswer"]["properties"]
    assert error.keys() >= {"error", "message", "field", "success"}
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


async def test_browsers_of_other_origins_are_not_served_unless_allowed(world: World) -> None:
    ada = await world.person()
    answer = await ada.get("/api/projects", Origin="https://evil.example")
    assert "access-control-allow-origin" not in answer.headers
    handshake = await world.http.get(
        "/socket.io/?EIO=4&transport=polling", headers={"Origin": "https://evil.example"}
    )
    assert handshake.status_code == 400
