"""The rooms: who may join which, and what each hears.

Nothing that a client sends is passed on as data. A client's ``task:*`` is a notice: what was committed went
out at its commit, so a true notice is acknowledged and a false one is answered with ``error``.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import time
from typing import Final

import msgspec
from msgspec.structs import replace

from fluxboard.model.wire import (
    CURSOR_UPDATE,
    JOIN_PROJECT,
    LEAVE_PROJECT,
    PRESENCE_STATE,
    PROJECT_REMOVED,
    SYNC_HEAD,
    TASK_EVENTS,
    TYPING_UPDATE,
    CursorUpdate,
    Head,
    JoinProject,
    PresenceState,
    TypingUpdate,
)
from fluxboard.server.auth import Throttle, Tokens
from fluxboard.server.cluster import Cluster
from fluxboard.server.commands import people, tasks
from fluxboard.server.commands.access import NO_ACCESS, Caller, enter
from fluxboard.server.commands.ledger import encode
from fluxboard.server.commands.replay import heads, replay
from fluxboard.server.company import Company, room_of
from fluxboard.server.errors import Forbidden, NotFound
from fluxboard.server.feed import PATIENCE, Feed
from fluxboard.server.metrics import Metrics
from fluxboard.server.packets import Notice
from fluxboard.server.settings import Settings
from fluxboard.server.sockets import Client, Sockets, room_of_person
from fluxboard.server.storage.engine import Committed, Storage
from fluxboard.server.storage.sql import Tx
from fluxboard.server.traces import Traces
from fluxboard.server.whispers import Whisper

SWEEP_SECONDS: Final = 2.0
MEMBERSHIP_SECONDS: Final = 30.0
#: How often the heads of the rooms are looked up, since other processes commit, too.
LOOK_SECONDS: Final = 1.0
ROOMS_A_SOCKET: Final = 50
#: Clients of a server that ends come to the others within this time.
RETURN_SECONDS: Final = 10.0

log = logging.getLogger("fluxboard.live")


class Live:
    """The rooms of this process: who is in them, and what they hear."""

    def __init__(
        self, settings: Settings, tokens: Tokens, metrics: Metrics, logins: Throttle, traces: Traces
    ) -> None:
        self._traces = traces
        self._metrics = metrics
        self._storage: Storage | None = None
        self._sockets = Sockets(
            settings, tokens, metrics, traces, lambda: self._store, self._came, self._went
        )
        self._clients = self._sockets.clients
        self.sio = self._sockets.sio
        #: Commits to publish in order, and projects of which something was missed.
        self._queue: asyncio.Queue[Committed | str] = asyncio.Queue()
        self._feed = Feed(self._queue.put_nowait, self._queue.put_nowait)
        self._tasks: list[asyncio.Task[None]] = []
        self.cluster = Cluster(
            settings.redis,
            lambda: self.presence,
            take=self._feed.take,
            tell=lambda told: self._queue.put_nowait(Committed("", 0, (), told=(told,))),
            whisper=self._whisper,
            logins=logins,
        )
        self.company = Company(
            self.sio,
            lambda: not self._queue.empty(),
            self._left,
            self.cluster.changed,
            self.cluster.whispered,
        )
        self._leaving: set[asyncio.Task[None]] = set()
        self.presence = self.company.presence
        self._sockets.on(JOIN_PROJECT, JoinProject, self._join)
        self._sockets.on(LEAVE_PROJECT, JoinProject, self._leave)
        self._sockets.on(CURSOR_UPDATE, CursorUpdate, self.company.cursor)
        self._sockets.on(TYPING_UPDATE, TypingUpdate, self.company.typing)
        self._sockets.on(PRESENCE_STATE, PresenceState, self.company.state)
        for event in TASK_EVENTS:
            self._sockets.on(event, Notice, self._notice)

    # -- life

    def start(self, storage: Storage) -> None:
        """Begins to publish and to sweep."""
        self._storage = storage
        self._tasks = [
            asyncio.create_task(self._publish_forever()),
            asyncio.create_task(self._sweep_forever()),
            asyncio.create_task(self._look_forever()),
        ]
        if self.cluster.bus:
            self.cluster.bus.start()

    def publish(self, committed: Committed) -> None:
        """Queues what a commit of this process announced; called in commit order."""
        self.cluster.committed(committed)
        if committed.told:
            self._queue.put_nowait(Committed("", 0, (), told=committed.told))
        if committed.project_id:
            self._feed.take(replace(committed, told=()))

    async def drain(self) -> None:
        """Says what is still to be said, tells every socket that this server ends, and closes them."""
        await self._queue.join()
        # Where others go on serving, not all come to them at once.
        soon, late = (0.0, RETURN_SECONDS) if self.cluster.bus else (1.0, 1.0)
        await self._sockets.drain(lambda: random.uniform(soon, late))  # noqa: S311 - no secret

    def measure(self) -> None:
        """Sets the gauges to how things are now."""
        metrics, waiting = self._metrics, self.sio.waiting()
        metrics.process()
        metrics.sockets.set(len(self._clients))
        rooms = self.sio.manager.rooms.get("/", {})
        metrics.room_sizes(len(rooms.get(room_of(project_id), ())) for project_id in self.presence.rooms())
        metrics.outbound.set(sum(waiting))
        metrics.outbound_longest.set(max(waiting, default=0))
        metrics.unpublished.set(self._queue.qsize())
        metrics.nodes.set(1 + self.cluster.others)
        if self.cluster.bus:
            metrics.redis_lag.set(self.cluster.bus.lag)
            metrics.redis_lost.set(self.cluster.bus.lost)
        if self._storage:
            metrics.storage_jobs.set(self._storage.jobs)
            metrics.storage_connections.set(self._storage.connections)

    async def stop(self) -> None:
        """Ends the background work."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._leaving, return_exceptions=True)
        await self.cluster.stop()

    # -- who comes and goes

    def _came(self, user_id: str) -> None:
        self.cluster.here(user_id, here=True)

    def _went(self, socket_id: str, client: Client) -> None:
        client.joining.clear()
        self.company.forget(socket_id)
        rooms, client.rooms = client.rooms, set()
        user_id = client.caller.user_id
        for project_id in rooms:
            self.presence.leave(project_id, user_id, socket_id)
        if not any(other.caller.user_id == user_id for other in self._clients.values()):
            self.cluster.here(user_id, here=False)

    # -- what clients send

    async def _join(self, socket_id: str, client: Client, wanted: JoinProject) -> dict[str, object]:
        project_id = wanted.project_id
        if len(client.rooms) >= ROOMS_A_SOCKET and project_id not in client.rooms:
            raise Forbidden("Too many projects on one connection")
        # Nobody is in the room before their access is known, and a removal that is published while it is
        # looked up takes the project out of `joining`.
        client.joining.add(project_id)
        self._feed.open(project_id)
        self.cluster.enter(project_id)
        try:
            known, _ = await self._store.read(lambda tx: _head_for(tx, client.caller, project_id))
            if project_id not in client.joining:
                raise Forbidden(NO_ACCESS)
        finally:
            client.joining.discard(project_id)
        await self.sio.enter_room(socket_id, room_of(project_id))
        client.rooms.add(project_id)
        self._feed.begin(project_id, known)
        self.presence.enter(project_id, client.caller.user_id, client.name, socket_id)
        # In the room before the head is read: what is committed in between is heard.
        try:
            rev, visited_at = await self._store.read(lambda tx: _head_for(tx, client.caller, project_id))
        except Exception:
            await self._take_out(socket_id, project_id)
            raise
        return {"ok": True, "rev": rev, "visitedAt": visited_at}

    async def _leave(self, socket_id: str, client: Client, wanted: JoinProject) -> dict[str, object]:
        await self._take_out(socket_id, wanted.project_id)
        return {"ok": True}

    async def _notice(self, socket_id: str, client: Client, notice: Notice) -> dict[str, object]:
        if notice.project_id not in client.rooms:
            raise Forbidden("Join the project first")
        task_id = notice.task.id if notice.task else notice.task_id
        known = await self._store.read(
            lambda tx: tasks.exists(tx, enter(tx, client.caller, notice.project_id), task_id or "")
        )
        if not known:
            raise NotFound(tasks.NO_TASK)
        return {"ok": True}

    # -- what rooms hear

    async def _publish_forever(self) -> None:
        while True:
            waiting = await self._queue.get()
            try:
                if isinstance(waiting, str):
                    await self._heal(waiting)
                else:
                    with self._traces.publishing(waiting):
                        await self._publish(waiting)
            except Exception:
                log.exception("publishing a commit failed")
            finally:
                self._queue.task_done()

    async def _publish(self, committed: Committed) -> None:
        for told in committed.told:
            room = room_of_person(told.user_id)
            await self.sio.emit(told.name, msgspec.Raw(told.payload), room=room)
        project_id = committed.project_id
        for user_id in committed.removed_users:
            await self._remove(project_id, user_id)
        room = room_of(project_id)
        if room not in self.sio.manager.rooms.get("/", {}):
            return
        sender = self._clients.get(committed.socket_id or "")
        own = sender is not None and sender.caller.user_id == committed.user_id
        skipped = committed.socket_id if own else None
        for event in committed.events:
            await self.sio.emit(event.name, msgspec.Raw(event.payload), room=room, skip_sid=skipped)
        self._metrics.publishing.observe(max(0.0, time.time() - committed.at))
        if committed.closed:
            for socket_id, client in list(self._clients.items()):
                if project_id in client.rooms:
                    await self._take_out(socket_id, project_id)

    async def _heal(self, project_id: str) -> None:
        """Tells a room from the log what was missed, after those who may no longer hear it are out."""
        since = self._feed.rev(project_id)
        if since is None:
            return
        await self._sweep_members(project_id)
        head, events = await self._store.read(lambda tx: replay(tx, project_id, since))
        if self._feed.rev(project_id) != since:
            return  # it came meanwhile, and is queued behind this
        for event in events:
            await self.sio.emit(event.name, msgspec.Raw(event.payload), room=room_of(project_id))
        self._feed.healed(project_id, head)

    def _whisper(self, project_id: str, whispers: list[Whisper]) -> None:
        task = asyncio.ensure_future(self.sio.whisper(room_of(project_id), whispers))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _left(self, project_id: str, user_id: str, visible: bool) -> None:
        async def keep() -> None:
            try:
                await self._store.write(lambda tx: people.left(tx, project_id, user_id, visible=visible))
            except Exception:
                log.exception("when somebody left was not kept")

        task = asyncio.ensure_future(keep())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _remove(self, project_id: str, user_id: str) -> None:
        """Takes somebody who is no longer a member out of a room, and tells only them."""
        for socket_id, client in list(self._clients.items()):
            if client.caller.user_id == user_id:
                client.joining.discard(project_id)
                await self._put_out(socket_id, project_id)

    async def _put_out(self, socket_id: str, project_id: str) -> None:
        if await self._take_out(socket_id, project_id):
            await self.sio.emit(PROJECT_REMOVED, {"projectId": project_id}, to=socket_id)

    async def _take_out(self, socket_id: str, project_id: str) -> bool:
        """Whether a socket was in a project's room, which it is no more."""
        client = self._clients.get(socket_id)
        if client is None or project_id not in client.rooms:
            return False
        client.rooms.discard(project_id)
        await self.sio.leave_room(socket_id, room_of(project_id))
        self.presence.leave(project_id, client.caller.user_id, socket_id)
        return True

    # -- the sweep

    async def _sweep_forever(self) -> None:
        last_members = time.monotonic()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self._sockets.sweep()
                await self._tell_heads()
                self.cluster.sweep()
                self.measure()
                if time.monotonic() - last_members >= MEMBERSHIP_SECONDS:
                    last_members = time.monotonic()
                    await self._sweep_members()
            except Exception:
                log.exception("a sweep failed")

    async def _sweep_members(self, only: str | None = None) -> None:
        """A message about a lost membership may itself be lost."""
        held = [
            (socket_id, client.caller, project_id)
            for socket_id, client in self._clients.items()
            for project_id in client.rooms
            if only in {None, project_id}
        ]
        for socket_id, project_id in await self._store.read(lambda tx: _lost(tx, held)) if held else ():
            await self._put_out(socket_id, project_id)

    async def _tell_heads(self) -> None:
        """An event that was the last one and got lost leaves no gap to see; so the head is told."""
        keep = set(self.presence.rooms()).union(*(client.joining for client in self._clients.values()))
        for project_id in self._feed.close(keep):
            self.cluster.leave(project_id)
        for project_id, rev in self._feed.heads():
            message = Head(project_id=project_id, rev=rev)
            await self.sio.emit(SYNC_HEAD, msgspec.Raw(encode(message)), room=room_of(project_id))

    async def _look_forever(self) -> None:
        """The database knows what was committed, whether or not a message said so."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                rooms = self._feed.rooms()
                found = await self._store.read(functools.partial(heads, project_ids=rooms))
                await asyncio.sleep(PATIENCE)  # what is on its way arrives
                for project_id in rooms:
                    told, head = self._feed.rev(project_id), found.get(project_id)
                    # Without a head the project is gone: its people are put out before anything is read.
                    if told is not None and (head is None or told < head):
                        self._queue.put_nowait(project_id)
            except Exception as error:
                log.warning("the heads were not looked up: %s", type(error).__name__)

    @property
    def _store(self) -> Storage:
        assert self._storage is not None, "started"
        return self._storage


def _head_for(tx: Tx, caller: Caller, project_id: str) -> tuple[int, str | None]:
    """A project's revision, and when the caller last closed it."""
    return enter(tx, caller, project_id).rev, people.visited_at(tx, project_id, caller.user_id)


def _lost(tx: Tx, held: list[tuple[str, Caller, str]]) -> list[tuple[str, str]]:
    """The sockets whose person is no longer in the project, with that project."""
    lost = []
    for socket_id, caller, project_id in held:
        try:
            enter(tx, caller, project_id)
        except (Forbidden, NotFound):
            lost.append((socket_id, project_id))
    return lost
