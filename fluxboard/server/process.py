"""A process that serves the application: its event loop, its signals and its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final

import uvicorn

from fluxboard.server.app import Server
from fluxboard.server.listening import DRAIN_SECONDS, listen, url_of, wait_for_eof
from fluxboard.server.live import Live
from fluxboard.server.logs import log_to_stderr
from fluxboard.server.protocols import Http, WebSocket
from fluxboard.server.settings import Settings
from fluxboard.server.sockets import PACKET_MAX
from fluxboard.server.storage.migrate import migrate

#: How often a server that ends looks whether its connections are closed.
CLOSED_SECONDS: Final = 0.005

log = logging.getLogger("fluxboard.process")


#: How uvicorn speaks: no compression and no pings of its own below those of Socket.IO.
UVICORN: Final[dict[str, Any]] = {
    "interface": "asgi3",
    "access_log": False,
    "log_config": None,
    "http": Http,
    "ws": WebSocket,
    "ws_per_message_deflate": False,
    "ws_ping_interval": None,
    "ws_max_size": 2 * PACKET_MAX,
    "server_header": False,
}


class _Uvicorn(uvicorn.Server):
    """Tells the sockets before it ends, and ends with exit code 0 when it is asked to.

    It ends as soon as it is asked and its connections are closed; uvicorn's own looks ten times a second.
    """

    def __init__(self, config: uvicorn.Config, live: Live, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._live = live
        self._ready = ready
        self._asked = asyncio.Event()

    def end(self) -> None:
        """Has it end; called on its event loop."""
        self.should_exit = True
        self._asked.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Ours are on the event loop; uvicorn's would raise the signal again at the end."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # which sets the time that answers tell, to the second
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._asked.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._live.drain(), DRAIN_SECONDS)
        for accepting in sockets or ():
            accepting.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            await asyncio.wait_for(self._wait_tasks_to_complete(), DRAIN_SECONDS)
        except TimeoutError:
            log.warning("requests did not end in time and are cancelled")
            for task in self.server_state.tasks:
                task.cancel()
        await self.lifespan.shutdown()

    async def _wait_tasks_to_complete(self) -> None:
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn's sets
            await asyncio.sleep(CLOSED_SECONDS)


def run(settings: Settings, ready: Callable[[str], None], *, attached: bool = False) -> None:
    """Serves until SIGTERM, SIGINT or SIGHUP; ``ready`` is called with the URL once it listens.

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
    """Serves until SIGTERM, SIGINT or SIGHUP, or until ``unwanted``, which may block, returns."""
    process = listener(Server(settings), ready)
    loop = asyncio.get_running_loop()

    endings = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored
        endings.append(signal.SIGHUP)
    for number in endings:
        loop.add_signal_handler(number, process.end)
    if unwanted is not None:

        def wait() -> None:
            unwanted()
            with contextlib.suppress(RuntimeError):  # it ended by itself
                loop.call_soon_threadsafe(process.end)

        threading.Thread(target=wait, daemon=True).start()
    await process._serve([listening])


def listener(server: Server, ready: Callable[[], None] = lambda: None) -> _Uvicorn:
    """The uvicorn that serves ``server``; ``ready`` is called once it listens."""
    config = uvicorn.Config(server.asgi, lifespan="on", **UVICORN)
    return _Uvicorn(config, server.live, ready)
