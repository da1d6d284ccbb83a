from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fluxboard.client.board import Board
from fluxboard.client.events import BoardEvent, Remote
from fluxboard.client.live import Timing
from fluxboard.client.session import Session
from tests.e2e.server_process import QuickServerProcess, ServerProcess


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = QuickServerProcess(tmp_path)
    process.start()
    yield process
    process.kill()


#: The schedule of life, faster where it waits.
QUICK = Timing(first_tries=(0.1, 0.2, 0.2, 0.2, 0.2), slow_retry=0.5, poll=0.3, gap=0.05)


@dataclass
class Person:
    """A signed-in user with a live board and what it was told."""

    session: Session
    board: Board
    heard: list[BoardEvent] = field(default_factory=list)

    def toasts(self) -> list[tuple[str, str]]:
        return [(event.kind, event.title) for event in self.heard if isinstance(event, Remote)]

    def titles(self) -> set[str]:
        return {task.title for task in self.board.tasks.values()}


class Team:
    """Makes people who share one project."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.people: list[Person] = []
        self.project_id = ""

    async def sign_up(self, name: str, url: str | None = None) -> Session:
        session = await Session.open(url or self.server.url, remember=False)
        session.timing = QUICK
        await session.sign_up(f"{name}@example.com", "correct horse", name)
        return session

    async def person(self, name: str, url: str | None = None) -> Person:
        """A new member; ``url`` is where they reach the server, when that is another address."""
        session = await self.sign_up(name, url)
        if not self.project_id:
            self.project_id = (await session.create_project("Relaunch")).id
        else:
            owner = self.people[0].session
            await owner.api.add_member(self.project_id, email=f"{name}@example.com", role="member")
        board = await session.board(self.project_id)
        person = Person(session, board)
        board.subscribe(person.heard.append)
        await board.start()
        self.people.append(person)
        return person


@pytest.fixture
async def team(server: ServerProcess) -> AsyncIterator[Team]:
    made = Team(server)
    yield made
    for person in made.people:
        await person.board.close()
        await person.session.close()
