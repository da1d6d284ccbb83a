"""Accounts and sessions, seen by who runs the server."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import Select, bindparam, func, or_, select, update

from fluxboard.model.types import User, timestamp
from fluxboard.model.wire import MEMBERS_UPDATED
from fluxboard.server.admin.boards import ledger_of
from fluxboard.server.admin.database import Database
from fluxboard.server.commands import accounts, fields
from fluxboard.server.commands.accounts import NO_PASSWORD
from fluxboard.server.errors import Conflict, NotFound
from fluxboard.server.storage.sql import Statement, Tx, command, counted
from fluxboard.server.storage.tables import members, projects, sessions, users


class AccountRow(msgspec.Struct, frozen=True, rename="camel"):
    """An account with how many projects it is in and how many sessions are open."""

    id: str
    email: str
    name: str
    user_type: str
    created_at: str
    active: bool
    projects: int
    sessions: int


class SessionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A session that is neither ended nor over; ``refreshes`` counts how often it was renewed."""

    id: str
    email: str
    created_at: str
    expires_at: str
    refreshes: int


class MembershipRow(msgspec.Struct, frozen=True, rename="camel"):
    """A project that somebody is in."""

    id: str
    name: str
    role: str
    joined_at: str


class AccountDetail(msgspec.Struct, frozen=True, rename="camel"):
    """All that is known of an account but its password's hash."""

    account: AccountRow
    projects: list[MembershipRow]
    sessions: list[SessionRow]


_ALIVE = (sessions.c.revoked_at.is_(None), sessions.c.expires_at > bindparam("now"))


def _accounts() -> Select[tuple[object, ...]]:
    of_user = select(func.count()).select_from(members).where(members.c.user_id == users.c.id)
    alive = select(func.count()).select_from(sessions).where(sessions.c.user_id == users.c.id, *_ALIVE)
    return select(
        *(users.c.id, users.c.email, users.c.name, users.c.user_type, users.c.created_at),
        users.c.password_hash != NO_PASSWORD,
        of_user.scalar_subquery(),
        alive.scalar_subquery(),
    )


def _row(*values: object) -> AccountRow:
    row = AccountRow(*values)  # type: ignore[arg-type]
    return msgspec.structs.replace(row, active=bool(row.active))  # SQLite knows 0 and 1


_LIST: Final = Statement(
    _accounts()
    .where(
        or_(
            users.c.email.like(bindparam("like"), escape="\\"),
            func.lower(users.c.name).like(bindparam("like"), escape="\\"),
        )
    )
    .order_by(users.c.email)
    .limit(bindparam("count")),
    _row,
)
_FIND: Final = Statement(
    _accounts().where(or_(users.c.id == bindparam("who"), users.c.email == bindparam("who"))), _row
)
_sessions: Final = (
    select(sessions.c.id, users.c.email, sessions.c.created_at, sessions.c.expires_at, sessions.c.generation)
    .join(users, users.c.id == sessions.c.user_id)
    .where(*_ALIVE)
    .order_by(sessions.c.created_at.desc(), sessions.c.id)
    .limit(bindparam("count"))
)
_SESSIONS: Final = Statement(_sessions, SessionRow)
_SESSIONS_OF: Final = Statement(_sessions.where(sessions.c.user_id == bindparam("user")), SessionRow)
_MEMBERSHIPS: Final = Statement(
    select(projects.c.id, projects.c.name, members.c.role, members.c.joined_at)
    .join(members, members.c.project_id == projects.c.id)
    .where(members.c.user_id == bindparam("user"))
    .order_by(members.c.joined_at, projects.c.id),
    MembershipRow,
)
_SET_HASH: Final = command(
    update(users).where(users.c.id == bindparam("user")).values(password_hash=bindparam("hash"))
)
_SET_NAME: Final = command(
    update(users).where(users.c.id == bindparam("user")).values(name=bindparam("new_name"))
)
_SET_EMAIL: Final = command(
    update(users).where(users.c.id == bindparam("user")).values(email=bindparam("new_email"))
)
_REVOKE_ALL: Final = counted(
    update(sessions)
    .where(sessions.c.user_id == bindparam("user"), *_ALIVE)
    .values(revoked_at=bindparam("now"))
)
_REVOKE: Final = counted(
    update(sessions).where(sessions.c.id == bindparam("session"), *_ALIVE).values(revoked_at=bindparam("now"))
)


