"""A request of somebody who is signed in, and how it runs a command."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from litestar import Response
from litestar.types import ASGIApp, Receive, Scope, Send

from fluxboard.model.wire import IDEMPOTENCY_KEY, PROJECT_REV, SOCKET_ID
from fluxboard.server.commands import answers
from fluxboard.server.commands.access import NO_PROJECT, Access, Caller, Person, enter, identify, visit
from fluxboard.server.commands.answers import Answer
from fluxboard.server.commands.ledger import Ledger, Op, encode, lock
from fluxboard.server.errors import NotFound
from fluxboard.server.rest.encoded import Encoded, coding_for
from fluxboard.server.rest.support import Req, Services, etag, json
from fluxboard.server.storage.sql import Tx

T = TypeVar("T")


def signed_in(app: ASGIApp) -> ASGIApp:
    """Lets in who has a good token, before a byte of the body is read."""

    # A middleware and not a guard, for which the framework copies the whole route at each request.
    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        services: Services = scope["litestar_app"].state.services
        for name, value in scope["path_params"].items():
            if "\0" in str(value):  # PostgreSQL refuses even to look for such an id
                raise NotFound(NO_PROJECT if name == "project_id" else "There is nothing of this name")
        given = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        scope["user"] = services.tokens.bearer(None if given is None else given.decode("latin-1"))
        await app(scope, receive, send)

    return checked


@dataclass(frozen=True, slots=True)
class Call:
    """A request of somebody who is signed in."""

    request: Req
    services: Services
    caller: Caller

    @property
    def op(self) -> Op:
        """Whose operation this is."""
        headers = self.request.headers
        return Op(key=headers.get(IDEMPOTENCY_KEY), socket_id=headers.get(SOCKET_ID))

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
        headers, kept = self.request.headers, self.services.kept
        tags = headers.get("if-none-match", "")
        coding = coding_for(headers.get("accept-encoding", ""))

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
        self, project_id: str, work: Callable[[Ledger], msgspec.Struct], status: int = 200
    ) -> Response[Any]:
        """Runs ``work`` on a project's ledger and answers what it returns, once for each Idempotency-Key."""
        op, digest = self.op, await self._digest()

        def job(tx: Tx) -> tuple[Answer, int | None]:
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
        op, digest = self.op, await self._digest()

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

    async def _digest(self) -> str:
        hashed = hashlib.sha256(f"{self.request.method} {self.request.scope['path']}\n".encode())
        hashed.update(await self.request.body())
        return hashed.hexdigest()


def provide_call(request: Req) -> Call:
    """The request of who the Authorization header names; the route is guarded with :func:`signed_in`."""
    return Call(request, request.app.state.services, request.scope["user"])
