"""Two people at two screens, a real server process, and a client that is neither."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from textual.pilot import Pilot

from fluxboard.client.live import Timing
from fluxboard.client.session import Session
from fluxboard.model.wire import TaskCreate
from fluxboard.tui.app import FluxboardApp
from fluxboard.tui.screens.board import BoardScreen
from tests.e2e.server_process import ServerProcess
from tests.support.forwarder import Forwarder
from tests.support.waiting import until

SIZE = (160, 48)
PASSWORD = "correct horse"
QUICK = Timing(first_tries=(0.1, 0.2, 0.2, 0.2, 0.2), slow_retry=1.0, poll=0.3, gap=0.05)


@dataclass
class Screenful:
    """A person at a running app, with what they can see and press."""

    app: FluxboardApp
    pilot: Pilot[None]
    session: Session
    name: str

    @property
    def board(self) -> BoardScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, BoardScreen))

    def sees(self, text: str) -> bool:
        """Whether a text stands on the screen, in one line."""
        return any(text in line for line in self.lines())

    def lines(self) -> list[str]:
        size = self.app.size
        rows = self.app.screen._compositor.render_strips(size)  # the cells as a terminal would get them
        return [strip.text for strip in rows]

    def toasts(self) -> list[tuple[str, str]]:
        return [(toast.message, toast.severity) for toast in self.app._notifications]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if char == " " else char for char in text))


class Office:
    """Makes people at screens who share one project."""

    def __init__(self, server: ServerProcess, stack: AsyncExitStack) -> None:
        self.server = server
        self.project_id = ""
        self.owner: Session | None = None
        self._stack = stack

    async def person(self, name: str, socket_url: str | None = None) -> Screenful:
        session = await Session.open(self.server.url, remember=False, socket_url=socket_url)
        session.timing = QUICK
        self._stack.push_async_callback(session.close)
        await session.sign_up(f"{name.lower()}@example.com", PASSWORD, name)
        if self.owner is None:
            self.owner = session
            self.project_id = (await session.create_project("Relaunch")).id
        else:
            await self.owner.api.add_member(self.project_id, email=f"{name.lower()}@example.com")
        app = FluxboardApp(session, self.project_id)
        pilot = await self._stack.enter_async_context(app.run_test(size=SIZE, notifications=True))
        person = Screenful(app, pilot, session, name)
        await until(
            lambda: any(isinstance(screen, BoardScreen) for screen in app.screen_stack), what="the board"
        )
        return person


@asynccontextmanager
async def open_office(server: ServerProcess) -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        yield Office(server, stack)


Test = Callable[[Office], Awaitable[None]]


def in_office(test: Test) -> Callable[[ServerProcess], Awaitable[None]]:
    """Runs a test with an office. No fixture: an app must be left in the context it was entered in."""

    async def run(server: ServerProcess) -> None:
        async with open_office(server) as office:
            await test(office)

    run.__name__ = test.__name__
    return run


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
