"""The ASGI application, and the process that serves it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from typing import Any, Final

import socketio
import uvicorn
from litestar import Litestar, get
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp, Receive, Scope, Send

from fluxboard.model.types import timestamp
from fluxboard.model.wire import IDEMPOTENCY_KEY, PROJECT_REV, SOCKET_ID
from fluxboard.server.auth import Passwords, Throttle, Tokens
from fluxboard.server.commands.upkeep import tidy
from fluxboard.server.errors import Refusal
from fluxboard.server.live import PACKET_MAX, Live
from fluxboard.server.requests import HEADER, named, request_id
from fluxboard.server.rest.accounts import AccountRoutes
from fluxboard.server.rest.inbox import InboxRoutes
from fluxboard.server.rest.operations import operations_routes
from fluxboard.server.rest.projects import InviteRoutes, MemberRoutes, ProjectRoutes
from fluxboard.server.rest.support import (
    Services,
    on_failure,
    on_http_error,
    on_refusal,
    on_unreadable,
    provide_caller,
    provide_services,
)
from fluxboard.server.rest.tasks import CommentRoutes, TaskRoutes
from fluxboard.server.settings import Settings
from fluxboard.server.storage.engine import open_storage

BODY_MAX: Final = 2_000_000
TIDY_SECONDS: Final = 3600.0
DRAIN_SECONDS: Final = 5
#: How uvicorn speaks: no compression and no pings of its own below those of Socket.IO.
UVICORN: Final[dict[str, Any]] = {
    "interface": "asgi3",
    "access_log": False,
    "log_config": None,
    "ws": "websockets-sansio",
    "ws_per_message_deflate": False,
    "ws_ping_interval": None,
    "ws_max_size": 2 * PACKET_MAX,
    "timeout_graceful_shutdown": DRAIN_SECONDS,
    "server_header": False,
}

access_log = logging.getLogger("fluxboard.access")
log = logging.getLogger("fluxboard.server")


def create_app(settings: Settings) -> ASGIApp:
    """REST and Socket.IO as one ASGI application; it opens its database at start-up."""
    return Server(settings).asgi


class Server:
    """One process: its database, its sockets and its routes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = time.monotonic()
        self._tokens = Tokens(settings.jwt_secret)
        self.live = Live(settings, self._tokens)
        self.rest = self._routes()
        self._sockets: ASGIApp = socketio.ASGIApp(self.live.sio, other_asgi_app=named(self.rest))

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """The application; the routes' side alone hears of start and end."""
        target = self.rest if scope["type"] == "lifespan" else self._sockets
        await target(scope, receive, send)

    def _routes(self) -> Litestar:
        origins = list(self._settings.cors_origins)
        exposed = [PROJECT_REV, "ETag", "Retry-After", HEADER]
        headers = ["Authorization", "Content-Type", "If-None-Match", IDEMPOTENCY_KEY, SOCKET_ID]

        @get("/health", summary="Whether this process lives", tags=["Operations"])
        async def health() -> dict[str, Any]:
            return {
                "status": "ok",
                "service": "fluxboard",
                "version": version("fluxboard"),
                "timestamp": timestamp(),
                "uptime": round(time.monotonic() - self._started, 3),
            }

        return Litestar(
            route_handlers=[
                health,
                *operations_routes(self.live),
                AccountRoutes,
                ProjectRoutes,
                MemberRoutes,
                InviteRoutes,
                TaskRoutes,
                CommentRoutes,
                InboxRoutes,
            ],
            dependencies={
                "services": Provide(provide_services, sync_to_thread=False),
                "caller": Provide(provide_caller, sync_to_thread=False),
            },
            exception_handlers={
                Refusal: on_refusal,
                HTTPException: on_http_error,
                UnicodeDecodeError: on_unreadable,
                RecursionError: on_unreadable,
                Exception: on_failure,
            },
            cors_config=CORSConfig(
                allow_origins=origins, allow_headers=headers, expose_headers=exposed, allow_credentials=True
            )
            if origins
            else None,
            middleware=[_access_logging] if access_log.isEnabledFor(logging.INFO) else [],
            openapi_config=OpenAPIConfig(
                title="fluxboard",
                version=version("fluxboard"),
                description="A collaborative task board. The socket's events are in docs/protocol.md.",
                path="/api/docs",
                render_plugins=[JsonRenderPlugin(path="/"), SwaggerRenderPlugin(path="/ui")],
                components=Components(
                    security_schemes={
                        "token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
                    }
                ),
                security=[{"token": []}],
            ),
            request_max_body_size=BODY_MAX,
            lifespan=[self._life],
            logging_config=None,
        )

    @contextlib.asynccontextmanager
    async def _life(self, rest: Litestar) -> AsyncIterator[None]:
        storage = open_storage(self._settings.database, self.live.publish)
        rest.state.services = Services(
            settings=self._settings,
            storage=storage,
            tokens=self._tokens,
            passwords=Passwords(),
            logins=Throttle(limit=10, window=300),
        )
        self.live.start(storage)

        async def tidy_forever() -> None:
            while True:
                try:
                    await storage.write(tidy)
                except Exception:
                    log.exception("tidying up failed")
                await asyncio.sleep(TIDY_SECONDS)

        tidying = asyncio.create_task(tidy_forever())
        # What lives as long as the process is not looked at again, and young garbage less often.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        try:
            yield
        finally:
            tidying.cancel()
            await self.live.stop()
            await storage.close()
            gc.unfreeze()


