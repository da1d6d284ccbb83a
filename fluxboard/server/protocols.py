"""What uvicorn's protocols do otherwise here."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN

#: More than so many bytes are not held back.
_HELD_MAX: Final = 64 * 1024


class Gathered:
    """A transport that hands over what is written within one turn of the loop in one piece."""

    def __init__(self, below: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.below = below
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._hand_over)
        self._held.append(data)
        self._size += len(data)
        if self._size > _HELD_MAX:
            self._hand_over()

    def close(self) -> None:
        self._hand_over()
        self.below.close()

    def _hand_over(self) -> None:
        if self._held:
            self.below.write(b"".join(self._held))
            self._held, self._size = [], 0


class Http(HttpToolsProtocol):
    """Sends an answer at once; as it comes, its head and its body are two packets."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Gathered(transport, self.loop))  # type: ignore[arg-type]

    def handle_websocket_upgrade(self) -> None:
        assert isinstance(self.transport, Gathered)
        self.transport = self.transport.below
        super().handle_websocket_upgrade()


class WebSocket(WebSocketsSansIOProtocol):
    """Ends quietly when it is closing already; uvicorn's own fails at that, and the shutdown with it."""

    def shutdown(self) -> None:
        if self.handshake_complete and self.conn.state is not OPEN:
            self.transport.close()
        else:
            super().shutdown()
