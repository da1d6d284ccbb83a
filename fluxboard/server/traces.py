"""What a trace of the server may hold, and nothing at all where nobody asked for traces."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from litestar.types import ASGIApp

    from fluxboard.server.settings import Settings
    from fluxboard.server.storage.engine import Committed, Storage

SocketHandler = Callable[..., Awaitable[dict[str, object]]]
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = logging.getLogger("fluxboard.traces")


class Traces(Protocol):
    """Puts spans around what a server does; each method gives back what works as what it was given."""

    def requests(self, app: ASGIApp) -> ASGIApp:
        """A span for each REST request."""
        ...

    def storage(self, storage: Storage) -> Storage:
        """Spans for the transactions of a request or an event."""
        ...

    def event(self, name: str, handler: SocketHandler) -> SocketHandler:
        """A span for each event that a socket sends."""
        ...

    def publishing(self, committed: Committed) -> contextlib.AbstractContextManager[object]:
        """A span for telling a room what was committed here, in the trace of who did it."""
        ...

    async def close(self) -> None:
        """Sends what waits."""
        ...


class Untraced:
    """No traces: everything stays as it is."""

    _nothing: Final = contextlib.nullcontext()

    def requests(self, app: ASGIApp) -> ASGIApp:
        return app

    def storage(self, storage: Storage) -> Storage:
        return storage

    def event(self, name: str, handler: SocketHandler) -> SocketHandler:
        return handler

    def publishing(self, committed: Committed) -> contextlib.AbstractContextManager[object]:
        return self._nothing

    async def close(self) -> None:
        return None


def asked_for() -> bool:
    """Whether the environment names a collector, as OpenTelemetry's own variables do."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if off or os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return any(os.environ.get(name) for name in ENDPOINTS)


def installed() -> bool:
    """Whether the packages of the extra ``otel`` are there."""
    return all(_found(name) for name in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"))


def traces_for(settings: Settings) -> Traces:
    """The traces that are wanted; nothing of OpenTelemetry is imported where they are not."""
    if not settings.otel:
        if asked_for():
            log.warning("no traces are sent: that needs pip install 'fluxboard[otel]'")
        return Untraced()
    from fluxboard.server.telemetry import OpenTelemetry, exporting

    return OpenTelemetry(exporting(), settings.database.partition(":")[0])


def _found(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of what it is in
        return False


def any_route(scope: Any) -> str | None:
    """A request's route as it is written in the program, never its path."""
    route = scope.get("path_template")
    return None if route is None else str(route)
