"""One project, live: what is shown, what I may do with it, and what others do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from fluxboard.client.aliases import Aliases
from fluxboard.client.api import ApiError, ApiUnreachable, Layer
from fluxboard.client.comments import Comments
from fluxboard.client.company import Company
from fluxboard.client.editing import Editing
from fluxboard.client.edits import (
    AddComment,
    ChangeComment,
    Delete,
    Edit,
    RemoveComment,
    Restore,
    TaskEdit,
    as_step,
    with_patch,
)
from fluxboard.client.events import (
    AccessLost,
    BoardEvent,
    Changed,
    Commented,
    Connection,
    ConnectionWord,
    ProjectChanged,
    Remote,
    SignInNeeded,
    Trouble,
)
from fluxboard.client.inbox import EVENTS as INBOX_EVENTS
from fluxboard.client.inbox import Inbox
from fluxboard.client.incoming import Incoming
from fluxboard.client.live import State
from fluxboard.client.outbox import Attention, Outbox
from fluxboard.client.outgoing import Outgoing
from fluxboard.client.replica import Replica
from fluxboard.model.stats import StatusChange
from fluxboard.model.text import clean_text
from fluxboard.model.types import (
    Author,
    Comment,
    Member,
    OnlineUser,
    Project,
    ProjectPatch,
    Task,
    TaskPatch,
    User,
    new_id,
    timestamp,
)
from fluxboard.model.wire import AUTH_EXPIRING, AUTH_REFRESH, ActivitiesAnswer, HistoryEntry, TaskCreate

if TYPE_CHECKING:
    from fluxboard.client.session import Session

log = logging.getLogger("fluxboard.client.board")

LOG_MAX: Final = 20_000
LOG_PAGE: Final = 500
FEED_PAGE: Final = 100

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
        self._store = session.store
        self._place = (session.account, project.id)
        self._listeners: list[Callable[[BoardEvent], None]] = []
        self._replica = Replica()
        self._comments = Comments()
        aliases = Aliases()
        self._editing = Editing(self._replica, self._user, self._do, lambda: self._api.layer == "core")
        self._live = session.make_live(
            lambda: session.socket_url,
            project.id,
            (self._user.id, self._user.name),
            token=session.fresh_token,
            renew=self._renew,
            heard=self._heard,
            joined=self._joined,
            state=self._set_state,
            timing=self._timing,
        )
        self._company = Company(
            project.id,
            self._user,
            send=self._live.emit,
            emit=self._emit,
            rev=lambda: self._replica.rev,
        )
        self._incoming = Incoming(
            self._api,
            project,
            self._user,
            self._replica,
            self._comments,
            self._company,
            aliases,
            emit=self._emit,
            missing=self._heal_soon,
            lost=self._lose,
        )
        self._inbox = Inbox(self._api, self._emit)
        self._outgoing = Outgoing(
            self._api,
            project.id,
            self._replica,
            self._comments,
            aliases,
            self._live.emit,
            self._emit,
            self._renamed,
        )
        self._outbox = Outbox(
            session.store,
            self._place,
            self._timing,
            send=self._send,
            together=lambda: self._api.layer == "plus",
            refused=self._refused,
            title_of=self._outgoing.title_of,
            unreachable=self._set_unreachable,
            failed=lambda message: self._emit(Trouble(message)),
        )
        self._state: State = "connecting"
        self._unreachable = False
        self._told: Connection | None = None
        self._saving: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._catching_up = asyncio.Lock()
        self._healing: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._closed = False
        self._lost = False
        self._cached = False

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
        return Connection(word, len(self._replica.pending), len(self._outbox.attention))

    @property
    def online(self) -> tuple[OnlineUser, ...]:
        """Who is in the project now, myself first."""
        return self._company.online

    @property
    def company(self) -> Company:
        """The others in the project, and what they are told of me."""
        return self._company

    @property
    def inbox(self) -> Inbox:
        """What concerns me, and how I want to hear of things."""
        return self._inbox

    @property
    def visited_at(self) -> str:
        """When I last closed this board before this time; "" for never, and where nobody knows."""
        return self._live.visited_at or ""

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
        return self._editing.create([task])[0]

    def create_all(self, tasks: Sequence[TaskCreate]) -> Sequence[str]:
        """Adds tasks as one step that can be undone, and answers their ids."""
        return self._editing.create(tasks)

    def update(self, task_ids: Iterable[str], patch: TaskPatch) -> None:
        """Changes the fields of ``patch`` in each of the tasks."""
        self._editing.update(dict.fromkeys(task_ids, patch))

    def change(self, patches: Mapping[str, TaskPatch]) -> None:
        """Changes tasks, each the fields of its own patch, as one step that can be undone."""
        self._editing.update(patches)

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

    def undo(self, *, overwrite: bool = False) -> str | None:
        """Takes back my last step and says what it was; None where there is none.

        Raises Overtaken, with nothing done, when somebody changed meanwhile what the step changed.
        """
        return self._editing.undo(overwrite=overwrite)

    def redo(self, *, overwrite: bool = False) -> str | None:
        """Does again what was last taken back; None where nothing was. Raises Overtaken."""
        return self._editing.redo(overwrite=overwrite)

    # -- what the server did not take

    @property
    def attention(self) -> tuple[Attention, ...]:
        """My edits that the server refused, oldest first, until I decide."""
        return self._outbox.attention

    def retry(self, op_id: str, patch: TaskPatch | None = None) -> None:
        """Sends a refused edit again, with the values of ``patch`` for its own, over what is there now.

        A task that was deleted meanwhile is restored first.
        """
        item = next((item for item in self.attention if item.edit.op_id == op_id), None)
        if item is None:
            return
        edits = self._outbox.retry(op_id, None if self.layer == "core" else self._replica.rev)
        if patch is not None:
            edits = [with_patch(edit, patch) for edit in edits]
        gone = item.refusal.gone
        if gone is not None and gone.id not in self.tasks and self.layer == "plus":
            edits = [Restore(task_id=gone.id, task=gone), *edits]
        self._do(edits)

    def discard(self, op_id: str) -> None:
        """Gives up a refused edit."""
        self._outbox.discard(op_id)
        self._tell_connection()

    # -- comments

    def comment(self, task_id: str, content: str) -> str:
        """Writes a comment and answers its id."""
        now = timestamp()
        made = Comment(
            id=new_id(),
            task_id=task_id,
            project_id=self.project.id,
            content=clean_text(content),
            created_by=self._user.id,
            created_at=now,
            updated_at=now,
            author=Author(id=self._user.id, name=self._user.name),
        )
        self._do_comment(AddComment(task_id=task_id, comment=made))
        return made.id

    def change_comment(self, comment: Comment, content: str) -> None:
        """Writes another text for one's own comment."""
        changed = msgspec.structs.replace(comment, content=clean_text(content), updated_at=timestamp())
        self._do_comment(ChangeComment(task_id=comment.task_id, comment=changed))

    def remove_comment(self, comment: Comment) -> None:
        """Deletes one's own comment."""
        self._do_comment(RemoveComment(task_id=comment.task_id, comment_id=comment.id))

    def comments(self, task_id: str) -> tuple[Comment, ...]:
        """A task's comments as far as they are known, oldest first; see :meth:`load_comments`."""
        return self._comments.shown(task_id, self._replica.pending)

    async def load_comments(self, task_id: str) -> None:
        """Asks the server for a task's comments. Raises ApiError and ApiUnreachable."""
        try:
            self._comments.load(task_id, await self._api.comments(self.project.id, task_id))
        except ApiError as error:
            if error.status != 404:  # a task that is not there yet, or a server without comments
                raise

    def _do_comment(self, edit: Edit) -> None:
        self._do([edit])
        self._emit(Commented(edit.task_id))

    async def history(self, task_id: str) -> tuple[HistoryEntry, ...]:
        """Who changed what in a task, newest first. Raises ApiError and ApiUnreachable."""
        if self.layer == "core":
            return ()
        return await self._api.history(self.project.id, task_id)

    async def activities(
        self,
        offset: int = 0,
        *,
        user_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> ActivitiesAnswer:
        """A page of what was done in the project, newest first. Raises ApiError and ApiUnreachable."""
        return await self._api.activities(
            self.project.id, FEED_PAGE, offset, user_id=user_id, since=since, until=until
        )

    async def change_project(self, patch: ProjectPatch) -> None:
        """Changes the project itself, at once and not offline. Raises ApiError and ApiUnreachable."""
        project = await self._api.update_project(self.project.id, patch)
        self._incoming.take_project(project)

    async def status_changes(self) -> tuple[StatusChange, ...]:
        """The tasks' moves from column to column, as far back as the log reaches.

        Raises ApiError and ApiUnreachable.
        """
        moves: list[StatusChange] = []
        seen, more = 0, True
        while more and seen < LOG_MAX:
            page = await self._api.activities(self.project.id, limit=LOG_PAGE, offset=seen)
            seen += len(page.activities)
            more = page.has_more and bool(page.activities)
            for activity in page.activities:
                told = activity.metadata
                if told.field == "status" and told.old_value and told.new_value:
                    moves.append(
                        StatusChange(activity.entity_id, told.old_value, told.new_value, activity.timestamp)
                    )
        return tuple(reversed(moves))

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
        if self._cached or self._tasks or self._replica.rev:
            return self._cached
        cached = self._store.board(*self._place)
        if cached is None:
            return False
        self._cached = True
        # What the task list told when the board was first loaded.
        self._api.layer = "core" if cached.rev < 0 else "plus"
        self._incoming.take_cached(cached.tasks, None if cached.rev < 0 else cached.rev)
        self._replica.take_unsaved()
        self._adopt()
        return True

    def _adopt(self) -> None:
        """Shows and sends what an earlier run of the program left."""
        adopted = self._outbox.adopt()
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
            await self._incoming.load()
            self._adopt()
        if self._api.layer == "core":
            await self._incoming.learn_names()
        work = (self._live.run, self._outbox.run, self._poll_forever)
        self._tasks = [asyncio.create_task(self._keep_running(each)) for each in work]
        if cached:
            self._heal_soon(now=True)

    async def idle(self) -> None:
        """Returns when the server has confirmed or refused every edit."""
        await self._outbox.idle()

    async def close(self) -> None:
        """Leaves the project; what is not confirmed within a second is sent when it is next opened."""
        if self._closed:
            return
        self._closed = True
        if self._tasks and self.connection.word != "offline":
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._outbox.idle(), 1)
        with contextlib.suppress(Exception):
            await self._outbox.on_disk()
        self._save()
        await self._inbox.close()
        self._store.release(*self._place)
        await self.abandon()

    async def abandon(self) -> None:
        """Ends all work at once; what is on disk stays there for the next start."""
        self._closed = True
        self._company.close()
        if self._saving is not None:
            self._saving.cancel()
        left = {*self._tasks, *(task for task in (self._healing, self._renewal) if task is not None)}
        while left:
            # Once more where it was lost: before Python 3.12 a wait_for that ends at that moment swallows it.
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=0.5)
        self._tasks = []

    # -- mine

    def _do(self, edits: Sequence[Edit]) -> None:
        """Shows edits at once and queues them."""
        if edits:
            edits = as_step(edits)
            self._outbox.put(edits)
            self._show(edits)

    def _show(self, edits: Sequence[Edit]) -> None:
        if not edits:
            return
        for edit in edits:
            self._replica.add(edit)
        self._emit(Changed(frozenset(edit.task_id for edit in edits)))
        self._tell_connection()

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
                self._emit(SignInNeeded(str(error)))
            raise
        if any(isinstance(edit, Delete) and edit.task_id in self._replica.confirmed for edit in edits):
            self._heal_soon()  # somebody else deleted it before, which is news
        self._tell_connection()
        return outcomes

    def _renamed(self, local_id: str, server_id: str) -> None:
        self._outbox.rename(local_id, server_id)

    def _refused(self, item: Attention) -> None:
        self._outgoing.refused(item)
        self._tell_connection()
        if item.refusal.status in {403, 404, 409, 410}:
            self._heal_soon()

    # -- theirs

    def _heard(self, event: str, data: Any) -> None:
        if event == AUTH_EXPIRING:
            self._renewal = asyncio.create_task(self._renew_socket())
        elif event in INBOX_EVENTS:
            with contextlib.suppress(msgspec.ValidationError):
                self._inbox.hear(event, data)
        else:
            self._incoming.hear(event, data)
            self._company.caught_up()
            self._tell_connection()

    async def _joined(self) -> None:
        """Fetches what was missed while this client was not in the room."""
        if not await self._catch_up():
            self._heal_soon()  # in the room already, so what comes next is heard
        self._company.joined(plus=self.layer == "plus")
        if self.layer == "plus":
            self._inbox.refresh()
        self._outbox.hurry()

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

    async def _keep_running(self, work: Callable[[], Awaitable[None]]) -> None:
        """A defect of ours in the background must neither stop it nor stay unseen."""
        while True:
            try:
                await work()
            except Exception as error:
                log.exception("the board's background work failed")
                self._emit(
                    Trouble(f"Something went wrong and is tried again: {type(error).__name__}: {error}")
                )
            await asyncio.sleep(1)

    async def _poll_forever(self) -> None:
        """While there is no socket, REST tells what is new and whether the server is there."""
        while True:
            usual = self._timing.core_poll if self._api.layer == "core" else self._timing.poll
            # While the word may be about to change, look closer: it must be true within a second or two.
            unsure = self._unreachable or (self._state == "connecting" and self._api.layer != "core")
            await asyncio.sleep(min(1.0, usual) if unsure else usual)
            if self._state != "live" and await self._catch_up():
                self._outbox.hurry()
                if self.layer == "plus":
                    self._inbox.poll()

    def _save_soon(self) -> None:
        """Writes what is confirmed to this computer, a moment later and together."""
        if self._saving is None and not self._closed:
            self._saving = asyncio.get_running_loop().call_later(self._timing.save, self._save)

    def _save(self) -> None:
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
        if self._api.layer is None:
            return
        rev = -1 if self._api.layer == "core" else self._replica.rev
        changed = self._replica.take_unsaved()
        if changed is None:
            self._store.put_board(*self._place, self._replica.confirmed.values(), rev)
        elif changed:
            self._store.put_changes(*self._place, changed, rev)

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

    def _is_due(self, task_id: str) -> bool:
        """Whether a task of mine has a date, so that it may be in my inbox, or no longer."""
        task = self._replica.confirmed.get(task_id)
        return task is not None and task.assigned_to == self._user.id and task.due_date is not None

    def _set_state(self, state: State) -> None:
        self._state = state
        if state == "live":
            self._unreachable = False
            self._outbox.hurry()
        else:
            # The truth about the server comes with the next answer; it is asked for at once.
            self._heal_soon(now=True)
            self._company.alone()
        self._tell_connection()

    def _set_unreachable(self, unreachable: bool) -> None:
        if unreachable != self._unreachable:
            self._unreachable = unreachable
            self._tell_connection()

    def _tell_connection(self) -> None:
        before, now = self._told, self.connection
        if before == now:
            return
        self._told = now
        self._emit(now)
        if before is not None and before.queued and not now.queued:
            self._company.mine_is_in(max(self._replica.rev, self._outgoing.last_rev))

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
        if isinstance(event, Changed):
            self._save_soon()
            if any(self._is_due(task_id) for task_id in event.task_ids):
                self._inbox.refresh_soon()
        elif isinstance(event, Remote):
            self._editing.others_changed(event.task_id, event.fields)
        elif isinstance(event, ProjectChanged):
            self._store.put_project(self._place[0], event.project)
        for listener in list(self._listeners):
            listener(event)
