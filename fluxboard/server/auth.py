"""What proves who somebody is: passwords (Argon2id), access tokens (JWT HS256) and refresh tokens."""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fluxboard.model.types import User, timestamp
from fluxboard.server.commands.access import BAD_TOKEN, Caller
from fluxboard.server.commands.accounts import NO_PASSWORD, PLAIN_LIFE, Session
from fluxboard.server.errors import Forbidden, TooMany, Unauthorized

ALGORITHM: Final = "HS256"
#: An access token of a session that can refresh, in seconds.
SHORT_LIFE: Final = 15 * 60
LEEWAY: Final = 5
#: So many tokens are not checked anew at each request; whether they have ended is.
CHECKED_MAX: Final = 10_000


class Passwords:
    """Argon2id in threads, so that the event loop goes on; few at once, since each takes 64 MiB."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._few = asyncio.Semaphore(2)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to keep of a password."""
        async with self._few:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, known: str | None, password: str) -> bool:
        """Whether a password is the one of a hash; takes as long where no account is, or a closed one."""
        if known is None or known == NO_PASSWORD:
            if self._nobodys is None:
                self._nobodys = await self.hash("nobody has this password")
            await self.fits(self._nobodys, password)
            return False

        def verify() -> bool:
            try:
                return self._hasher.verify(known, password)
            except (VerificationError, InvalidHashError):
                return False

        async with self._few:
            return await asyncio.to_thread(verify)


class Tokens:
    """Signs and checks tokens with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._checked = functools.lru_cache(CHECKED_MAX)(self._check)
        self._refresh_key = hmac.digest(secret.encode(), b"fluxboard refresh tokens", hashlib.sha256)

    def access(self, user: User, session: Session, *, short: bool) -> tuple[str, str]:
        """An access token and when it ends, as wire time."""
        now = int(time.time())
        expires = now + (SHORT_LIFE if short else int(PLAIN_LIFE.total_seconds()))
        claims = {
            "id": user.id,
            "email": user.email,
            "userType": user.user_type,
            "sid": session.id,
            "iat": now,
            "exp": expires,
        }
        token = jwt.encode(claims, self._secret, algorithm=ALGORITHM)
        return token, timestamp(datetime.fromtimestamp(expires, UTC))

    def caller(self, token: str) -> Caller:
        """Who a token says is calling. Raises Forbidden when it is forged or has ended."""
        caller = self._checked(token)
        if caller.expires <= time.time() - LEEWAY:
            raise Forbidden(BAD_TOKEN)
        return caller

    def _check(self, token: str) -> Caller:
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                leeway=LEEWAY,
                options={"require": ["exp", "iat"]},
            )
            return Caller(str(claims["id"]), str(claims["sid"]), float(claims["exp"]))
        except (jwt.InvalidTokenError, KeyError):
            raise Forbidden(BAD_TOKEN) from None

    def bearer(self, header: str | None) -> Caller:
        """Who an Authorization header says is calling. Raises Unauthorized without a token."""
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("Access token required")
        return self.caller(token.strip())

    def refresh(self, session: Session) -> str:
        """The refresh token of a session's present generation. It can be made again, so none is stored."""
        return f"{session.id}.{session.generation}.{self._signature(session.id, session.generation)}"

    def read_refresh(self, token: str) -> tuple[str, int]:
        """The session and generation of a refresh token. Raises Forbidden for a forged one."""
        session_id, _, rest = token.partition(".")
        number, _, signature = rest.partition(".")
        if not number.isdecimal() or len(number) > 9 or str(int(number)) != number:
            raise Forbidden(BAD_TOKEN)
        if not hmac.compare_digest(signature.encode(), self._signature(session_id, int(number)).encode()):
            raise Forbidden(BAD_TOKEN)
        return session_id, int(number)

    def _signature(self, session_id: str, generation: int) -> str:
        digest = hmac.digest(self._refresh_key, f"{session_id}.{generation}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Throttle:
    """Counts failures by key within a sliding window of seconds.

    An attempt counts as a failure until it succeeds: a hundred at once get no further than one by one. Kept
    is a hash of the key, which may name a person; ``told`` hears what the other processes are to know.
    """

    def __init__(self, limit: int, window: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._failures: dict[str, deque[float]] = {}
        self.told: Callable[[str, bool], None] = lambda key, failed: None

    def begin(self, key: str) -> None:
        """Counts an attempt. Raises TooMany while a key has failed too often."""
        name = _hashed(key)
        recent = self._recent(name)
        if len(recent) >= self._limit:
            wait = int(recent[0] + self._window - self._clock()) + 1
            raise TooMany(f"Too many attempts. Try again in {wait} s.", retry_after=wait)
        self.heard(name, failed=True)
        self.told(name, True)

    def succeeded(self, key: str) -> None:
        """Takes back one attempt."""
        name = _hashed(key)
        self.heard(name, failed=False)
        self.told(name, False)

    def heard(self, name: str, failed: bool) -> None:
        """An attempt, or that one succeeded, at this process or another."""
        recent = self._recent(name)
        if failed:
            if len(self._failures) > 10_000:
                for other in list(self._failures):
                    self._recent(other)
            self._failures.setdefault(name, recent).append(self._clock())
            return
        if recent:
            recent.pop()
        if not recent:
            self._failures.pop(name, None)

    def _recent(self, key: str) -> deque[float]:
        found = self._failures.get(key)
        if found is None:
            return deque()
        while found and found[0] < self._clock() - self._window:
            found.popleft()
        if not found:
            del self._failures[key]
        return found


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
