"""One user on one server: signing in, projects, and the way to a live board."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from fluxboard.client.api import Api, ApiError, ApiUnreachable
from fluxboard.client.calls import RETRY_AFTER_MAX
from fluxboard.client.credentials import Credential, Credentials, FileRefused, state_folder
from fluxboard.client.live import Live, Timing
from fluxboard.client.local import LocalStore
from fluxboard.model.types import Project, User
from fluxboard.model.wire import AuthAnswer

if TYPE_CHECKING:
    from fluxboard.client.board import Board

#: An access token is renewed this many seconds before it ends.
EARLY: Final = 30.0
#: Who leaves waits no longer than this for a server to hear of it.
SIGN_OUT_SECONDS: Final = 1.0
#: A server that does not come is looked for at least this often, in seconds.
ARRIVE_MAX: Final = 30.0


class _Claims(msgspec.Struct):
    """What a token says, unverified; ``exp`` is its end and ``iat`` its beginning, in epoch seconds."""

    exp: float = 0.0
    iat: float = 0.0
    id: str = ""


class Session:
    """An account on a server. Errors are ApiError and ApiUnreachable, with texts fit to be read."""

    def __init__(
        self,
        server: str,
        credentials: Credentials | None,
        socket_url: str | None,
        store: LocalStore,
        kept_as: str,
    ) -> None:
        """``credentials`` None remembers no token. Use :meth:`open`."""
        self.server = server
        self.store = store
        self._kept_as = kept_as
        self.socket_url = socket_url or server
        self.user: User | None = None
        self.token: str | None = None
        #: How long boards of this session wait before they try again.
        self.timing = Timing()
        #: What keeps a board's socket open.
        self.make_live = Live
        self.api = Api(server, self.fresh_token, self.renew, silent=self._silent)
        self._refresh_token: str | None = None
        self._credentials = credentials
        self._renewing: asyncio.Task[bool] | None = None
        #: Until then, by the loop's clock, the server does not want to be asked for a token.
        self._renew_at = 0.0
        #: So many seconds the server's clock, which dates the tokens, is before this computer's.
        self._clock_differs = 0.0
        #: What signs in with the first call, where somebody is known but their token is not there yet.
        self._arrive: Callable[[], Awaitable[None]] | None = None
        self._arriving = asyncio.Lock()
        #: How a server that went away is found again, where it can be.
        self._home: Callable[[], Awaitable[None]] | None = None
        self._failed_arrivals = 0
        self._arrive_at = 0.0

    @classmethod
    async def open(
        cls,
        server: str,
        *,
        token: str | None = None,
        socket_url: str | None = None,
        remember: bool = True,
        kept_as: str | None = None,
    ) -> Session:
        """A session on ``server``, signed in when a token is known; otherwise ``user`` is None.

        FLUXBOARD_TOKEN and FLUXBOARD_SOCKET_URL are used where no argument is given. With ``remember``
        the token is kept in the keyring, and boards and unsent edits on disk, by the server's address;
        ``kept_as`` names them otherwise, and keeps them without the token. A session that remembers needs
        no network to open. Raises ApiUnreachable, and ApiError for an address that is none.
        """
        origin = _origin(server)
        token = token or (os.environ.get("FLUXBOARD_TOKEN") if remember else None)
        socket_url = socket_url or os.environ.get("FLUXBOARD_SOCKET_URL")
        credentials = Credentials() if remember and not token else None
        path = state_folder() / "boards.db" if remember or kept_as else None
        store = await asyncio.to_thread(LocalStore, path)
        session = cls(origin, credentials, socket_url, store, kept_as or origin)
        try:
            # Who was here last is known without keyring and network; whether they may be, the server says.
            known = await asyncio.to_thread(store.user, session._kept_as)
            if token:
                session.token = token
                session.user = known if known is not None and known.id == _claims(token).id else None
                if session.user is None:
                    session.user = await session.api.me()
                    store.put_user(session._kept_as, session.user)
            elif known is not None and credentials is not None:
                session.user, session._arrive = known, session._resume
            else:
                await session._resume()
        except BaseException:
            await session.close()
            raise
        return session

    @classmethod
    async def at_home(cls, kept_as: str, arrive: Callable[[Session], Awaitable[None]]) -> Session:
        """A session on a server that is still to be found.

        ``arrive`` finds it, moves the session there and signs in: with the first call where somebody was here
        before, so that their boards open without it, else at once; and again once a call gets no answer.
        Raises ApiError and ApiUnreachable.
        """
        store = await asyncio.to_thread(LocalStore, state_folder() / "boards.db")
        session = cls("", None, None, store, kept_as)
        session._arrive = session._home = functools.partial(arrive, session)
        try:
            session.user = await asyncio.to_thread(store.user, kept_as)
            if session.user is None:
                await session._be_there()
        except BaseException:
            await session.close()
            raise
        return session

    def move(self, server: str) -> None:
        """The server is at this address."""
        self.server = self.socket_url = self.api.server = _origin(server)

    @property
    def is_home(self) -> bool:
        """Whether its server is this computer's own, which nobody else reaches."""
        return self._home is not None

    @property
    def place(self) -> str:
        """What people call its server: the address, or this computer."""
        return "this computer" if self.is_home else self.server

    @property
    def store_note(self) -> str | None:
        """Where the token went, when that is something to know."""
        return self._credentials.note if self._credentials else None

    async def sign_in(self, email: str, password: str) -> User:
        """Signs in. Raises ApiError 401 for a wrong address or password."""
        return await self._enter(await self.api.sign_in(email, password))

    async def sign_up(self, email: str, password: str, name: str) -> User:
        """Makes an account and signs in. Raises ApiError 400 and 409."""
        return await self._enter(await self.api.sign_up(email, password, name))

    async def sign_out(self) -> None:
        """Ends the session here, and on the server where it can be reached; the cached boards are forgotten.

        Edits that are not sent stay for the same user's next sign-in, see :meth:`unsent`.
        """
        with contextlib.suppress(ApiError, ApiUnreachable):
            await self.api.sign_out()
        if self._credentials is not None:
            await self._credentials.forget(self.server)
        self.store.forget(self.account)
        await asyncio.wrap_future(self.store.put_user(self._kept_as, None))
        self.user, self.token, self._refresh_token, self._arrive = None, None, None, None

    def unsent(self) -> int:
        """How many edits of this user, in all projects, the server does not have."""
        return sum(self.store.unsent(self.account).values())

    @property
    def account(self) -> str:
        """Under what this user's boards are kept on this computer."""
        return f"{self._kept_as} {self.user.id if self.user else ''}"

    @property
    def seen(self) -> tuple[Project, ...]:
        """The user's projects as they were last seen on this computer."""
        return self.store.projects(self.account)

    async def projects(self) -> tuple[Project, ...]:
        """The projects that the user is a member of; without a network, as they were last seen."""
        try:
            found = await self.api.projects()
        except ApiUnreachable:
            if not (seen := self.seen):
                raise
            return seen
        self.store.put_projects(self.account, found)
        return found

    async def create_project(self, name: str, description: str = "") -> Project:
        """A new project, owned by the user."""
        return await self.api.create_project(name, description)

    async def board(self, project_id: str) -> Board:
        """A project's board, not yet started. Raises ApiError 404 for what the user is no member of."""
        from fluxboard.client.board import Board

        # One that was seen before opens without the network; what is new in it comes later.
        known = [project for project in self.seen if project.id == project_id]
        for project in known or await self.projects():
            if project.id == project_id:
                return Board(self, project)
        raise ApiError(404, "This project does not exist, or you are not a member of it")

    async def fresh_token(self) -> str | None:
        """An access token that is good for a while, renewed when need be. Raises ApiUnreachable."""
        await self._be_there()
        if self._refresh_token is None:
            return self.token
        if self.token is None:
            await self.renew()
        elif _claims(self.token).exp < time.time() + self._clock_differs + EARLY:
            with contextlib.suppress(ApiUnreachable):
                await self.renew()
        return self.token

    async def renew(self) -> bool:
        """Gets a new access token; False when the user must sign in again. Raises ApiUnreachable."""
        await self._be_there()
        if self._refresh_token is None:
            return False
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())
        return await asyncio.shield(self._renewing)

    async def close(self) -> None:
        """Closes the connections; what is remembered stays.

        On this computer's server, where each start signs in, the session ends.
        """
        if self._home is not None and self.token is not None:
            self._home = None  # no server is looked for any more
            with contextlib.suppress(ApiError, ApiUnreachable, TimeoutError):
                await asyncio.wait_for(self.api.sign_out(), SIGN_OUT_SECONDS)
        await self.api.close()
        await asyncio.to_thread(self.store.close)

    async def _be_there(self) -> None:
        """Signs in where that waits for the first call; other calls wait for it, too."""
        async with self._arriving:
            if self._arrive is None:
                return
            clock = asyncio.get_running_loop()
            if clock.time() < self._arrive_at:
                raise ApiUnreachable("The server does not come; it is looked for again soon")
            try:
                await self._arrive()
            except (ApiError, ApiUnreachable) as error:
                # Once more at once, then less and less often: each try may start a process.
                self._failed_arrivals += 1
                self._arrive_at = clock.time() + min(ARRIVE_MAX, 2.0**self._failed_arrivals - 2)
                raise ApiUnreachable(str(error)) from None
            self._arrive, self._failed_arrivals = None, 0

    def _silent(self, server: str) -> None:
        """A server did not answer; the one on this computer may have died, and is found or started anew."""
        if self._home is not None and server == self.server:
            self._arrive = self._home

    async def _resume(self) -> None:
        if self._credentials is None:
            return
        try:
            known = await self._credentials.load(self.server)
        except FileRefused as error:
            raise ApiError(400, str(error)) from None
        if known is None:
            return
        # The token is asked for with the first call: opening needs no network.
        self.token, self._refresh_token, self.user = known.token, known.refresh_token, known.user
        self.store.put_user(self._kept_as, self.user)

    async def _renew(self) -> bool:
        """Exchanges the refresh token; terminals that share one take turns, and use what another got."""
        if self._credentials is None:
            return await self._exchange()
        from filelock import FileLock, Timeout

        lock = FileLock(self._credentials.lock_path, timeout=20, thread_local=False)
        try:
            await asyncio.to_thread(lock.acquire)
        except Timeout:
            return await self._exchange()
        try:
            known = await self._credentials.load(self.server)
            if known is not None and known.refresh_token is not None:
                self._refresh_token = known.refresh_token
            return await self._exchange()
        finally:
            lock.release()

    async def _exchange(self) -> bool:
        if self._refresh_token is None:
            return False
        now = asyncio.get_running_loop().time()
        if now < self._renew_at:
            raise ApiUnreachable("The server wants to be left alone for a while")
        try:
            answer = await self.api.refresh(self._refresh_token)
        except ApiError as error:
            if error.passing:
                self._renew_at = now + min(error.retry_after or 0.0, RETRY_AFTER_MAX)
                raise ApiUnreachable(str(error)) from None
            self.token = None
            return False
        await self._enter(answer)
        return True

    async def _enter(self, answer: AuthAnswer) -> User:
        self.token, self.user = answer.token, answer.user
        made = _claims(answer.token).iat
        self._clock_differs = made - time.time() if made else 0.0
        self._refresh_token, self._arrive = answer.refresh_token, None
        self.store.put_user(self._kept_as, answer.user)
        if self._credentials is not None:
            token = None if answer.refresh_token else answer.token
            kept = Credential(user=answer.user, refresh_token=answer.refresh_token, token=token)
            try:
                await self._credentials.save(self.server, kept)
            except (FileRefused, OSError) as error:
                self._credentials.note = f"The token could not be kept: {error}"
        return answer.user


def _origin(server: str) -> str:
    """The origin of what a user typed. Raises ApiError for what is no address."""
    text = server.strip().rstrip("/")
    if "//" not in text:
        text = f"http://{text}" if text.startswith(("localhost", "127.", "[::1]")) else f"https://{text}"
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise ApiError(400, f"This is not a server's address: {server}") from None
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ApiError(400, f"This is not a server's address: {server}")
    if url.username or url.password:
        raise ApiError(400, "Leave the password out of the address; sign in instead")
    return f"{url.scheme}://{url.netloc}{url.path}".rstrip("/")


def _claims(token: str) -> _Claims:
    try:
        payload = token.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims)
    except (IndexError, ValueError, msgspec.DecodeError):
        return _Claims()
