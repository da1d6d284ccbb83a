"""A world from a seed: people who edit, faults that come and go, and what must be true when they are over."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import uuid6

from fluxboard.client.live import Timing
from fluxboard.client.undo import Overtaken
from fluxboard.model import types
from fluxboard.model.types import DEFAULT_COLUMNS, ProjectPatch, TaskPatch
from fluxboard.model.wire import (
    ACTIVITY_NEW,
    SYNC_HEAD,
    SYNC_NEEDED,
    MemberAdd,
    ProjectCreate,
    TaskCreate,
)
from fluxboard.server import cluster, feed, live, sockets
from fluxboard.server.commands import people, projects
from fluxboard.server.commands.access import Access, Person
from fluxboard.server.commands.ledger import Ledger, Op
from fluxboard.server.errors import Unavailable
from fluxboard.server.storage.sql import Tx
from tests.simulation.alarm import alarmed
from tests.simulation.client import SimClient, SimLive, Weather
from tests.simulation.clock import VirtualLoop, calendar, run, stopwatch
from tests.simulation.invariants import LIMIT, as_stored, check_at_rest
from tests.simulation.server import Backend

#: Modules of the server that measure how long something takes.
TIMED: tuple[Any, ...] = (cluster, feed, live, sockets)
COLUMNS = ("todo", "in_progress", "review", "completed")
ACTIONS = (
    *("create", "text", "text", "field", "move", "move", "delete"),
    *("undo", "redo", "decide", "many", "comment"),
)
LINES = ("alpha", "beta", "gamma", "delta")
STORM = Weather(
    lost_request=0.15,
    lost_answer=0.1,
    doubled=0.1,
    lost_event=0.1,
    doubled_event=0.1,
    full_disk=0.05,
    delay=0.4,
)
CALM = Weather(delay=0.02)
#: These say how far a project is, and nothing of what is in it.
NUMBERS = {SYNC_HEAD, SYNC_NEEDED}


class Violation(AssertionError):
    """An invariant does not hold; the text names it."""


class World:
    """One run. ``breakage`` may change the program before it starts, to see whether that is noticed."""

    def __init__(self, seed: int, loop: VirtualLoop, folder: Path) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.loop = loop
        self.weather = CALM
        self.timing = Timing()
        self.project_id = ""
        self.limited = False
        self.clients: list[SimClient] = []
        self.owner = Person("", "", "")
        #: Those who were put out of the project, with its revision then.
        self.out: dict[str, int] = {}
        self.sockets: dict[str, SimLive] = {}
        #: What went wrong where nobody who could end the world was listening.
        self.wrong: list[str] = []
        self.backend = Backend(
            self.chance.randint(1, 3),
            self._deliver,
            self._carry,
            lambda: self.chance.random() < self.weather.full_disk,
        )
        self._folder = folder

    # -- what happens

    async def live(self) -> None:
        """People come, edit in a storm with kills, cuts and restarts, and then the sky clears."""
        self.backend.start()
        await self._settle_in(self.chance.randint(2, 4))
        self.weather = STORM
        for _ in range(self.chance.randint(25, 60)):
            await asyncio.sleep(self.chance.expovariate(1 / 0.7))
            await self._happen()
            self._check_meanwhile()
        await self._heal()
        self._check_meanwhile()
        check_at_rest(self)

    async def _settle_in(self, count: int) -> None:
        first, token = await self.backend.sign_up("p0")
        owner = self.owner = Person(first.id, first.name, first.email)

        def found(tx: Tx) -> str:
            return projects.create(tx, owner, ProjectCreate(name="World"), Op()).id

        self.project_id = await self.backend.write(found)
        if self.chance.random() < 0.5:
            await self.backend.write(lambda tx: self._limit(tx, owner))
        self._add(0, first, token)
        for number in range(1, count):
            user, token = await self.backend.sign_up(f"p{number}")
            invited = MemberAdd(email=user.email, role="admin")

            def join(tx: Tx, invited: MemberAdd = invited) -> None:
                with Ledger(tx, Access(self.project_id, owner, "owner"), Op()) as ledger:
                    people.add(ledger, invited)

            await self.backend.write(join)
            self._add(number, user, token)
        for client in self.clients:
            await client.start()
        # Two terminals of one person, who share the file.
        if self.chance.random() < 0.3:
            twin = self.clients[0]
            self.clients.append(SimClient(self, len(self.clients), twin.user, twin.token, twin.path))
            await self.clients[-1].start()

    def _limit(self, tx: Tx, owner: Person) -> None:
        with Ledger(tx, Access(self.project_id, owner, "owner"), Op()) as ledger:
            columns = tuple(
                msgspec.structs.replace(column, wip_limit=LIMIT, wip_policy="block")
                if column.id == "review"
                else column
                for column in DEFAULT_COLUMNS
            )
            projects.change(ledger, ProjectPatch(columns=columns))
        self.limited = True

    def _add(self, number: int, user: types.User, token: str) -> None:
        self.clients.append(SimClient(self, number, user, token, self._folder / f"client-{number}.db"))

    async def _happen(self) -> None:
        client = self.chance.choice(self.clients)
        roll = self.chance.random()
        if roll < 0.06:
            await client.kill()
        elif roll < 0.12:
            client.cut_off = not client.cut_off
            if client.cut_off and client.socket is not None:
                client.socket.cut()
        elif roll < 0.15 and client.socket is not None:
            client.socket.cut()
        elif roll < 0.18:
            await self._restart_node()
        elif roll < 0.21:
            await self._kick_or_take_back(client)
        elif client.board is None or client.lost:
            await client.kill()
            await client.start()
        else:
            self._edit(client)

    async def _kick_or_take_back(self, client: SimClient) -> None:
        """Puts somebody out of the project who is not its owner, or takes them in again."""
        user = client.user
        if user.id == self.owner.id:
            return

        def work(tx: Tx) -> None:
            with Ledger(tx, Access(self.project_id, self.owner, "owner"), Op()) as ledger:
                if user.id in self.out:
                    people.add(ledger, MemberAdd(user_id=user.id, role="admin"))
                else:
                    people.remove(ledger, user.id)

        if not self.backend.up:
            return
        try:
            await self.backend.write(work, self.chance.choice(self.backend.up))
        except Unavailable:
            return
        if self.out.pop(user.id, None) is None:
            self.out[user.id] = self.backend.head(self.project_id)

    async def _restart_node(self) -> None:
        if not self.backend.up:
            return
        number = self.chance.choice(self.backend.up)
        for client in self.clients:
            if client.socket is not None and client.socket.node is self.backend.nodes[number]:
                client.socket.cut()
        await self.backend.kill(number)
        self.loop.call_later(self.chance.uniform(0.5, 8), self.backend.restart, number)

    def _edit(self, client: SimClient) -> None:
        board, chance = client.board, self.chance
        assert board is not None
        ids = sorted(board.tasks)
        task_id = chance.choice(ids) if ids else None
        action = chance.choice(ACTIONS)
        if task_id is None or action == "create":
            title = "" if chance.random() < 0.05 else f"task {chance.randrange(1000)}"
            made = board.create(TaskCreate(title=title, status=chance.choice(COLUMNS)))
            self.must(made in board.tasks, "I6: a created task is not shown")
        elif action == "text":
            lines = board.tasks[task_id].description.splitlines() or list(LINES)
            lines[chance.randrange(len(lines))] = f"by {client.number} {chance.randrange(100)}"
            patch = TaskPatch(description="\n".join(lines))
            if chance.random() < 0.3:
                patch = TaskPatch(title=f"title {chance.randrange(100)}")
            board.update([task_id], patch)
            for name, value in (("title", patch.title), ("description", patch.description)):
                if value is not msgspec.UNSET:
                    self.must(getattr(board.tasks[task_id], name) == value, "I6: an edit is not shown")
        elif action == "field":
            priority = chance.choice(("low", "medium", "high", "critical"))
            board.update([task_id], TaskPatch(priority=priority, labels=(chance.choice(LINES),)))
            self.must(board.tasks[task_id].priority == priority, "I6: an edit is not shown")
        elif action == "move":
            status, after = chance.choice(COLUMNS), chance.choice(ids)
            board.move([task_id], status, after_id=after if chance.random() < 0.6 else None)
            self.must(board.tasks[task_id].status == status, "I6: a move is not shown")
        elif action == "many":
            some = chance.sample(ids, min(len(ids), chance.randint(2, 4)))
            if chance.random() < 0.2:
                board.create_all(
                    [TaskCreate(title=f"line {n}", status=chance.choice(COLUMNS)) for n in range(3)]
                )
            elif chance.random() < 0.2:
                board.delete(some)
            else:
                board.update(some, TaskPatch(priority=chance.choice(("low", "high"))))
        elif action == "comment":
            self._comment(client, task_id)
        elif action == "delete" and chance.random() < 0.4:
            board.delete([task_id])
            self.must(task_id not in board.tasks, "I6: a deleted task is shown")
        elif action in {"undo", "redo"}:
            travel = board.undo if action == "undo" else board.redo
            try:
                travel()
            except Overtaken:
                if chance.random() < 0.5:
                    travel(overwrite=True)
        elif board.attention:
            op_id = chance.choice(board.attention).edit.op_id
            if chance.random() < 0.5:
                before = {item.edit.op_id for item in board.attention}
                pending = {edit.op_id for edit in board._upkeep.replica.pending}
                board.retry(op_id)
                again = [edit for edit in board._upkeep.replica.pending if edit.op_id not in pending]
                for replaced in before - {item.edit.op_id for item in board.attention}:
                    client.again[replaced] = {edit.op_id: as_stored(edit) for edit in again}
            else:
                board.discard(op_id)
                client.discarded.add(op_id)

    def _comment(self, client: SimClient, task_id: str) -> None:
        board, chance = client.board, self.chance
        assert board is not None
        mine = [comment for comment in board.comments(task_id) if comment.created_by == client.user.id]
        if mine and chance.random() < 0.3:
            board.remove_comment(mine[-1])
        elif mine and chance.random() < 0.5:
            board.change_comment(mine[-1], f"changed {chance.randrange(100)}")
        else:
            made = board.comment(task_id, f"said {chance.randrange(100)}")
            shown = {comment.id for comment in board.comments(task_id)}
            self.must(made in shown, "I6: a comment is not shown")

    async def _heal(self) -> None:
        self.weather = CALM
        for number in list(self.backend.down):
            self.backend.restart(number)
        for client in self.clients:
            if client.user.id in self.out:
                await self._kick_or_take_back(client)
        for client in self.clients:
            client.cut_off = False
        deadline = self.loop.time() + 400
        while not self._quiet():
            for client in self.clients:
                if client.board is None or client.lost:  # a refusal may still have been on its way
                    await client.kill()
                    await client.start()
            if self.loop.time() > deadline:
                words = [client.board.connection if client.board else None for client in self.clients]
                revs = [client.board.rev if client.board else None for client in self.clients]
                raise Violation(f"I1: not quiet: {words} {revs} head {self.backend.head(self.project_id)}")
            await asyncio.sleep(0.5)
            self._check_meanwhile()
        await asyncio.sleep(1)

    def _quiet(self) -> bool:
        head = self.backend.head(self.project_id)
        return all(
            client.board is not None
            and client.board.connection.queued == 0
            and client.board.connection.word == "live"
            and client.board.rev == head
            for client in self.clients
        )

    # -- the wires

    def new_socket(self, socket: SimLive) -> str:
        """The id under which the servers know a connection."""
        socket_id = f"s{len(self.sockets)}"
        self.sockets[socket_id] = socket
        return socket_id

    def _deliver(self, socket_id: str, event: str, data: Any) -> None:
        """What a server sends to a socket; of hints some get lost, come twice, or in another order."""
        socket = self.sockets[socket_id]
        put_out_at = self.out.get(socket.owner.user.id)
        rev = data.get("rev") if event not in NUMBERS else None
        if put_out_at is not None and rev is not None and rev > put_out_at:
            self.wrong.append(f"I9: {event} {rev} is told to somebody who was put out at {put_out_at}")
        copies = 1
        if rev is not None or event in {ACTIVITY_NEW, SYNC_NEEDED}:
            copies = 0 if self.chance.random() < self.weather.lost_event else 1
            copies += self.chance.random() < self.weather.doubled_event
        for _ in range(copies):
            delay = self.chance.uniform(0, self.weather.delay)
            self.loop.call_later(delay, socket.hear, event, data, socket_id)

    def _carry(self, hand_over: Callable[[], None]) -> None:
        """What one server tells another may get lost, come twice, or in another order."""
        copies = 0 if self.chance.random() < self.weather.lost_event else 1
        copies += self.chance.random() < self.weather.doubled_event
        for _ in range(copies):
            self.loop.call_later(self.chance.uniform(0, self.weather.delay), hand_over)

    # -- what must be true

    def must(self, true: bool, what: str) -> None:
        """Raises Violation, which says ``what`` is wrong, when and in which world."""
        if not true:
            raise Violation(f"seed {self.seed} at {self.loop.time():.2f} s: {what}")

    def _check_meanwhile(self) -> None:
        self.must(not self.wrong, "; ".join(self.wrong[:3]))
        for client in self.clients:
            client.note_saved()
            if client.board is not None:
                self.must(client.board.rev >= client.last_rev, "I5: a replica's revision went back")
                client.last_rev = client.board.rev


def simulate(seed: int) -> None:
    """Runs the world of a seed. Raises Violation."""
    loop = VirtualLoop()
    numbers = random.Random(seed)
    before = uuid6.uuid7, types.datetime, random.getstate()
    clocks = [module.time for module in TIMED]
    random.seed(seed)
    made = iter(range(1, 1 << 62))
    uuid6.uuid7 = lambda: uuid6.UUID(int=(next(made) << 64) | 0x8000_0000_0000_0000 | numbers.getrandbits(48))
    types.datetime = calendar(loop)  # type: ignore[misc]
    for module in TIMED:
        module.time = stopwatch(loop)
    asyncio.set_event_loop(loop)
    try:
        with tempfile.TemporaryDirectory(dir=_memory()) as folder:
            world = World(seed, loop, Path(folder))
            with alarmed(world.wrong):
                run(world.live(), loop)
            world.backend.close()
    finally:
        asyncio.set_event_loop(None)
        uuid6.uuid7, types.datetime = before[0], before[1]  # type: ignore[misc]
        for module, clock in zip(TIMED, clocks, strict=True):
            module.time = clock
        random.setstate(before[2])


def _memory() -> str | None:
    """A folder in memory, where there is one: whether the disk keeps its promise is tested with kill -9."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
