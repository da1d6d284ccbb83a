"""One project's change log, open for writing.

Opening it takes the project's row lock, so that revisions are given in commit order, without a gap.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import bindparam, insert, select, update

from fluxboard.model.notify import InboxItem
from fluxboard.model.types import (
    COMPLETED,
    TASK_FIELDS,
    Activity,
    ActivityMetadata,
    Column,
    Comment,
    Member,
    Project,
    Role,
    Task,
    progress_of,
    timestamp,
)
from fluxboard.model.wire import (
    ACTIVITY_NEW,
    COMMENT_DELETED,
    PROJECT_DELETED,
    SYNC_NEEDED,
    Change,
    CommentNotice,
    Head,
)
from fluxboard.server.commands import inbox
from fluxboard.server.commands.access import NO_PROJECT, Access
from fluxboard.server.errors import NotFound
from fluxboard.server.storage.engine import Committed, Event
from fluxboard.server.storage.sql import Statement, Tx, command
from fluxboard.server.storage.tables import changes, members, projects, users

#: A transaction with more changes than this is announced as one ``sync:needed``.
ANNOUNCE_MAX: Final = 50
_METADATA_MAX: Final = 500

encode: Final = msgspec.json.Encoder().encode
#: A project's columns seldom change, so what they are is not read anew for each edit.
_columns_of: Final = functools.lru_cache(1000)(msgspec.json.Decoder(tuple[Column, ...]).decode)


class Op(msgspec.Struct, frozen=True):
    """Whose request a change is part of: its Idempotency-Key, and the socket that needs no event."""

    key: str | None = None
    socket_id: str | None = None


class ProjectRow(msgspec.Struct, frozen=True):
    """A project as it is stored."""

    id: str
    name: str
    description: str
    status: str
    priority: str
    start_date: str | None
    due_date: str | None
    columns: str
    created_by: str
    created_at: str
    updated_at: str
    archived: int
    rev: int
    log_start: int
    task_count: int
    completed_count: int

    def as_project(self, people: tuple[Member, ...]) -> Project:
        """The project as it travels."""
        return Project(
            id=self.id,
            name=self.name,
            description=self.description,
            status=self.status,
            priority=self.priority,
            start_date=self.start_date,
            due_date=self.due_date,
            progress=progress_of(self.completed_count, self.task_count),
            created_by=self.created_by,
            created_at=self.created_at,
            updated_at=self.updated_at,
            members=people,
            columns=_columns_of(self.columns),
            rev=self.rev,
            archived=bool(self.archived),
        )


def as_member(
    user_id: str, role: Role, joined_at: str, name: str, email: str, last_seen_at: str | None = None
) -> Member:
    """A row of a membership and its user as they travel."""
    return Member(
        user_id=user_id,
        role=role,
        joined_at=joined_at,
        name=name,
        email=email,
        last_seen_at=last_seen_at or "",
    )


FIND_PROJECT: Final = Statement(select(projects).where(projects.c.id == bindparam("project")), ProjectRow)
_LOCK_PROJECT: Final = Statement(
    select(projects).where(projects.c.id == bindparam("project")).with_for_update(), ProjectRow
)
_SAVE_HEAD: Final = command(
    update(projects)
    .where(projects.c.id == bindparam("project"))
    .values(
        rev=bindparam("rev"),
        task_count=bindparam("task_count"),
        completed_count=bindparam("completed_count"),
        updated_at=bindparam("updated_at"),
    )
)
_APPEND: Final = command(insert(changes))
MEMBERS_OF: Final = Statement(
    select(
        *(members.c.user_id, members.c.role, members.c.joined_at),
        *(users.c.name, users.c.email, members.c.last_seen_at),
    )
    .join(users, users.c.id == members.c.user_id)
    .where(members.c.project_id == bindparam("project"))
    .order_by(members.c.joined_at, members.c.user_id),
    as_member,
)


def people_of(tx: Tx, project_id: str) -> tuple[Member, ...]:
    """A project's members, those who joined first first."""
    return tuple(tx.all(MEMBERS_OF, project=project_id))


