"""Traces by OpenTelemetry, sent by OTLP over HTTP to whatever its environment variables name.

Attributes are routes, names of events, numbers and ids of requests. The usual instrumentation of an ASGI
application records whole addresses, and with them invitation codes; therefore these spans are made here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from uuid import uuid4

from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

from fluxboard.server.requests import request_id
from fluxboard.server.storage.engine import Committed, Storage
from fluxboard.server.storage.sql import Tx
from fluxboard.server.traces import SocketHandler, any_route

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

T = TypeVar("T")
#: Commits of which it is remembered who made them, until they are told.
ORIGINS_MAX: Final = 10_000
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
#: A collector that does not answer holds up the end of a process no longer than this, in seconds.
CLOSE_SECONDS: Final = 3.0


def exporting() -> SpanProcessor:
    """Sends spans in batches, from a thread of its own, to the collector that the environment names."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter())


class OpenTelemetry:
    """Spans for requests, socket events, transactions and what is published; ``system`` is the database's."""

    def __init__(self, processor: SpanProcessor, system: str) -> None:
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("fluxboard", version("fluxboard"))
        self._system = "postgresql" if system.startswith("postgres") else system
        self._origins: OrderedDict[tuple[str, int], SpanContext] = OrderedDict()

    def requests(self, app: ASGIApp) -> ASGIApp:
        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            method = str(scope.get("method"))
            method = method if method in _METHODS else "_OTHER"
            with self._tracer.start_as_current_span(
                method,
                context=propagate.extract(given),
                kind=SpanKind.SERVER,
                attributes={
                    "http.request.method": method,
                    "url.scheme": str(scope.get("scheme", "http")),
                    "fluxboard.request.id": request_id() or "",
                },
                record_exception=False,  # it may quote what somebody wrote; a status of 500 says enough
                set_status_on_exception=False,
            ) as span:

                async def noted(message: Any) -> None:
                    if message["type"] == "http.response.start":
                        status = message["status"]
                        span.set_attribute("http.response.status_code", status)
                        if status >= 500:
                            span.set_attribute("error.type", str(status))
                            span.set_status(Status(StatusCode.ERROR))
                    await send(message)

                await app(scope, receive, noted)
                if route := any_route(scope):
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)

        return traced

    def event(self, name: str, handler: SocketHandler) -> SocketHandler:
        async def traced(socket_id: str, *payload: Any) -> dict[str, object]:
            with self._tracer.start_as_current_span(
                f"process {name}",
                context=trace.set_span_in_context(trace.INVALID_SPAN),
                kind=SpanKind.CONSUMER,
                attributes={
                    "messaging.system": "socketio",
                    "messaging.operation.type": "process",
                    "messaging.operation.name": "process",
                    "messaging.destination.name": name,
                },
                record_exception=False,  # it may quote what somebody wrote; a status of 500 says enough
                set_status_on_exception=False,
            ) as span:
                answer = await handler(socket_id, *payload)
                if answer.get("ok") is not True:
                    span.set_attribute("error.type", "refused")
                return answer

        return traced

    def storage(self, storage: Storage) -> Storage:
        return cast("Storage", _Traced(storage, self))

    @contextlib.contextmanager
    def publishing(self, committed: Committed) -> Iterator[None]:
        origin = self._origins.pop((committed.project_id, committed.rev), None)
        if origin is None:
            yield
            return
        with self._tracer.start_as_current_span(
            "publish",
            context=trace.set_span_in_context(trace.NonRecordingSpan(origin)),
            kind=SpanKind.PRODUCER,
            attributes={
                "messaging.system": "socketio",
                "messaging.operation.type": "send",
                "messaging.operation.name": "publish",
                "messaging.batch.message_count": len(committed.events),
            },
            record_exception=False,
            set_status_on_exception=False,
        ):
            yield

    async def close(self) -> None:
        loop, closed = asyncio.get_running_loop(), asyncio.Event()

        def shut() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop ended before it
                loop.call_soon_threadsafe(closed.set)

        threading.Thread(target=shut, daemon=True).start()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(closed.wait(), CLOSE_SECONDS)

    async def transaction(
        self, kind: str, job: Callable[[Tx], T], run: Callable[[Callable[[Tx], T]], Any]
    ) -> T:
        """Runs a job and shows its wait, its work and, of a write, the commit that others may share."""
        begun = ended = 0

        def timed(tx: Tx) -> T:
            nonlocal begun, ended
            begun = time.time_ns()
            try:
                result = job(tx)
                for committed in tx.announced:
                    self._remember(committed, span.get_span_context())
                return result
            finally:
                ended = time.time_ns()

        with self._tracer.start_as_current_span(
            f"transaction {kind}",
            kind=SpanKind.CLIENT,
            attributes={"db.system.name": self._system, "db.operation.name": kind},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            result: T = await run(timed)
            self._tracer.start_span("statements", start_time=begun).end(ended)
            if kind == "write":
                self._tracer.start_span("COMMIT", start_time=ended).end()
            return result

    def _remember(self, committed: Committed, context: SpanContext) -> None:
        self._origins[committed.project_id, committed.rev] = context
        if len(self._origins) > ORIGINS_MAX:
            with contextlib.suppress(KeyError):  # another thread may have been at it
                self._origins.popitem(last=False)


class _Traced:
    """A storage whose transactions are seen where they belong to something that is traced."""

    def __init__(self, storage: Storage, traces: OpenTelemetry) -> None:
        self._storage = storage
        self._traces = traces

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)  # its figures

    async def read(self, job: Callable[[Tx], T]) -> T:
        if not trace.get_current_span().is_recording():
            return await self._storage.read(job)
        return await self._traces.transaction("read", job, self._storage.read)

    async def write(self, job: Callable[[Tx], T], lane: str = "") -> T:
        if not trace.get_current_span().is_recording():
            return await self._storage.write(job, lane)
        return await self._traces.transaction("write", job, lambda timed: self._storage.write(timed, lane))

    async def close(self) -> None:
        await self._storage.close()


def _resource() -> Resource:
    about = {"service.version": version("fluxboard"), "service.instance.id": str(uuid4())}
    given = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if not os.environ.get("OTEL_SERVICE_NAME") and "service.name=" not in given:
        about["service.name"] = "fluxboard"
    return Resource.create(about)
