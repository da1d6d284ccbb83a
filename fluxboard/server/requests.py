"""What is kept of each request: its name, its log line and its time, but never its path or its body."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import secrets
import sys
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import msgspec

from fluxboard.model.types import timestamp

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

    from fluxboard.server.metrics import Metrics

HEADER: Final = "X-Request-ID"
#: What a proxy may have named a request; anything else is not taken into logs and answers.
_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
#: So many lines are written at once: what a pipe, shared by several processes, takes as a whole.
_TOGETHER: Final = 12
access_log = logging.getLogger("fluxboard.access")
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def request_id() -> str | None:
    """The name of the request that is being answered; None outside of one."""
    return _current.get()


def observed(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """``app`` with a name for each request, a log line and its time.

    The name is the one that a proxy gave it, else a new one; it is answered as a header. Logged is the route
    and not the path, which may hold a secret.
    """
    header = HEADER.lower().encode()
    # A name apart from those of other processes, and a number: a random name would ask the kernel each time.
    process, numbers = secrets.token_hex(8).encode(), itertools.count(1)
    lines = _Lines()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        given = next((value for name, value in scope["headers"] if name == header), b"")
        request = given if _GIVEN.fullmatch(given) else b"%s-%x" % (process, next(numbers))
        status = 0

        async def send_named(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (header, request)]
            await send(message)

        token = _current.set(request.decode())
        try:
            await app(scope, receive, send_named)
        finally:
            seconds = time.perf_counter() - started
            milliseconds = round(seconds * 1000, 1)
            method, route = scope.get("method"), scope.get("path_template")
            metrics.request(method, route, status, seconds)
            if access_log.isEnabledFor(logging.INFO):
                lines.add(_Line(timestamp(), request.decode(), method, route, status, milliseconds))
            _current.reset(token)

    return answer


class _Line(msgspec.Struct, frozen=True):
    """A request as a line of the log, like those of :mod:`fluxboard.server.logs`."""

    at: str
    request: str
    method: object
    route: object
    status: int
    ms: float
    level: str = "info"
    logger: str = access_log.name
    message: str = "request"


class _Lines:
    """Writes the lines of a turn of the loop at once; through :mod:`logging` each costs ten times that."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._encode = msgspec.json.Encoder().encode

    def add(self, line: _Line) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._write)
        self._lines.append(self._encode(line))

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        for start in range(0, len(lines), _TOGETHER):
            sys.stderr.write(b"\n".join((*lines[start : start + _TOGETHER], b"")).decode())
            sys.stderr.flush()
