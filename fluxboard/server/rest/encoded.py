"""Answers that are bytes already: how they travel, and those that are kept by revision."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Final

import zstandard
from cachetools import LRUCache
from litestar import Response

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

#: Bodies from this size on are compressed for who asks for it; below it costs more than it saves.
COMPRESS_MIN: Final = 1_000
#: A larger body goes out in pieces, so that one slow reader does not hold it in memory a second time.
PIECE: Final = 128 * 1024
#: So many bytes of lists and changes are kept for who asks next.
KEPT_BYTES: Final = 64 * 1024 * 1024
_ZSTD_LEVEL: Final = 3
_GZIP_LEVEL: Final = 4
_GZIP: Final = 16 + zlib.MAX_WBITS


class Encoded(Response[Any]):
    """JSON that is encoded already, perhaps compressed as ``coding`` says."""

    def __init__(  # the framework asks of it nothing but what it overrides
        self, body: bytes, status: int = 200, headers: dict[str, str] | None = None, coding: str = ""
    ) -> None:
        self.body = body
        self._status = status
        self._given = headers or {}
        self._coding = coding

    def to_asgi_response(self, *_: object, **__: object) -> Any:
        """Itself: nothing of it has to be rendered any more."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await self.send(send)

        return answer

    async def send(self, send: Send) -> None:
        """Answers the request that ``send`` belongs to."""
        body = self.body
        headers = [(name.lower().encode(), value.encode()) for name, value in self._given.items()]
        if self._status != 304:
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", str(len(body)).encode()))
        if self._coding:
            headers.append((b"content-encoding", self._coding.encode()))
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        last = max(0, len(body) - 1) // PIECE * PIECE
        for start in range(0, last, PIECE):
            await send({"type": "http.response.body", "body": body[start : start + PIECE], "more_body": True})
        await send({"type": "http.response.body", "body": body[last:], "more_body": False})


class Kept:
    """Bodies by what they are made of; what was not asked for the longest goes first.

    A key holds the revision, so nothing in here is ever stale. It is used from the storage's threads.
    """

    def __init__(self, size: int = KEPT_BYTES) -> None:
        self._bodies: LRUCache[Hashable, bytes] = LRUCache(size, len)
        self._lock = threading.Lock()

    def get(self, key: tuple[Hashable, ...], coding: str, make: Callable[[], bytes]) -> tuple[bytes, str]:
        """The body that ``make`` makes, and the coding that it has: ``coding``, or "" when it is small."""
        found = self._find((*key, coding))
        if found is not None:
            return found, coding
        plain = self._find((*key, ""))
        if plain is None:
            plain = make()
            self._keep((*key, ""), plain)
        if not coding or len(plain) < COMPRESS_MIN:
            return plain, ""
        packed = compressed(plain, coding)
        self._keep((*key, coding), packed)
        return packed, coding

    def _find(self, key: Hashable) -> bytes | None:
        with self._lock:
            found: bytes | None = self._bodies.get(key)
            return found

    def _keep(self, key: Hashable, body: bytes) -> None:
        with self._lock:
            if len(body) <= self._bodies.maxsize:
                self._bodies[key] = body


def coding_for(accepted: str) -> str:
    """The best coding that an Accept-Encoding header allows and that is spoken here; "" for none."""
    wanted: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            wanted[name] = float(quality or 1)
        except ValueError:
            wanted[name] = 0
    return next((name for name in ("zstd", "gzip") if wanted.get(name, 0) > 0), "")


def compressed(body: bytes, coding: str) -> bytes:
    """``body`` in a coding that :func:`coding_for` names."""
    if coding == "zstd":
        return zstandard.compress(body, _ZSTD_LEVEL)
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(body) + packer.flush()
