"""Tasks: create, change, move, delete, restore, and many at once."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from msgspec import UNSET
from sqlalchemy import bindparam, insert, select, update

from fluxboard.model.types import (
    BATCH_MAX,
    TASK_FIELDS,
    Task,
    TaskPatch,
    new_id,
)
from fluxboard.model.wire import (
    TASK_CREATED,
    TASK_DELETED,
    TASK_UPDATED,
    BatchAnswer,
    BatchBody,
    BatchOp,
    BatchResult,
    TaskCreate,
)
from fluxboard.server.commands import answers, fields, inbox
from fluxboard.server.commands.access import Access
from fluxboard.server.commands.answers import OPERATION, Answer
from fluxboard.server.commands.conflicts import merged, unchanged_by_others
from fluxboard.server.commands.ledger import Ledger, encode, is_completed
from fluxboard.server.commands.limits import may_enter
from fluxboard.server.commands.placing import last_ahead, place, place_at
from fluxboard.server.errors import BadInput, Conflict, Forbidden, NotFound, Overwrites, Refusal, TaskGone
from fluxboard.server.storage.sql import Statement, Tx, command
from fluxboard.server.storage.tables import members, tasks, users

NO_TASK: Final = "Task not found"

_task: Final = msgspec.json.Decoder(Task)


class _Row(msgspec.Struct, frozen=True):
    project_id: str
    body: str
    deleted_at: str | None
    deleted_by: str | None


_FIND: Final = Statement(
    select(tasks.c.project_id, tasks.c.body, tasks.c.deleted_at, tasks.c.deleted_by).where(
        tasks.c.id == bindparam("task")
    ),
    _Row,
)
_BODIES: Final = Statement(
    select(tasks.c.body)
    .where(tasks.c.project_id == bindparam("project"), tasks.c.deleted_at.is_(None))
    .order_by(tasks.c.status, tasks.c.position, tasks.c.id),
    lambda body: msgspec.Raw(body.encode()),
)
_INSERT: Final = command(insert(tasks))
_SAVE: Final = command(
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(
        status=bindparam("status"),
        position=bindparam("position"),
        body=bindparam("body"),
        deleted_at=bindparam("deleted_at"),
        deleted_by=bindparam("deleted_by"),
        assigned_to=bindparam("assigned_to"),
        due_date=bindparam("due_date"),
    )
)
_IS_MEMBER: Final = Statement(
    select(members.c.user_id).where(
        members.c.project_id == bindparam("project"), members.c.user_id == bindparam("user")
    ),
    str,
)
_NAME: Final = Statement(select(users.c.name).where(users.c.id == bindparam("user")), str)


def listed(tx: Tx, project_id: str) -> list[msgspec.Raw]:
    """Every task of a project, each as its JSON."""
    return tx.all(_BODIES, project=project_id)


def find(tx: Tx, project_id: str, task_id: str) -> Task:
    """One task. Raises NotFound, or TaskGone for a deleted one."""
    row = tx.one(_FIND, task=task_id)
    if row is None or row.project_id != project_id:
        raise NotFound(NO_TASK)
    task = _task.decode(row.body)
    if row.deleted_at is not None:
        name = tx.one(_NAME, user=row.deleted_by or "") or ""
        raise TaskGone(task, name, row.deleted_at)
    return task


def find_ahead(tx: Tx, task_id: str) -> None:
    """Says that :func:`find` comes."""
    tx.ahead(_FIND, task=task_id)


def create_ahead(tx: Tx, project_id: str, body: TaskCreate) -> None:
    """Says that :func:`create` comes."""
    if body.id is not None:
        tx.ahead(_FIND, task=body.id)
        last_ahead(tx, project_id, body.status, body.id)


def exists(tx: Tx, access: Access, task_id: str) -> bool:
    """Whether a task is or was in this project."""
    row = tx.one(_FIND, task=task_id)
    return row is not None and row.project_id == access.project_id


def create(ledger: Ledger, body: TaskCreate) -> Task:
    """A new task, at the bottom of its column unless a neighbour is named.

    A client-made id that exists with the same content answers that task; with another, Conflict.
    """
    ledger.access.to_write()
    tx = ledger.tx
    task_id = new_id() if body.id is None else fields.uuid(body.id, "id")
    made = Task(
        id=task_id,
        title=fields.title(body.title),
        description=fields.description(body.description),
        status=fields.status(body.status, ledger.columns),
        priority=fields.priority(body.priority),
        assigned_to=_assignee(ledger, body.assigned_to),
        due_date=fields.day(body.due_date, "dueDate"),
        created_by=ledger.access.person.id,
        created_at=ledger.now,
        updated_at=ledger.now,
        labels=fields.labels(body.labels),
        checklist=fields.checklist(body.checklist),
    )
    if body.id is not None and (known := tx.one(_FIND, task=task_id)) is not None:
        return _already_there(ledger, known, made)
    after = UNSET if body.after_id is None else body.after_id
    before = UNSET if body.before_id is None else body.before_id
    may_enter(ledger, made.status, task_id)
    position = place(ledger, made.status, task_id, after, before)
    rev = ledger.next_rev
    made = msgspec.structs.replace(
        made,
        position=position,
        rev=rev,
        field_revs=dict.fromkeys(TASK_FIELDS.values(), rev),
        completed_at=ledger.now if is_completed(made) else None,
    )
    tx.run(
        _INSERT,
        id=task_id,
        project_id=ledger.row.id,
        status=made.status,
        position=position,
        body=encode(made).decode(),
        deleted_at=None,
        deleted_by=None,
        assigned_to=made.assigned_to,
        due_date=made.due_date,
    )
    _count(ledger, made, 1)
    ledger.task(TASK_CREATED, "task.created", made)
    inbox.about_task(ledger, made)
    return made


def change(ledger: Ledger, task_id: str, patch: TaskPatch, base_rev: int | None = None) -> Task:
    """The task with the patch's fields; without a difference nothing is logged.

    With ``base_rev``, the revision that the patch was made from, what others did since is merged with it.
    Raises NotFound, TaskGone, Forbidden, BadInput, Overwrites.
    """
    ledger.access.to_write()
    task = find(ledger.tx, ledger.row.id, task_id)
    wanted = _wanted(ledger, task, patch)
    if base_rev is not None:
        wanted = merged(ledger, task, wanted, base_rev, if_unchanged=patch.if_unchanged)
    status, archived = wanted.get("status", task.status), wanted.get("archived", task.archived)
    if not archived and (status != task.status or task.archived):
        may_enter(ledger, str(status), task.id)
    # Placing may repair neighbours and so writes: it comes after all that may refuse.
    wanted |= _placed(ledger, task, patch)
    changed = {name: value for name, value in wanted.items() if value != getattr(task, name)}
    if not changed:
        return task
    rev = ledger.next_rev
    after = msgspec.structs.replace(
        task,
        **changed,
        updated_at=ledger.now,
        rev=rev,
        field_revs=task.field_revs | dict.fromkeys((TASK_FIELDS[name] for name in changed), rev),
    )
    if is_completed(after) != is_completed(task):
        after = msgspec.structs.replace(after, completed_at=ledger.now if is_completed(after) else None)
        ledger.completed_count += 1 if is_completed(after) else -1
    save(ledger.tx, after)
    completed = is_completed(after) and not is_completed(task)
    kind = "task.completed" if completed else "task.updated"
    ledger.task(TASK_UPDATED, kind, after, before=task, fields=tuple(changed))
    inbox.about_task(ledger, after, task)
    return after


def delete(ledger: Ledger, task_id: str, base_rev: int | None = None) -> Task:
    """Leaves a tombstone. Owners, admins and the task's creator may.

    Raises Forbidden, NotFound, TaskGone, and Overwrites when somebody else changed it after ``base_rev``.
    """
    access = ledger.access
    access.to_write()
    task = find(ledger.tx, ledger.row.id, task_id)
    if access.role not in {"owner", "admin"} and task.created_by != access.person.id:
        raise Forbidden("Only an owner, an admin or the task's creator may delete it")
    if base_rev is not None:
        unchanged_by_others(ledger, task, base_rev)
    save(ledger.tx, task, deleted_at=ledger.now, deleted_by=access.person.id)
    _count(ledger, task, -1)
    ledger.task(TASK_DELETED, "task.deleted", task)
    inbox.forget_task(ledger, task_id)
    return task


def restore(ledger: Ledger, task_id: str) -> Task:
    """Brings a deleted task back to where it was; a task that is there answers as it is."""
    ledger.access.to_write()
    try:
        return find(ledger.tx, ledger.row.id, task_id)
    except TaskGone as gone:
        task = gone.task
    if all(column.id != task.status for column in ledger.columns):
        task = msgspec.structs.replace(task, status=ledger.columns[0].id)
    if not task.archived:
        may_enter(ledger, task.status, task_id)
    position = place_at(ledger, task.status, task_id, task.position)
    rev = ledger.next_rev
    task = msgspec.structs.replace(
        task,
        position=position,
        updated_at=ledger.now,
        completed_at=(task.completed_at or ledger.now) if is_completed(task) else None,
        rev=rev,
        field_revs=task.field_revs | {"status": rev, "position": rev},
    )
    save(ledger.tx, task)
    _count(ledger, task, 1)
    ledger.task(TASK_CREATED, "task.restored", task)
    return task


def batch(ledger: Ledger, body: BatchBody) -> BatchAnswer:
    """Runs the operations in order; an atomic one raises at the first refusal, with all of it undone."""
    if len(body.ops) > BATCH_MAX:
        raise BadInput(f"A batch has at most {BATCH_MAX} operations", field="ops")
    results: list[BatchResult] = []
    for index, op in enumerate(body.ops):
        try:
            results.append(_once(ledger, op))
        except Refusal as refusal:
            if body.atomic:
                field = f"ops[{index}]" + (f".{refusal.field}" if refusal.field else "")
                refusal.field = field
                raise
            results.append(_refused(op, refusal))
    return BatchAnswer(results=tuple(results), rev=ledger.rev)


def save(tx: Tx, task: Task, deleted_at: str | None = None, deleted_by: str | None = None) -> None:
    """Writes a task's row."""
    tx.run(
        _SAVE,
        task=task.id,
        status=task.status,
        position=task.position,
        body=encode(task).decode(),
        deleted_at=deleted_at,
        deleted_by=deleted_by,
        assigned_to=task.assigned_to,
        due_date=task.due_date,
    )


