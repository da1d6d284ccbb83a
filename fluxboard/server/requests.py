"""A name for each request, by which its error answer and its log lines are found together."""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import Any, Final
from uuid import uuid4

from litestar.types import ASGIApp

HEADER: Final = "X-Request-ID"
#: What a proxy may have named a request; anything else is not taken into logs and answers.
_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def request_id() -> str | None:
    """The name of the request that is being answered; None outside of one."""
    return _current.get()


def named(app: ASGIApp) -> ASGIApp:
    """``app`` with a name for each request: the one a proxy gave it, else a new one; answered as a header."""
    header = HEADER.lower().encode()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        given = next((value for name, value in scope["headers"] if name == header), b"")
        name = given if _GIVEN.fullmatch(given) else uuid4().hex.encode()

        async def send_named(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (header, name)]}
            await send(message)

        token = _current.set(name.decode())
        try:
            await app(scope, receive, send_named)
        finally:
            _current.reset(token)

    return answer
