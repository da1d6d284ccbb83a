"""Two people, one project, a real server process."""

from __future__ import annotations

import httpx
import pytest
import socketio

from fluxboard.client.api import ApiError
from fluxboard.client.events import Connection
from fluxboard.model.types import COMPLETED, TaskPatch
from fluxboard.model.wire import TaskCreate
from tests.e2e.conftest import Team
from tests.support.waiting import until


async def test_they_see_each_other_come_and_go(team: Team) -> None:
    ada = await team.person("ada")
    bob = await team.person("bob")
    await until(lambda: {user.name for user in ada.board.online} == {"ada", "bob"}, what="both at ada's")
    await until(lambda: {user.name for user in bob.board.online} == {"ada", "bob"}, what="both at bob's")
    await bob.board.close()
    await until(lambda: {user.name for user in ada.board.online} == {"ada"}, what="bob left")


async def test_every_change_appears_at_the_other(team: Team) -> None:
    ada = await team.person("ada")
    bob = await team.person("bob")
    task_id = ada.board.create(TaskCreate(title="Write"))
    assert ada.titles() == {"Write"}
    await until(lambda: bob.titles() == {"Write"}, what="created")
    ada.board.update([task_id], TaskPatch(title="Rewrite"))
    await until(lambda: bob.titles() == {"Rewrite"}, what="updated")
    ada.board.move([task_id], COMPLETED)
    await until(lambda: list(bob.board.column_ids(COMPLETED)) == [task_id], what="completed")
    assert bob.board.tasks[task_id].completed_at
    ada.board.delete([task_id])
    await until(lambda: not bob.board.tasks, what="deleted")
    assert bob.toasts() == [
        ("created", "Write"),
        ("updated", "Rewrite"),
        ("completed", "Rewrite"),
        ("deleted", "Rewrite"),
    ]
    assert ada.toasts() == []


async def test_a_change_made_by_plain_http_reaches_both(team: Team) -> None:
    ada = await team.person("ada")
    bob = await team.person("bob")
    async with httpx.AsyncClient(base_url=team.server.url) as plain:
        body = {"email": "bob@example.com", "password": "correct horse"}
        token = (await plain.post("/api/auth/login", json=body)).json()["token"]
        answer = await plain.post(
            f"/api/projects/{team.project_id}/tasks",
            json={"title": "from curl"},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code in {200, 201}
    await until(lambda: ada.titles() == bob.titles() == {"from curl"})


async def test_a_killed_server_comes_back_and_so_do_they(team: Team) -> None:
    ada = await team.person("ada")
    bob = await team.person("bob")
    team.server.kill()
    await until(lambda: ada.board.connection.word != "live", what="the word tells it")
    ada.board.create(TaskCreate(title="made meanwhile"))
    assert ada.board.connection.queued == 1
    team.server.start()
    await until(lambda: bob.titles() == {"made meanwhile"}, 40, "bob has it")
    await until(lambda: ada.board.connection == Connection("live", 0), 40, "ada is live")
    assert team.server.stop() == 0


async def test_who_is_no_member_learns_and_changes_nothing(team: Team) -> None:
    ada = await team.person("ada")
    task_id = ada.board.create(TaskCreate(title="secret plan"))
    await ada.board.idle()
    eve = await team.sign_up("eve")
    for call in (
        eve.api.tasks(team.project_id),
        eve.api.create_task(team.project_id, TaskCreate(title="x")),
        eve.api.update_task(team.project_id, ada.board.tasks[task_id], TaskPatch(title="x")),
        eve.api.delete_task(team.project_id, task_id),
        eve.api.changes(team.project_id, 0),
        eve.api.members(team.project_id),
    ):
        with pytest.raises(ApiError) as caught:
            await call
        assert caught.value.status in {403, 404}
        assert "secret" not in str(caught.value)
    heard: list[object] = []
    socket = socketio.AsyncClient(reconnection=False)
    socket.on("*", lambda event, data=None: heard.append((event, data)))
    await socket.connect(team.server.url, auth={"token": eve.token}, transports=["websocket"])
    await socket.emit("join:project", {"projectId": team.project_id, "userId": "x", "userName": "x"})
    await until(lambda: heard, what="refused")
    assert heard == [("error", {"message": "Access denied to project"})]
    ada.board.update([task_id], TaskPatch(title="secret plan 2"))
    await ada.board.idle()
    forged = {"projectId": team.project_id, "task": {"id": task_id, "title": "forged"}}
    await socket.emit("task:updated", forged)
    await until(lambda: len(heard) > 1, what="the forged notice is refused")
    assert all(event == "error" for event, _ in heard)  # type: ignore[misc]
    assert ada.titles() == {"secret plan 2"}
    await socket.disconnect()
    await eve.close()


async def test_who_joined_while_the_board_was_opened_is_known(team: Team) -> None:
    """Between the look at the project and the one at its tasks; no event tells it again."""
    ada = await team.person("ada")
    project = await ada.session.create_project("Other")
    board = await ada.session.board(project.id)
    await team.person("bob")
    await ada.session.api.add_member(project.id, email="bob@example.com")
    await board.start()
    assert {member.name for member in board.members} == {"ada", "bob"}
    await board.close()
