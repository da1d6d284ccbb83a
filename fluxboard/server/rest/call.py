"""A request of somebody who is signed in, and how it runs a command."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

import msgspec
from litestar import Response
from litestar.types import Scope

from fluxboard.model.wire import IDEMPOTENCY_KEY, PROJECT_REV, SOCKET_ID
from fluxboard.server.commands import answers
from fluxboard.server.commands.access import Access, Caller, Person, enter, identify, visit, visit_ahead
from fluxboard.server.commands.answers import Answer
from fluxboard.server.commands.ledger import Ledger, Op, encode, lock, lock_ahead
from fluxboard.server.rest.encoded import Encoded, coding_for
from fluxboard.server.rest.support import Req, Services, etag, header, json
from fluxboard.server.storage.sql import Tx

T = TypeVar("T")
_IDEMPOTENCY_KEY: Final = IDEMPOTENCY_KEY.lower().encode()
_SOCKET_ID: Final = SOCKET_ID.lower().encode()


class Call:
    """A request of somebody who is signed in."""

    __slots__ = ("_body", "caller", "scope", "services")

    def __init__(self, scope: Scope, services: Services, caller: Caller, body: bytes) -> None:
        self.scope = scope
        self.services = services
        self.caller = caller
        self._body = body

    @property
    def op(self) -> Op:
        """Whose operation this is."""
        return Op(key=header(self.scope, _IDEMPOTENCY_KEY), socket_id=header(self.scope, _SOCKET_ID))

    async def ask(self, work: Callable[[Tx, Person], T]) -> T:
        """Runs ``work`` in a snapshot, for the caller."""
        return await self.services.storage.read(lambda tx: work(tx, identify(tx, self.caller)))

    async def read(self, project_id: str, work: Callable[[Tx, Access], T]) -> tuple[T, int]:
        """Runs ``work`` in a snapshot of a project: its result and the project's revision."""

        def job(tx: Tx) -> tuple[T, int]:
            access = enter(tx, self.caller, project_id)
            return work(tx, access), access.rev

        return await self.services.storage.read(job)

    async def read_once(
        self, project_id: str, key: tuple[Hashable, ...], work: Callable[[Tx, Access], msgspec.Struct]
    ) -> Response[Any]:
        """Answers what ``work`` returns, which is made once for each revision and ``key``.

        If-None-Match answers 304. The body is compressed as Accept-Encoding asks.
        """
        kept = self.services.kept
        tags = header(self.scope, b"if-none-match") or ""
        coding = coding_for(header(self.scope, b"accept-encoding") or "")

        def job(tx: Tx) -> tuple[int, tuple[bytes, str] | None]:
            access = enter(tx, self.caller, project_id)
            if etag(access.rev) in tags:
                return access.rev, None
            made_of = (project_id, access.rev, *key)
            return access.rev, kept.get(made_of, coding, lambda: encode(work(tx, access)))

        rev, found = await self.services.storage.read(job)
        said = {PROJECT_REV: str(rev), "Vary": "Accept-Encoding"}
        if found is None:
            return Encoded(b"", 304, said | {"ETag": etag(rev)})
        body, coded = found
        # Of the same content, but not the same bytes, which a strong tag would say.
        return Encoded(body, headers=said | {"ETag": f"W/{etag(rev)}" if coded else etag(rev)}, coding=coded)

    async def mutate(
        self,
        project_id: str,
        work: Callable[[Ledger], msgspec.Struct],
        status: int = 200,
        ahead: Callable[[Tx], None] = lambda tx: None,
    ) -> Response[Any]:
        """Runs ``work`` on a project's ledger and answers what it returns, once for each Idempotency-Key.

        ``ahead`` says what ``work`` will look at.
        """
        op, digest = self.op, self._digest()

        def job(tx: Tx) -> tuple[Answer, int | None]:
            lock_ahead(tx, project_id)
            visit_ahead(tx, self.caller, project_id)
            if op.key is not None:
                answers.known_ahead(tx, self.caller.user_id, op.key)
            ahead(tx)
            row = lock(tx, project_id)  # so that nobody's access ends between the look at it and the commit
            visitor = visit(tx, self.caller, project_id)
            if op.key is not None:
                # The first answer comes again even to who left or deleted the project with it.
                known = answers.known(tx, visitor.person.id, op.key, digest)
                if known is not None:
                    return known, row.rev if row and visitor.role else None
            with Ledger(tx, visitor.enter(), op, row) as ledger:
                answer = Answer(status, encode(work(ledger)))
            if op.key is not None:
                answers.keep(tx, visitor.person.id, op.key, digest, answer)
            return answer, ledger.rev

        made, rev = await self.services.storage.write(job, lane=project_id)
        return json(made.body, made.status, {} if rev is None else {PROJECT_REV: str(rev)})

    async def mutate_alone(
        self, work: Callable[[Tx, Person, Op], msgspec.Struct], status: int = 200
    ) -> Response[Any]:
        """As :meth:`mutate`, for what is done outside a project that the caller is in already."""
        op, digest = self.op, self._digest()

        def job(tx: Tx) -> Answer:
            person = identify(tx, self.caller)
            if op.key is not None and (known := answers.known(tx, person.id, op.key, digest)):
                return known
            answer = Answer(status, encode(work(tx, person, op)))
            if op.key is not None:
                answers.keep(tx, person.id, op.key, digest, answer)
            return answer

        made = await self.services.storage.write(job)
        return json(made.body, made.status)

    def _digest(self) -> str:
        asked = f"{self.scope.get('method')} {self.scope['path']}\n".encode()
        return hashlib.sha256(asked + self._body).hexdigest()


def provide_call(request: Req) -> Call:
    """The call of a request, where :func:`~fluxboard.server.rest.endpoint.called` has put it."""
    call: Call = request.state.call
    return call
