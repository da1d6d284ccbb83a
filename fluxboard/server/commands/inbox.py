"""A person's inbox: who called them, gave them a task or wrote on theirs, and what is due soon.

Items are written in the transaction of the change that they tell of. What is due is found when it is asked
for; of it only what was done is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec
from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from fluxboard.model.notify import DUE_SOON_DAYS, InboxAnswer, InboxDone, InboxItem, InboxKind, InboxNotice
from fluxboard.model.types import COMPLETED, Comment, Task, new_id, timestamp
from fluxboard.model.wire import INBOX_UPDATED
from fluxboard.server.commands.mentions import mentioned
from fluxboard.server.storage.engine import Committed, Told
from fluxboard.server.storage.sql import Statement, Tx, command, counted
from fluxboard.server.storage.tables import comments, inbox, members, mutes, projects, tasks, users

if TYPE_CHECKING:
    from fluxboard.server.commands.ledger import Ledger

TEXT_MAX: Final = 200
ITEMS_MAX: Final = 500
#: So many new items are told with the news of them; whoever wants more asks.
TOLD_MAX: Final = 20
_DUE_MAX: Final = 200

_encode: Final = msgspec.json.Encoder().encode
_task: Final = msgspec.json.Decoder(Task)


def _item(
    id_: str,
    kind: InboxKind,
    project_id: str,
    task_id: str,
    user_id: str,
    text: str,
    comment_id: str | None,
    at: str,
    done_at: str | None,
    project_name: str,
    task_body: str | None,
    user_name: str | None,
) -> InboxItem:
    return InboxItem(
        id=id_,
        kind=kind,
        project_id=project_id,
        task_id=task_id,
        at=at,
        project_name=project_name,
        task_title=_task.decode(task_body).title if task_body else "",
        user_id=user_id,
        user_name=user_name or "",
        text=text,
        comment_id=comment_id,
        done=done_at is not None,
    )


_MINE = inbox.c.user_id == bindparam("person")
_LIST: Final = Statement(
    select(
        *(inbox.c.id, inbox.c.kind, inbox.c.project_id, inbox.c.task_id, inbox.c.actor_id, inbox.c.text),
        *(inbox.c.comment_id, inbox.c.at, inbox.c.done_at, projects.c.name, tasks.c.body, users.c.name),
    )
    .join(projects, projects.c.id == inbox.c.project_id)
    .outerjoin(tasks, tasks.c.id == inbox.c.task_id)
    .outerjoin(users, users.c.id == inbox.c.actor_id)
    .where(_MINE, or_(bindparam("all") == 1, inbox.c.done_at.is_(None)), inbox.c.kind != "due")
    .order_by(inbox.c.at.desc(), inbox.c.id)
    .limit(bindparam("count")),
    _item,
)
_COUNT: Final = Statement(
    select(func.count()).select_from(inbox).where(_MINE, inbox.c.done_at.is_(None), inbox.c.kind != "due"),
    int,
)
_INSERT: Final = command(insert(inbox))
_INSERT_NEW: Final = command(insert_or_ignore(inbox).on_conflict_do_nothing())
_SET_DONE: Final = command(
    update(inbox).where(_MINE, inbox.c.id == bindparam("item")).values(done_at=bindparam("when"))
)
_SET_TASK_DONE: Final = command(
    update(inbox)
    .where(_MINE, inbox.c.task_id == bindparam("task"), inbox.c.done_at.is_(None))
    .values(done_at=bindparam("when"))
)
_SET_ALL_DONE: Final = command(
    update(inbox).where(_MINE, inbox.c.done_at.is_(None)).values(done_at=bindparam("when"))
)
_FORGET_DUE: Final = command(
    delete(inbox).where(_MINE, inbox.c.id == bindparam("item"), inbox.c.kind == "due")
)
_TOLD_OF_TASK: Final = Statement(
    select(inbox.c.user_id).where(inbox.c.task_id == bindparam("task"), inbox.c.done_at.is_(None)).distinct(),
    str,
)
_TOLD_OF_COMMENT: Final = Statement(
    select(inbox.c.user_id).where(
        inbox.c.task_id == bindparam("task"), inbox.c.comment_id == bindparam("comment")
    ),
    str,
)
_FORGET_TASK: Final = command(
    delete(inbox).where(inbox.c.task_id == bindparam("task"), inbox.c.done_at.is_(None))
)
_FORGET_COMMENT: Final = command(
    delete(inbox).where(inbox.c.task_id == bindparam("task"), inbox.c.comment_id == bindparam("comment"))
)
_FORGET_PERSON: Final = counted(delete(inbox).where(_MINE, inbox.c.project_id == bindparam("project")))
_TALKERS: Final = Statement(
    select(comments.c.created_by).where(comments.c.task_id == bindparam("task")).distinct(), str
)
_MUTERS: Final = Statement(select(mutes.c.user_id).where(mutes.c.task_id == bindparam("task")), str)
_MUTED: Final = Statement(select(mutes.c.task_id).where(mutes.c.user_id == bindparam("person")), str)
_MUTE: Final = command(insert_or_ignore(mutes).on_conflict_do_nothing())
_UNMUTE: Final = command(
    delete(mutes).where(mutes.c.user_id == bindparam("person"), mutes.c.task_id == bindparam("task"))
)


class _DueTask(msgspec.Struct, frozen=True):
    body: str
    project_id: str
    project_name: str


_DUE: Final = Statement(
    select(tasks.c.body, tasks.c.project_id, projects.c.name)
    .join(
        members,
        (members.c.project_id == tasks.c.project_id) & (members.c.user_id == bindparam("person")),
    )
    .join(projects, projects.c.id == tasks.c.project_id)
    .where(
        tasks.c.assigned_to == bindparam("person"),
        tasks.c.due_date < bindparam("before"),
        tasks.c.deleted_at.is_(None),
        tasks.c.status != COMPLETED,
    )
    .order_by(tasks.c.due_date, tasks.c.id)
    .limit(_DUE_MAX),
    _DueTask,
)
_DUE_DONE: Final = Statement(select(inbox.c.id).where(_MINE, inbox.c.kind == "due"), str)


# -- what makes items


def about_task(ledger: Ledger, task: Task, before: Task | None = None) -> None:
    """Tells who is newly assigned to a task, and whom its description newly calls."""
    me = ledger.access.person.id
    assignee = task.assigned_to
    if assignee and assignee != me and (before is None or before.assigned_to != assignee):
        _tell(ledger, {assignee: "assigned"}, task, task.title)
    if "@" in task.description and (before is None or before.description != task.description):
        people = ledger.people()
        old = mentioned(before.description, people) if before is not None else ()
        called = set(mentioned(task.description, people)) - {me, *old}
        _tell(ledger, dict.fromkeys(called, "mention"), task, task.description)


def about_comment(ledger: Ledger, comment: Comment, task: Task, called_before: Iterable[str] = ()) -> None:
    """Tells whom a comment calls; of a new one also those whose task or conversation it is."""
    called = set(comment.mentions) - set(called_before)
    kinds: dict[str, InboxKind] = {}
    if comment.created_at == comment.updated_at:
        talkers = ledger.tx.all(_TALKERS, task=task.id)
        kinds = dict.fromkeys({task.assigned_to or "", task.created_by, *talkers}, "comment")
    kinds |= dict.fromkeys(called, "mention")
    kinds.pop(comment.created_by, None)
    _tell(ledger, kinds, task, comment.content, comment.id)


def _tell(
    ledger: Ledger, kinds: dict[str, InboxKind], task: Task, text: str, comment_id: str | None = None
) -> None:
    """Writes an item for each person who is a member and has not muted the task."""
    if not kinds:
        return
    muted = set(ledger.tx.all(_MUTERS, task=task.id))
    for member in ledger.people():
        kind = kinds.get(member.user_id)
        if kind is None or member.user_id in muted:
            continue
        item = InboxItem(
            id=new_id(),
            kind=kind,
            project_id=ledger.row.id,
            task_id=task.id,
            at=ledger.now,
            project_name=ledger.row.name,
            task_title=task.title,
            user_id=ledger.access.person.id,
            user_name=ledger.access.person.name,
            text=text[:TEXT_MAX],
            comment_id=comment_id,
        )
        _write(ledger.tx, member.user_id, item)
        ledger.told.setdefault(member.user_id, []).append(item)


def forget_task(ledger: Ledger, task_id: str) -> None:
    """A deleted task concerns nobody."""
    for user_id in ledger.tx.all(_TOLD_OF_TASK, task=task_id):
        ledger.told.setdefault(user_id, [])
    ledger.tx.run(_FORGET_TASK, task=task_id)


def forget_comment(ledger: Ledger, task_id: str, comment_id: str) -> None:
    """A deleted comment calls nobody."""
    for user_id in ledger.tx.all(_TOLD_OF_COMMENT, task=task_id, comment=comment_id):
        ledger.told.setdefault(user_id, [])
    ledger.tx.run(_FORGET_COMMENT, task=task_id, comment=comment_id)


def forget_person(ledger: Ledger, user_id: str) -> None:
    """Who is no longer a member is told nothing of the project."""
    if ledger.tx.count(_FORGET_PERSON, person=user_id, project=ledger.row.id):
        ledger.told[user_id] = []


def told(tx: Tx, user_id: str, items: Iterable[InboxItem] = ()) -> Told:
    """The news of somebody's inbox."""
    notice = InboxNotice(unread=unread(tx, user_id), items=tuple(items)[-TOLD_MAX:])
    return Told(user_id, INBOX_UPDATED, _encode(notice))


