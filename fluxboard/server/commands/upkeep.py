"""What is thrown away in time: old answers, tombstones, log rows, dead sessions and invites."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, func, select, update

from fluxboard.model.types import timestamp
from fluxboard.server.storage.sql import Statement, Tx, command, counted
from fluxboard.server.storage.tables import answers, changes, inbox, invites, projects, sessions, tasks

ANSWERS_KEPT: Final = timedelta(days=30)
TOMBSTONES_KEPT: Final = timedelta(days=30)
LOG_KEPT: Final = timedelta(days=7)
LOG_ROWS_KEPT: Final = 10_000
DONE_KEPT: Final = timedelta(days=90)
INBOX_KEPT: Final = timedelta(days=365)


class _Long(msgspec.Struct, frozen=True):
    project_id: str
    rev: int


_OLD_ANSWERS: Final = counted(delete(answers).where(answers.c.created_at < bindparam("before")))
_OLD_TOMBSTONES: Final = counted(delete(tasks).where(tasks.c.deleted_at < bindparam("before")))
_OLD_SESSIONS: Final = counted(delete(sessions).where(sessions.c.expires_at < bindparam("before")))
_OLD_INVITES: Final = counted(delete(invites).where(invites.c.expires_at < bindparam("before")))
_OLD_INBOX: Final = counted(
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
_CUT: Final = counted(
    delete(changes).where(changes.c.project_id == bindparam("project"), changes.c.rev <= bindparam("up_to"))
)
# Never back: another process may have cut more meanwhile.
_LOG_START: Final = command(
    update(projects)
    .where(projects.c.id == bindparam("project"), projects.c.log_start < bindparam("up_to"))
    .values(log_start=bindparam("up_to"))
)


def tidy(tx: Tx) -> None:
    """Deletes what is older than its time; the log keeps at least 7 days and 10,000 rows a project."""
    for forget in EXPIRING.values():
        forget(tx)
    for project_id, last in old_logs(tx):
        cut_log(tx, project_id, last)


def old_logs(tx: Tx) -> list[tuple[str, int]]:
    """The projects whose log is longer than it must be, and the last revision that may go."""
    before = _ago(LOG_KEPT)
    found = []
    for log in tx.all(_LONG_LOGS, rows_kept=LOG_ROWS_KEPT):
        up_to = log.rev - LOG_ROWS_KEPT
        last = tx.one(_LAST_OLD, project=log.project_id, up_to=up_to, before=before)
        if last is not None:
            found.append((log.project_id, last))
    return found


def cut_log(tx: Tx, project_id: str, last: int) -> int:
    """Forgets a project's log up to a revision, and how many rows that were."""
    tx.run(_LOG_START, project=project_id, up_to=last)
    return tx.count(_CUT, project=project_id, up_to=last)


def _ago(age: timedelta) -> str:
    return timestamp(datetime.now(UTC) - age)


#: What goes by its age alone, by what it is; each answers how many rows went.
EXPIRING: Final[dict[str, Callable[[Tx], int]]] = {
    "answers": lambda tx: tx.count(_OLD_ANSWERS, before=_ago(ANSWERS_KEPT)),
    "deleted tasks": lambda tx: tx.count(_OLD_TOMBSTONES, before=_ago(TOMBSTONES_KEPT)),
    "sessions": lambda tx: tx.count(_OLD_SESSIONS, before=timestamp()),
    "invites": lambda tx: tx.count(_OLD_INVITES, before=timestamp()),
    "inbox": lambda tx: tx.count(_OLD_INBOX, done_before=_ago(DONE_KEPT), before=_ago(INBOX_KEPT)),
}
