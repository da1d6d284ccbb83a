"""What every route shares: who is calling, running a command, and how an error is answered."""

from __future__ import annotations

import functools
import logging
import re
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import litestar
import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import Scope

from fluxboard.model.wire import (
    PROJECT_REV,
    ConflictAnswer,
    ErrorAnswer,
    TaskGoneAnswer,
)
from fluxboard.server.auth import Passwords, Throttle, Tokens
from fluxboard.server.commands.ledger import encode
from fluxboard.server.errors import Overwrites, Refusal, TaskGone
from fluxboard.server.metrics import Metrics
from fluxboard.server.requests import request_id
from fluxboard.server.rest.encoded import Encoded, Kept
from fluxboard.server.settings import Settings
from fluxboard.server.storage.engine import Storage

T = TypeVar("T")
Req = Request[Any, Any, Any]

log = logging.getLogger("fluxboard.rest")


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers work with."""

    settings: Settings
    storage: Storage
    tokens: Tokens
    passwords: Passwords
    logins: Throttle
    metrics: Metrics
    kept: Kept = field(default_factory=Kept)


_WHAT: Final = {
    400: "Bad input; `field` names it",
    401: "No token",
    403: "Bad or expired token, or no access",
    404: "It does not exist",
    409: "The state of things does not allow it; `conflict` has both sides of a text",
    410: "Deleted, or the log no longer reaches back",
    413: "Too large",
    422: "This Idempotency-Key was used for another request",
    429: "Too many requests; wait Retry-After seconds",
    503: "The database cannot be written now",
}


class _Errors(dict[int, ResponseSpec]):
    """The framework copies it deeply for each route, which took a fifth of its start; nobody changes it."""

    def __deepcopy__(self, _: object) -> _Errors:
        return self


ERRORS: Final = _Errors(
    {
        status: ResponseSpec(data_container=ErrorAnswer, description=text, generate_examples=False)
        for status, text in _WHAT.items()
    }
)

# A route's decorators, with every error in the OpenAPI document.
get = functools.partial(litestar.get, responses=ERRORS)
post = functools.partial(litestar.post, responses=ERRORS)
put = functools.partial(litestar.put, responses=ERRORS)
delete = functools.partial(litestar.delete, responses=ERRORS)

# How Litestar names a parameter that an address lacks.
_PARAMETER: Final = re.compile(r"Missing required \w+ parameter '([^']+)'")


def provide_services(request: Req) -> Services:
    """The application's services."""
    services: Services = request.app.state.services
    return services


def header(scope: Scope, name: bytes) -> str | None:
    """A request's header, whose ``name`` is in lower case; the first, if there are several."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return None


def json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response[Any]:
    """A response of JSON that is encoded already."""
    return Encoded(body, status, headers)


def with_head(body: msgspec.Struct, rev: int) -> Response[Any]:
    """An answer about a project, with the project's newest revision."""
    return json(encode(body), headers={PROJECT_REV: str(rev)})


def etag(rev: int) -> str:
    """The entity tag of what a project is at a revision."""
    return f'"{rev}"'


def on_refusal(_: Req, refusal: Refusal) -> Response[Any]:
    """A command's refusal as an answer."""
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    if isinstance(refusal, TaskGone):
        gone = TaskGoneAnswer(
            error=refusal.message,
            message=refusal.message,
            task=refusal.task,
            deleted_by=refusal.deleted_by,
            at=refusal.at,
        )
        return _refused(gone, refusal.status)
    if isinstance(refusal, Overwrites):
        overwrites = ConflictAnswer(
            error=refusal.message, message=refusal.message, field=refusal.field, conflict=refusal.conflict
        )
        return _refused(overwrites, refusal.status)
    answer = ErrorAnswer(error=refusal.message, message=refusal.message, field=refusal.field)
    return _refused(answer, refusal.status, headers)


def on_http_error(_: Req, error: HTTPException) -> Response[Any]:
    """What the framework refuses: unknown routes, bad values in a query, too large bodies."""
    message, field = error.detail or "Error", None
    if isinstance(error, ValidationException) and isinstance(error.extra, list) and error.extra:
        first: dict[str, str] = error.extra[0]
        message, field = first.get("message", message), first.get("key")
    elif lacking := _PARAMETER.search(message):
        field = lacking[1]
        message = f"{field} is missing"
    answer = ErrorAnswer(error=message, message=message, field=field)
    return _refused(answer, error.status_code, dict(error.headers or {}))


def on_failure(request: Req, error: Exception) -> Response[Any]:
    """A defect of ours: logged with where, answered without."""
    log.error("unexpected error in %s %s", request.method, _route(request), exc_info=error)
    message = "The server failed at this. It was logged; nothing was changed."
    return _refused(ErrorAnswer(error=message, message=message), 500)


def _refused(answer: ErrorAnswer, status: int, headers: dict[str, str] | None = None) -> Response[Any]:
    return json(encode(msgspec.structs.replace(answer, request_id=request_id())), status, headers)


def _route(request: Req) -> str:
    """A request's path without what may be secret in it."""
    return str(request.scope.get("path_template") or "?")
