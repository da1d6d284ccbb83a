"""One project at work: edits on their way, the server's news taken in, this computer's copy written."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from fluxboard.client.aliases import Aliases
from fluxboard.client.api import ApiError, ApiUnreachable
from fluxboard.client.catchup import CatchUp
from fluxboard.client.comments import Comments
from fluxboard.client.company import Company
from fluxboard.client.copy import Copy
from fluxboard.client.edits import (
    Delete,
    Edit,
    TaskEdit,
    as_step,
)
from fluxboard.client.events import (
    AccessLost,
    BoardEvent,
    Changed,
    Connection,
    ConnectionWord,
    ProjectChanged,
    SignInNeeded,
    Trouble,
)
from fluxboard.client.inbox import EVENTS as INBOX_EVENTS
from fluxboard.client.inbox import Inbox
from fluxboard.client.incoming import Incoming
from fluxboard.client.live import Live, State
from fluxboard.client.outbox import Attention, Outbox
from fluxboard.client.outgoing import Outgoing
from fluxboard.client.replica import Replica
from fluxboard.model.types import (
    Project,
)
from fluxboard.model.wire import AUTH_EXPIRING, AUTH_REFRESH

if TYPE_CHECKING:
    from fluxboard.client.session import Session

log = logging.getLogger("fluxboard.client.upkeep")


class Upkeep:
    """Keeps a board at its server's head for as long as it is open, by socket and, without one, by asking.

    What happens is told to the subscribers on the event loop. Not thread-safe.
    """

    def __init__(self, session: Session, project: Project) -> None:
        assert session.user is not None, "signed in"
        self._session = session
        self.api = session.api
        self._timing = session.timing
        self.user = session.user
        self.store = session.store
        self._place = (session.account, project.id)
        self._listeners: list[Callable[[BoardEvent], None]] = []
        self._state: State = "connecting"
        self._unreachable = False
        self._told: Connection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._renewal: asyncio.Task[None] | None = None
        self._closed = False
        self.lost = False
        self._cached = False
        self.replica = Replica(self.user.id)
        self._copy = Copy(session.store, self._place, self.api, self.replica, self._timing.save)
        self.comments = Comments()
        self.inbox = Inbox(self.api, self.emit)
        aliases = Aliases()
        self.live = self._new_live(project.id)
        self.company = Company(
            project.id, self.user, send=self.live.emit, emit=self.emit, rev=lambda: self.replica.rev
        )
        self.incoming = self._new_incoming(project, aliases)
        self._catch_up = CatchUp(
            self.api, self.incoming, self._timing, reached=self._reached, refused=self._not_told
        )
        self._outgoing = Outgoing(
            self.api,
            project.id,
            self.replica,
            self.comments,
            aliases,
            self.live.emit,
            self.emit,
            self._renamed,
        )
        self.outbox = self._new_outbox()

    def _new_live(self, project_id: str) -> Live:
        return self._session.make_live(
            lambda: self._session.socket_url,
            project_id,
            (self.user.id, self.user.name),
            token=self._session.fresh_token,
            renew=self._renew,
            heard=self._heard,
            joined=self._joined,
            state=self._set_state,
            timing=self._timing,
        )

    def _new_incoming(self, project: Project, aliases: Aliases) -> Incoming:
        return Incoming(
            self.api,
            project,
            self.user,
            self.replica,
            self.comments,
            self.company,
            aliases,
            emit=self.emit,
            missing=lambda surely: self._catch_up.soon(at_once=surely),
            lost=self._lose,
        )

    def _new_outbox(self) -> Outbox:
        return Outbox(
            self.store,
            self._place,
            self._timing,
            send=self._send,
            together=lambda: self.api.layer == "plus",
            refused=self._refused,
            title_of=self._outgoing.title_of,
            unreachable=self._set_unreachable,
            failed=lambda message: self.emit(Trouble(message)),
        )

    @property
    def connection(self) -> Connection:
        word: ConnectionWord = self._state
        if self._state != "live" and self._unreachable:
            word = "offline"
        return Connection(word, len(self.replica.pending), len(self.outbox.attention))

    # -- life

    def subscribe(self, callback: Callable[[BoardEvent], None]) -> Callable[[], None]:
        """Calls ``callback`` for each event until the function that is returned is called."""
        self._listeners.append(callback)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(callback)

        return stop

    def open(self) -> bool:
        """Shows the board as it was last seen on this computer, without any network; whether it ever was."""
        if self._cached or self._tasks or self.replica.rev:
            return self._cached
        kept = self._copy.read()
        if kept is None:
            return False
        self._cached = True
        self.incoming.take_cached(*kept)
        self.replica.take_unsaved()
        self._adopt()
        return True

    def _adopt(self) -> None:
        """Shows and sends what programs left that ended."""
        adopted = self.outbox.adopt()
        self._outgoing.doubt(adopted)
        self._show(adopted)

    async def start(self) -> None:
        """Shows the board as it was last seen and then keeps it live.

        One that was never seen is loaded first. Raises ApiError and ApiUnreachable.
        """
        if self._tasks:
            return
        cached = self.open()
        if not cached:
            await self.incoming.load()
            self._adopt()
        if self.api.layer == "core":
            await self.incoming.learn_names()
        work = (self.live.run, self.outbox.run, self._poll)
        self._tasks = [asyncio.create_task(self._keep_running(each)) for each in work]
        if cached:
            self._catch_up.soon(at_once=True)

    async def close(self) -> None:
        """Leaves the project; what is not confirmed within a second is sent when it is next opened."""
        if self._closed:
            return
        self._closed = True
        if self._tasks and self.connection.word != "offline":
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.outbox.idle(), 1)
        with contextlib.suppress(Exception):
            await self.outbox.on_disk()
        self._copy.save()
        await self.inbox.close()
        self.store.release(*self._place)
        await self.abandon()

    async def abandon(self) -> None:
        """Ends all work at once; what is on disk stays there for the next start."""
        self._closed = True
        self.company.close()
        self._copy.stop()
        left = {*self._tasks, *self._catch_up.close()}
        if self._renewal is not None:
            left.add(self._renewal)
        while left:
            # Once more where it was lost: before Python 3.12 a wait_for that ends at that moment swallows it.
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=0.5)
        self._tasks = []

    # -- mine

    def do(self, edits: Sequence[Edit], instead_of: Iterable[str] = ()) -> None:
        """Shows edits at once and queues them, instead of refused ones of these ids."""
        if edits:
            edits = as_step(edits)
            self.outbox.put(edits, instead_of)
            self._show(edits)

    def _show(self, edits: Sequence[Edit]) -> None:
        if not edits:
            return
        for edit in edits:
            self.replica.add(edit)
        self.emit(Changed(frozenset(edit.task_id for edit in edits)))
        self.tell_connection()

    async def _send(self, edits: list[Edit]) -> list[ApiError | None]:
        outcomes: list[ApiError | None] = [None]
        try:
            step = [edit for edit in edits if isinstance(edit, TaskEdit)]
            if len(step) > 1:
                outcomes = await self._outgoing.send_step(step)
            else:
                await self._outgoing.send(edits[0])
        except ApiError as error:
            if error.signed_out:
                self.emit(SignInNeeded(str(error)))
            raise
        if any(isinstance(edit, Delete) and edit.task_id in self.replica.confirmed for edit in edits):
            self._catch_up.soon()  # somebody else deleted it before, which is news
        self.tell_connection()
        return outcomes

    def _renamed(self, local_id: str, server_id: str) -> None:
        self.outbox.rename(local_id, server_id)

    def _refused(self, item: Attention) -> None:
        self._outgoing.refused(item)
        self.tell_connection()
        if item.refusal.status in {403, 404, 409, 410}:
            self._catch_up.soon()

    # -- theirs

    def _heard(self, event: str, data: Any) -> None:
        if event == AUTH_EXPIRING:
            self._renewal = asyncio.create_task(self._renew_socket())
        elif event in INBOX_EVENTS:
            with contextlib.suppress(msgspec.ValidationError):
                self.inbox.hear(event, data)
        else:
            self.incoming.hear(event, data)
            self.company.caught_up()
            self.tell_connection()

    async def _joined(self) -> None:
        """Fetches what was missed while this client was not in the room."""
        if not await self._catch_up.now():
            self._catch_up.soon()  # in the room already, so what comes next is heard
        self.company.joined(plus=self.api.layer == "plus")
        if self.api.layer == "plus":
            self.inbox.refresh()
        self._adopt()  # another terminal may have ended meanwhile, and left what it could not send
        self.outbox.hurry()

    def _reached(self, there: bool) -> None:
        self._set_unreachable(not there)
        if there:
            self.tell_connection()

    def _not_told(self, error: ApiError) -> None:
        if error.signed_out:
            self.emit(SignInNeeded(str(error)))
        elif error.status in {403, 404}:
            self._lose(str(error))

    async def _keep_running(self, work: Callable[[], Awaitable[None]]) -> None:
        """A defect of ours in the background must neither stop it nor stay unseen."""
        while True:
            try:
                await work()
            except Exception as error:
                log.exception("the board's background work failed")
                self.emit(
                    Trouble(f"Something went wrong and is tried again: {type(error).__name__}: {error}")
                )
            await asyncio.sleep(1)

    async def _poll(self) -> None:
        await self._catch_up.poll(
            live=lambda: self._state == "live",
            unsure=lambda: self._unreachable or (self._state == "connecting" and self.api.layer != "core"),
            came=self._polled,
        )

    def _polled(self) -> None:
        self.outbox.hurry()
        if self.api.layer == "plus":
            self.inbox.poll()

    # -- the connection

    def _is_due(self, task_id: str) -> bool:
        """Whether a task of mine has a date, so that it may be in my inbox, or no longer."""
        task = self.replica.confirmed.get(task_id)
        return task is not None and task.assigned_to == self.user.id and task.due_date is not None

    def _set_state(self, state: State) -> None:
        self._state = state
        if state == "live":
            self._unreachable = False
            self.outbox.hurry()
        else:
            # The truth about the server comes with the next answer; it is asked for at once.
            self._catch_up.soon(at_once=True)
            self.company.alone()
        self.tell_connection()

    def _set_unreachable(self, unreachable: bool) -> None:
        if unreachable != self._unreachable:
            self._unreachable = unreachable
            self.tell_connection()

    def tell_connection(self) -> None:
        before, now = self._told, self.connection
        if before == now:
            return
        self._told = now
        self.emit(now)
        if before is not None and before.queued and not now.queued and now.refused <= before.refused:
            self.company.mine_is_in(max(self.replica.rev, self._outgoing.last_rev))

    def _lose(self, reason: str) -> None:
        if self.lost:
            return
        self.lost = True
        for task in self._tasks:
            task.cancel()
        self.emit(AccessLost(reason))

    async def _renew(self) -> bool:
        renewed = await self._session.renew()
        if not renewed:
            self.emit(SignInNeeded("Your sign-in has ended. Sign in again; nothing that you typed is lost."))
        return renewed

    async def _renew_socket(self) -> None:
        with contextlib.suppress(ApiUnreachable):
            if await self._session.renew():
                await self.live.emit(AUTH_REFRESH, {"token": self._session.token})

    def emit(self, event: BoardEvent) -> None:
        if isinstance(event, Changed):
            if not self._closed:
                self._copy.save_soon()
            if any(self._is_due(task_id) for task_id in event.task_ids):
                self.inbox.refresh_soon()
        elif isinstance(event, ProjectChanged):
            self._copy.save_project(event.project)
        for listener in list(self._listeners):
            listener(event)
