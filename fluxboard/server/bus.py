"""Redis pub/sub between the processes of one board: a quick way that may fail, never the truth.

What is sent while Redis is away is counted and gone; the database heals it. A process that no longer hears
its own heartbeat is deaf, whatever its connection says, and connects anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from redis.asyncio import Redis

HEARTBEAT_SECONDS: Final = 2.0
#: Without its own heartbeat for so long a process is deaf.
DEAF_SECONDS: Final = 6.0
RETRY_SECONDS: Final = 1.0
#: More messages than this do not wait for Redis.
WAITING_MAX: Final = 10_000
_AT_ONCE: Final = 200
_NODES: Final = "nodes"
_SAID_AGAIN: Final = 0.2

log = logging.getLogger("fluxboard.bus")


class Bus:
    """One process's connection to the others.

    ``hear`` gets a channel and a message; ``beat`` the name of a process that lives; ``connected`` is called
    whenever the bus begins to hear, since something may have been missed before.
    """

    def __init__(
        self,
        url: str,
        node: str,
        hear: Callable[[str, bytes], None],
        beat: Callable[[str], None],
        connected: Callable[[], None],
    ) -> None:
        from redis.asyncio import Redis

        self._redis: Redis = Redis.from_url(url, socket_connect_timeout=3, socket_timeout=5)
        # What is published reaches all databases of a Redis; boards that have one each are apart by this.
        self._prefix = f"fluxboard:{self._redis.connection_pool.connection_kwargs.get('db') or 0}:"
        self._node = node
        self._hear = hear
        self._beat = beat
        self._connected = connected
        self._followed: set[str] = set()
        self._wanted: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self._waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(WAITING_MAX)
        self._heard_at = 0.0
        self._due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        #: Messages that were not sent.
        self.lost = 0

    def start(self) -> None:
        """Begins to hear and to send."""
        self._tasks = [
            asyncio.create_task(work())
            for work in (self._listen_forever, self._send_forever, self._beat_forever)
        ]

    async def stop(self) -> None:
        """Sends what waits, as long as that is quick, and ends."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._waiting.join(), 1)
        # The Redis library may take a cancellation for one of its own timeouts: it is said again.
        while pending := [task for task in self._tasks if not task.done()]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=_SAID_AGAIN)
        with contextlib.suppress(Exception):
            await self._redis.aclose()

    @property
    def lag(self) -> float:
        """Seconds since this process heard its own heartbeat."""
        return time.monotonic() - self._heard_at

    @property
    def ready(self) -> bool:
        """Whether what the others send is heard."""
        return self.lag < DEAF_SECONDS

    def send(self, channel: str, message: bytes) -> None:
        """Sends to all who follow a channel, this process too; lost when Redis does not keep up."""
        try:
            self._waiting.put_nowait((channel, message))
        except asyncio.QueueFull:
            self.lost += 1

    def follow(self, channel: str) -> None:
        """Hears a channel from now on."""
        if channel not in self._followed:
            self._followed.add(channel)
            self._wanted.put_nowait((channel, True))

    def unfollow(self, channel: str) -> None:
        """Hears a channel no more."""
        if channel in self._followed:
            self._followed.discard(channel)
            self._wanted.put_nowait((channel, False))

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:
                log.warning("Redis is not heard: %s", type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        self._wanted = asyncio.Queue()
        async with self._redis.pubsub(ignore_subscribe_messages=True) as listening:
            await listening.subscribe(*(self._prefix + name for name in (_NODES, *self._followed)))
            self._heard_at = time.monotonic() - HEARTBEAT_SECONDS
            self._connected()
            self.beat()  # who hears it says that it is there, too
            following = asyncio.create_task(self._follow_forever(listening))
            try:
                while self.ready:
                    message = await listening.get_message(timeout=HEARTBEAT_SECONDS)
                    if message is not None:
                        self._heard(message["channel"].decode().removeprefix(self._prefix), message["data"])
                log.warning("the own heartbeat is not heard; connecting to Redis anew")
            finally:
                following.cancel()

    async def _follow_forever(self, listening: Any) -> None:
        while True:
            channel, wanted = await self._wanted.get()
            call = listening.subscribe if wanted else listening.unsubscribe
            with contextlib.suppress(Exception):  # a broken connection is seen by who reads from it
                await call(self._prefix + channel)

    def _heard(self, channel: str, data: bytes) -> None:
        if channel == _NODES:
            node = data.decode(errors="replace")
            if node == self._node:
                self._heard_at = time.monotonic()
            else:
                self._beat(node)
            return
        try:
            self._hear(channel, data)
        except Exception:
            log.exception("a message of another process was not understood")

    def beat(self) -> None:
        """Has the others hear at once that this process lives."""
        self._due.set()

    async def _beat_forever(self) -> None:
        while True:
            self._due.clear()
            self.send(_NODES, self._node.encode())
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._due.wait(), HEARTBEAT_SECONDS)

    async def _send_forever(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < _AT_ONCE and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for channel, message in batch:
                        pipeline.publish(self._prefix + channel, message)
                    await pipeline.execute()
            except Exception as error:
                self.lost += len(batch)
                log.warning("%d messages were not sent: %s", len(batch), type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                for _ in batch:
                    self._waiting.task_done()