def lock(tx: Tx, project_id: str) -> ProjectRow | None:
    """Waits until no other transaction writes a project: what is read after it stays true to the commit."""
    return tx.one(_LOCK_PROJECT, project=project_id)


def lock_ahead(tx: Tx, project_id: str) -> None:
    """Says that :func:`lock` comes."""
    tx.ahead(_LOCK_PROJECT, project=project_id)


class Ledger:
    """A context manager: what is appended becomes the project's new head when it is left without an error."""

    def __init__(self, tx: Tx, access: Access, op: Op, row: ProjectRow | None = None) -> None:
        """``row`` is the project when it is locked already. Raises NotFound when it went meanwhile."""
        row = row or lock(tx, access.project_id)
        if row is None:
            raise NotFound(NO_PROJECT)
        self.tx = tx
        self.access = access
        self.row = row
        self.columns = _columns_of(row.columns)
        self.rev = row.rev
        self.task_count = row.task_count
        self.completed_count = row.completed_count
        self.now = timestamp()
        self.removed_users: list[str] = []
        self.closed = False
        #: Whose inbox changed, with what is new in it.
        self.told: dict[str, list[InboxItem]] = {}
        self._people: tuple[Member, ...] | None = None
        self._op = op
        self._events: list[Event] = []
        self._appended = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None or (not self._appended and not self.closed):
            return
        if not self.closed:
            self.tx.run(
                _SAVE_HEAD,
                project=self.row.id,
                rev=self.rev,
                task_count=self.task_count,
                completed_count=self.completed_count,
                updated_at=self.now,
            )
        events = tuple(self._events)
        if self._appended > ANNOUNCE_MAX:
            head = Head(project_id=self.row.id, rev=self.rev)
            events = (Event(SYNC_NEEDED, self.rev, encode(head)),)
        self.tx.announce(
            Committed(
                self.row.id,
                self.rev,
                events,
                user_id=self.access.person.id,
                socket_id=self._op.socket_id,
                removed_users=tuple(self.removed_users),
                closed=self.closed,
                told=tuple(inbox.told(self.tx, user_id, items) for user_id, items in self.told.items()),
                since=self.row.rev,
            )
        )

    def people(self) -> tuple[Member, ...]:
        """The members as they were when it was first asked."""
        if self._people is None:
            self._people = people_of(self.tx, self.row.id)
        return self._people

    @contextlib.contextmanager
    def doing(self, key: str | None) -> Iterator[None]:
        """What is logged inside belongs to the operation of this Idempotency-Key; None changes nothing."""
        whole = self._op
        if key is not None:
            self._op = Op(key, whole.socket_id)
        try:
            yield
        finally:
            self._op = whole

    @property
    def key(self) -> str | None:
        """The Idempotency-Key of the operation that is done."""
        return self._op.key

    @property
    def next_rev(self) -> int:
        """The revision that the next change will have."""
        return self.rev + 1

    def project(self) -> Project:
        """The project as it will be after the next change."""
        project = self.row.as_project(people_of(self.tx, self.row.id))
        return msgspec.structs.replace(
            project,
            rev=self.next_rev,
            updated_at=self.now,
            progress=progress_of(self.completed_count, self.task_count),
        )

    def task(
        self, event: str, kind: str, task: Task, before: Task | None = None, fields: tuple[str, ...] = ()
    ) -> None:
        """Logs a change of a task; ``fields`` are attribute names, ``before`` holds their old values."""
        names = tuple(TASK_FIELDS[name] for name in fields)
        prev = {TASK_FIELDS[name]: getattr(before, name) for name in fields} if before else {}
        deleted = kind == "task.deleted"
        change = msgspec.structs.replace(
            self._change(event),
            task=None if deleted else task,
            task_id=task.id if deleted else None,
            task_title=task.title if deleted else None,
            fields=names,
        )
        metadata = _metadata(names, prev, task)
        payload = encode(change)
        self._append(kind, "task", task.id, task.title, prev, change, payload, metadata)

    def comment(self, event: str, kind: str, comment: Comment, task: Task) -> None:
        """Logs a change of a comment; ``task`` is its task with the new count."""
        change = msgspec.structs.replace(
            self._change(event), task=task, comment=comment, comment_id=comment.id, task_id=task.id
        )
        if event == COMMENT_DELETED:
            payload = encode(msgspec.structs.replace(change, comment=None))
        else:
            payload = encode(comment_notice(change))
        metadata = ActivityMetadata(new_value=comment.content[:_METADATA_MAX])
        self._append(kind, "comment", task.id, task.title, {}, change, payload, metadata)

    def board(self, event: str, kind: str, about: str, title: str, fields: tuple[str, ...] = ()) -> None:
        """Logs a change of the project itself or of its members; ``about`` is the id of whom or what."""
        change = msgspec.structs.replace(
            self._change(event),
            project=None if event == PROJECT_DELETED else self.project(),
            fields=fields,
        )
        entity = kind.split(".", maxsplit=1)[0]
        if event == PROJECT_DELETED:
            self.closed = True
            self._events.append(Event(event, self.next_rev, encode(change)))
            return
        self._append(kind, entity, about, title, {}, change, encode(change), ActivityMetadata())

    def _change(self, event: str) -> Change:
        """The next change without what it is about."""
        person = self.access.person
        return Change(
            type=event,
            project_id=self.row.id,
            rev=self.next_rev,
            user_id=person.id,
            user_name=person.name,
            timestamp=self.now,
            op_id=self._op.key,
        )

    def _append(
        self,
        kind: str,
        entity_type: str,
        entity_id: str,
        entity_title: str,
        prev: dict[str, object],
        change: Change,
        payload: bytes,
        metadata: ActivityMetadata,
    ) -> None:
        self.rev += 1
        self._appended += 1
        person = self.access.person
        self.tx.run(
            _APPEND,
            project_id=self.row.id,
            rev=self.rev,
            kind=kind,
            entity_type=entity_type,
            entity_id=entity_id,
            entity_title=entity_title,
            prev=encode({"prev": prev, "metadata": metadata}).decode(),
            body=(payload if entity_type != "comment" else encode(change)).decode(),
            actor_id=person.id,
            op_id=self._op.key,
            at=self.now,
        )
        activity = Activity(
            id=activity_id(self.row.id, self.rev),
            project_id=self.row.id,
            type=kind,
            user_id=person.id,
            user_name=person.name,
            user_email=person.email,
            entity_type=entity_type,
            entity_id=entity_id,
            entity_title=entity_title,
            action=kind.rsplit(".", maxsplit=1)[-1],
            metadata=metadata,
            timestamp=self.now,
        )
        self._events.append(Event(change.type, self.rev, payload))
        self._events.append(Event(ACTIVITY_NEW, self.rev, encode(activity)))


