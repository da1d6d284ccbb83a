"""People at real screens who share a project on a real server process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from textual.pilot import Pilot

from fluxboard.client.live import Timing
from fluxboard.client.session import Session
from fluxboard.tui.app import FluxboardApp
from fluxboard.tui.screens.board import BoardScreen
from tests.e2e.server_process import ServerProcess
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
        return await self._sit_down(session, name)

    async def terminal(self, person: Screenful) -> Screenful:
        """Another terminal of the same person."""
        return await self._sit_down(person.session, person.name)

    async def _sit_down(self, session: Session, name: str) -> Screenful:
        app = FluxboardApp(session, self.project_id)
        pilot = await self._stack.enter_async_context(app.run_test(size=SIZE, notifications=True))
        await until(
            lambda: any(isinstance(screen, BoardScreen) for screen in app.screen_stack), what="the board"
        )
        return Screenful(app, pilot, session, name)


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
