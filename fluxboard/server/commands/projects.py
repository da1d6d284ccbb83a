"""Projects: list, create, change, delete."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import msgspec
from msgspec import UNSET
from sqlalchemy import bindparam, delete, insert, select, update

from fluxboard.model.types import (
    DEFAULT_COLUMNS,
    PRIORITIES,
    Column,
    Member,
    Project,
    ProjectPatch,
    Task,
    new_id,
    timestamp,
)
from fluxboard.model.wire import PROJECT_DELETED, PROJECT_UPDATED, ProjectCreate, ProjectWithTasks
from fluxboard.server.commands import fields, tasks
from fluxboard.server.commands.access import NO_PROJECT, Access, Person
from fluxboard.server.commands.ledger import (
    FIND_PROJECT,
    Ledger,
    Op,
    ProjectRow,
    as_member,
    encode,
    people_of,
)
from fluxboard.server.commands.limits import may_limit
from fluxboard.server.errors import BadInput, Conflict, NotFound
from fluxboard.server.storage.sql import Statement, Tx, command
from fluxboard.server.storage.tables import members, projects, users
from fluxboard.server.storage.tables import tasks as task_table

_MINE: Final = Statement(
    select(projects)
    .join(members, members.c.project_id == projects.c.id)
    .where(members.c.user_id == bindparam("user"))
    .order_by(projects.c.created_at.desc(), projects.c.id),
    ProjectRow,
)
_mine_too = members.alias("mine")
_PEOPLE_OF_MINE: Final = Statement(
    select(
        members.c.project_id,
        members.c.user_id,
        members.c.role,
        members.c.joined_at,
        users.c.name,
        users.c.email,
    )
    .join(_mine_too, _mine_too.c.project_id == members.c.project_id)
    .join(users, users.c.id == members.c.user_id)
    .where(_mine_too.c.user_id == bindparam("user"))
    .order_by(members.c.joined_at, members.c.user_id),
    lambda project_id, *member: (project_id, as_member(*member)),
)
_INSERT: Final = command(insert(projects))
JOIN: Final = command(
    insert(members).values({name: bindparam(name) for name in ("project_id", "user_id", "role", "joined_at")})
)
_SAVE: Final = command(
    update(projects)
    .where(projects.c.id == bindparam("project"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                "name",
                "description",
                "status",
                "priority",
                "start_date",
                "due_date",
                "columns",
                "archived",
            )
        }
    )
)
_DELETE: Final = command(delete(projects).where(projects.c.id == bindparam("project")))
_USED_COLUMNS: Final = Statement(
    select(task_table.c.status)
    .where(task_table.c.project_id == bindparam("project"), task_table.c.deleted_at.is_(None))
    .distinct(),
    str,
)


def of_person(tx: Tx, person: Person) -> tuple[Project, ...]:
    """The projects that a person is a member of, newest first."""
    people: dict[str, list[Member]] = defaultdict(list)
    for project_id, member in tx.all(_PEOPLE_OF_MINE, user=person.id):
        people[project_id].append(member)
    return tuple(row.as_project(tuple(people[row.id])) for row in tx.all(_MINE, user=person.id))


def read(tx: Tx, project_id: str) -> Project:
    """One project. Raises NotFound."""
    row = tx.one(FIND_PROJECT, project=project_id)
    if row is None:
        raise NotFound(NO_PROJECT)
    return row.as_project(people_of(tx, project_id))


def with_tasks(tx: Tx, project_id: str) -> ProjectWithTasks:
    """One project and its tasks."""
    project = read(tx, project_id)
    listed = msgspec.json.decode(encode(tasks.listed(tx, project_id)), type=tuple[Task, ...])
    values = {name: getattr(project, name) for name in Project.__struct_fields__}
    return ProjectWithTasks(**values, tasks=listed)


def create(tx: Tx, person: Person, body: ProjectCreate, op: Op) -> Project:
    """A new project with its creator as owner."""
    now = timestamp()
    project_id = new_id()
    row = ProjectRow(
        id=project_id,
        name=fields.project_name(body.name),
        description=fields.project_description(body.description),
        status=fields.word(body.status, "status"),
        priority=_priority(body.priority),
        start_date=fields.day(body.start_date, "startDate"),
        due_date=fields.day(body.due_date, "dueDate"),
        columns=encode(DEFAULT_COLUMNS).decode(),
        created_by=person.id,
        created_at=now,
        updated_at=now,
        archived=0,
        rev=0,
        log_start=0,
        task_count=0,
        completed_count=0,
    )
    tx.run(_INSERT, **msgspec.structs.asdict(row))
    tx.run(JOIN, project_id=project_id, user_id=person.id, role="owner", joined_at=now)
    with Ledger(tx, Access(project_id, person, "owner"), op) as ledger:
        ledger.board(PROJECT_UPDATED, "project.created", project_id, row.name)
    return read(tx, project_id)


def change(ledger: Ledger, patch: ProjectPatch) -> Project:
    """The project with the patch's fields; owners and admins may."""
    ledger.access.to_manage()
    row = ledger.row
    values: dict[str, object] = {}
    if patch.name is not UNSET:
        values["name"] = fields.project_name(patch.name)
    if patch.description is not UNSET:
        values["description"] = fields.project_description(patch.description)
    if patch.status is not UNSET:
        values["status"] = fields.word(patch.status, "status")
    if patch.priority is not UNSET:
        values["priority"] = _priority(patch.priority)
    if patch.start_date is not UNSET:
        values["start_date"] = fields.day(patch.start_date, "startDate")
    if patch.due_date is not UNSET:
        values["due_date"] = fields.day(patch.due_date, "dueDate")
    if patch.archived is not UNSET:
        values["archived"] = int(patch.archived)
    if patch.columns is not UNSET:
        values["columns"] = encode(_columns(ledger, patch.columns)).decode()
    changed = {name: value for name, value in values.items() if value != getattr(row, name)}
    if changed:
        names = ("name", "description", "status", "priority", "start_date", "due_date", "columns", "archived")
        after = {name: changed.get(name, getattr(row, name)) for name in names}
        ledger.tx.run(_SAVE, project=row.id, **{f"new_{name}": value for name, value in after.items()})
        row = ledger.row = msgspec.structs.replace(row, **changed)
        camel = {"start_date": "startDate", "due_date": "dueDate"}
        named = tuple(camel.get(name, name) for name in changed)
        ledger.board(PROJECT_UPDATED, "project.updated", row.id, row.name, fields=named)
    return read_open(ledger)


def read_open(ledger: Ledger) -> Project:
    """The project as it is inside an open ledger."""
    project = read(ledger.tx, ledger.row.id)
    return msgspec.structs.replace(project, rev=ledger.rev)


def remove(ledger: Ledger) -> None:
    """Deletes a project with all that is in it; owners may."""
    ledger.access.to_own()
    ledger.board(PROJECT_DELETED, "project.deleted", ledger.row.id, ledger.row.name)
    ledger.tx.run(_DELETE, project=ledger.row.id)


def _priority(text: str) -> str:
    return fields.priority(text) if text in PRIORITIES else fields.word(text, "priority")


def _columns(ledger: Ledger, given: tuple[Column, ...]) -> tuple[Column, ...]:
    made = fields.columns(given)
    missing = set(ledger.tx.all(_USED_COLUMNS, project=ledger.row.id)) - {column.id for column in made}
    if missing:
        names = {column.id: column.name for column in read_open(ledger).columns}
        still = ", ".join(sorted(names.get(id_, id_) for id_ in missing))
        raise Conflict(f"There are still tasks in {still}", field="columns")
    if not any(column.id == "completed" for column in made):
        raise BadInput("The column `completed` must stay; its name may change", field="columns")
    may_limit(ledger, made)
    return made