class _Uvicorn(uvicorn.Server):
    """Tells the sockets before it ends, and ends with exit code 0 when it is asked to."""

    def __init__(self, config: uvicorn.Config, live: Live, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._live = live
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Ours are on the event loop; uvicorn's would raise the signal again at the end."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._live.drain(), DRAIN_SECONDS)
        await super().shutdown(sockets)


def listener(server: Server, ready: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """The uvicorn that serves ``server``; ``ready`` is called once it listens."""
    config = uvicorn.Config(server.asgi, lifespan="on", **UVICORN)
    return _Uvicorn(config, server.live, ready)


def run(settings: Settings, ready: Callable[[str], None], *, attached: bool = False) -> None:
    """:func:`serve` on an event loop of its own, the fastest that is installed."""
    try:
        import uvloop
    except ImportError:  # not on Windows
        asyncio.run(serve(settings, ready, attached=attached))
    else:
        uvloop.run(serve(settings, ready, attached=attached))


async def serve(settings: Settings, ready: Callable[[str], None], *, attached: bool = False) -> None:
    """Serves until SIGTERM or SIGINT; ``ready`` is called with the URL once it listens.

    An ``attached`` server also ends when its standard input does, and so with the process that started it.
    Raises OSError when it cannot listen, and what opening the database raises.
    """
    from fluxboard.server.storage.migrate import migrate

    _log_to_stderr(settings.log_level)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    # Accepted sockets inherit it; without it an answer of two writes waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        migrate(settings.database)  # before uvicorn, so that a refusal is told in one line
        port = listening.getsockname()[1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        process = listener(Server(settings), lambda: ready(f"http://{host}:{port}"))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: setattr(process, "should_exit", True))
        if attached:
            threading.Thread(target=_wait_for_eof, args=(process,), daemon=True).start()
        await process._serve([listening])
    finally:
        listening.close()


def _wait_for_eof(process: uvicorn.Server) -> None:
    with contextlib.suppress(OSError, ValueError):
        while sys.stdin.buffer.read(4096):
            continue
    process.should_exit = True


def _access_logging(app: ASGIApp) -> ASGIApp:
    """One log line a request, with its route and not its path: a path may hold an invite's code."""

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0

        async def watched(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, watched)
        finally:
            access_log.info(
                "request",
                extra={
                    "method": scope.get("method"),
                    "route": scope.get("path_template"),
                    "status": status,
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                },
            )

    return logged


class _JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    _own: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": timestamp(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if name := request_id():
            line["request"] = name
        line |= {name: value for name, value in vars(record).items() if name not in self._own}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The first two log whole packets, with what people wrote; the others what nobody asked.
    for name in ("fluxboard.socketio", "fluxboard.engineio", "alembic", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING if name in {"alembic", "uvicorn"} else logging.ERROR)