def listed(tx: Tx, search: str, limit: int) -> list[AccountRow]:
    """The accounts whose address or name has ``search`` in it, by address."""
    return tx.all(_LIST, like=containing(search), count=limit, now=timestamp())


def containing(search: str) -> str:
    """A LIKE pattern for texts with ``search`` in them, to be compared with small letters."""
    for special in "\\%_":
        search = search.replace(special, f"\\{special}")
    return f"%{search.lower()}%"


def find(tx: Tx, who: str) -> AccountRow:
    """The account with an id or address. Raises NotFound."""
    for form in (who, who.strip().lower()):
        found = tx.one(_FIND, who=form, now=timestamp())
        if found is not None:
            return found
    raise NotFound(f"There is no account {who}")


def detail(tx: Tx, who: str) -> AccountDetail:
    """An account with its projects and open sessions."""
    account = find(tx, who)
    return AccountDetail(
        account,
        tx.all(_MEMBERSHIPS, user=account.id),
        tx.all(_SESSIONS_OF, user=account.id, now=timestamp(), count=1000),
    )


def create(tx: Tx, email: str, name: str, user_type: str, password_hash: str) -> User:
    """A new account. Raises BadInput, and Conflict when the address has one."""
    return accounts.sign_up(
        tx, fields.email(email), fields.person_name(name), fields.user_type(user_type), password_hash
    )


def set_password(tx: Tx, who: str, password_hash: str) -> int:
    """Gives an account another password and ends its sessions: how many these were."""
    account = find(tx, who)
    tx.run(_SET_HASH, user=account.id, hash=password_hash)
    return revoke_all(tx, account.id)


def deactivate(tx: Tx, who: str) -> int:
    """Closes an account until it gets a password again, and ends its sessions: how many these were.

    What its person wrote stays, and so do their memberships.
    """
    return set_password(tx, who, NO_PASSWORD)


def rename(database: Database, who: str, name: str) -> int:
    """Gives somebody another name and says so in each of their projects: in how many."""
    new_name = fields.person_name(name)

    def work(tx: Tx) -> AccountRow:
        account = find(tx, who)
        tx.run(_SET_NAME, user=account.id, new_name=new_name)
        return account

    return _tell(database, database.write(work).id, new_name)


def readdress(database: Database, who: str, email: str) -> int:
    """Gives somebody another address to sign in with and says so in each of their projects: in how many.

    Raises Conflict when another account has it.
    """
    new_email = fields.email(email)

    def work(tx: Tx) -> AccountRow:
        account = find(tx, who)
        if accounts.by_email(tx, new_email) is not None and account.email != new_email:
            raise Conflict(f"{new_email} has an account already", field="email")
        tx.run(_SET_EMAIL, user=account.id, new_email=new_email)
        return account

    account = database.write(work)
    return _tell(database, account.id, account.name)


def _tell(database: Database, user_id: str, name: str) -> int:
    """One transaction a project; what was interrupted is done again with the same command."""

    def tell(tx: Tx, project_id: str) -> None:
        with ledger_of(tx, project_id) as ledger:
            ledger.board(MEMBERS_UPDATED, "member.renamed", user_id, name)

    theirs = database.read(lambda tx: tx.all(_MEMBERSHIPS, user=user_id))
    for project in theirs:
        database.write(lambda tx, project_id=project.id: tell(tx, project_id))  # type: ignore[misc]
    return len(theirs)


def open_sessions(tx: Tx, who: str | None, limit: int) -> list[SessionRow]:
    """The sessions that are open, newest first; of one account, or of all."""
    if who is None:
        return tx.all(_SESSIONS, now=timestamp(), count=limit)
    return tx.all(_SESSIONS_OF, user=find(tx, who).id, now=timestamp(), count=limit)


def revoke(tx: Tx, session_id: str) -> None:
    """Ends a session; the servers close its sockets. Raises NotFound for one that is not open."""
    if not tx.count(_REVOKE, session=session_id, now=timestamp()):
        raise NotFound(f"There is no open session {session_id}")


def revoke_all(tx: Tx, user_id: str) -> int:
    """Ends every session of an account: how many."""
    return tx.count(_REVOKE_ALL, user=user_id, now=timestamp())
