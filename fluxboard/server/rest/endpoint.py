"""How a route's function is called: with what its path holds, its body, and who is calling.

Litestar finds a route, describes it and answers what it raises. To call it the framework's way, with a
request, a signature and a response made each time, costs as much as the edit itself; so it is done here. Only
what a route takes from the query is left to the framework.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, cast

import msgspec
from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from fluxboard.server.commands.access import NO_PROJECT
from fluxboard.server.commands.ledger import encode
from fluxboard.server.errors import BadInput, NotFound, TooLarge
from fluxboard.server.rest.call import Call
from fluxboard.server.rest.encoded import Encoded
from fluxboard.server.rest.support import Services, header

#: A longer body is refused.
BODY_MAX: Final = 2_000_000
_TOO_LARGE: Final = f"A body has {BODY_MAX // 1_000_000} MB at most"
#: How msgspec names a field that an object lacks.
_MISSING: Final = re.compile(r"missing required field `([^`]+)`")


def called(app: ASGIApp) -> ASGIApp:
    """Calls a route's function; who needs a good token and has none is refused before the body is read.

    A function that takes a ``call`` is one for who is signed in.
    """
    endpoint: _Endpoint | None = None

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal endpoint
        arguments: dict[str, Any] = dict(scope["path_params"])
        if endpoint is None:
            endpoint = _Endpoint(cast(HTTPRouteHandler, scope["route_handler"]), arguments)
        for name, value in arguments.items():
            if "\0" in str(value):  # PostgreSQL refuses even to look for such an id
                raise NotFound(NO_PROJECT if name == "project_id" else "There is nothing of this name")
        services: Services = scope["litestar_app"].state.services
        if endpoint.takes_call:
            caller = services.tokens.bearer(header(scope, b"authorization"))
            body = await read_body(scope, receive)
            scope["state"]["call"] = arguments["call"] = Call(scope, services, caller, body)
        elif endpoint.decoder is not None:
            body = await read_body(scope, receive)
        if endpoint.takes_query:
            await app(scope, receive, send)
            return
        if endpoint.decoder is not None:
            arguments["data"] = decoded(endpoint.decoder, body)
        if endpoint.takes_services:
            arguments["services"] = services
        if endpoint.takes_request:
            arguments["request"] = Request(scope, receive, send)
        found = await endpoint.function(**arguments)
        if not isinstance(found, Encoded):
            found = Encoded(encode(found), endpoint.status)
        await found.send(send)

    return answer


class _Endpoint:
    """A route's function, and what it takes besides what its path holds."""

    def __init__(self, handler: HTTPRouteHandler, in_path: Iterable[str]) -> None:
        parameters = handler.parsed_fn_signature.parameters
        self.function: Callable[..., Awaitable[Any]] = handler.fn
        self.status = handler.status_code
        self.takes_call = "call" in parameters
        self.takes_services = "services" in parameters
        self.takes_request = "request" in parameters
        self.takes_query = bool(parameters.keys() - {"call", "services", "request", "data", *in_path})
        data = parameters.get("data")
        self.decoder: msgspec.json.Decoder[Any] | None = None
        if data is not None:
            self.decoder = msgspec.json.Decoder(data.annotation, strict=False)


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """A request's whole body. Raises TooLarge, or BadInput when it does not come whole."""
    pieces: list[bytes] = []
    size = 0
    if int(header(scope, b"content-length") or 0) > BODY_MAX:  # before anybody is asked to send it
        raise TooLarge(_TOO_LARGE)
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BadInput("The body did not come whole")
        piece, more = message["body"], message["more_body"]
        size += len(piece)
        if size > BODY_MAX:
            raise TooLarge(_TOO_LARGE)
        if not more and not pieces:
            return piece
        pieces.append(piece)
        if not more:
            return b"".join(pieces)


def decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """A body as what a route takes. Raises BadInput, which names the field where there is one."""
    if not body:
        raise BadInput("The body is missing")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        field = place.rstrip("`").lstrip(".")
        if lacks := _MISSING.search(message):
            field = f"{field}.{lacks[1]}" if field else lacks[1]
        raise BadInput(message, field=field or None) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput("The body is not valid JSON") from None
