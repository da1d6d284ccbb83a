"""Bare Socket.IO clients over WebSocket, cheap enough that a thousand of them are not what is measured."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from typing import cast

MASK = b"\0\0\0\0"  # masking with zeros is masking; servers only ask for the bit


Heard = Callable[[bytes, int, int], None]


class WireClient(asyncio.Protocol):
    """One WebSocket. ``heard`` gets bytes, and from where to where in them a Socket.IO event lies."""

    def __init__(self, heard: Heard, token: str | None = None, host: str = "x") -> None:
        self._heard = heard
        self._host = host
        self._token = token
        self._buffer = b""
        self._upgraded = False
        self._transport: asyncio.Transport
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False

    @classmethod
    async def open(
        cls, host: str, port: int, heard: Heard, token: str | None = None, *, tls: bool = False
    ) -> WireClient:
        """A connection that is signed in."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(
            lambda: cls(heard, token, host), host, port, ssl=True if tls else None
        )
        await asyncio.wait_for(client.connected, 30)
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.write(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            b"Host: " + self._host.encode() + b"\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
            b"dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

    def connection_lost(self, _: Exception | None) -> None:
        self.lost = True

    def send(self, text: str) -> None:
        """Sends one Engine.IO packet."""
        payload = text.encode()
        size = len(payload)
        header = (
            struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
        )
        self._transport.write(header + MASK + payload)

    async def join(self, packet: str) -> None:
        """Sends an event that asks for the acknowledgement 1, and waits for it."""
        self.send(packet)
        await asyncio.wait_for(self.joined, 30)

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        at = 0
        if not self._upgraded:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = data
                return
            assert b" 101 " in data[:64], data[:200]
            self._upgraded, at = True, end + 4
        size = len(data)
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length == 126:
                if size - at < 4:
                    break
                length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                if size - at < 10:
                    break
                length, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if size - start < length:
                break
            at = start + length
            if data[start] == 0x34 and data[start + 1] == 0x32:  # "42"
                self._heard(data, start, at)
            else:
                self._packet(data, start, at)
        self._buffer = data[at:]

    def _packet(self, data: bytes, start: int, end: int) -> None:
        kind = data[start : start + 2]
        if kind[:1] == b"2":
            self.send("3")
        elif kind[:1] == b"0":
            self.send("40" if self._token is None else f'40{{"token":"{self._token}"}}')
        elif kind == b"40":
            self.connected.set_result(None)
        elif kind == b"43" and not self.joined.done():
            self.joined.set_result(None)


def memory_of(pid: int) -> int:
    """The resident memory of a process, in bytes."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_of(pid: int) -> float:
    """The processor seconds that a process has used."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
