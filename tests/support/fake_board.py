"""A board and a session in memory, which speak as the client's do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from fluxboard.client.company import Company
from fluxboard.client.edits import patch_values
from fluxboard.client.events import (
    BoardEvent,
    Changed,
    Commented,
    Connection,
    ProjectChanged,
    Remote,
)
from fluxboard.client.inbox import Inbox
from fluxboard.client.outbox import Attention
from fluxboard.client.undo import Overtaken
from fluxboard.model.notify import InboxAnswer, InboxDone, InboxItem, Preferences
from fluxboard.model.order import between
from fluxboard.model.stats import StatusChange
from fluxboard.model.types import (
    COMPLETED,
    Activity,
    Author,
    Comment,
    Member,
    OnlineUser,
    Project,
    ProjectPatch,
    Task,
    TaskPatch,
    User,
)
from fluxboard.model.wire import ActivitiesAnswer, HistoryEntry, TaskCreate

NOW = "2026-03-11T11:00:00.000Z"
ME = User(id="u-me", email="me@example.com", name="Ada")
MILA = Member(user_id="u-mila", name="Mila Lund", email="mila@example.com")


class FakeMail:
    """The part of a server's REST that keeps an inbox."""

    #: This server never wants to be left alone.
    rest = 0.0

    def __init__(self) -> None:
        self.items: tuple[InboxItem, ...] = ()
        self.wanted = Preferences()
        self.muted: tuple[str, ...] = ()

    async def inbox(self) -> InboxAnswer:
        items = tuple(item for item in self.items if not item.done)
        return InboxAnswer(items=items, unread=len(items), muted=self.muted)

    async def mark_inbox(self, body: InboxDone) -> InboxAnswer:
        self.items = tuple(
            msgspec.structs.replace(item, done=body.done) if item.id in body.ids else item
            for item in self.items
        )
        return await self.inbox()

    async def mute(self, project_id: str, task_id: str, *, muted: bool) -> None:
        self.muted = tuple({*self.muted, task_id} if muted else {*self.muted} - {task_id})

    async def preferences(self) -> Preferences:
        return self.wanted

    async def set_preferences(self, preferences: Preferences) -> None:
        self.wanted = preferences


