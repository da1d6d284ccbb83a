"""The same relay as relay.js, on the server's own sockets: ``python -m tests.benchmarks.relay``."""

from __future__ import annotations

import gc
import socket
from typing import Any

import msgspec
import socketio
import uvicorn
import uvloop

from fluxboard.server.metrics import Metrics
from fluxboard.server.packets import SocketServer
from fluxboard.server.process import UVICORN


def relay() -> socketio.ASGIApp:
    """Joins rooms and passes on."""
    sio = SocketServer(Metrics(), async_mode="asgi", async_handlers=False)

    async def join(sid: str, room: str) -> None:
        await sio.enter_room(sid, room)

    async def pass_on(sid: str, room: str, data: Any) -> None:
        await sio.emit("task:updated", msgspec.Raw(msgspec.json.encode(data)), room=room, skip_sid=sid)

    sio.on("connect", lambda *_: None)
    sio.on("join", join)
    sio.on("relay", pass_on)
    return socketio.ASGIApp(sio)


async def main() -> None:
    """Serves on a free port and prints it."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    print(listening.getsockname()[1], flush=True)
    await uvicorn.Server(uvicorn.Config(relay(), lifespan="off", **UVICORN)).serve([listening])


if __name__ == "__main__":
    uvloop.run(main())
