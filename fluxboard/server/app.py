"""The ASGI application: REST and Socket.IO over one database."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any, Final

import socketio
from litestar import Litestar, get
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp

from fluxboard.model.types import timestamp
from fluxboard.model.wire import IDEMPOTENCY_KEY, PROJECT_REV, SOCKET_ID
from fluxboard.server.auth import Passwords, Throttle, Tokens
from fluxboard.server.commands.upkeep import tidy
from fluxboard.server.errors import Refusal
from fluxboard.server.live import Live
from fluxboard.server.metrics import Metrics
from fluxboard.server.requests import HEADER, observed
from fluxboard.server.rest.accounts import AccountRoutes
from fluxboard.server.rest.call import provide_call
from fluxboard.server.rest.endpoint import BODY_MAX
from fluxboard.server.rest.inbox import InboxRoutes
from fluxboard.server.rest.operations import operations_routes
from fluxboard.server.rest.projects import InviteRoutes, MemberRoutes, ProjectRoutes
from fluxboard.server.rest.support import (
    Services,
    on_failure,
    on_http_error,
    on_refusal,
    provide_services,
)
from fluxboard.server.rest.tasks import CommentRoutes, TaskRoutes
from fluxboard.server.settings import Settings
from fluxboard.server.storage.engine import open_storage
from fluxboard.server.traces import traces_for

SOCKETS: Final = "/socket.io/"
TIDY_SECONDS: Final = 3600.0

log = logging.getLogger("fluxboard.server")


def create_app(settings: Settings) -> ASGIApp:
    """REST and Socket.IO as one ASGI application; it opens its database at start-up."""
    return Server(settings).asgi


class Server:
    """One process: its database, its sockets and its routes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = time.monotonic()
        self._version = version("fluxboard")
        self._tokens = Tokens(settings.jwt_secret)
        self._logins = Throttle(limit=10, window=300)
        self.metrics = Metrics()
        self._traces = traces_for(settings)
        self.live = Live(settings, self._tokens, self.metrics, self._logins, self._traces)
        self.rest = self._routes()
        self._requests = observed(self._traces.requests(self.rest), self.metrics)
        self._sockets: ASGIApp = socketio.ASGIApp(self.live.sio, other_asgi_app=self._requests)

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """The application; the routes' side alone hears of start and end."""
        if scope["type"] == "lifespan":
            await self.rest(scope, receive, send)
        elif scope["type"] == "http" and not f"{scope['path']}/".startswith(SOCKETS):
            await self._requests(scope, receive, send)
        else:
            await self._sockets(scope, receive, send)

    def _routes(self) -> Litestar:
        origins = list(self._settings.cors_origins)
        exposed = [PROJECT_REV, "ETag", "Retry-After", HEADER]
        headers = ["Authorization", "Content-Type", "If-None-Match", IDEMPOTENCY_KEY, SOCKET_ID]

        @get("/health", summary="Whether this process lives", tags=["Operations"])
        async def health() -> dict[str, Any]:
            return {
                "status": "ok",
                "service": "fluxboard",
                "version": self._version,
                "timestamp": timestamp(),
                "uptime": round(time.monotonic() - self._started, 3),
            }

        return Litestar(
            route_handlers=[
                health,
                *operations_routes(self.live, self.metrics, self._settings.metrics_token),
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
                "call": Provide(provide_call, sync_to_thread=False),
            },
            exception_handlers={
                Refusal: on_refusal,
                HTTPException: on_http_error,
                Exception: on_failure,
            },
            cors_config=CORSConfig(
                allow_origins=origins, allow_headers=headers, expose_headers=exposed, allow_credentials=True
            )
            if origins
            else None,
            openapi_config=OpenAPIConfig(
                title="fluxboard",
                version=self._version,
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
        storage = self._traces.storage(open_storage(self._settings.database, self.live.publish, self.metrics))
        rest.state.services = Services(
            settings=self._settings,
            storage=storage,
            tokens=self._tokens,
            passwords=Passwords(),
            logins=self._logins,
            metrics=self.metrics,
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
            await self._traces.close()
            gc.unfreeze()
