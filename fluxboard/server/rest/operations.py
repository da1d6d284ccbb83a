"""What those who run a server ask it: whether it is ready, and how it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import litestar
import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from fluxboard.server.commands.ledger import encode
from fluxboard.server.commands.replay import heads
from fluxboard.server.rest.support import Services, json

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


def operations_routes(live: Live) -> list[HTTPRouteHandler]:
    """``/ready``; the sockets' side knows Redis."""

    @litestar.get("/ready", summary="Whether to send people here (503 when not)", tags=["Operations"])
    async def ready(services: Services) -> Response[Any]:
        database = True
        try:
            # A server starts only on a database with its migrations; that this answers says both.
            await asyncio.wait_for(services.storage.read(lambda tx: heads(tx, [""])), DATABASE_SECONDS)
        except Exception:
            database = False
        bus = live.cluster.bus
        redis = bus.ready if bus else None
        whole = database and redis is not False
        said = Readiness(ready=whole, database=database, migrations=database, redis=redis)
        return json(encode(said), 200 if whole else 503)

    return [ready]
