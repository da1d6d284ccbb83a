"""A world from a seed: people who edit, faults that come and go, and what must be true when they are over."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import uuid6

from fluxboard.client.live import Timing
from fluxboard.client.undo import Overtaken
from fluxboard.model import types
from fluxboard.model.types import DEFAULT_COLUMNS, ProjectPatch, Task, TaskPatch
from fluxboard.model.wire import (
    ACTIVITY_NEW,
    PRESENCE_UPDATE,
    SYNC_HEAD,
    MemberAdd,
    ProjectCreate,
    TaskCreate,
)
from fluxboard.server.commands import people, projects
from fluxboard.server.commands.access import Access, Person
from fluxboard.server.commands.ledger import Ledger, Op
from fluxboard.server.storage.engine import Committed
from fluxboard.server.storage.sql import Tx
from tests.simulation.client import SimClient, Weather
from tests.simulation.clock import VirtualLoop, calendar, run
from tests.simulation.server import Backend

COLUMNS = ("todo", "in_progress", "review", "completed")
ACTIONS = (
    *("create", "text", "text", "field", "move", "move", "delete"),
    *("undo", "redo", "decide", "many", "comment"),
)
LINES = ("alpha", "beta", "gamma", "delta")
STORM = Weather(lost_request=0.15, lost_answer=0.1, doubled=0.1, lost_event=0.1, doubled_event=0.1, delay=0.4)
CALM = Weather(delay=0.02)
HEAD_SECONDS = 15.0
#: What the column review takes in half of the worlds.
LIMIT = 2


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
        #: The ids of those who were put out of the project.
        self.out: set[str] = set()
        self.backend = Backend(self.chance.randint(1, 3), self._publish)
        self._folder = folder

    # -- what happens

    async def live(self) -> None:
        """People come, edit in a storm with kills, cuts and restarts, and then the sky clears."""
        await self._settle_in(self.chance.randint(2, 4))
        heads = asyncio.create_task(self._tell_heads())
        self.weather = STORM
        try:
            for _ in range(self.chance.randint(25, 60)):
                await asyncio.sleep(self.chance.expovariate(1 / 0.7))
                await self._happen()
                self._check_meanwhile()
            await self._heal()
            self._check_at_rest()
        finally:
            heads.cancel()

    async def _settle_in(self, count: int) -> None:
        first, token = await self.backend.sign_up("p0")
        owner = self.owner = Person(first.id, first.name, first.email)

        def found(tx: Tx) -> str:
            return projects.create(tx, owner, ProjectCreate(name="World"), Op()).id

        self.project_id = await self.backend.storage.write(found)
        if self.chance.random() < 0.5:
            await self.backend.storage.write(lambda tx: self._limit(tx, owner))
        self._add(0, first, token)
        for number in range(1, count):
            user, token = await self.backend.sign_up(f"p{number}")
            invited = MemberAdd(email=user.email, role="admin")

            def join(tx: Tx, invited: MemberAdd = invited) -> None:
                with Ledger(tx, Access(self.project_id, owner, "owner"), Op()) as ledger:
                    people.add(ledger, invited)

            await self.backend.storage.write(join)
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

        await self.backend.storage.write(work)
        self.out ^= {user.id}

    async def _restart_node(self) -> None:
        node = self.chance.randrange(len(self.backend.nodes))
        self.backend.down.add(node)
        for client in self.clients:
            if client.socket is not None and client.node == node:
                client.socket.cut()
        self.loop.call_later(self.chance.uniform(0.5, 8), self.backend.down.discard, node)

    def _edit(self, client: SimClient) -> None:
        board, chance = client.board, self.chance
        assert board is not None
        ids = sorted(board.tasks)
        task_id = chance.choice(ids) if ids else None
        action = chance.choice(
            (
                "create",
                "text",
                "text",
                "field",
                "move",
                "move",
                "delete",
                "undo",
                "redo",
                "decide",
                "many",
                "comment",
            )
        )
        if task_id is None or action == "create":
            title = "" if chance.random() < 0.05 else f"task {chance.randrange(1000)}"
            made = board.create(TaskCreate(title=title, status=chance.choice(COLUMNS)))
            self._must(made in board.tasks, "I6: a created task is not shown")
        elif action == "text":
            lines = board.tasks[task_id].description.splitlines() or list(LINES)
            lines[chance.randrange(len(lines))] = f"by {client.number} {chance.randrange(100)}"
            patch = TaskPatch(description="\n".join(lines))
            if chance.random() < 0.3:
                patch = TaskPatch(title=f"title {chance.randrange(100)}")
            board.update([task_id], patch)
            for name, value in (("title", patch.title), ("description", patch.description)):
                if value is not msgspec.UNSET:
                    self._must(getattr(board.tasks[task_id], name) == value, "I6: an edit is not shown")
        elif action == "field":
            priority = chance.choice(("low", "medium", "high", "critical"))
            board.update([task_id], TaskPatch(priority=priority, labels=(chance.choice(LINES),)))
            self._must(board.tasks[task_id].priority == priority, "I6: an edit is not shown")
        elif action == "move":
            status, after = chance.choice(COLUMNS), chance.choice(ids)
            board.move([task_id], status, after_id=after if chance.random() < 0.6 else None)
            self._must(board.tasks[task_id].status == status, "I6: a move is not shown")
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
            self._must(task_id not in board.tasks, "I6: a deleted task is shown")
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
                board.retry(op_id)
                client.discarded |= before - {item.edit.op_id for item in board.attention}
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
            self._must(made in shown, "I6: a comment is not shown")

    async def _heal(self) -> None:
        self.weather = CALM
        self.backend.down.clear()
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

    # -- the rooms

    def _publish(self, committed: Committed) -> None:
        for client in self.clients:
            socket = client.socket
            if socket is None:
                continue
            if client.user.id in committed.removed_users:
                socket.put_out(self.project_id)
            if socket.out:
                continue
            for event in committed.events:
                if event.name in {ACTIVITY_NEW, PRESENCE_UPDATE}:
                    continue
                data = json.loads(event.payload)
                copies = 0 if self.chance.random() < self.weather.lost_event else 1
                copies += self.chance.random() < self.weather.doubled_event
                for _ in range(copies):
                    delay = self.chance.uniform(0, self.weather.delay)
                    self.loop.call_later(delay, socket.hear, event.name, data)

    async def _tell_heads(self) -> None:
        while True:
            await asyncio.sleep(HEAD_SECONDS)
            head = {"projectId": self.project_id, "rev": self.backend.head(self.project_id)}
            for client in self.clients:
                if client.socket is not None:
                    client.socket.hear(SYNC_HEAD, head)

    # -- what must be true

    def _must(self, true: bool, what: str) -> None:
        if not true:
            raise Violation(f"seed {self.seed} at {self.loop.time():.2f} s: {what}")

    def _check_meanwhile(self) -> None:
        for client in self.clients:
            client.note_saved()
            if client.board is not None:
                self._must(client.board.rev >= client.last_rev, "I5: a replica's revision went back")
                client.last_rev = client.board.rev

    def _check_at_rest(self) -> None:
        truth = self.backend.tasks(self.project_id)
        for client in self.clients:
            board = client.board
            assert board is not None
            confirmed = {task_id: as_stored(task) for task_id, task in board._replica.confirmed.items()}
            self._must(
                confirmed == truth, f"I1: client {client.number} differs: {_difference(confirmed, truth)}"
            )
            shown = {task_id: as_stored(task) for task_id, task in board.tasks.items()}
            self._must(shown == truth, f"I1: client {client.number} shows something else")
            cached = client.store.board("sim " + client.user.id, self.project_id) if client.store else None
            self._must(cached is not None and cached.rev <= board.rev, "the cache is ahead of what was seen")
        standing = sum(task["status"] == "review" for task in truth.values())
        self._must(not self.limited or standing <= LIMIT, "I12: a column stands above its limit")
        self._check_log(truth)
        self._check_operations()

    def _check_log(self, truth: dict[str, dict[str, object]]) -> None:
        rows = self.backend.rows(
            "SELECT rev, body FROM changes WHERE project_id = ? ORDER BY rev", self.project_id
        )
        revs = [int(str(rev)) for rev, _ in rows]
        self._must(revs == list(range(1, len(revs) + 1)), "I4: the log has a gap")
        replayed: dict[str, dict[str, object]] = {}
        for _, body in rows:
            change = json.loads(str(body))
            if change["type"] == "task:deleted":
                replayed.pop(change["taskId"], None)
            elif change.get("task"):
                known = change["task"]["id"] in replayed
                self._must(
                    known or change["type"] == "task:created", "I8: a deleted task came back by itself"
                )
                replayed[change["task"]["id"]] = change["task"]
        self._must(replayed == truth, "I7: the list is not the replay of the log")

    def _check_operations(self) -> None:
        done = {
            str(key)
            for (key,) in self.backend.rows("SELECT key FROM answers WHERE status BETWEEN 200 AND 299")
        }
        deleted = {
            str(found)
            for (found,) in self.backend.rows("SELECT entity_id FROM changes WHERE kind = 'task.deleted'")
        }
        created = {
            str(found)
            for (found,) in self.backend.rows("SELECT entity_id FROM changes WHERE kind = 'task.created'")
        }
        comments = {str(found) for (found,) in self.backend.rows("SELECT id FROM comments")}
        decided = {op_id for client in self.clients for op_id in client.discarded}
        reasons = {
            item.refusal.status for client in self.clients if client.board for item in client.board.attention
        }
        self._must(422 not in reasons, "I3: a repetition was not the same request")
        waiting = {
            item.edit.op_id for client in self.clients if client.board for item in client.board.attention
        }
        for client in self.clients:
            for op_id, edit in client.saved.items():
                # To delete what is deleted, or never was, is done without the server's doing.
                gone = edit["kind"] == "delete" and (
                    edit["task_id"] in deleted or edit["task_id"] not in created
                )
                gone = gone or (edit["kind"] == "comment-remove" and edit["comment_id"] not in comments)
                kept = op_id in done or op_id in waiting or op_id in decided or gone
                self._must(kept, f"I2/I10: client {client.number} lost {edit}")
        rows = self.backend.rows("SELECT op_id, kind, entity_id FROM changes WHERE op_id IS NOT NULL")
        twice = [row for row, count in Counter(rows).items() if count > 1]
        self._must(not twice, f"I3: operations took effect twice: {twice}")


def as_stored(task: Task) -> dict[str, object]:
    found: dict[str, object] = json.loads(msgspec.json.encode(task))
    return found


def _difference(mine: dict[str, Any], truth: dict[str, Any]) -> object:
    for task_id in sorted(mine.keys() | truth.keys()):
        here, there = mine.get(task_id), truth.get(task_id)
        if here is None or there is None:
            return ("missing" if here is None else "too many", task_id)
        if here != there:
            return {name: (here[name], there[name]) for name in there if here[name] != there[name]}
    return None


def simulate(seed: int) -> None:
    """Runs the world of a seed. Raises Violation."""
    loop = VirtualLoop()
    numbers = random.Random(seed)
    before = uuid6.uuid7, types.datetime, random.getstate()
    random.seed(seed)
    made = iter(range(1, 1 << 62))
    uuid6.uuid7 = lambda: uuid6.UUID(int=(next(made) << 64) | 0x8000_0000_0000_0000 | numbers.getrandbits(48))
    types.datetime = calendar(loop)  # type: ignore[misc]
    asyncio.set_event_loop(loop)
    try:
        with tempfile.TemporaryDirectory(dir=_memory()) as folder:
            run(World(seed, loop, Path(folder)).live(), loop)
    finally:
        asyncio.set_event_loop(None)
        uuid6.uuid7, types.datetime = before[0], before[1]  # type: ignore[misc]
        random.setstate(before[2])


def _memory() -> str | None:
    """A folder in memory, where there is one: whether the disk keeps its promise is tested with kill -9."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
