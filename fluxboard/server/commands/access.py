"""Who is asking, and what they may do in a project."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, select

from fluxboard.model.types import Role
from fluxboard.server.errors import Forbidden, NotFound
from fluxboard.server.storage.sql import Statement, Tx
from fluxboard.server.storage.tables import members, projects, sessions, users

BAD_TOKEN: Final = "Invalid or expired token"  # noqa: S105 - a sentence
NO_ACCESS: Final = "Access denied to project"
NO_PROJECT: Final = "Project not found"


class Caller(msgspec.Struct, frozen=True):
    """What a valid token says; ``expires`` is in seconds since the epoch."""

    user_id: str
    session_id: str
    expires: float


class Person(msgspec.Struct, frozen=True):
    """The account behind a session that is not revoked."""

    id: str
    name: str
    email: str


#: Whoever works on the database itself; the log names them, no account does.
ADMINISTRATOR: Final = Person("administrator", "Administrator", "")


class Access(msgspec.Struct, frozen=True):
    """A person in a project that they are a member of."""

    project_id: str
    person: Person
    role: Role
    #: The project's revision when it was entered.
    rev: int = 0

    def to_write(self) -> None:
        """Raises Forbidden for a viewer."""
        if self.role == "viewer":
            raise Forbidden("Viewers may read, but not change this project")

    def to_manage(self) -> None:
        """Raises Forbidden for all but owners and admins."""
        if self.role not in {"owner", "admin"}:
            raise Forbidden("Only an owner or admin of the project may do this")

    def to_own(self) -> None:
        """Raises Forbidden for all but owners."""
        if self.role != "owner":
            raise Forbidden("Only an owner of the project may do this")


class Visit(msgspec.Struct, frozen=True):
    """A person before a project that may not exist (no ``rev``), or not be theirs (no ``role``)."""

    project_id: str
    person: Person
    rev: int | None
    role: Role | None

    def enter(self) -> Access:
        """Raises Forbidden, or NotFound when the project does not exist."""
        if self.rev is None:
            raise NotFound(NO_PROJECT)
        if self.role is None:
            raise Forbidden(NO_ACCESS)
        return Access(self.project_id, self.person, self.role, self.rev)


class _Row(msgspec.Struct, frozen=True):
    id: str
    name: str
    email: str
    revoked_at: str | None
    rev: int | None
    role: Role | None


_PERSON: Final = Statement(
    select(users.c.id, users.c.name, users.c.email)
    .join(sessions, sessions.c.user_id == users.c.id)
    .where(sessions.c.id == bindparam("session"), sessions.c.revoked_at.is_(None)),
    Person,
)
_ACCESS: Final = Statement(
    select(users.c.id, users.c.name, users.c.email, sessions.c.revoked_at, projects.c.rev, members.c.role)
    .select_from(sessions)
    .join(users, users.c.id == sessions.c.user_id)
    .outerjoin(projects, projects.c.id == bindparam("project"))
    .outerjoin(members, (members.c.project_id == projects.c.id) & (members.c.user_id == users.c.id))
    .where(sessions.c.id == bindparam("session")),
    _Row,
)


def identify(tx: Tx, caller: Caller) -> Person:
    """The account of a caller. Raises Forbidden when the session was revoked."""
    person = tx.one(_PERSON, session=caller.session_id)
    if person is None or person.id != caller.user_id:
        raise Forbidden(BAD_TOKEN)
    return person


def visit(tx: Tx, caller: Caller, project_id: str) -> Visit:
    """Who the caller is, and what a project is to them. Raises Forbidden when the session was revoked."""
    row = tx.one(_ACCESS, session=caller.session_id, project=project_id)
    if row is None or row.revoked_at is not None or row.id != caller.user_id:
        raise Forbidden(BAD_TOKEN)
    return Visit(project_id, Person(row.id, row.name, row.email), row.rev, row.role)


def visit_ahead(tx: Tx, caller: Caller, project_id: str) -> None:
    """Says that :func:`visit` comes."""
    tx.ahead(_ACCESS, session=caller.session_id, project=project_id)


def enter(tx: Tx, caller: Caller, project_id: str) -> Access:
    """A caller's access to a project. Raises Forbidden, or NotFound when the project does not exist."""
    return visit(tx, caller, project_id).enter()
