"""Views of the one change log: what came after a revision, and the activity feed."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, bindparam, func, or_, select

from fluxboard.model.types import Activity, ActivityMetadata
from fluxboard.model.wire import ActivitiesAnswer, FieldChange, HistoryEntry
from fluxboard.server.commands import fields
from fluxboard.server.commands.access import ADMINISTRATOR, NO_PROJECT
from fluxboard.server.commands.ledger import FIND_PROJECT, activity_id, as_text
from fluxboard.server.errors import Gone, NotFound
from fluxboard.server.storage.sql import Statement, Tx
from fluxboard.server.storage.tables import changes, users

CHANGES_MAX: Final = 1000
ACTIVITIES_MAX: Final = 200
OFFSET_MAX: Final = 1_000_000_000
HISTORY_MAX: Final = 500


class RawChanges(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """:class:`~fluxboard.model.wire.ChangesAnswer` with each change as the JSON that was logged."""

    changes: list[msgspec.Raw]
    rev: int
    has_more: bool
    success: bool = True


class _Logged(msgspec.Struct):
    """What a log row keeps beside the change: what was there before."""

    metadata: ActivityMetadata = ActivityMetadata()
    prev: dict[str, Any] = {}


class _Content(msgspec.Struct):
    """The part of a change that a history shows."""

    task: dict[str, Any] | None = None


_SINCE: Final = Statement(
    select(changes.c.body)
    .where(changes.c.project_id == bindparam("project"), changes.c.rev > bindparam("since"))
    .order_by(changes.c.rev)
    .limit(bindparam("count")),
    lambda body: msgspec.Raw(body.encode()),
)
_logged: Final = msgspec.json.Decoder(_Logged)
_content: Final = msgspec.json.Decoder(_Content)


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which activities: by type, by person, and by time (inclusive)."""

    type: str | None = None
    user_id: str | None = None
    date_from: str | None = None
    date_to: str | None = None


def since(tx: Tx, project_id: str, rev: int, limit: int) -> RawChanges:
    """The changes after ``rev``, oldest first. Raises Gone when the log no longer reaches back."""
    row = tx.one(FIND_PROJECT, project=project_id)
    if row is None:
        raise NotFound(NO_PROJECT)
    if rev < row.log_start or rev > row.rev:
        raise Gone("The log does not reach back to this revision; load the list again", field="since")
    limit = max(1, min(limit, CHANGES_MAX))
    found = tx.all(_SINCE, project=project_id, since=rev, count=limit)
    return RawChanges(changes=found, rev=row.rev, has_more=rev + len(found) < row.rev)


def _matching() -> tuple[ColumnElement[bool], ...]:
    def given(name: str, test: ColumnElement[bool]) -> ColumnElement[bool]:
        return or_(bindparam(name) == "", test)

    return (
        changes.c.project_id == bindparam("project"),
        given("type", changes.c.kind == bindparam("type")),
        given("user", changes.c.actor_id == bindparam("user")),
        given("date_from", changes.c.at >= bindparam("date_from")),
        given("date_to", changes.c.at <= bindparam("date_to")),
    )


def _name(user_id: str, name: str | None) -> str:
    return name or (ADMINISTRATOR.name if user_id == ADMINISTRATOR.id else "")


def _activity(
    project_id: str,
    rev: int,
    kind: str,
    entity_type: str,
    entity_id: str,
    title: str,
    logged: str,
    at: str,
    user_id: str,
    name: str | None,
    email: str | None,
) -> Activity:
    return Activity(
        id=activity_id(project_id, rev),
        project_id=project_id,
        type=kind,
        user_id=user_id,
        user_name=_name(user_id, name),
        user_email=email or "",
        entity_type=entity_type,
        entity_id=entity_id,
        entity_title=title,
        action=kind.rsplit(".", maxsplit=1)[-1],
        metadata=_logged.decode(logged).metadata,
        timestamp=at,
    )


_FEED: Final = Statement(
    select(
        changes.c.project_id,
        changes.c.rev,
        changes.c.kind,
        changes.c.entity_type,
        changes.c.entity_id,
        changes.c.entity_title,
        changes.c.prev,
        changes.c.at,
        changes.c.actor_id,
        users.c.name,
        users.c.email,
    )
    .outerjoin(users, users.c.id == changes.c.actor_id)
    .where(*_matching())
    .order_by(changes.c.rev.desc())
    .limit(bindparam("count"))
    .offset(bindparam("skip")),
    _activity,
)
_TOTAL: Final = Statement(select(func.count()).select_from(changes).where(*_matching()), int)


def feed(tx: Tx, project_id: str, wanted: Filter, limit: int, offset: int) -> ActivitiesAnswer:
    """A page of the activity feed, newest first."""
    limit, offset = max(1, min(limit, ACTIVITIES_MAX)), max(0, min(offset, OFFSET_MAX))
    until = fields.day(wanted.date_to, "dateTo") or ""
    values = {
        "project": project_id,
        "type": wanted.type or "",
        "user": wanted.user_id or "",
        "date_from": fields.day(wanted.date_from, "dateFrom") or "",
        # A day alone as the end means the whole of it.
        "date_to": f"{until}T23:59:59.999Z" if len(until) == 10 else until,
    }
    found = tx.all(_FEED, **values, count=limit, skip=offset)
    total = tx.one(_TOTAL, **values) or 0
    return ActivitiesAnswer(activities=tuple(found), total=total, has_more=offset + len(found) < total)


def _entry(
    rev: int, kind: str, logged: str, body: str, at: str, user_id: str, name: str | None
) -> HistoryEntry:
    prev = _logged.decode(logged).prev
    task = _content.decode(body).task or {}
    return HistoryEntry(
        rev=rev,
        type=kind,
        user_id=user_id,
        user_name=_name(user_id, name),
        timestamp=at,
        changes=tuple(
            FieldChange(field=field, old=as_text(old), new=as_text(task.get(field)))
            for field, old in prev.items()
        ),
    )


_OF_TASK: Final = Statement(
    select(
        changes.c.rev,
        changes.c.kind,
        changes.c.prev,
        changes.c.body,
        changes.c.at,
        changes.c.actor_id,
        users.c.name,
    )
    .outerjoin(users, users.c.id == changes.c.actor_id)
    .where(changes.c.project_id == bindparam("project"), changes.c.entity_id == bindparam("task"))
    .order_by(changes.c.rev.desc())
    .limit(HISTORY_MAX),
    _entry,
)


def of_task(tx: Tx, project_id: str, task_id: str) -> tuple[HistoryEntry, ...]:
    """What the log knows of a task, newest first; a deleted task has a history, too."""
    return tuple(tx.all(_OF_TASK, project=project_id, task=task_id))