def _once(ledger: Ledger, op: BatchOp) -> BatchResult:
    """Runs an operation; one with an id that was done before answers as it did then."""
    if op.op_id is None:
        return _run(ledger, op)
    if op.op_id == ledger.key:
        raise BadInput("An operation's id cannot be the Idempotency-Key of its batch", field="opId")
    user, digest = ledger.access.person.id, OPERATION + hashlib.sha256(encode(op)).hexdigest()
    before = answers.known_operation(ledger.tx, user, op.op_id, digest)
    if before is not None:
        return msgspec.json.decode(before.body, type=BatchResult)
    with ledger.doing(op.op_id):
        result = _run(ledger, op)
    answers.keep(ledger.tx, user, op.op_id, digest, Answer(result.status, encode(result)))
    return result


def _refused(op: BatchOp, refusal: Refusal) -> BatchResult:
    return BatchResult(
        success=False,
        status=refusal.status,
        task_id=op.task_id,
        error=refusal.message,
        field=refusal.field,
        task=refusal.task if isinstance(refusal, TaskGone) else None,
        conflict=refusal.conflict if isinstance(refusal, Overwrites) else None,
    )


def _run(ledger: Ledger, op: BatchOp) -> BatchResult:
    match op:
        case BatchOp(op="create", task=TaskCreate() as task):
            return BatchResult(success=True, status=201, task=create(ledger, task))
        case BatchOp(op="update", task_id=str(task_id), patch=TaskPatch() as patch, base_rev=base_rev):
            return BatchResult(success=True, task=change(ledger, task_id, patch, base_rev), task_id=task_id)
        case BatchOp(op="delete", task_id=str(task_id), base_rev=base_rev):
            delete(ledger, task_id, base_rev)
            return BatchResult(success=True, task_id=task_id, rev=ledger.rev)
        case BatchOp(op="restore", task_id=str(task_id)):
            return BatchResult(success=True, task=restore(ledger, task_id), task_id=task_id)
    missing = "task" if op.op == "create" else "taskId" if op.task_id is None else "patch"
    raise BadInput(f"{op.op} needs {missing}", field=missing)


