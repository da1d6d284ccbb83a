"""The socket: connecting, reconnecting with backoff, and what to do while there is none.

The library's own reconnection is off. It retries the namespace it had with the token it had, and says nothing
of how far it is; here each try asks for a token, joins the room, and fetches what was missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from fluxboard.client.importing import imported
from fluxboard.model.wire import ERROR, JOIN_PROJECT, PRESENCE_UPDATE

if TYPE_CHECKING:
    import socketio

State = Literal["connecting", "live", "polling"]
log = logging.getLogger("fluxboard.client.live")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds between tries. ``first_tries`` are the delays before polling becomes the way."""

    first_tries: tuple[float, ...] = (1, 2, 4, 8, 16)
    slow_retry: float = 30.0
    poll: float = 5.0
    core_poll: float = 30.0
    gap: float = 0.2
    connect: float = 5.0
    retry_min: float = 1.0
    retry_max: float = 30.0
    save: float = 0.25

    def jittered(self, seconds: float) -> float:
        """``seconds`` give or take a fifth, so that many clients do not come back at once."""
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - no secret hangs on it


class Refused(Exception):
    """The server answered the handshake and said no; ``token`` when it was for the token."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.token = "auth" in message.lower() or "token" in message.lower()


#: Websocket first; long polling where something between does not let it pass.
TRANSPORTS: Final = ("websocket", "polling")


class Live:
    """Keeps one project's socket open for as long as :meth:`run` runs."""

    def __init__(
        self,
        url: Callable[[], str],
        project_id: str,
        user: tuple[str, str],
        *,
        token: Callable[[], Awaitable[str | None]],
        renew: Callable[[], Awaitable[bool]],
        heard: Callable[[str, Any], None],
        joined: Callable[[], Awaitable[None]],
        state: Callable[[State], None],
        timing: Timing,
    ) -> None:
        """``url`` is asked at each try, after the token; ``user`` is id and name.

        ``joined`` fetches what was missed; the state is live once it returns.
        """
        self._url = url
        self._project_id = project_id
        self._user = user
        self._token = token
        self._renew = renew
        self._heard = heard
        self._joined = joined
        self._state = state
        self._timing = timing
        self._client: socketio.AsyncClient | None = None
        self._ended = asyncio.Event()
        #: Done once the server has spoken of the room: None, or why it is not for us.
        self._in_room: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        #: When the user had last closed this project, as the server said at first; "" for never.
        self.visited_at: str | None = None

    @property
    def connected(self) -> bool:
        """Whether an event can be sent now."""
        return self._client is not None and bool(self._client.connected)

    async def emit(self, event: str, payload: dict[str, Any]) -> None:
        """Sends an event; without a socket it is dropped, since events are hints."""
        if self._client is None or not self._client.connected:
            return
        with contextlib.suppress(
            Exception
        ):  # the library raises various things for a socket that just closed
            await self._client.emit(event, payload)

    async def run(self) -> None:
        """Connects and reconnects until cancelled."""
        tries = 0
        try:
            while True:
                if await self._connect():
                    tries = 0
                    await self._ended.wait()
                    await self._close()
                    self._state("connecting")
                delays = self._timing.first_tries
                if tries < len(delays):
                    delay = delays[tries]
                else:
                    self._state("polling")
                    delay = self._timing.slow_retry
                tries += 1
                await asyncio.sleep(self._timing.jittered(delay))
        finally:
            await self._close()

    async def _connect(self) -> bool:
        for transport in TRANSPORTS:
            try:
                await self._attempt(transport)
            except Refused as refused:
                if refused.token:
                    with contextlib.suppress(Exception):
                        await self._renew()
                await self._close()
                return False
            except Exception as error:
                log.debug("no socket by %s: %s", transport, error)
                await self._close()
            else:
                return True
        return False

    async def _attempt(self, transport: str) -> None:
        """One try by one transport: handshake, room, and what was missed. Raises whatever went wrong."""
        await imported("socketio")
        import socketio

        client = socketio.AsyncClient(reconnection=False, handle_sigint=False, logger=False)
        self._client = client
        self._ended = asyncio.Event()
        ended = self._ended
        self._in_room = asyncio.get_running_loop().create_future()
        client.on("*", self._dispatch)
        client.on("disconnect", lambda *_: ended.set())
        refusals: list[Any] = []
        client.on("connect_error", lambda data=None: refusals.append(data))
        token = await self._token()
        try:
            await client.connect(
                self._url(),
                auth={"token": token or ""},
                transports=[transport],
                wait_timeout=self._timing.connect,
                retry=False,
            )
        except socketio.exceptions.ConnectionError as error:
            # The namespace was refused (a dict or text of the server), not the connection.
            if refusals and isinstance(refusals[-1], dict):
                raise Refused(str(refusals[-1].get("message", "refused"))) from None
            raise error from None
        user_id, name = self._user
        payload = {"projectId": self._project_id, "userId": user_id, "userName": name}
        await client.emit(JOIN_PROJECT, payload, callback=self._acknowledged)
        await self._enter()

    async def _enter(self) -> None:
        """Waits for the room, then fetches what was missed. Raises Refused where the room is not for us."""
        why_not = None
        # A Core server does not acknowledge: there the room's list of people is the sign. Some say nothing.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.connect):
                why_not = await asyncio.shield(self._in_room)
        await self._joined()  # who was refused learns by this whether they still have access
        if why_not is not None:
            raise Refused(why_not)
        if self._ended.is_set():
            raise ConnectionError("the socket closed meanwhile")
        self._state("live")

    def _acknowledged(self, answer: Any = None, *_: Any) -> None:
        """The server says of the room that it is entered, or why not."""
        told = answer if isinstance(answer, dict) else {}
        if self.visited_at is None and "visitedAt" in told:
            self.visited_at = str(told["visitedAt"] or "")
        if not self._in_room.done():
            self._in_room.set_result(None if told.get("ok", True) else str(told.get("message", "refused")))

    def _dispatch(self, event: str, data: Any = None, *_: Any) -> None:
        if event == PRESENCE_UPDATE:
            self._acknowledged()
        elif event == ERROR and isinstance(data, dict):
            self._acknowledged({"ok": False, **data})
        self._heard(event, data)

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.disconnect(), 2)
