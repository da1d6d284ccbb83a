"""One project, live: what is shown, what I may do with it, and what others do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET

from fluxboard.client.api import ApiError, ApiUnreachable, Layer
from fluxboard.client.editing import Editing
from fluxboard.client.edits import Create, Delete, Edit, Restore, Update
from fluxboard.client.events import (
    AccessLost,
    BoardEvent,
    Changed,
    Connection,
    ConnectionWord,
    News,
    Presence,
    ProjectChanged,
    Refused,
    Remote,
    SignInNeeded,
)
from fluxboard.client.flusher import Flusher
from fluxboard.client.hygiene import convert
from fluxboard.client.live import Live, State
from fluxboard.client.replica import Applied, Replica
from fluxboard.model.types import (
    COMPLETED,
    Activity,
    Member,
    OnlineUser,
    Project,
    Task,
    TaskPatch,
    User,
)
from fluxboard.model.wire import (
    AUTH_REFRESH,
    PROJECT_DELETED,
    PROJECT_REMOVED,
    SYNC_NEEDED,
    TASK_CREATED,
    TASK_DELETED,
    TASK_EVENTS,
    TASK_UPDATED,
    Change,
    CommentNotice,
    Head,
    PresenceNotice,
    TaskCreate,
    TasksAnswer,
)

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
        self._project = project
        self._user = session.user
        self._replica = Replica()
        self._editing = Editing(self._replica, self._user, self._do, lambda: self._api.layer == "core")
        self._listeners: list[Callable[[BoardEvent], None]] = []
        self._online: tuple[OnlineUser, ...] = (self._me(),)
        self._state: State = "connecting"
        self._unreachable = False
        self._word: ConnectionWord = "connecting"
        self._told: Connection | None = None
        self._flusher = Flusher(self._send, self._refused, self._set_unreachable, self._timing)
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
        self._tasks: list[asyncio.Task[None]] = []
        self._catching_up = asyncio.Lock()
        self._healing: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._etag: str | None = None
        self._closed = False
        self._names: dict[str, str] = {self._user.id: self._user.name}
        # A Core server names a new task itself; here it keeps the name it was shown under.
        self._local_ids: dict[str, str] = {}
        self._server_ids: dict[str, str] = {}

    # -- what is shown

    @property
    def project(self) -> Project:
        return self._project

    @property
    def user(self) -> User:
        return self._user

    @property
    def layer(self) -> Layer:
        """What the server speaks; known once the board has started."""
        return self._api.layer or "core"

    @property
    def connection(self) -> Connection:
        return Connection(self._word, len(self._replica.pending))

    @property
    def online(self) -> tuple[OnlineUser, ...]:
        return self._online

    @property
    def members(self) -> tuple[Member, ...]:
        """The project's members; a Core server gives no names, so those that were heard."""
        return tuple(
            member
            if member.name
            else msgspec.structs.replace(member, name=self._names.get(member.user_id, ""))
            for member in self._project.members
        )

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
        await self._reload()
        self._do(self._session.unsent.pop(self._project.id, ()))
        if self._api.layer == "core":
            await self._learn_names()
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
        if self._tasks and self._word != "offline":
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._flusher.idle(), 1)
        if self._replica.pending:
            self._session.unsent[self._project.id] = tuple(self._replica.pending)
        extra = [task for task in (self._healing, self._renewal) if task is not None]
        for task in (*self._tasks, *extra):
            task.cancel()
        await asyncio.gather(*self._tasks, *extra, return_exceptions=True)
        self._tasks = []

    # -- edits

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
        """Sends one edit and takes the answer as confirmed. Raises ApiError and ApiUnreachable."""
        try:
            await self._send_as(edit)
        except ApiError as error:
            if error.signed_out:
                self._need_sign_in(error)
            elif error.status in {404, 410} and isinstance(edit, Delete):
                self._settle(edit, None, 0)  # gone already, which is what was wanted
                return
            raise

    async def _send_as(self, edit: Edit) -> None:
        project_id, key = self._project.id, edit.op_id
        server_id = self._server_ids.get(edit.task_id, edit.task_id)
        match edit:
            case Create(body=body):
                made = await self._api.send_create(project_id, body, key)
                if made.task.id != edit.task_id:
                    self._local_ids[made.task.id] = edit.task_id
                    self._server_ids[edit.task_id] = made.task.id
                self._settle(edit, made.task, made.rev)
                await self._notify(TASK_CREATED, {"task": made.task})
            case Restore():
                restored = await self._api.restore_task(project_id, server_id, key)
                self._settle(edit, restored.task, restored.rev)
                await self._notify(TASK_CREATED, {"task": restored.task})
            case Update(patch=patch):
                task = self.tasks.get(edit.task_id) or Task(id=server_id, title="")
                known = msgspec.structs.replace(task, id=server_id)
                changed = await self._api.send_update(project_id, known, self._for_server(patch), key)
                self._settle(edit, changed.task, changed.rev)
                await self._notify(TASK_UPDATED, {"task": changed.task})
            case Delete():
                self._settle(edit, None, await self._api.delete_task(project_id, server_id, key))
                await self._notify(TASK_DELETED, {"taskId": server_id})

    def _for_server(self, patch: TaskPatch) -> TaskPatch:
        """A patch with the ids that the server knows."""
        after, before = patch.after_id, patch.before_id
        if not self._server_ids or (after is UNSET and before is UNSET):
            return patch
        return msgspec.structs.replace(
            patch,
            after_id=self._server_ids.get(after, after) if isinstance(after, str) else after,
            before_id=self._server_ids.get(before, before) if isinstance(before, str) else before,
        )

    def _settle(self, edit: Edit, task: Task | None, rev: int) -> None:
        shown = self.tasks.get(edit.task_id)
        self._replica.confirm(edit, self._localized(task) if task else None, rev)
        if self.tasks.get(edit.task_id) != shown:
            self._emit(Changed(frozenset({edit.task_id})))
        self._tell_connection()

    async def _notify(self, event: str, content: dict[str, Any]) -> None:
        await self._live.emit(event, msgspec.to_builtins({"projectId": self._project.id, **content}))

    def _refused(self, edit: Edit, error: ApiError) -> None:
        shown = self.tasks.get(edit.task_id)
        title = shown.title if shown else ""
        if isinstance(edit, Create | Restore):
            title = edit.task.title
        self._replica.refuse(edit)
        self._emit(Changed(frozenset({edit.task_id})))
        self._emit(Refused(edit.task_id, title, edit.action, str(error), error.status))
        self._tell_connection()
        if error.status in {403, 404, 410}:
            self._heal_soon()

    # -- what the server says

    async def _reload(self) -> None:
        found = await self._api.tasks_if_changed(self._project.id, None)
        assert found is not None, "asked without a tag"
        answer, self._etag = found
        self._load(answer)

    def _load(self, answer: TasksAnswer) -> None:
        first = not self._replica.confirmed and not self._replica.rev
        changed = self._replica.load((self._localized(task) for task in answer.tasks), answer.rev)
        if changed or first:
            self._emit(Changed(frozenset() if first or len(changed) > 500 else changed))

    async def _joined(self) -> None:
        """Fetches what was missed while this client was not in the room."""
        await self._catch_up()
        self._flusher.hurry()

    async def _catch_up(self) -> bool:
        """Brings the replica to the server's head; False when it cannot be reached."""
        async with self._catching_up:
            try:
                if self._api.layer == "core":
                    found = await self._api.tasks_if_changed(self._project.id, self._etag)
                    if found is not None:
                        answer, self._etag = found
                        self._load(answer)
                else:
                    await self._walk()
            except ApiUnreachable:
                self._set_unreachable(True)
                return False
            except ApiError as error:
                self._on_error(error)
                return error.status == 429
            self._set_unreachable(False)
            return True

    async def _walk(self) -> None:
        while True:
            try:
                answer = await self._api.changes_if_any(self._project.id, self._replica.rev)
            except ApiError as error:
                if error.status != 410:
                    raise
                await self._reload()
                return
            if answer is None:
                return
            for change in answer.changes:
                self._take(change)
            if not answer.has_more or not answer.changes:
                return

    async def _poll_forever(self) -> None:
        """While there is no socket, REST tells what is new and whether the server is there."""
        while True:
            slow = self._api.layer == "core"
            fallback = self._timing.core_poll if slow else self._timing.poll
            await asyncio.sleep(min(1.0, fallback) if self._state == "connecting" and not slow else fallback)
            if self._state != "live" and await self._catch_up():
                self._flusher.hurry()

    def _heard(self, event: str, data: Any) -> None:
        """An event of the socket. What does not fit the contract counts as a sign that something is new."""
        escaped = self._api.layer == "core"
        try:
            match event:
                case "presence:update":
                    self._take_presence(convert(data, PresenceNotice, escaped=escaped))
                case "activity:new":
                    activity = convert(data, Activity, escaped=escaped)
                    self._names.setdefault(activity.user_id, activity.user_name)
                    self._emit(News(activity))
                case "sync:head" | "sync:needed":
                    if convert(data, Head).rev > self._replica.rev:
                        self._heal_soon(now=event == SYNC_NEEDED)
                case "project:removed" | "project:deleted":
                    self._lose(
                        "You are no longer a member of this project" if event == PROJECT_REMOVED else ""
                    )
                case "auth:expiring":
                    self._renewal = asyncio.create_task(self._renew_socket())
                case "auth:expired" | "server:draining" | "error":
                    pass
                case "comment:created" | "comment:updated":
                    notice = convert(data, CommentNotice, escaped=escaped)
                    self._take(
                        Change(
                            type=event,
                            rev=notice.rev,
                            task=notice.task,
                            comment=notice,
                            user_id=notice.user_id,
                            user_name=notice.user_name,
                            op_id=notice.op_id,
                        )
                    )
                case _:
                    known = data if isinstance(data, dict) else {}
                    if event in TASK_EVENTS or "rev" in known:
                        self._take(convert({**known, "type": event}, Change, escaped=escaped))
        except (msgspec.ValidationError, TypeError):
            self._heal_soon()

    def _take(self, change: Change) -> None:
        """One committed change, from the socket or from the log."""
        if self._local_ids:
            task_id = change.task_id
            change = msgspec.structs.replace(
                change,
                task=self._localized(change.task) if change.task else None,
                task_id=self._local_ids.get(task_id, task_id) if task_id else None,
            )
        following: Change | None = change
        while following is not None:
            applied = self._replica.apply(following)
            if applied.outcome == "early":
                self._heal_soon()
                return
            if applied.outcome == "fresh":
                self._announce(following, applied)
            following = self._replica.next_early()
        self._tell_connection()

    def _announce(self, change: Change, applied: Applied) -> None:
        before = applied.before
        task = change.task
        task_id = task.id if task else change.task_id
        if change.user_id and change.user_name:
            self._names[change.user_id] = change.user_name
        if task_id is not None and applied.changed:
            self._emit(Changed(frozenset({task_id})))
        if change.project is not None:
            self._project = change.project
            self._emit(ProjectChanged(change.project))
        if change.type == PROJECT_DELETED:
            self._lose("")
        if change.type not in TASK_EVENTS or change.user_id == self._user.id or task_id is None:
            return
        kind = _kind(change, before)
        title = (task or before).title if (task or before) else change.task_title or ""  # type: ignore[union-attr]
        self._emit(Remote(kind, change.user_id, change.user_name, task_id, title, task, change.fields))

    def _take_presence(self, notice: PresenceNotice) -> None:
        if notice.project_id != self._project.id:
            return
        people = {user.id: user for user in reversed(notice.users)}
        self._names.update({user.id: user.name for user in notice.users if user.name})
        self._online = tuple(reversed(people.values()))
        self._emit(Presence(self._online))

    # -- the connection's word

    def _set_state(self, state: State) -> None:
        self._state = state
        if state == "live":
            self._unreachable = False
            self._flusher.hurry()
        else:
            # The truth about the server comes with the next answer; it is asked for at once.
            self._heal_soon(now=True)
            if self._online != (self._me(),):
                self._online = (self._me(),)
                self._emit(Presence(self._online))
        self._tell_connection()

    def _set_unreachable(self, unreachable: bool) -> None:
        if unreachable != self._unreachable:
            self._unreachable = unreachable
            self._tell_connection()

    def _tell_connection(self) -> None:
        word: ConnectionWord = self._state
        if self._state != "live" and self._unreachable:
            word = "offline"
        self._word = word
        if self._told != (now := self.connection):
            self._told = now
            self._emit(now)

    def _heal_soon(self, *, now: bool = False) -> None:
        """Asks for what is missing, unless it arrives within a moment: events of two workers can cross."""
        if self._closed or (self._healing is not None and not self._healing.done()):
            return

        async def heal() -> None:
            if not now:
                await asyncio.sleep(self._timing.gap)
            await self._catch_up()

        self._healing = asyncio.create_task(heal())

    def _on_error(self, error: ApiError) -> None:
        if error.signed_out:
            self._need_sign_in(error)
        elif error.status in {403, 404}:
            self._lose(str(error))

    def _lose(self, reason: str) -> None:
        self._live.cut()
        self._emit(AccessLost(reason or "This project was deleted"))

    def _need_sign_in(self, error: ApiError) -> None:
        self._emit(SignInNeeded(str(error)))

    async def _renew(self) -> bool:
        renewed = await self._session.renew()
        if not renewed:
            self._emit(SignInNeeded("Your sign-in has ended. Sign in again; nothing that you typed is lost."))
        return renewed

    async def _renew_socket(self) -> None:
        with contextlib.suppress(ApiUnreachable):
            if await self._session.renew():
                await self._live.emit(AUTH_REFRESH, {"token": self._session.token})

    async def _learn_names(self) -> None:
        with contextlib.suppress(ApiError, ApiUnreachable):
            for activity in (await self._api.activities(self._project.id, limit=100)).activities:
                if activity.user_name:
                    self._names.setdefault(activity.user_id, activity.user_name)

    # -- small things

    def _emit(self, event: BoardEvent) -> None:
        for listener in list(self._listeners):
            listener(event)

    def _me(self) -> OnlineUser:
        return OnlineUser(id=self._user.id, name=self._user.name)

    def _localized(self, task: Task) -> Task:
        local = self._local_ids.get(task.id)
        return task if local is None else msgspec.structs.replace(task, id=local)


def _kind(change: Change, before: Task | None) -> Any:
    if change.type == TASK_CREATED:
        return "created"
    if change.type == TASK_DELETED:
        return "deleted"
    task = change.task
    completed = task is not None and task.status == COMPLETED
    was_open = "status" in change.fields if change.fields else before is None or before.status != COMPLETED
    return "completed" if completed and was_open else "updated"
