"""One Engine.IO connection: what waits for it, and the short way to a WebSocket.

As it comes, the library keeps three tasks and four timers for each WebSocket, which take more memory than all
else of it. Here one task reads, a timer pings, and packets are written to the transport as they come; only
while a client is slower than its packets do they wait, with a task that hands them over.

This leans on parts of the libraries that are not public, so it is taken with exactly the versions it was
written for. With others, with ``FLUXBOARD_PUBLISH=plain``, and for a connection that polls or began by
polling, the library's own way is taken.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from engineio import exceptions
from engineio.async_drivers.asgi import WebSocket
from engineio.packet import MESSAGE, PING, Packet

if TYPE_CHECKING:
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

#: The versions whose inner parts this file and ``publish`` know.
KNOWN: Final = {"python-socketio": "5.18.1", "python-engineio": "4.15.1", "uvicorn": "0.54.0"}
#: A connection that lets more packets wait is ended: its client will catch up, the memory would not.
BACKLOG_MAX: Final = 2000


def fits() -> bool:
    """Whether the short way may be taken in this process."""
    if os.environ.get("FLUXBOARD_PUBLISH") == "plain":
        return False
    return all(version(package) == known for package, known in KNOWN.items())


class Message(Packet):  # type: ignore[misc]
    """An Engine.IO message that carries the WebSocket frame it becomes."""

    def __init__(self, text: str) -> None:
        super().__init__(MESSAGE, text)
        self.frame = text_frame(f"4{text}".encode())


def text_frame(payload: bytes) -> bytes:
    """A server's WebSocket frame with a whole text message, plain (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Outbox:
    """What waits for one connection to take it: the library's asyncio.Queue, made when it is needed.

    ``overflow`` is called once, when more than BACKLOG_MAX packets wait. None is the library's word for the
    end of a connection.
    """

    __slots__ = ("_overflow", "_waiting", "_writer", "direct", "wire")

    def __init__(self, overflow: Callable[[Outbox], None]) -> None:
        self._overflow: Callable[[Outbox], None] | None = overflow
        self._waiting: asyncio.Queue[Packet | None] | None = None
        self._writer: asyncio.Task[None] | None = None
        #: The connection below, where it is known.
        self.wire: Wire | None = None
        #: Whether packets are written to it past the queue.
        self.direct = False

    @property
    def _queue(self) -> asyncio.Queue[Packet | None]:
        if self._waiting is None:
            self._waiting = asyncio.Queue()
        return self._waiting

    def attach(self) -> None:
        """From now on packets are written to ``wire``, first those that wait."""
        self.direct = True
        if self.wire is not None and not self.empty():
            self._writer = asyncio.get_running_loop().create_task(self._write(self.wire))

    @property
    def behind(self) -> bool:
        """Whether something waits already."""
        return not self.empty() or self._writer is not None or (self.wire is not None and self.wire.full)

    def write(self, frames: bytes) -> bool:
        """Whether the frames were written; if not, their packets have to be queued."""
        return self.direct and self._writer is None and self.wire is not None and self.wire.write(frames)

    # -- as the library knows it

    def put_nowait(self, packet: Packet | None) -> None:
        if packet is not None and self.direct and self.write(_frame(packet)):
            return
        self._queue.put_nowait(packet)
        if self._overflow is not None and self.qsize() > BACKLOG_MAX:
            overflow, self._overflow = self._overflow, None
            overflow(self)
        if self.direct and self.wire is not None and self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write(self.wire))

    async def put(self, packet: Packet | None) -> None:
        self.put_nowait(packet)

    async def get(self) -> Packet | None:
        return await self._queue.get()

    def get_nowait(self) -> Packet | None:
        return self._queue.get_nowait()

    def task_done(self) -> None:
        self._queue.task_done()

    async def join(self) -> None:
        if self._waiting is not None:
            await self._waiting.join()

    def qsize(self) -> int:
        return 0 if self._waiting is None else self._waiting.qsize()

    def empty(self) -> bool:
        return self._waiting is None or self._waiting.empty()

    async def _write(self, wire: Wire) -> None:
        """Hands over what waits for a client that is slower than its packets, or the end."""
        queue = self._queue
        while not queue.empty():
            await wire.drained()
            packet = queue.get_nowait()
            if packet is None:
                await wire.close()
            else:
                wire.write(_frame(packet))  # a connection that is closed takes nothing, and that is its end
            queue.task_done()
        self._writer = self._waiting = None


def _frame(packet: Packet) -> bytes:
    if isinstance(packet, Message):
        return packet.frame
    return text_frame(packet.encode().encode())


class Wire(WebSocket):  # type: ignore[misc]
    """The library's WebSocket, which reads and writes by itself where it knows what is below.

    A connection that changes over from polling keeps to the library: a poll may still hold some packets.
    """

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        self._engine = handler.__self__
        self._protocol: WebSocketsSansIOProtocol

    async def __call__(self, environ: dict[str, Any]) -> Any:
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

        protocol = getattr(environ["asgi.send"], "__self__", None)
        if isinstance(protocol, WebSocketsSansIOProtocol):
            self._protocol = protocol
            self._engine.queue.wire = self
            # A frame made here is neither compressed nor otherwise extended.
            if not (protocol.conn.extensions or self._engine.connected):
                self.handler = lambda _: self._serve(environ)
        return await super().__call__(environ)

    async def _serve(self, environ: dict[str, Any]) -> None:
        """Reads packets until the connection ends, as the library's own handler does."""
        # What was said at the beginning would be kept to the end, four times over.
        self._protocol.request = self._protocol.response = None  # type: ignore[assignment]
        environ["asgi.scope"]["headers"] = []
        environ.clear()
        engine = self._engine
        engine.connected = engine.upgraded = True
        engine.queue.attach()
        while True:
            try:
                text = await self.wait()
                if len(text) > engine.server.max_http_buffer_size:
                    break
                await engine.receive(Packet(encoded_packet=text))
            except exceptions.UnknownPacketError:
                pass
            except (OSError, ValueError, exceptions.SocketIsClosedError):
                break
            except asyncio.CancelledError:
                break
            except Exception:
                engine.server.logger.exception("a packet failed")
        if self.full:
            self.abort()  # it would be waited for
        await engine.close(wait=False, abort=True, reason=engine.server.reason.TRANSPORT_CLOSE)
        engine.queue.put_nowait(None)

    @property
    def full(self) -> bool:
        """Whether the client is slower than what was written."""
        return not self._protocol.writable.is_set()

    def write(self, frames: bytes) -> bool:
        """Whether the connection took them."""
        protocol = self._protocol
        if not protocol.writable.is_set() or protocol.close_sent or protocol.transport.is_closing():
            return False
        protocol.transport.write(frames)
        return True

    async def drained(self) -> None:
        """Waits until the connection takes more, or is closed."""
        await self._protocol.writable.wait()

    def abort(self) -> None:
        """Ends the connection at once."""
        self._protocol.transport.abort()


def ping_later(engine: Any) -> None:
    """Pings a connection after the interval; the library keeps a task for it."""
    asyncio.get_running_loop().call_later(engine.server.ping_interval, _ping, engine)


def _ping(engine: Any) -> None:
    if not engine.closing and not engine.closed:
        engine.last_ping = time.time()
        engine.queue.put_nowait(Packet(PING))
