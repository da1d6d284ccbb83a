"""Idempotency: what a key was answered, so that a request sent twice takes effect once."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, insert, select

from fluxboard.model.types import Task, timestamp
from fluxboard.model.wire import BatchResult
from fluxboard.server.errors import BadInput, Unprocessable
from fluxboard.server.storage.sql import Statement, Tx, command
from fluxboard.server.storage.tables import answers

KEY_MAX: Final = 200
#: Marks the hash of an operation of a batch.
OPERATION: Final = "op:"


class Answer(msgspec.Struct, frozen=True):
    """What a request was answered."""

    status: int
    body: bytes


class OperationAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to any request on one task."""

    message: str
    success: bool = True
    task: Task | None = None
    task_id: str | None = None
    rev: int = 0


class _Row(msgspec.Struct, frozen=True):
    request_hash: str
    status: int
    body: str


# A twin that runs at the same time lets this fail at its end; the storage tries again and finds its answer.
_KEEP: Final = command(insert(answers))
_FIND: Final = Statement(
    select(answers.c.request_hash, answers.c.status, answers.c.body).where(
        answers.c.user_id == bindparam("user"), answers.c.key == bindparam("of")
    ),
    _Row,
)


def known(tx: Tx, user_id: str, key: str, request_hash: str) -> Answer | None:
    """What a request was answered before.

    An operation of a batch that had this key is taken for the same. Raises Unprocessable when another request
    had it.
    """
    _check(key)
    row = tx.one(_FIND, user=user_id, of=key)
    if row is None:
        return None
    if row.request_hash.startswith(OPERATION):
        # It was done in a batch whose answer was lost; the batch as a whole was refused when it came again.
        return Answer(row.status, _as_request(row.body))
    if row.request_hash != request_hash:
        raise Unprocessable("This key was used for another request", field="Idempotency-Key")
    return Answer(row.status, row.body.encode())


def known_ahead(tx: Tx, user_id: str, key: str) -> None:
    """Says that :func:`known` comes."""
    tx.ahead(_FIND, user=user_id, of=key)


def _as_request(body: str) -> bytes:
    """What an operation of a batch was answered, as a request of its own is."""
    result = msgspec.json.decode(body, type=BatchResult)
    return msgspec.json.encode(
        OperationAnswer(task=result.task, task_id=result.task_id, rev=result.rev, message="Done in a batch")
    )


def known_operation(tx: Tx, user_id: str, key: str, request_hash: str) -> Answer | None:
    """What an operation of a batch was answered before, in a batch or as a request of its own.

    Raises Unprocessable when another operation had this key.
    """
    _check(key)
    row = tx.one(_FIND, user=user_id, of=key)
    if row is None:
        return None
    if row.request_hash.startswith(OPERATION) and row.request_hash != request_hash:
        raise Unprocessable("This key was used for another request", field="opId")
    return Answer(row.status, row.body.encode())


def keep(tx: Tx, user_id: str, key: str, request_hash: str, answer: Answer) -> None:
    """Keeps what a request, or an operation of a batch, was answered."""
    tx.run(
        _KEEP,
        user_id=user_id,
        key=key,
        request_hash=request_hash,
        status=answer.status,
        body=answer.body.decode(),
        created_at=timestamp(),
    )


def _check(key: str) -> None:
    if not 1 <= len(key) <= KEY_MAX or not key.isprintable():
        raise BadInput(f"The key must have 1 to {KEY_MAX} printable characters", field="Idempotency-Key")
