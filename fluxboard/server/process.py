"""A process that serves the application: its event loop, its signals and its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN

from fluxboard.server.app import Server
from fluxboard.server.listening import DRAIN_SECONDS, listen, url_of, wait_for_eof
from fluxboard.server.live import Live
from fluxboard.server.logs import log_to_stderr
from fluxboard.server.settings import Settings
from fluxboard.server.sockets import PACKET_MAX
from fluxboard.server.storage.migrate import migrate


class _WebSocket(WebSocketsSansIOProtocol):
    """Ends quietly when it is closing already; uvicorn's own fails at that, and the shutdown with it."""

    def shutdown(self) -> None:
        if self.handshake_complete and self.conn.state is not OPEN:
            self.transport.close()
        else:
            super().shutdown()


#: How uvicorn speaks: no compression and no pings of its own below those of Socket.IO.
UVICORN: Final[dict[str, Any]] = {
    "interface": "asgi3",
    "access_log": False,
    "log_config": None,
    "ws": _WebSocket,
    "ws_per_message_deflate": False,
    "ws_ping_interval": None,
    "ws_max_size": 2 * PACKET_MAX,
    "timeout_graceful_shutdown": DRAIN_SECONDS,
    "server_header": False,
}


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


def run(settings: Settings, ready: Callable[[str], None], *, attached: bool = False) -> None:
    """Serves until SIGTERM or SIGINT; ``ready`` is called with the URL once it listens.

    An ``attached`` server also ends when its standard input does, and so with the process that started it.
    Raises OSError when it cannot listen, and what opening the database raises.
    """
    log_to_stderr(settings.log_level)
    unwanted = wait_for_eof if attached else None
    with listen(settings) as listening:
        migrate(settings.database)  # before uvicorn, so that a refusal is told in one line
        url = url_of(settings, listening)
        on_a_loop(serve(settings, listening, lambda: ready(url), unwanted))


def on_a_loop(work: Coroutine[Any, Any, None]) -> None:
    """Runs ``work`` on an event loop of its own, the fastest that is installed."""
    try:
        import uvloop
    except ImportError:  # not on Windows
        asyncio.run(work)
    else:
        uvloop.run(work)


async def serve(
    settings: Settings,
    listening: socket.socket,
    ready: Callable[[], None],
    unwanted: Callable[[], None] | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, or until ``unwanted``, which may block, returns."""
    process = listener(Server(settings), ready)
    loop = asyncio.get_running_loop()

    def end() -> None:
        process.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    if unwanted is not None:

        def wait() -> None:
            unwanted()
            end()

        threading.Thread(target=wait, daemon=True).start()
    await process._serve([listening])


def listener(server: Server, ready: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """The uvicorn that serves ``server``; ``ready`` is called once it listens."""
    config = uvicorn.Config(server.asgi, lifespan="on", **UVICORN)
    return _Uvicorn(config, server.live, ready)