class FakeBoard:
    """Keeps tasks in a dict; ``remote_*`` are what a teammate does."""

    def __init__(self, tasks: Iterable[Task] = (), project: Project | None = None) -> None:
        self.user = ME
        self.layer: Literal["core", "plus"] = "plus"
        self.connection = Connection("live", 0)
        self.members: tuple[Member, ...] = (Member(user_id=ME.id, name=ME.name, role="owner"), MILA)
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.notes: tuple[str, ...] = ()
        self.project = project or Project(id="p1", name="Website relaunch")
        self.attention: tuple[Attention, ...] = ()
        self.retried: list[tuple[str, TaskPatch | None]] = []
        self.past_of: dict[str, tuple[HistoryEntry, ...]] = {}
        self.overtaken: Overtaken | None = None
        self.said: list[Comment] = []
        self.moves: tuple[StatusChange, ...] = ()
        self.log_pages: tuple[asyncio.Event, ...] = ()
        self.gate: asyncio.Event | None = None
        self.shown: dict[str, Task] = {}
        self.started = 0
        self.closed = False
        self.fail: Exception | None = None
        self._past: list[tuple[str, dict[str, Task]]] = []
        self._future: list[tuple[str, dict[str, Task]]] = []
        self._listeners: list[Callable[[BoardEvent], None]] = []
        self._made = 0
        self.mail = FakeMail()
        self.inbox = Inbox(self.mail, self.emit)  # type: ignore[arg-type]
        self.visited_at = ""
        self.done: list[Activity] = []
        self.company = Company(self.project.id, ME, send=self._tell, emit=self.emit, rev=lambda: self._made)
        for task in tasks:
            self.shown[task.id] = task if task.position else self._placed(task)

    @property
    def tasks(self) -> Mapping[str, Task]:
        return self.shown

    @property
    def online(self) -> tuple[OnlineUser, ...]:
        return self.company.online

    @online.setter
    def online(self, users: tuple[OnlineUser, ...]) -> None:
        """Who is here from the start."""
        self.company.online = users
        self.company._listed = {user.id: user for user in users if user.id != ME.id}

    def column_ids(self, status: str) -> Sequence[str]:
        mine = [task for task in self.shown.values() if task.status == status]
        return [task.id for task in sorted(mine, key=lambda task: (task.position, task.id))]

    # -- my edits

    def create(self, task: TaskCreate) -> str:
        self._remember(f"create {task.title}")
        self._made += 1
        made = Task(
            id=task.id or f"made-{self._made}",
            title=task.title,
            description=task.description,
            status=task.status,
            priority=task.priority,
            assigned_to=task.assigned_to,
            due_date=task.due_date,
            labels=task.labels,
            checklist=task.checklist,
        )
        self.shown[made.id] = self._placed(made)
        self.emit(Changed(frozenset({made.id})))
        return made.id

    def create_all(self, tasks: Sequence[TaskCreate]) -> Sequence[str]:
        made = [self.create(task) for task in tasks]
        self._past = self._past[: len(self._past) - len(made) + 1]
        return made

    def update(self, task_ids: Iterable[str], patch: TaskPatch) -> None:
        self.change(dict.fromkeys(task_ids, patch))

    def change(self, patches: Mapping[str, TaskPatch]) -> None:
        self._remember("update")
        for task_id, patch in patches.items():
            self._patch([task_id], patch)

    def move(
        self,
        task_ids: Iterable[str],
        status: str,
        *,
        after_id: str | None = None,
        before_id: str | None = None,
    ) -> None:
        self._remember("move")
        ids = list(task_ids)
        rest = [task_id for task_id in self.column_ids(status) if task_id not in ids]
        place = len(rest)
        if before_id in rest:
            place = rest.index(before_id)
        elif after_id in rest:
            place = rest.index(after_id) + 1
        low = self.shown[rest[place - 1]].position if place else None
        high = self.shown[rest[place]].position if place < len(rest) else None
        for task_id in ids:
            low = between(low, high)
            self.shown[task_id] = msgspec.structs.replace(self.shown[task_id], status=status, position=low)
        self.emit(Changed(frozenset(ids)))

    def delete(self, task_ids: Iterable[str]) -> None:
        self._remember("delete")
        ids = list(task_ids)
        for task_id in ids:
            del self.shown[task_id]
        self.emit(Changed(frozenset(ids)))

    def undo(self, *, overwrite: bool = False) -> str | None:
        self._maybe_overtaken(overwrite)
        return self._travel(self._past, self._future)

    def redo(self, *, overwrite: bool = False) -> str | None:
        self._maybe_overtaken(overwrite)
        return self._travel(self._future, self._past)

    def retry(self, op_id: str, patch: TaskPatch | None = None) -> None:
        self.retried.append((op_id, patch))
        again = {item.edit.task_id for item in self.attention if item.edit.op_id == op_id}
        self.discard(op_id)
        self.emit(Changed(frozenset(again)))

    def discard(self, op_id: str) -> None:
        self.attention = tuple(item for item in self.attention if item.edit.op_id != op_id)
        self.connect(Connection(self.connection.word, self.connection.queued, len(self.attention)))

    def comment(self, task_id: str, content: str) -> str:
        comment = Comment(
            id=f"c{len(self.said)}",
            task_id=task_id,
            project_id=self.project.id,
            content=content,
            created_by=ME.id,
            created_at=NOW,
            updated_at=NOW,
            author=Author(id=ME.id, name=ME.name),
        )
        self.said.append(comment)
        self.emit(Commented(task_id))
        return comment.id

    def change_comment(self, comment: Comment, content: str) -> None:
        self.said[self.said.index(comment)] = msgspec.structs.replace(comment, content=content)
        self.emit(Commented(comment.task_id))

    def remove_comment(self, comment: Comment) -> None:
        self.said.remove(comment)
        self.emit(Commented(comment.task_id))

    def comments(self, task_id: str) -> tuple[Comment, ...]:
        return tuple(comment for comment in self.said if comment.task_id == task_id)

    async def load_comments(self, task_id: str) -> None:
        if self.fail is not None:
            raise self.fail

    async def history(self, task_id: str) -> tuple[HistoryEntry, ...]:
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail
        return self.past_of.get(task_id, ())

    async def activities(
        self,
        offset: int = 0,
        *,
        user_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> ActivitiesAnswer:
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail
        found = [
            each
            for each in self.done
            if user_id in (None, each.user_id)
            and (since is None or each.timestamp >= since)
            and (until is None or each.timestamp[:10] <= until)
        ]
        page = tuple(found[offset : offset + 100])
        more = offset + len(page) < len(found)
        return ActivitiesAnswer(activities=page, total=len(found), has_more=more)

    async def change_project(self, patch: ProjectPatch) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail
        fields = {
            name: value
            for name in patch.__struct_fields__
            if (value := getattr(patch, name)) is not msgspec.UNSET
        }
        self.project = msgspec.structs.replace(self.project, **fields)
        self.emit(ProjectChanged(self.project))

    async def status_changes(
        self, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> tuple[StatusChange, ...]:
        for done, held in enumerate(self.log_pages, start=1):
            await held.wait()
            progress(done, len(self.log_pages) + 1)
        if self.fail is not None:
            raise self.fail
        return self.moves

    def subscribe(self, callback: Callable[[BoardEvent], None]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def open(self) -> bool:
        return bool(self.shown)

    async def start(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        self.started += 1
        if self.fail is not None:
            raise self.fail
        self.company.joined(plus=self.layer == "plus")
        if self.layer == "plus":
            self.inbox.refresh()

    async def close(self) -> None:
        self.closed = True

    # -- what others do

    def emit(self, event: BoardEvent) -> None:
        for listener in list(self._listeners):
            listener(event)

    def remote_create(self, task: Task) -> None:
        self.shown[task.id] = self._placed(task)
        self._by_mila("created", self.shown[task.id])

    def remote_update(self, task_id: str, **fields: object) -> None:
        before = self.shown[task_id]
        self._patch([task_id], TaskPatch(**fields))  # type: ignore[arg-type]
        after = self.shown[task_id]
        done = after.status == COMPLETED != before.status
        self._by_mila("completed" if done else "updated", after)

    def remote_delete(self, task_id: str, *, known: bool = True) -> None:
        gone = self.shown.pop(task_id)
        self._by_mila("deleted", gone if known else msgspec.structs.replace(gone, title=""))

    def arrive(self, *users: OnlineUser) -> None:
        """These are here now besides me, and nobody else."""
        self.company._seat(())
        self.company._seat((OnlineUser(id=ME.id, name=ME.name), *users))

    def hear(self, event: str, **payload: object) -> None:
        """A volatile event of somebody else."""
        self.company.hear(event, {"projectId": self.project.id, **payload})

    async def _tell(self, event: str, payload: dict[str, Any]) -> None:
        self.told.append((event, payload))

    def connect(self, connection: Connection) -> None:
        self.connection = connection
        self.emit(connection)

    def _by_mila(self, kind: Literal["created", "updated", "completed", "deleted"], task: Task) -> None:
        self.emit(Changed(frozenset({task.id})))
        self.emit(Remote(kind, MILA.user_id, "mila", task.id, task.title, task))

    def _patch(self, ids: Iterable[str], patch: TaskPatch) -> None:
        changes = patch_values(patch)
        for task_id in ids:
            self.shown[task_id] = msgspec.structs.replace(self.shown[task_id], **changes)
        self.emit(Changed(frozenset(ids)))

    def _placed(self, task: Task) -> Task:
        ids = self.column_ids(task.status)
        last = self.shown[ids[-1]].position if ids else None
        return msgspec.structs.replace(task, position=between(last, None))

    def _remember(self, what: str) -> None:
        self._past.append((what, dict(self.shown)))
        self._future.clear()

    def _maybe_overtaken(self, overwrite: bool) -> None:
        if self.overtaken is not None and not overwrite:
            raise self.overtaken

    def _travel(
        self, source: list[tuple[str, dict[str, Task]]], other: list[tuple[str, dict[str, Task]]]
    ) -> str | None:
        if not source:
            return None
        what, shown = source.pop()
        other.append((what, dict(self.shown)))
        self.shown = shown
        self.emit(Changed(frozenset()))
        return what


class FakeSession:
    """An account on a server that is not there."""

    def __init__(self, *boards: FakeBoard, user: User | None = ME) -> None:
        self.user = user
        self.place = "https://boards.example.com"
        self.boards = {board.project.id: board for board in boards}
        self.fail: Exception | None = None
        self.signed: list[tuple[str, ...]] = []

    async def sign_in(self, email: str, password: str) -> User:
        self._maybe_fail()
        self.signed.append((email, password))
        self.user = ME
        return ME

    async def sign_up(self, email: str, password: str, name: str) -> User:
        self._maybe_fail()
        self.signed.append((email, password, name))
        self.user = ME
        return ME

    async def sign_out(self) -> None:
        self.user = None

    def unsent(self) -> int:
        return sum(board.connection.queued for board in self.boards.values())

    async def projects(self) -> tuple[Project, ...]:
        self._maybe_fail()
        return tuple(board.project for board in self.boards.values())

    async def create_project(self, name: str, description: str = "") -> Project:
        self._maybe_fail()
        project = Project(id=f"p{len(self.boards) + 1}", name=name, description=description)
        self.boards[project.id] = FakeBoard(project=project)
        return project

    async def board(self, project_id: str) -> FakeBoard:
        self._maybe_fail()
        return self.boards[project_id]

    async def close(self) -> None:
        pass

    def _maybe_fail(self) -> None:
        if self.fail is not None:
            raise self.fail