def _wanted(ledger: Ledger, task: Task, patch: TaskPatch) -> dict[str, object]:
    """The patch's values by attribute, checked; the position is another matter."""
    wanted: dict[str, object] = {}
    if patch.title is not UNSET:
        wanted["title"] = fields.title(patch.title)
    if patch.description is not UNSET:
        wanted["description"] = fields.description(patch.description)
    if patch.priority is not UNSET:
        wanted["priority"] = fields.priority(patch.priority)
    if patch.assigned_to is not UNSET and patch.assigned_to != task.assigned_to:
        wanted["assigned_to"] = _assignee(ledger, patch.assigned_to)
    if patch.due_date is not UNSET:
        wanted["due_date"] = fields.day(patch.due_date, "dueDate")
    if patch.labels is not UNSET:
        wanted["labels"] = fields.labels(patch.labels)
    if patch.checklist is not UNSET:
        wanted["checklist"] = fields.checklist(patch.checklist)
    if patch.archived is not UNSET:
        wanted["archived"] = patch.archived
    if patch.status is not UNSET and patch.status != task.status:
        wanted["status"] = fields.status(patch.status, ledger.columns)
    return wanted


def _placed(ledger: Ledger, task: Task, patch: TaskPatch) -> dict[str, object]:
    """The position of a task that is moved."""
    status = task.status if patch.status is UNSET else patch.status
    if patch.after_id is not UNSET or patch.before_id is not UNSET:
        return {"position": place(ledger, status, task.id, patch.after_id, patch.before_id)}
    if patch.position is not UNSET:
        return {"position": place_at(ledger, status, task.id, patch.position)}
    if status != task.status:
        return {"position": place(ledger, status, task.id, UNSET, UNSET)}
    return {}


def _assignee(ledger: Ledger, user_id: str | None) -> str | None:
    if not user_id:
        return None
    if ledger.tx.one(_IS_MEMBER, project=ledger.row.id, user=user_id) is None:
        raise BadInput("A task can only be assigned to a member of the project", field="assignedTo")
    return user_id


def _already_there(ledger: Ledger, known: _Row, made: Task) -> Task:
    task = _task.decode(known.body)
    same = ("created_by", *(name for name in TASK_FIELDS if name != "position"))
    ours = known.project_id == ledger.row.id and known.deleted_at is None
    if ours and all(getattr(task, name) == getattr(made, name) for name in same):
        return task
    raise Conflict("Another task has this id", field="id")


def _count(ledger: Ledger, task: Task, by: int) -> None:
    ledger.task_count += by
    if is_completed(task):
        ledger.completed_count += by
