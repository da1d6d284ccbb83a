"""A bare HTTP/1.1 client, cheap enough not to be what is measured."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import cast


class HttpClient(asyncio.Protocol):
    """One kept-alive connection, one request at a time. Answers need a Content-Length."""

    def __init__(self, token: str) -> None:
        self._headers = f"Host: x\r\nAuthorization: Bearer {token}\r\n"
        self._buffer = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]]
        self._transport: asyncio.Transport

    @classmethod
    async def open(cls, port: int, token: str, host: str = "127.0.0.1") -> HttpClient:
        """A connection that sends this token."""
        _, client = await asyncio.get_running_loop().create_connection(lambda: cls(token), host, port)
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def ask(self, method: str, path: str, body: object = None, headers: str = "") -> tuple[int, bytes]:
        """The status and the body; ``headers`` are whole lines."""
        payload = b"" if body is None else json.dumps(body).encode()
        sized = f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n" if payload else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}{headers}{sized}\r\n"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(head.encode() + payload)
        return await self._answer

    def close(self) -> None:
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("closed by the server"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        at = head.find(b"content-length:")
        size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) >= end + 4 + size:
            body = bytes(self._buffer[end + 4 : end + 4 + size])
            self._buffer.clear()
            self._answer.set_result((int(head[9:12]), body))
