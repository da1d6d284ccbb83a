"""Two people's real clients against a real server, in whatever order Hypothesis thinks of.

After each run everybody comes online, and then all boards equal the server's, and nothing that was saved is
lost: it is on the server, or in front of its author.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from fluxboard.client.board import Board
from fluxboard.client.events import AccessLost
from fluxboard.client.live import Timing
from fluxboard.client.session import Session
from fluxboard.client.undo import Overtaken
from fluxboard.model.types import Task, TaskPatch
from fluxboard.model.wire import TaskCreate
from tests.e2e.server_process import ServerProcess
from tests.support.forwarder import Forwarder
from tests.support.waiting import until

QUICK = Timing(first_tries=(0.05, 0.1), slow_retry=0.2, retry_min=0.02, retry_max=0.1, poll=0.3, gap=0.05)
COLUMNS = ("todo", "in_progress", "review", "completed")
EDITS = ("create", "create", "move", "edit", "many", "delete", "comment")
who = st.integers(0, 1)
number = st.integers(0, 30)


class Person:
    """A session with its store, behind a network of its own that can be cut."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.network = Forwarder(url)
        self.board: Board | None = None
        self.lost = False

    async def come(self) -> None:
        await self.network.open()
        self.session = await Session.open(self.network.url, remember=False)
        self.session.timing = QUICK
        await self.session.sign_up(f"{self.name}@example.com", "correct horse", self.name)

    async def open(self, project_id: str) -> None:
        self.board = await self.session.board(project_id)
        self.board.subscribe(self._hear)
        self.lost = False
        await self.board.start()

    def _hear(self, event: object) -> None:
        self.lost = self.lost or isinstance(event, AccessLost)

    async def leave(self) -> None:
        await self.network.open()
        if self.board is not None:
            await self.board.close()
        await self.session.close()
        await self.network.close()


class Team(RuleBasedStateMachine):
    """What two people and a network do."""

    server: ServerProcess

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.made = 0
        self.people = [Person(self.server.url, f"{name}-{uuid4().hex[:8]}") for name in ("ada", "bob")]
        self.run(self._begin())

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(work)

    async def _begin(self) -> None:
        ada, bob = self.people
        for person in self.people:
            await person.come()
        project = await ada.session.create_project("Machine")
        self.project_id = project.id
        assert bob.session.user is not None
        self.bob = bob.session.user
        await ada.session.api.add_member(project.id, email=self.bob.email, role="admin")
        for person in self.people:
            await person.open(project.id)

    def _board(self, person: int) -> tuple[Board, list[str]] | None:
        """The board of somebody who has one, and the ids of its tasks."""
        board = self.people[person].board
        if board is None or self.people[person].lost:
            return None
        return board, sorted(board.tasks)

    def _edit(self, person: int, n: int, what: str) -> None:
        found = self._board(person)
        if found is None:
            return
        board, ids = found
        if what == "create" or not ids:
            self.made += 1
            made = board.create(TaskCreate(title=f"task {self.made}", status=COLUMNS[n % 4]))
            assert made in board.tasks, "I6"
            return
        task_id = ids[n % len(ids)]
        match what:
            case "move":
                board.move([task_id], COLUMNS[n % 4], after_id=ids[(n + 1) % len(ids)])
                assert board.tasks[task_id].status == COLUMNS[n % 4], "I6"
            case "edit":
                board.update([task_id], TaskPatch(title=f"title {n} of {person}", priority="high"))
                assert board.tasks[task_id].title == f"title {n} of {person}", "I6"
            case "many":
                board.update(ids[: 1 + n % 5], TaskPatch(labels=(f"l{n}",)))
            case "delete":
                board.delete([task_id])
                assert task_id not in board.tasks, "I6"
            case "comment":
                board.comment(task_id, f"words {n}")

    def _soon(self) -> None:
        """Lets what is on its way go on a little."""
        self.run(asyncio.sleep(0.005))

    @rule(edits=st.lists(st.tuples(who, number, st.sampled_from(EDITS)), min_size=2, max_size=8))
    def edit(self, edits: list[tuple[int, int, str]]) -> None:
        async def work() -> None:
            for person, n, what in edits:
                self._edit(person, n, what)
                await asyncio.sleep(0.002 * (n % 3))

        self.run(work())

    @rule(person=who, redo=st.booleans(), overwrite=st.booleans())
    def undo(self, person: int, redo: bool, overwrite: bool) -> None:
        async def work() -> None:
            found = self._board(person)
            if found is not None:
                try:
                    (found[0].redo if redo else found[0].undo)(overwrite=overwrite)
                except Overtaken:
                    assert not overwrite

        self.run(work())
        self._soon()

    @rule(person=who)
    def offline(self, person: int) -> None:
        self.run(self.people[person].network.close())

    @rule(person=who)
    def online(self, person: int) -> None:
        self.run(self.people[person].network.open())
        self._soon()

    @rule(edits=st.lists(st.tuples(number, st.sampled_from(EDITS)), max_size=3))
    def kick(self, edits: list[tuple[int, str]]) -> None:
        """Bob loses his place while the first goes on, and gets it back."""

        async def work() -> None:
            await self._as_ada("kick")
            for n, what in edits:
                self._edit(0, n, what)
            await self._as_ada("add")

        self.run(work())

    @rule(person=who)
    def expire(self, person: int) -> None:
        """The short token ends; the session is renewed with the next call."""
        self.people[person].session.token = "expired"

    async def _as_ada(self, what: str) -> None:
        ada = self.people[0]
        await ada.network.open()
        if what == "kick":
            await ada.session.api.remove_member(self.project_id, self.bob.id)
            self.people[1].lost = True
        else:
            await ada.session.api.add_member(self.project_id, email=self.bob.email, role="admin")
            await self._again(self.people[1])

    async def _again(self, person: Person) -> None:
        await person.network.open()
        if person.board is not None:
            await person.board.close()
        await person.open(self.project_id)

    def teardown(self) -> None:
        try:
            self.run(self._rest())
        finally:
            for person in self.people:
                self.run(person.leave())
            self.run(self._end())
            self.loop.close()

    async def _end(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _rest(self) -> None:
        for person in self.people:
            await person.network.open()
        if self.people[1].lost:
            await self._again(self.people[1])
        boards = [person.board for person in self.people if person.board is not None]

        def quiet() -> bool:
            return all(board.connection.queued == 0 and board.connection.word == "live" for board in boards)

        await until(quiet, seconds=20, what="everything sent")
        for _ in range(100):
            answer = await self.people[0].session.api.tasks(self.project_id)
            truth = {task.id: as_json(task) for task in answer.tasks}
            shown = [{task.id: as_json(task) for task in board.tasks.values()} for board in boards]
            if all(each == truth for each in shown):
                break
            await asyncio.sleep(0.05)
        assert shown == [truth] * 2, "I1"
        for board in boards:
            for item in board.attention:
                assert item.refusal.reason, "I10: refused, and no reason"
            store = board._upkeep.store
            left = store._ask("SELECT op_id FROM outbox WHERE refusal IS NULL")
            assert left == [], "I2: saved, neither sent nor in front of its author"


def as_json(task: Task) -> object:
    return msgspec.to_builtins(task)


@pytest.mark.long(20)
def test_whatever_two_people_do_ends_well(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    server.start()
    try:
        Team.server = server
        case = Team.TestCase
        case.settings = settings(
            max_examples=10,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # each run takes seconds: what it did is printed, not shrunk
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        case().runTest()
    finally:
        server.stop()
