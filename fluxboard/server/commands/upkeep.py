"""What is thrown away in time: old answers, tombstones, log rows, dead sessions and invites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, delete, func, select, update

from fluxboard.model.types import timestamp
from fluxboard.server.storage.sql import Statement, Tx, command
from fluxboard.server.storage.tables import answers, changes, inbox, invites, projects, sessions, tasks

ANSWERS_KEPT: Final = timedelta(days=30)
TOMBSTONES_KEPT: Final = timedelta(days=30)
LOG_KEPT: Final = timedelta(days=7)
LOG_ROWS_KEPT: Final = 10_000
DONE_KEPT: Final = timedelta(days=90)
INBOX_KEPT: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class _Long:
    project_id: str
    rev: int


_OLD_ANSWERS: Final = command(delete(answers).where(answers.c.created_at < bindparam("before")))
_OLD_TOMBSTONES: Final = command(delete(tasks).where(tasks.c.deleted_at < bindparam("before")))
_OLD_SESSIONS: Final = command(delete(sessions).where(sessions.c.expires_at < bindparam("before")))
_OLD_INVITES: Final = command(delete(invites).where(invites.c.expires_at < bindparam("before")))
_OLD_INBOX: Final = command(
    delete(inbox).where((inbox.c.done_at < bindparam("done_before")) | (inbox.c.at < bindparam("before")))
)
_LONG_LOGS: Final = Statement(
    select(projects.c.id, projects.c.rev).where(
        projects.c.rev - projects.c.log_start > bindparam("rows_kept")
    ),
    _Long,
)
_LAST_OLD: Final = Statement(
    select(func.max(changes.c.rev)).where(
        changes.c.project_id == bindparam("project"),
        changes.c.rev <= bindparam("up_to"),
        changes.c.at < bindparam("before"),
    ),
    lambda found: found,
)
_CUT: Final = command(
    delete(changes).where(changes.c.project_id == bindparam("project"), changes.c.rev <= bindparam("up_to"))
)
_LOG_START: Final = command(
    update(projects).where(projects.c.id == bindparam("project")).values(log_start=bindparam("up_to"))
)


def tidy(tx: Tx) -> None:
    """Deletes what is older than its time; the log keeps at least 7 days and 10,000 rows a project."""
    now = datetime.now(UTC)
    tx.run(_OLD_ANSWERS, before=timestamp(now - ANSWERS_KEPT))
    tx.run(_OLD_TOMBSTONES, before=timestamp(now - TOMBSTONES_KEPT))
    tx.run(_OLD_SESSIONS, before=timestamp(now))
    tx.run(_OLD_INVITES, before=timestamp(now))
    tx.run(_OLD_INBOX, done_before=timestamp(now - DONE_KEPT), before=timestamp(now - INBOX_KEPT))
    for log in tx.all(_LONG_LOGS, rows_kept=LOG_ROWS_KEPT):
        up_to = log.rev - LOG_ROWS_KEPT
        last = tx.one(_LAST_OLD, project=log.project_id, up_to=up_to, before=timestamp(now - LOG_KEPT))
        if last is not None:
            tx.run(_CUT, project=log.project_id, up_to=last)
            tx.run(_LOG_START, project=log.project_id, up_to=last)