# -- what is asked


def read(tx: Tx, user_id: str, *, done: bool, limit: int) -> InboxAnswer:
    """Somebody's inbox, newest first; with ``done`` also what is."""
    limit = max(1, min(limit, ITEMS_MAX))
    items = tx.all(_LIST, person=user_id, all=int(done), count=limit)
    items += [item for item in _due(tx, user_id) if done or not item.done]
    items.sort(key=lambda item: item.at, reverse=True)
    muted = tuple(tx.all(_MUTED, person=user_id))
    return InboxAnswer(items=tuple(items[:limit]), unread=unread(tx, user_id), muted=muted)


def unread(tx: Tx, user_id: str) -> int:
    """How much of somebody's inbox is not done."""
    return (tx.one(_COUNT, person=user_id) or 0) + sum(not item.done for item in _due(tx, user_id))


def mark(tx: Tx, user_id: str, wanted: InboxDone) -> None:
    """Marks items as done, or not done again, and tells the person's other terminals."""
    when = timestamp() if wanted.done else None
    due = {item.id: item for item in _due(tx, user_id)}
    if wanted.all and wanted.done:
        tx.run(_SET_ALL_DONE, person=user_id, when=when)
        _mark_due(tx, user_id, due.values())
    if wanted.task_id is not None and wanted.done:
        tx.run(_SET_TASK_DONE, person=user_id, task=wanted.task_id, when=when)
    for item_id in wanted.ids:
        if not wanted.done:
            tx.run(_FORGET_DUE, person=user_id, item=item_id)
        elif item_id in due:
            _mark_due(tx, user_id, [due[item_id]])
        tx.run(_SET_DONE, person=user_id, item=item_id, when=when)
    _announce(tx, user_id)