def comment_notice(change: Change) -> CommentNotice:
    """A comment's change as the socket's event, which is the comment itself, as Core clients read it."""
    assert change.comment is not None
    comment = change.comment
    return CommentNotice(
        **{name: getattr(comment, name) for name in comment.__struct_fields__},
        rev=change.rev,
        task=change.task,
        user_id=change.user_id,
        user_name=change.user_name,
        timestamp=change.timestamp,
        op_id=change.op_id,
    )


def activity_id(project_id: str, rev: int) -> str:
    """The id of a log row as an activity: the same whenever it is asked."""
    return str(uuid5(UUID(project_id), str(rev)))


def _metadata(names: tuple[str, ...], prev: dict[str, object], task: Task) -> ActivityMetadata:
    if not names or not prev:
        return ActivityMetadata()
    name = "status" if "status" in names else names[0]
    attribute = next(attribute for attribute, wire in TASK_FIELDS.items() if wire == name)
    old, new = as_text(prev.get(name)), as_text(getattr(task, attribute))
    return ActivityMetadata(field=name, old_value=old, new_value=new)


def as_text(value: object) -> str | None:
    """A field's value as a person reads it, cut where it is long; None is nothing."""
    if value is None:
        return None
    text = value if isinstance(value, str) else encode(value).decode()
    return text[:_METADATA_MAX]


def is_completed(task: Task) -> bool:
    """Whether a task stands in the column of finished ones."""
    return task.status == COMPLETED
