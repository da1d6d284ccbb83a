"""Membership: who is in a project, and the invites that let others in."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from fluxboard.model.types import ROLES, Member, Project, Role, timestamp
from fluxboard.model.wire import MEMBERS_UPDATED, InviteCreate, MemberAdd
from fluxboard.server.commands import fields, inbox, projects
from fluxboard.server.commands.access import Access, Person
from fluxboard.server.commands.ledger import Ledger, Op, as_member, people_of
from fluxboard.server.errors import BadInput, Conflict, Forbidden, NotFound
from fluxboard.server.storage.sql import Statement, Tx, command, counted
from fluxboard.server.storage.tables import invites, members, users

INVITE_SECONDS_MAX: Final = 365 * 24 * 3600
INVITE_USES_MAX: Final = 1000

_BY_EMAIL: Final = Statement(
    select(users.c.id, users.c.name, users.c.email).where(users.c.email == bindparam("email")), Person
)
_BY_ID: Final = Statement(
    select(users.c.id, users.c.name, users.c.email).where(users.c.id == bindparam("user")), Person
)
_SET_ROLE: Final = command(
    update(members)
    .where(members.c.project_id == bindparam("project"), members.c.user_id == bindparam("user"))
    .values(role=bindparam("new_role"))
)
_VISITED: Final = command(
    update(members)
    .where(members.c.project_id == bindparam("project"), members.c.user_id == bindparam("user"))
    .values(visited_at=bindparam("now"))
)
_SEEN: Final = command(
    update(members)
    .where(members.c.project_id == bindparam("project"), members.c.user_id == bindparam("user"))
    .values(last_seen_at=bindparam("now"))
)
_LAST_VISIT: Final = Statement(
    select(members.c.visited_at).where(
        members.c.project_id == bindparam("project"), members.c.user_id == bindparam("user")
    ),
    lambda found: None if found is None else str(found),
)
_LEAVE: Final = command(
    delete(members).where(
        members.c.project_id == bindparam("project"), members.c.user_id == bindparam("user")
    )
)
_INVITE: Final = command(insert(invites))
_USE: Final = counted(
    update(invites)
    .where(invites.c.code_hash == bindparam("hash"), invites.c.uses_left > 0)
    .values(uses_left=invites.c.uses_left - 1)
)


class _Invite(msgspec.Struct, frozen=True):
    project_id: str
    role: Role
    expires_at: str
    uses_left: int


_FIND_INVITE: Final = Statement(
    select(invites.c.project_id, invites.c.role, invites.c.expires_at, invites.c.uses_left).where(
        invites.c.code_hash == bindparam("hash")
    ),
    _Invite,
)


def add(ledger: Ledger, body: MemberAdd) -> Member:
    """A new member; owners and admins may. One who is in already answers as they are."""
    ledger.access.to_manage()
    _may_give(ledger.access, body.role)
    if body.email:
        person = ledger.tx.one(_BY_EMAIL, email=fields.email(body.email))
        field = "email"
    else:
        person = ledger.tx.one(_BY_ID, user=body.user_id or "")
        field = "userId"
    if person is None:
        raise BadInput("Nobody here has this address; send them an invite", field=field)
    return _join(ledger, person, body.role)


def set_role(ledger: Ledger, user_id: str, role: Role) -> Member:
    """A member's new role; only owners make or unmake owners, and one owner stays."""
    access = ledger.access
    access.to_manage()
    member = _find(ledger, user_id)
    _may_give(access, role)
    if member.role == "owner" and role != "owner":
        access.to_own()
        _one_owner_stays(ledger, user_id)
    if member.role != role:
        ledger.tx.run(_SET_ROLE, project=ledger.row.id, user=user_id, new_role=role)
        ledger.board(MEMBERS_UPDATED, "member.role", user_id, member.name)
    return _find(ledger, user_id)


