"""Two people at two screens, a real server process, and a client that is neither."""

from __future__ import annotations

import httpx

from fluxboard.model.wire import TaskCreate
from tests.e2e.office import PASSWORD, Office, in_office, open_office
from tests.support.forwarder import Forwarder
from tests.support.waiting import until


@in_office
async def test_they_see_each_other_and_each_others_changes(office: Office) -> None:
    ada = await office.person("Ada")
    bob = await office.person("Bob")
    await until(lambda: ada.sees("Online 2") and ada.sees("Bob"), what="ada sees bob")
    await until(lambda: bob.sees("Online 2") and bob.sees("Ada"), what="bob sees ada")
    await until(lambda: ada.sees("● live") and bob.sees("● live"), what="both are live")

    await ada.press("N")
    await ada.type("Write the plan")
    await ada.press("enter")
    await until(lambda: bob.sees("Write the plan"), what="created at bob")
    await until(lambda: ("Ada created: Write the plan", "information") in bob.toasts(), what="its toast")

    await ada.press("plus")
    await until(lambda: ("Ada updated: Write the plan", "information") in bob.toasts(), what="updated")

    await ada.press("L", "L", "L")
    await until(lambda: any(text == "Ada completed: Write the plan" for text, _ in bob.toasts()), what="done")
    await ada.press("d")
    await until(lambda: len(ada.app.screen_stack) > 2, what="the confirmation")
    await ada.press("y")
    await until(lambda: ("Ada deleted: Write the plan", "warning") in bob.toasts(), what="deleted")
    await until(lambda: not bob.board.board.tasks, what="gone at bob")
    assert not [text for text, _ in ada.toasts() if text.startswith("Ada")]


@in_office
async def test_who_quits_is_seen_to_leave(office: Office) -> None:
    ada = await office.person("Ada")
    async with open_office(office.server) as other:
        other.project_id, other.owner = office.project_id, office.owner
        await other.person("Bob")
        await until(lambda: ada.sees("Online 2"), what="bob is there")
    await until(lambda: ada.sees("Online 1"), what="bob left")


@in_office
async def test_a_change_by_plain_http_reaches_both(office: Office) -> None:
    ada = await office.person("Ada")
    bob = await office.person("Bob")
    await until(lambda: ada.sees("● live") and bob.sees("● live"), what="both are live")
    async with httpx.AsyncClient(base_url=office.server.url) as plain:
        body = {"email": "bob@example.com", "password": PASSWORD}
        token = (await plain.post("/api/auth/login", json=body)).json()["token"]
        path = f"/api/projects/{office.project_id}/tasks"
        headers = {"Authorization": f"Bearer {token}"}
        answer = await plain.post(path, json={"title": "from curl"}, headers=headers)
        assert answer.status_code == 201
    await until(lambda: ada.sees("from curl") and bob.sees("from curl"), what="both see it")
    await until(lambda: ("Bob created: from curl", "information") in ada.toasts(), what="ada's toast")
    assert not [text for text, _ in bob.toasts() if "from curl" in text]


@in_office
async def test_a_killed_server_comes_back_and_so_do_both(office: Office) -> None:
    ada = await office.person("Ada")
    bob = await office.person("Bob")
    await until(lambda: ada.sees("● live") and bob.sees("● live"), what="both are live")
    office.server.kill()
    await until(lambda: not ada.sees("● live") and not bob.sees("● live"), what="the header tells")
    await until(lambda: ada.sees("offline"), what="offline")
    await ada.press("N")
    await ada.type("made meanwhile")
    await ada.press("enter")
    await until(lambda: ada.sees("made meanwhile") and ada.sees("1"), what="shown at once")
    office.server.start()
    await until(lambda: ada.sees("● live") and bob.sees("● live"), 30, what="both are live again")
    await until(lambda: bob.sees("made meanwhile"), 30, what="bob has it")


@in_office
async def test_without_sockets_it_polls_and_goes_live_when_they_return(office: Office) -> None:
    ada = await office.person("Ada")
    wire = Forwarder(office.server.url)
    await wire.open()
    await wire.close()
    bob = await office.person("Bob", socket_url=wire.url)
    await until(lambda: bob.sees("polling"), 30, what="bob polls")
    await ada.press("N")
    await ada.type("seen anyway")
    await ada.press("enter")
    await until(lambda: bob.sees("seen anyway"), what="bob has it")
    await bob.press("N")
    await bob.type("and back")
    await bob.press("enter")
    await until(lambda: ada.sees("and back"), what="ada has it")
    assert bob.sees("polling")
    await wire.open()
    await until(lambda: bob.sees("● live"), 30, what="bob is live")
    await wire.close()


@in_office
async def test_a_forged_event_changes_nobodys_board(office: Office) -> None:
    import socketio

    ada = await office.person("Ada")
    bob = await office.person("Bob")
    await until(lambda: ada.sees("● live") and bob.sees("● live"), what="both are live")
    await ada.press("N")
    await ada.type("true title")
    await ada.press("enter")
    await until(lambda: bob.sees("true title"), what="created")
    (task_id,) = ada.board.board.tasks
    answers: list[object] = []
    socket = socketio.AsyncClient(reconnection=False)
    await socket.connect(office.server.url, auth={"token": bob.session.token}, transports=["websocket"])
    try:
        for project_id in (office.project_id, "00000000-0000-7000-8000-000000000000"):
            await socket.call("join:project", {"projectId": project_id, "userId": "x", "userName": "Ada"})
            for event in ("task:created", "task:updated"):
                forged = {"projectId": project_id, "task": {"id": task_id, "title": "forged", "rev": 999}}
                answers.append(await socket.call(event, forged))
            answers.append(await socket.call("task:deleted", {"projectId": project_id, "taskId": "made-up"}))
    finally:
        await socket.disconnect()
    await ada.press("N")
    await ada.type("after it")
    await ada.press("enter")
    await until(lambda: bob.sees("after it"), what="a later true event")
    for person in (ada, bob):
        assert person.sees("true title")
        assert not person.sees("forged")
        assert not [text for text, _ in person.toasts() if "forged" in text]


@in_office
async def test_a_remote_change_does_not_disturb_who_types(office: Office) -> None:
    ada = await office.person("Ada")
    bob = await office.person("Bob")
    await until(lambda: ada.sees("● live") and bob.sees("● live"), what="both are live")
    await ada.press("N")
    await ada.type("half a th")
    bob.board.board.create(TaskCreate(title="from bob"))
    await until(lambda: len(ada.board.board.tasks) == 1, what="bob's task arrived")
    await ada.type("ought")
    await ada.press("enter")
    await until(lambda: bob.sees("half a thought"), what="the whole title")
