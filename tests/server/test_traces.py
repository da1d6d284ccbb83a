"""Traces: what is in them, what never is, and that nobody pays who did not ask."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fluxboard.server.settings import BadSettings, Settings
from fluxboard.server.telemetry import OpenTelemetry
from tests.e2e.server_process import ServerProcess
from tests.server.conftest import REDIS, drop_postgres, new_postgres
from tests.server.world import PASSWORD, SECRET, World, done, refused
from tests.support.waiting import until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
WRITTEN = "what-somebody-wrote"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What the servers of this test export."""
    exporter = InMemorySpanExporter()

    def traced(settings: Settings) -> OpenTelemetry:
        return OpenTelemetry(SimpleSpanProcessor(exporter), settings.database.partition(":")[0])

    monkeypatch.setattr("fluxboard.server.app.traces_for", traced)
    return exporter


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


def about(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def above(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


async def test_a_request_its_transaction_its_commit_and_what_is_told_are_one_trace(
    spans: InMemorySpanExporter, lone: World
) -> None:
    ada = await lone.person("ada")
    project = await ada.project()
    await ada.ear(project)
    spans.clear()
    answer = await ada.post(f"/api/projects/{project}/tasks", {"title": WRITTEN}, **TRACEPARENT)
    await until(lambda: named(spans, "publish"), what="it is told")
    (request,) = (span for span in spans.get_finished_spans() if span.name.startswith("POST "))
    route = about(request)["http.route"]
    assert request.name == f"POST {route}"
    assert route.startswith("/api/projects/{project_id")
    assert f"{request.context.trace_id:032x}" == TRACE
    assert above(request) == int(PARENT, 16)
    assert about(request) == {
        "http.request.method": "POST",
        "http.route": route,
        "http.response.status_code": 201,
        "url.scheme": "http",
        "fluxboard.request.id": answer.headers["x-request-id"],
    }
    (write,) = named(spans, "transaction write")
    system = "sqlite" if lone.settings.database.startswith("sqlite") else "postgresql"
    assert about(write) == {"db.system.name": system, "db.operation.name": "write"}
    assert above(write) == request.context.span_id
    (publish,) = named(spans, "publish")
    assert about(publish)["messaging.batch.message_count"] >= 1
    for part in (publish, *named(spans, "statements"), *named(spans, "COMMIT")):
        assert above(part) == write.context.span_id
    assert named(spans, "COMMIT")
    assert {span.context.trace_id for span in spans.get_finished_spans()} == {request.context.trace_id}


async def test_events_of_sockets_are_seen_and_what_is_refused_too(
    spans: InMemorySpanExporter, lone: World
) -> None:
    ada, eve = await lone.person("ada"), await lone.person("eve")
    project = await ada.project()
    ear, stranger = await ada.ear(), await eve.ear()
    spans.clear()
    assert (await ear.join(project))["ok"]
    (joined,) = named(spans, "process join:project")
    assert about(joined)["messaging.destination.name"] == "join:project"
    assert joined.parent is None
    assert {above(read) for read in named(spans, "transaction read")} == {joined.context.span_id}
    spans.clear()
    assert not (await stranger.join(project))["ok"]
    (refusal,) = named(spans, "process join:project")
    assert about(refusal)["error.type"] == "refused"


async def test_nothing_that_people_write_and_no_secret_is_in_a_trace(
    spans: InMemorySpanExporter, lone: World
) -> None:
    ada = await lone.person("ada")
    project = await ada.project(WRITTEN)
    task = await ada.task(project, WRITTEN)
    await ada.post(f"/api/projects/{project}/tasks/{task['id']}/comments", {"content": WRITTEN})
    await ada.get(f"/api/projects/{project}/tasks?q={WRITTEN}")
    await ada.call("LOCK", "/api/projects")
    await ada.post(f"/api/invites/{WRITTEN}/accept")
    await ada.get(f"/{WRITTEN}")
    await refused(ada.post("/api/auth/login", {"email": ada.email, "password": WRITTEN}), 401)
    ear = await ada.ear(project)
    await ear.call("typing:update", {"projectId": project, "taskId": WRITTEN})
    told = "".join(span.to_json() for span in spans.get_finished_spans())
    assert "/api/invites/{code" in told
    assert "_OTHER" in told
    for secret in (WRITTEN, PASSWORD, SECRET, ada.token, ada.email):
        assert secret not in told


async def test_a_failure_is_marked_and_a_refusal_is_not(
    spans: InMemorySpanExporter, lone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await lone.person("ada")
    await refused(ada.get("/api/projects/none/tasks"), 404)
    (not_there,) = (span for span in spans.get_finished_spans() if span.name.startswith("GET "))
    assert not_there.status.is_unset
    spans.clear()

    def broken(*_: object) -> None:
        raise ZeroDivisionError(WRITTEN)

    monkeypatch.setattr("fluxboard.server.rest.call.identify", broken)
    await refused(ada.get("/api/projects"), 500)
    (failed,) = named(spans, "GET /api/projects")
    assert not failed.status.is_ok
    assert about(failed)["error.type"] == "500"
    assert WRITTEN not in "".join(span.to_json() for span in spans.get_finished_spans())


class Collector(ThreadingHTTPServer):
    """An OTLP receiver: ``bodies`` are what was sent to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.bodies: list[bytes] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[Any]:
        found = []
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                named = {each.key: each.value.string_value for each in resource.resource.attributes}
                assert named["service.name"] == "fluxboard"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


class _Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@contextmanager
def started(server: ServerProcess) -> Iterator[ServerProcess]:
    server.start()
    try:
        yield server
    finally:
        server.kill()


async def sign_up(server: ServerProcess, name: str) -> None:
    """Over a connection of its own, behind a proxy that traces."""
    async with httpx.AsyncClient(base_url=server.url, headers=TRACEPARENT) as http:
        body = {"email": f"{name}@example.com", "password": PASSWORD, "name": WRITTEN}
        await done(http.post("/api/auth/signup", json=body))


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_collector_that_the_environment_names_gets_the_spans_of_each_process(
    workers: int, collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    name, database = new_postgres() if workers > 1 else ("", None)
    redis = REDIS if workers > 1 else None
    with started(ServerProcess(tmp_path, database=database, redis=redis, workers=workers)) as server:
        await asyncio.gather(*(sign_up(server, f"p{number}") for number in range(4)))
        assert server.stop() == 0
    if name:
        drop_postgres(name)
    signed_up = [span for span in collector.spans() if span.name == "POST /api/auth/signup"]
    assert [span.trace_id.hex() for span in signed_up] == [TRACE] * 4
    sent = b"".join(collector.bodies)
    assert PASSWORD.encode() not in sent
    assert WRITTEN.encode() not in sent


async def test_a_collector_that_is_not_there_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    with started(ServerProcess(tmp_path)) as server:
        await sign_up(server, "ada")
        assert server.stop() == 0


def test_the_flag_without_its_packages_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fluxboard.server.settings.installed", lambda: False)
    with pytest.raises(BadSettings, match=r"pip install 'fluxboard\[otel\]'"):
        Settings.load(data=tmp_path, otel=True)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    assert not Settings.load(data=tmp_path).otel


COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        (COLLECTOR, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "true"}, False),
        ({**COLLECTOR, "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_turn_it_on_and_off(
    environment: dict[str, str], wanted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Settings.load(data=tmp_path).otel is wanted


def test_who_does_not_ask_does_not_import_it() -> None:
    # The library for Redis imports a part of it by itself, where it is installed.
    ours = ("fluxboard.server.telemetry", "opentelemetry.exporter")
    program = (
        "import sys; from fluxboard.server.app import Server; "
        "from fluxboard.server.settings import Settings; "
        f"Server(Settings(database='sqlite:///x', jwt_secret='{SECRET}')); "
        f"sys.exit(any(name.startswith({ours}) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
