"""Projects, seen by who runs the server. What changes one is logged in it as the administrator's change."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, func, or_, select

from fluxboard.model.types import Member, ProjectPatch, Role
from fluxboard.model.wire import MemberAdd
from fluxboard.server.commands import people, projects
from fluxboard.server.commands.access import ADMINISTRATOR, Access
from fluxboard.server.commands.ledger import Ledger, Op, people_of
from fluxboard.server.commands.placing import repair
from fluxboard.server.errors import Conflict, NotFound
from fluxboard.server.storage.sql import Statement, Tx
from fluxboard.server.storage.tables import members, tasks
from fluxboard.server.storage.tables import projects as table


class ProjectRow(msgspec.Struct, frozen=True, rename="camel"):
    """A project with how much is in it; ``log`` counts the changes that are kept."""

    id: str
    name: str
    archived: bool
    tasks: int
    completed: int
    members: int
    log: int
    rev: int
    updated_at: str


class ProjectDetail(msgspec.Struct, frozen=True, rename="camel"):
    """A project with its people."""

    project: ProjectRow
    members: tuple[Member, ...]


_members: Final = select(func.count()).select_from(members).where(members.c.project_id == table.c.id)
_rows: Final = select(
    *(table.c.id, table.c.name, table.c.archived, table.c.task_count, table.c.completed_count),
    _members.scalar_subquery(),
    *(table.c.rev - table.c.log_start, table.c.rev, table.c.updated_at),
)


def _row(*values: object) -> ProjectRow:
    row = ProjectRow(*values)  # type: ignore[arg-type]
    return msgspec.structs.replace(row, archived=bool(row.archived))


_LIST: Final = Statement(
    _rows.where(func.lower(table.c.name).like(bindparam("like"), escape="\\"))
    .order_by((table.c.task_count + table.c.rev - table.c.log_start).desc(), table.c.id)
    .limit(bindparam("count")),
    _row,
)
_FIND: Final = Statement(
    _rows.where(or_(table.c.id == bindparam("which"), table.c.name == bindparam("which"))).limit(20), _row
)
_COLUMNS: Final = Statement(
    select(tasks.c.status)
    .where(tasks.c.project_id == bindparam("project"), tasks.c.deleted_at.is_(None))
    .distinct(),
    str,
)


def ledger_of(tx: Tx, project_id: str) -> Ledger:
    """A project's log, open for the administrator. Raises NotFound."""
    return Ledger(tx, Access(project_id, ADMINISTRATOR, "owner"), Op())


def listed(tx: Tx, like: str, limit: int) -> list[ProjectRow]:
    """The projects whose name is ``like``, the largest first."""
    return tx.all(_LIST, like=like, count=limit)


def find(tx: Tx, which: str) -> ProjectRow:
    """The project with an id or name. Raises NotFound, and Conflict when several have this name."""
    found = tx.all(_FIND, which=which)
    if not found:
        raise NotFound(f"There is no project {which}")
    if len(found) > 1:
        raise Conflict(f"Several projects are called {which}: {', '.join(row.id for row in found)}")
    return found[0]


def detail(tx: Tx, which: str) -> ProjectDetail:
    """A project with its people."""
    project = find(tx, which)
    return ProjectDetail(project, people_of(tx, project.id))


def archive(tx: Tx, which: str, *, archived: bool) -> ProjectRow:
    """Puts a project away, or brings it back."""
    project = find(tx, which)
    with ledger_of(tx, project.id) as ledger:
        projects.change(ledger, ProjectPatch(archived=archived))
    return find(tx, project.id)


def delete(tx: Tx, project_id: str) -> None:
    """Deletes a project with all that is in it."""
    with ledger_of(tx, project_id) as ledger:
        projects.remove(ledger)


def add_member(tx: Tx, project_id: str, user_id: str, role: Role | None = None) -> Member:
    """Lets somebody in; who is a member already gets the role, and without one keeps theirs."""
    with ledger_of(tx, project_id) as ledger:
        member = people.add(ledger, MemberAdd(user_id=user_id, role=role or "member"))
        return member if role is None else people.set_role(ledger, user_id, role)


def remove_member(tx: Tx, project_id: str, user_id: str) -> None:
    """Ends a membership; the last owner stays."""
    with ledger_of(tx, project_id) as ledger:
        people.remove(ledger, user_id)


def transfer(tx: Tx, project_id: str, user_id: str) -> None:
    """Makes somebody the one owner of a project; those who were become its admins."""
    with ledger_of(tx, project_id) as ledger:
        people.add(ledger, MemberAdd(user_id=user_id, role="owner"))
        people.set_role(ledger, user_id, "owner")
        for member in people_of(tx, project_id):
            if member.role == "owner" and member.user_id != user_id:
                people.set_role(ledger, member.user_id, "admin")


def reindex(tx: Tx, which: str) -> int:
    """Spreads the positions of a project's tasks evenly, in the order they stand: how many changed.

    It is one transaction, in the log a change for each task.
    """
    project = find(tx, which)
    with ledger_of(tx, project.id) as ledger:
        return sum(repair(ledger, column) for column in tx.all(_COLUMNS, project=project.id))
