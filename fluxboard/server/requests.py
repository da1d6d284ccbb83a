"""What is kept of each request: its name, its log line and its time, but never its path or its body."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

    from fluxboard.server.metrics import Metrics

HEADER: Final = "X-Request-ID"
#: What a proxy may have named a request; anything else is not taken into logs and answers.
_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
access_log = logging.getLogger("fluxboard.access")
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


def watched(metrics: Metrics) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware that times requests and logs a line for each, by their route: a path may hold a secret."""

    def around(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            started = time.perf_counter()
            status = 0

            async def send_watched(message: Any) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, send_watched)
            finally:
                seconds = time.perf_counter() - started
                method, route = scope.get("method"), scope.get("path_template")
                metrics.requests.labels(method, route, status).observe(seconds)
                access_log.info(
                    "request",
                    extra={
                        "method": method,
                        "route": route,
                        "status": status,
                        "ms": round(seconds * 1000, 1),
                    },
                )

        return answer

    return around
