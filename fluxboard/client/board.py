"""One project, live: what is shown, what I may do with it, and what others do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from fluxboard.client.aliases import Aliases
from fluxboard.client.api import ApiError, ApiUnreachable, Layer
from fluxboard.client.editing import Editing
from fluxboard.client.edits import Edit
from fluxboard.client.events import (
    AccessLost,
    BoardEvent,
    Changed,
    Connection,
    ConnectionWord,
    SignInNeeded,
)
from fluxboard.client.flusher import Flusher
from fluxboard.client.incoming import Incoming
from fluxboard.client.live import Live, State
from fluxboard.client.outgoing import Outgoing
from fluxboard.client.replica import Replica
from fluxboard.model.types import Member, OnlineUser, Project, Task, TaskPatch, User
from fluxboard.model.wire import AUTH_EXPIRING, AUTH_REFRESH, TaskCreate

if TYPE_CHECKING:
    from fluxboard.client.session import Session

CORE_NOTES: Final = (
    "This server speaks the basic protocol only. Off: the order inside a column, labels, the members' names.",
    "It may refuse the column Review and the priority Critical, and it limits how often one may ask.",
)


class Board:
    """Edits are shown when the call returns and sent in the background, in order.

    What happens is told to the subscribers on the event loop. Not thread-safe.
    """

    def __init__(self, session: Session, project: Project) -> None:
        """Use :meth:`fluxboard.client.session.Session.board`."""
        assert session.user is not None, "signed in"
        self._session = session
        self._api = session.api
        self._timing = session.timing
        self._user = session.user
        self._listeners: list[Callable[[BoardEvent], None]] = []
        self._replica = Replica()
        aliases = Aliases()
        self._editing = Editing(self._replica, self._user, self._do, lambda: self._api.layer == "core")
        self._incoming = Incoming(
            self._api,
            project,
            self._user,
            self._replica,
            aliases,
            emit=self._emit,
            missing=self._heal_soon,
            lost=self._lose,
        )
        self._live = Live(
            session.socket_url,
            project.id,
            (self._user.id, self._user.name),
            token=session.fresh_token,
            renew=self._renew,
            heard=self._heard,
            joined=self._joined,
            state=self._set_state,
            timing=self._timing,
        )
        self._outgoing = Outgoing(self._api, project.id, self._replica, aliases, self._live.emit, self._emit)
        self._flusher = Flusher(self._send, self._refused, self._set_unreachable, self._timing)
        self._state: State = "connecting"
        self._unreachable = False
        self._told: Connection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._catching_up = asyncio.Lock()
        self._healing: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._closed = False
        self._lost = False

    # -- what is shown

    @property
    def project(self) -> Project:
        return self._incoming.project

    @property
    def user(self) -> User:
        return self._user

    @property
    def layer(self) -> Layer:
        """What the server speaks; known once the board has started."""
        return self._api.layer or "core"

    @property
    def connection(self) -> Connection:
        word: ConnectionWord = self._state
        if self._state != "live" and self._unreachable:
            word = "offline"
        return Connection(word, len(self._replica.pending))

    @property
    def online(self) -> tuple[OnlineUser, ...]:
        return self._incoming.online

    @property
    def members(self) -> tuple[Member, ...]:
        return self._incoming.members

    @property
    def tasks(self) -> Mapping[str, Task]:
        return self._replica.shown

    @property
    def rev(self) -> int:
        """The revision up to which everything is known; 0 on a Core server."""
        return self._replica.rev

    @property
    def notes(self) -> tuple[str, ...]:
        """What this server cannot do, in words for the user."""
        return CORE_NOTES if self._api.layer == "core" else ()

    def column_ids(self, status: str) -> Sequence[str]:
        """The ids of a column's tasks, from top to bottom."""
        return self._replica.column(status)

    # -- what I do

    def create(self, task: TaskCreate) -> str:
        """Adds a task and answers its id."""
        return self._editing.create(task)

    def update(self, task_ids: Iterable[str], patch: TaskPatch) -> None:
        """Changes the fields of ``patch`` in each of the tasks."""
        self._editing.update(task_ids, patch)

    def move(
        self,
        task_ids: Iterable[str],
        status: str,
        *,
        after_id: str | None = None,
        before_id: str | None = None,
    ) -> None:
        """Puts tasks into a column, in the order given, behind or before a neighbour, else at its bottom."""
        self._editing.move(task_ids, status, after_id, before_id)

    def delete(self, task_ids: Iterable[str]) -> None:
        """Deletes tasks."""
        self._editing.delete(task_ids)

    def undo(self) -> str | None:
        """Takes back my last step and says what it was; None where there is none."""
        return self._editing.undo()

    def redo(self) -> str | None:
        """Does again what was last taken back; None where nothing was."""
        return self._editing.redo()

    # -- life

    def subscribe(self, callback: Callable[[BoardEvent], None]) -> Callable[[], None]:
        """Calls ``callback`` for each event until the function that is returned is called."""
        self._listeners.append(callback)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(callback)

        return stop

    async def start(self) -> None:
        """Loads the board, then keeps it live. Raises ApiError and ApiUnreachable."""
        await self._incoming.load()
        self._do(self._session.unsent.pop(self.project.id, ()))
        if self._api.layer == "core":
            await self._incoming.learn_names()
        if not self._tasks:
            work = (self._live.run(), self._flusher.run(), self._poll_forever())
            self._tasks = [asyncio.create_task(coroutine) for coroutine in work]

    async def idle(self) -> None:
        """Returns when the server has confirmed or refused every edit."""
        await self._flusher.idle()

    async def close(self) -> None:
        """Leaves the project; what is not confirmed within a second waits in the session."""
        if self._closed:
            return
        self._closed = True
        if self._tasks and self.connection.word != "offline":
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._flusher.idle(), 1)
        if self._replica.pending:
            self._session.unsent[self.project.id] = tuple(self._replica.pending)
        extra = [task for task in (self._healing, self._renewal) if task is not None]
        for task in (*self._tasks, *extra):
            task.cancel()
        await asyncio.gather(*self._tasks, *extra, return_exceptions=True)
        self._tasks = []

    # -- mine

    def _do(self, edits: Sequence[Edit]) -> None:
        """Shows edits at once and queues them."""
        if not edits:
            return
        for edit in edits:
            self._replica.add(edit)
            self._flusher.put(edit)
        self._emit(Changed(frozenset(edit.task_id for edit in edits)))
        self._tell_connection()

    async def _send(self, edit: Edit) -> None:
        try:
            await self._outgoing.send(edit)
        except ApiError as error:
            if error.signed_out:
                self._emit(SignInNeeded(str(error)))
            raise
        self._tell_connection()

    def _refused(self, edit: Edit, error: ApiError) -> None:
        self._outgoing.refused(edit, error)
        self._tell_connection()
        if error.status in {403, 404, 410}:
            self._heal_soon()

    # -- theirs

    def _heard(self, event: str, data: Any) -> None:
        if event == AUTH_EXPIRING:
            self._renewal = asyncio.create_task(self._renew_socket())
        else:
            self._incoming.hear(event, data)
            self._tell_connection()

    async def _joined(self) -> None:
        """Fetches what was missed while this client was not in the room."""
        await self._catch_up()
        self._flusher.hurry()

    async def _catch_up(self) -> bool:
        """Brings the replica to the server's head; False when it cannot be reached."""
        async with self._catching_up:
            try:
                await self._incoming.catch_up()
            except ApiUnreachable:
                self._set_unreachable(True)
                return False
            except ApiError as error:
                if error.signed_out:
                    self._emit(SignInNeeded(str(error)))
                elif error.status in {403, 404}:
                    self._lose(str(error))
                return False
            self._set_unreachable(False)
            self._tell_connection()
            return True

    async def _poll_forever(self) -> None:
        """While there is no socket, REST tells what is new and whether the server is there."""
        while True:
            usual = self._timing.core_poll if self._api.layer == "core" else self._timing.poll
            # While the word may be about to change, look closer: it must be true within a second or two.
            unsure = self._unreachable or (self._state == "connecting" and self._api.layer != "core")
            await asyncio.sleep(min(1.0, usual) if unsure else usual)
            if self._state != "live" and await self._catch_up():
                self._flusher.hurry()

    def _heal_soon(self, now: bool = False) -> None:
        """Asks for what is missing, unless it arrives within a moment: events of two workers can cross."""
        if self._closed or (self._healing is not None and not self._healing.done()):
            return

        async def heal() -> None:
            if not now:
                await asyncio.sleep(self._timing.gap)
            await self._catch_up()

        self._healing = asyncio.create_task(heal())

    # -- the connection

    def _set_state(self, state: State) -> None:
        self._state = state
        if state == "live":
            self._unreachable = False
            self._flusher.hurry()
        else:
            # The truth about the server comes with the next answer; it is asked for at once.
            self._heal_soon(now=True)
            self._incoming.alone()
        self._tell_connection()

    def _set_unreachable(self, unreachable: bool) -> None:
        if unreachable != self._unreachable:
            self._unreachable = unreachable
            self._tell_connection()

    def _tell_connection(self) -> None:
        if self._told != (now := self.connection):
            self._told = now
            self._emit(now)

    def _lose(self, reason: str) -> None:
        if self._lost:
            return
        self._lost = True
        for task in self._tasks:
            task.cancel()
        self._emit(AccessLost(reason))

    async def _renew(self) -> bool:
        renewed = await self._session.renew()
        if not renewed:
            self._emit(SignInNeeded("Your sign-in has ended. Sign in again; nothing that you typed is lost."))
        return renewed

    async def _renew_socket(self) -> None:
        with contextlib.suppress(ApiUnreachable):
            if await self._session.renew():
                await self._live.emit(AUTH_REFRESH, {"token": self._session.token})

    def _emit(self, event: BoardEvent) -> None:
        for listener in list(self._listeners):
            listener(event)