def mute(tx: Tx, user_id: str, task_id: str, *, muted: bool) -> None:
    """Has a task make no items, and marks those that it made as done; or lets it make items again."""
    if muted:
        tx.run(_MUTE, user_id=user_id, task_id=task_id)
        tx.run(_SET_TASK_DONE, person=user_id, task=task_id, when=timestamp())
    else:
        tx.run(_UNMUTE, person=user_id, task=task_id)
    _announce(tx, user_id)


def _announce(tx: Tx, user_id: str) -> None:
    tx.announce(Committed("", 0, (), user_id=user_id, told=(told(tx, user_id),)))


def _mark_due(tx: Tx, user_id: str, items: Iterable[InboxItem]) -> None:
    for item in items:
        _write(tx, user_id, item, done_at=timestamp())


def _write(tx: Tx, user_id: str, item: InboxItem, done_at: str | None = None) -> None:
    tx.run(
        _INSERT if done_at is None else _INSERT_NEW,
        id=item.id,
        user_id=user_id,
        project_id=item.project_id,
        task_id=item.task_id,
        kind=item.kind,
        actor_id=item.user_id,
        text=item.text,
        comment_id=item.comment_id,
        at=item.at,
        done_at=done_at,
    )


def _due(tx: Tx, user_id: str) -> list[InboxItem]:
    """The tasks of somebody that are late, or due within days, or marked as seen."""
    before = (datetime.now(UTC) + timedelta(days=DUE_SOON_DAYS + 1)).date().isoformat()
    found = tx.all(_DUE, person=user_id, before=before)
    if not found:
        return []
    done, muted = set(tx.all(_DUE_DONE, person=user_id)), set(tx.all(_MUTED, person=user_id))
    items = []
    for row in found:
        task = _task.decode(row.body)
        if task.archived or task.id in muted or task.due_date is None:
            continue
        # Another date, or another person, is another item.
        item_id = str(uuid5(NAMESPACE_URL, f"due:{user_id}:{task.id}:{task.due_date}"))
        items.append(
            InboxItem(
                id=item_id,
                kind="due",
                project_id=row.project_id,
                task_id=task.id,
                at=f"{task.due_date[:10]}T00:00:00.000Z",
                project_name=row.project_name,
                task_title=task.title,
                text=task.due_date[:10],
                done=item_id in done,
            )
        )
    return items
