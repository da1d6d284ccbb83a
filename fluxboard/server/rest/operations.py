"""What those who run a server ask it: whether it is ready, and its figures."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import litestar
import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from fluxboard.server.commands.ledger import encode
from fluxboard.server.errors import Forbidden
from fluxboard.server.metrics import CONTENT_TYPE, Metrics
from fluxboard.server.rest.support import Req, Services, json
from fluxboard.server.storage.migrate import HEAD, schema_of

if TYPE_CHECKING:
    from fluxboard.server.live import Live

#: A database that does not answer within this time is not ready.
DATABASE_SECONDS: Final = 3.0


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Each part on which a request may depend; ``redis`` is None where there is none."""

    ready: bool
    database: bool
    migrations: bool
    redis: bool | None


def operations_routes(live: Live, metrics: Metrics, token: str | None) -> list[HTTPRouteHandler]:
    """``/ready`` and ``/metrics``, which are for who has ``token``, or without one for this computer."""

    @litestar.get(
        "/ready",
        summary="Whether to send people here (503 when not); redis=optional leaves Redis out of it",
        tags=["Operations"],
    )
    async def ready(
        services: Services,
        needs_redis: Annotated[Literal["needed", "optional"], Parameter(query="redis")] = "needed",
    ) -> Response[Any]:
        database, schema = True, ""
        try:
            schema = await asyncio.wait_for(services.storage.read(schema_of), DATABASE_SECONDS)
        except Exception:
            database = False
        bus = live.cluster.bus
        redis = bus.ready if bus else None
        # Without Redis all nodes are a second late alike: a balancer that took all of them out would end it.
        # A newer program that shares the database may have added to it: no reason to take this one out.
        migrated = schema >= HEAD
        whole = migrated and (redis is not False or needs_redis == "optional")
        said = Readiness(ready=whole, database=database, migrations=migrated, redis=redis)
        return json(encode(said), 200 if whole else 503)

    @litestar.get("/metrics", summary="Figures for Prometheus", tags=["Operations"], media_type="text/plain")
    async def figures(request: Req) -> Response[bytes]:
        if not _may_read(request, token):
            raise Forbidden("The metrics are for this computer, or for who has the METRICS_TOKEN")
        live.measure()
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return [ready, figures]


def _may_read(request: Req, token: str | None) -> bool:
    if token is not None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    # A proxy on this computer passes on who is elsewhere.
    passed_on = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip"))
    client = request.client.host if request.client else ""
    return not passed_on and client in {"127.0.0.1", "::1"}
