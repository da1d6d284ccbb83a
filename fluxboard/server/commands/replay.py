"""A project's log as the events that its room would have heard."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, select

from fluxboard.model.wire import COMMENT_DELETED, SYNC_NEEDED, Change, Head
from fluxboard.server.commands.ledger import ANNOUNCE_MAX, comment_notice, encode
from fluxboard.server.storage.engine import Event
from fluxboard.server.storage.sql import Statement, Tx, one_of
from fluxboard.server.storage.tables import changes, projects

_change: Final = msgspec.json.Decoder(Change)
_AFTER: Final = Statement(
    select(changes.c.rev, changes.c.body)
    .where(changes.c.project_id == bindparam("project"), changes.c.rev > bindparam("since"))
    .order_by(changes.c.rev)
    .limit(ANNOUNCE_MAX + 1),
    lambda rev, body: (int(rev), str(body)),
)
_HEADS: Final = Statement(
    select(projects.c.id, projects.c.rev).where(one_of(projects.c.id)),
    lambda name, rev: (str(name), int(rev)),
)
_HEAD: Final = Statement(select(projects.c.rev).where(projects.c.id == bindparam("project")), int)


def heads(tx: Tx, project_ids: list[str]) -> dict[str, int]:
    """The revision of each of these projects that exists."""
    return dict(tx.each(_HEADS, project_ids))


def replay(tx: Tx, project_id: str, since: int) -> tuple[int, list[Event]]:
    """The head, and the events after ``since``; ``sync:needed`` alone when they are many."""
    head = tx.one(_HEAD, project=project_id) or since
    found = tx.all(_AFTER, project=project_id, since=since)
    if head > since and (len(found) > ANNOUNCE_MAX or not found or found[0][0] != since + 1):
        return head, [Event(SYNC_NEEDED, head, encode(Head(project_id=project_id, rev=head)))]
    return head, [_event(rev, body) for rev, body in found]


def _event(rev: int, body: str) -> Event:
    change = _change.decode(body)
    if change.comment is None:
        return Event(change.type, rev, body.encode())
    if change.type == COMMENT_DELETED:
        return Event(change.type, rev, encode(msgspec.structs.replace(change, comment=None)))
    return Event(change.type, rev, encode(comment_notice(change)))