def remove(ledger: Ledger, user_id: str) -> None:
    """Ends a membership; owners and admins may, and everybody their own, but the last owner stays."""
    access = ledger.access
    member = _find(ledger, user_id)
    if user_id != access.person.id:
        access.to_manage()
        if member.role == "owner":
            access.to_own()
    if member.role == "owner":
        _one_owner_stays(ledger, user_id)
    ledger.tx.run(_LEAVE, project=ledger.row.id, user=user_id)
    ledger.removed_users.append(user_id)
    inbox.forget_person(ledger, user_id)
    ledger.board(MEMBERS_UPDATED, "member.removed", user_id, member.name)


def left(tx: Tx, project_id: str, user_id: str, *, visible: bool) -> None:
    """Somebody closed the board; the others learn when, unless they were not to be seen."""
    now = timestamp()
    tx.run(_VISITED, project=project_id, user=user_id, now=now)
    if visible:
        tx.run(_SEEN, project=project_id, user=user_id, now=now)


def visited_at(tx: Tx, project_id: str, user_id: str) -> str | None:
    """When somebody last closed a board; None for never."""
    return tx.one(_LAST_VISIT, project=project_id, user=user_id)


def invite(tx: Tx, access: Access, body: InviteCreate) -> str:
    """The code of a new invite, of which only the hash is kept; owners and admins may."""
    access.to_manage()
    _may_give(access, body.role)
    if not 60 <= body.expires_in <= INVITE_SECONDS_MAX:
        raise BadInput("An invite lives between a minute and a year", field="expiresIn")
    if not 1 <= body.max_uses <= INVITE_USES_MAX:
        raise BadInput(f"An invite has 1 to {INVITE_USES_MAX} uses", field="maxUses")
    code = secrets.token_urlsafe(18)
    tx.run(
        _INVITE,
        code_hash=_hash(code),
        project_id=access.project_id,
        role=body.role,
        expires_at=timestamp(datetime.now(UTC) + timedelta(seconds=body.expires_in)),
        uses_left=body.max_uses,
        created_by=access.person.id,
    )
    return code


def accept(tx: Tx, person: Person, code: str, op: Op) -> Project:
    """Joins the project of an invite; a member already answers without using it up."""
    found = tx.one(_FIND_INVITE, hash=_hash(code))
    if found is None or found.expires_at < timestamp():
        raise NotFound("This invite does not exist or has expired")
    with Ledger(tx, Access(found.project_id, person, found.role), op) as ledger:
        if all(member.user_id != person.id for member in people_of(tx, found.project_id)):
            if not tx.count(_USE, hash=_hash(code)):
                raise NotFound("This invite has been used up")
            _join(ledger, person, found.role)
        return projects.read_open(ledger)


def _join(ledger: Ledger, person: Person, role: Role) -> Member:
    for member in people_of(ledger.tx, ledger.row.id):
        if member.user_id == person.id:
            return member
    ledger.tx.run(projects.JOIN, project_id=ledger.row.id, user_id=person.id, role=role, joined_at=ledger.now)
    ledger.board(MEMBERS_UPDATED, "member.added", person.id, person.name)
    return as_member(person.id, role, ledger.now, person.name, person.email)


def _find(ledger: Ledger, user_id: str) -> Member:
    for member in people_of(ledger.tx, ledger.row.id):
        if member.user_id == user_id:
            return member
    raise NotFound("This person is not a member of the project")


def _may_give(access: Access, role: Role) -> None:
    if role not in ROLES:
        raise BadInput(f"The role must be one of {', '.join(ROLES)}", field="role")
    if role == "owner" and access.role != "owner":
        raise Forbidden("Only an owner can make somebody an owner")


def _one_owner_stays(ledger: Ledger, leaving: str) -> None:
    people = people_of(ledger.tx, ledger.row.id)
    if not any(member.role == "owner" and member.user_id != leaving for member in people):
        raise Conflict("The last owner cannot leave; make somebody else an owner first", field="role")


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
