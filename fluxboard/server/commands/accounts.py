"""Accounts and their sessions. A session is what a token names; revoking it ends all its tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import bindparam, insert, select, update

from fluxboard.model.types import User, new_id, timestamp
from fluxboard.server.commands.access import BAD_TOKEN
from fluxboard.server.errors import Conflict, Forbidden
from fluxboard.server.storage.sql import Statement, Tx, command, one_of
from fluxboard.server.storage.tables import sessions, users

#: A session without refresh lives as long as its one token; with refresh each use lengthens it.
PLAIN_LIFE: Final = timedelta(days=7)
REFRESHED_LIFE: Final = timedelta(days=30)
#: Stands in the place of the hash of an account that is closed: no password fits it.
NO_PASSWORD: Final = "!"  # noqa: S105 - a mark
#: Within this time after a rotation the predecessor gets the same successor: answers get lost.
GRACE: Final = timedelta(seconds=60)


class Account(msgspec.Struct, frozen=True):
    """A user with what proves the password."""

    user: User
    password_hash: str


class Session(msgspec.Struct, frozen=True):
    """A session as it is stored; ``generation`` counts its refreshes."""

    id: str
    user_id: str
    expires_at: str
    revoked_at: str | None
    generation: int
    rotated_at: str | None


def _account(id: str, email: str, name: str, user_type: str, password_hash: str, created_at: str) -> Account:
    user = User(id=id, email=email, name=name, user_type=user_type, created_at=created_at)
    return Account(user, password_hash)


_BY_EMAIL: Final = Statement(select(users).where(users.c.email == bindparam("email")), _account)
_BY_ID: Final = Statement(select(users).where(users.c.id == bindparam("user")), _account)
_INSERT: Final = command(insert(users))
_OPEN: Final = command(insert(sessions))
_ALIVE: Final = Statement(
    select(sessions.c.id).where(one_of(sessions.c.id), sessions.c.revoked_at.is_(None)), str
)
_SESSION: Final = Statement(
    select(
        sessions.c.id,
        sessions.c.user_id,
        sessions.c.expires_at,
        sessions.c.revoked_at,
        sessions.c.generation,
        sessions.c.rotated_at,
    ).where(sessions.c.id == bindparam("session")),
    Session,
)
_ROTATE: Final = command(
    update(sessions)
    .where(sessions.c.id == bindparam("session"), sessions.c.generation == bindparam("known"))
    .values(generation=sessions.c.generation + 1, rotated_at=bindparam("now"), expires_at=bindparam("until"))
)
_REVOKE: Final = command(
    update(sessions)
    .where(sessions.c.id == bindparam("session"), sessions.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)


def by_email(tx: Tx, email: str) -> Account | None:
    """The account with an address."""
    return tx.one(_BY_EMAIL, email=email)


def user(tx: Tx, user_id: str) -> User:
    """One's own account. Raises Forbidden when it is gone."""
    account = tx.one(_BY_ID, user=user_id)
    if account is None:
        raise Forbidden(BAD_TOKEN)
    return account.user


def sign_up(tx: Tx, email: str, name: str, user_type: str, password_hash: str) -> User:
    """A new account. Raises Conflict when the address has one."""
    if tx.one(_BY_EMAIL, email=email) is not None:
        raise Conflict("There is already an account with this email address", field="email")
    made = User(id=new_id(), email=email, name=name, user_type=user_type, created_at=timestamp())
    tx.run(
        _INSERT,
        id=made.id,
        email=email,
        name=name,
        user_type=user_type,
        password_hash=password_hash,
        created_at=made.created_at,
    )
    return made


def open_session(tx: Tx, user_id: str, *, refresh: bool) -> Session:
    """A new session for a user who proved who they are."""
    now = datetime.now(UTC)
    until = timestamp(now + (REFRESHED_LIFE if refresh else PLAIN_LIFE))
    made = Session(new_id(), user_id, until, None, 0, None)
    tx.run(
        _OPEN,
        id=made.id,
        user_id=user_id,
        created_at=timestamp(now),
        expires_at=until,
        revoked_at=None,
        generation=0,
        rotated_at=None,
    )
    return made


def rotate(tx: Tx, session_id: str, generation: int) -> Session | None:
    """The session with its next generation; None for a reuse, which ends the session.

    Within GRACE the predecessor answers the same successor. Raises Forbidden for a session that ended.
    """
    now = datetime.now(UTC)
    session = tx.one(_SESSION, session=session_id)
    if session is None or session.revoked_at is not None or session.expires_at < timestamp(now):
        raise Forbidden(BAD_TOKEN)
    if generation == session.generation:
        until = timestamp(now + REFRESHED_LIFE)
        tx.run(_ROTATE, session=session_id, known=generation, now=timestamp(now), until=until)
        return tx.one(_SESSION, session=session_id)
    recent = session.rotated_at is not None and session.rotated_at >= timestamp(now - GRACE)
    if generation == session.generation - 1 and recent:
        return session
    revoke(tx, session_id)
    return None


def revoke(tx: Tx, session_id: str) -> None:
    """Ends a session and so every token that names it."""
    tx.run(_REVOKE, session=session_id, now=timestamp())


def ended(tx: Tx, session_ids: list[str]) -> set[str]:
    """Those of some sessions that are revoked or gone."""
    alive = tx.each(_ALIVE, session_ids)
    return set(session_ids).difference(alive)
