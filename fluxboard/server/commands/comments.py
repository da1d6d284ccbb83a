"""Comments on tasks."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from fluxboard.model.types import Author, Comment, Task, new_id
from fluxboard.model.wire import COMMENT_CREATED, COMMENT_DELETED, COMMENT_UPDATED
from fluxboard.server.commands import fields, inbox, tasks
from fluxboard.server.commands.access import Access
from fluxboard.server.commands.ledger import Ledger, encode
from fluxboard.server.commands.mentions import mentioned
from fluxboard.server.errors import Conflict, Forbidden, NotFound
from fluxboard.server.storage.sql import Statement, Tx, command
from fluxboard.server.storage.tables import comments, users


class _Row(msgspec.Struct, frozen=True):
    id: str
    project_id: str
    task_id: str
    content: str
    mentions: str
    created_by: str
    created_at: str
    updated_at: str
    name: str
    email: str

    def as_comment(self) -> Comment:
        return Comment(
            id=self.id,
            task_id=self.task_id,
            project_id=self.project_id,
            content=self.content,
            mentions=msgspec.json.decode(self.mentions, type=tuple[str, ...]),
            created_by=self.created_by,
            created_at=self.created_at,
            updated_at=self.updated_at,
            author=Author(id=self.created_by, name=self.name, email=self.email),
        )


_ROWS: Final = select(comments, users.c.name, users.c.email).join(users, users.c.id == comments.c.created_by)
_OF_TASK: Final = Statement(
    _ROWS.where(comments.c.task_id == bindparam("task")).order_by(comments.c.created_at, comments.c.id), _Row
)
_FIND: Final = Statement(
    _ROWS.where(comments.c.id == bindparam("comment"), comments.c.task_id == bindparam("task")), _Row
)
_BY_ID: Final = Statement(_ROWS.where(comments.c.id == bindparam("comment")), _Row)
_INSERT: Final = command(insert(comments))
_EDIT: Final = command(
    update(comments)
    .where(comments.c.id == bindparam("comment"))
    .values(content=bindparam("new_content"), mentions=bindparam("new_mentions"), updated_at=bindparam("now"))
)
_DELETE: Final = command(delete(comments).where(comments.c.id == bindparam("comment")))


def of_task(tx: Tx, access: Access, task_id: str) -> tuple[Comment, ...]:
    """A task's comments, oldest first. Raises NotFound."""
    tasks.find(tx, access.project_id, task_id)
    return tuple(row.as_comment() for row in tx.all(_OF_TASK, task=task_id))


def create(ledger: Ledger, task_id: str, content: str, comment_id: str | None = None) -> tuple[Comment, Task]:
    """A new comment, and its task, which counts one more.

    A client-made id that exists as this very comment answers that one; else Conflict.
    """
    ledger.access.to_write()
    content = fields.comment(content)
    task = tasks.find(ledger.tx, ledger.row.id, task_id)
    person = ledger.access.person
    if comment_id is not None:
        comment_id = fields.uuid(comment_id, "id")
        if (known := ledger.tx.one(_BY_ID, comment=comment_id)) is not None:
            if (known.task_id, known.created_by, known.content) != (task_id, person.id, content):
                raise Conflict("Another comment has this id", field="id")
            return known.as_comment(), task
    made = Comment(
        id=comment_id or new_id(),
        task_id=task_id,
        project_id=ledger.row.id,
        content=content,
        mentions=mentioned(content, ledger.people()),
        created_by=person.id,
        created_at=ledger.now,
        updated_at=ledger.now,
        author=Author(id=person.id, name=person.name, email=person.email),
    )
    ledger.tx.run(
        _INSERT,
        id=made.id,
        project_id=made.project_id,
        task_id=task_id,
        content=content,
        mentions=encode(made.mentions).decode(),
        created_by=person.id,
        created_at=ledger.now,
        updated_at=ledger.now,
    )
    task = _counted(ledger, task, 1)
    ledger.comment(COMMENT_CREATED, "comment.created", made, task)
    inbox.about_comment(ledger, made, task)
    return made, task


def edit(ledger: Ledger, task_id: str, comment_id: str, content: str) -> tuple[Comment, Task]:
    """Changes one's own comment; answers it and its task."""
    content = fields.comment(content)
    found, task = _own(ledger, task_id, comment_id)
    mentions = mentioned(content, ledger.people())
    ledger.tx.run(
        _EDIT,
        comment=comment_id,
        new_content=content,
        new_mentions=encode(mentions).decode(),
        now=ledger.now,
    )
    made = msgspec.structs.replace(found, content=content, mentions=mentions, updated_at=ledger.now)
    task = _counted(ledger, task, 0)
    ledger.comment(COMMENT_UPDATED, "comment.updated", made, task)
    inbox.about_comment(ledger, made, task, found.mentions)
    return made, task


def remove(ledger: Ledger, task_id: str, comment_id: str) -> Task:
    """Deletes one's own comment; answers its task, which counts one less."""
    found, task = _own(ledger, task_id, comment_id)
    ledger.tx.run(_DELETE, comment=comment_id)
    task = _counted(ledger, task, -1)
    ledger.comment(COMMENT_DELETED, "comment.deleted", found, task)
    inbox.forget_comment(ledger, task_id, comment_id)
    return task


def _own(ledger: Ledger, task_id: str, comment_id: str) -> tuple[Comment, Task]:
    ledger.access.to_write()
    task = tasks.find(ledger.tx, ledger.row.id, task_id)
    row = ledger.tx.one(_FIND, comment=comment_id, task=task_id)
    if row is None:
        raise NotFound("Comment not found")
    if row.created_by != ledger.access.person.id:
        raise Forbidden("Only its author may change a comment")
    return row.as_comment(), task


def _counted(ledger: Ledger, task: Task, by: int) -> Task:
    """The task with its new number of comments, written."""
    task = msgspec.structs.replace(task, comment_count=max(0, task.comment_count + by), rev=ledger.next_rev)
    tasks.save(ledger.tx, task)
    return task
