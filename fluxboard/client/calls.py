"""One call to a server: the token that goes with it, its answer, and what can go wrong."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from fluxboard.client.hygiene import decode
from fluxboard.client.importing import imported
from fluxboard.model.text import clean_line
from fluxboard.model.types import Task
from fluxboard.model.wire import IDEMPOTENCY_KEY, Conflict

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
Layer = Literal["core", "plus"]

#: Seconds for an answer, and for a connection.
ANSWER_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 5.0
#: A server that wants to be left alone for longer than this, in seconds, is asked all the same.
RETRY_AFTER_MAX: Final = 3600.0

encode: Final = msgspec.json.Encoder().encode


class ApiError(Exception):
    """A server's refusal; the text is fit to be read. ``retry_after`` is in seconds.

    ``conflict`` has both sides of a text that two people wrote, ``gone`` what is left of a deleted task.
    """

    def __init__(
        self,
        status: int,
        message: str,
        field: str | None = None,
        retry_after: float | None = None,
        conflict: Conflict | None = None,
        gone: Task | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.field = field
        self.retry_after = retry_after
        self.conflict = conflict
        self.gone = gone

    @property
    def signed_out(self) -> bool:
        """Whether the token is what was refused."""
        return self.status == 401 or (self.status == 403 and "token" in str(self).lower())

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return (
            self.status == 429 or self.status >= 500 or (self.status == 409 and self.retry_after is not None)
        )


class ApiUnreachable(Exception):
    """No answer came; the text says why."""


class _ErrorBody(msgspec.Struct):
    error: str | None = None
    message: str | None = None
    field: str | None = None
    conflict: Conflict | None = None
    task: Task | None = None


class Calls:
    """Calls to one server; every answer is cleaned where it is decoded.

    ``token`` gives a good access token, ``renew`` gets a new one after a refusal and says whether it could.
    ``layer`` is unknown until the first task list has come.
    """

    def __init__(
        self,
        server: str,
        token: Callable[[], Awaitable[str | None]],
        renew: Callable[[], Awaitable[bool]],
        transport: httpx.AsyncBaseTransport | None = None,
        silent: Callable[[str], None] = lambda server: None,
    ) -> None:
        """``transport`` None is the network; ``silent`` hears which server did not answer."""
        self.server = server
        self.layer: Layer | None = None
        self._token = token
        self._renew = renew
        self._transport = transport
        self._silent = silent
        self._client: httpx.AsyncClient | None = None
        self._rest_until = 0.0

    @property
    def rest(self) -> float:
        """For how many seconds the server wants to be asked nothing that nobody waits for."""
        return max(0.0, self._rest_until - asyncio.get_running_loop().time())

    async def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.aclose()

    @property
    def _http(self) -> httpx.AsyncClient:
        """Made with the first request: a board is painted before the network is even imported."""
        if self._client is None:
            import httpx

            # Without redirects: a token goes to the server it belongs to and to no other.
            self._client = httpx.AsyncClient(
                timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
                follow_redirects=False,
                transport=self._transport,
            )
        return self._client

    @property
    def escapes(self) -> bool:
        """Whether the server sends text as HTML would have it."""
        return self.layer == "core"

    async def call(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: msgspec.Struct | None = None,
        *,
        key: str | None = None,
        renew: bool = True,
    ) -> T:
        """An answer, decoded. ``key`` is its Idempotency-Key. Raises ApiError and ApiUnreachable."""
        return self.decode(await self.send(method, path, body, key=key, renew=renew), kind)

    def decode(self, response: httpx.Response, kind: type[T]) -> T:
        """What an answer says. Raises ApiError where it is none of a board."""
        try:
            return decode(response.content, kind, escaped=self.escapes)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            # What is no JSON at all is somebody between here and there, who speaks for a while.
            status = 500 if isinstance(error, msgspec.ValidationError) else 502
            raise ApiError(status, f"{self.server} does not answer as a task board does: {error}") from None

    async def send(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | None = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        renew: bool = True,
    ) -> httpx.Response:
        """A good answer; with a token where ``renew``. Raises ApiError and ApiUnreachable."""
        response = await self._request(method, path, body, key, headers, signed=renew)
        if response.status_code < 400 and not response.has_redirect_location:
            return response
        error = _error_of(response)
        if renew and error.signed_out and await self._renew():
            response = await self._request(method, path, body, key, headers, signed=True)
            if response.status_code < 400 and not response.has_redirect_location:
                return response
            error = _error_of(response)
        if response.has_redirect_location or response.status_code == 407:
            # A hotel's network, or another address: nobody has looked at what was asked.
            raise ApiUnreachable(str(error))
        # A limit of one kind of change says nothing of what may be asked.
        if method == "GET" and error.retry_after is not None and error.passing:
            wait = min(error.retry_after, RETRY_AFTER_MAX) * random.uniform(1, 1.1)  # noqa: S311 - no secret
            self._rest_until = max(self._rest_until, asyncio.get_running_loop().time() + wait)
        raise error

    async def _request(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | None,
        key: str | None,
        headers: dict[str, str] | None,
        *,
        signed: bool,
    ) -> httpx.Response:
        await imported("httpx")
        import httpx

        sent: dict[str, Any] = dict(headers or {})
        token = await self._token() if signed else None
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if key is not None:
            sent[IDEMPOTENCY_KEY] = key
        content = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = encode(body)
        server = self.server
        try:
            return await self._http.request(method, server + path, content=content, headers=sent)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            self._silent(server)
            raise ApiUnreachable(_why(error, server)) from None


def _why(error: Exception, server: str) -> str:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return f"{server} did not answer in time"
    if isinstance(error, httpx.ConnectError):
        return f"nothing answers at {server}"
    return clean_line(f"{server}: {error}" if str(error) else f"{server}: {type(error).__name__}")


def _error_of(response: httpx.Response) -> ApiError:
    status = response.status_code
    try:
        body = decode(response.content, _ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = _ErrorBody()
    message = body.error or body.message or f"The server answered {status} {response.reason_phrase}"
    if response.has_redirect_location:
        message = f"The server wants to send us elsewhere ({status}); give that address instead"
    if body.field and body.field.lower() not in message.lower():
        message = f"{message} ({body.field})"
    wait = _seconds(response.headers.get("retry-after", ""), response.headers.get("date", ""))
    return ApiError(status, clean_line(message), body.field, wait, body.conflict, body.task)


def _seconds(wait: str, now: str) -> float | None:
    """How long to wait by a Retry-After, which names seconds or a time; None for neither.

    ``now`` is the answer's Date: that clock named the time, and this computer's may be another.
    """
    if not wait or wait.isdecimal():
        return float(wait) if wait else None
    moment = _moment(wait)
    return None if moment is None else max(0.0, moment - (_moment(now) or time.time()))


def _moment(date: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
