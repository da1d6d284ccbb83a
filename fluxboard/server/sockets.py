"""The connections of this process: who signed in on each, and until when."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec
import socketio

from fluxboard.model.wire import AUTH_EXPIRED, AUTH_EXPIRING, AUTH_REFRESH, ERROR, SERVER_DRAINING
from fluxboard.server.auth import Tokens
from fluxboard.server.commands import accounts
from fluxboard.server.commands.access import BAD_TOKEN, Caller, identify
from fluxboard.server.errors import Forbidden, Refusal, Unavailable
from fluxboard.server.metrics import Metrics
from fluxboard.server.packets import Renewal, SocketServer
from fluxboard.server.settings import Settings
from fluxboard.server.storage.engine import Storage
from fluxboard.server.traces import Traces

EXPIRING_SECONDS: Final = 60.0
#: The largest packet that a client may send, in bytes.
PACKET_MAX: Final = 100_000
#: In this time a connection is signed in, or closed.
SIGN_IN_SECONDS: Final = 10.0
FAILED: Final = "The server failed at this. It was logged."

log = logging.getLogger("fluxboard.live")
T = TypeVar("T")


@dataclass(slots=True)
class Client:
    """A socket's person and rooms. A removal takes a project out of ``rooms`` and ``joining`` alike."""

    caller: Caller
    name: str
    rooms: set[str] = field(default_factory=set)
    joining: set[str] = field(default_factory=set)
    warned: bool = False
    #: One event at a time, in order: a leave never overtakes its join, not even over polling.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sockets:
    """Lets people in who show a good token, and closes their connections when it is good no longer.

    ``storage`` is known once the server has started; ``came`` hears who signed in, ``went`` who is gone.
    """

    def __init__(
        self,
        settings: Settings,
        tokens: Tokens,
        metrics: Metrics,
        traces: Traces,
        storage: Callable[[], Storage],
        came: Callable[[str], None],
        went: Callable[[str, Client], None],
    ) -> None:
        self._tokens = tokens
        self._traces = traces
        self._storage = storage
        self._came = came
        self._went = went
        self._strangers: dict[str, float] = {}
        #: Who is signed in, by the id of the socket.
        self.clients: dict[str, Client] = {}
        self.sio = SocketServer(
            metrics,
            async_mode="asgi",
            transports=["websocket"] if settings.workers > 1 else None,
            async_handlers=False,
            cors_allowed_origins=list(settings.cors_origins) or None,
            max_http_buffer_size=PACKET_MAX,
            ping_interval=15,
            ping_timeout=10,
            logger=logging.getLogger("fluxboard.socketio"),
            engineio_logger=logging.getLogger("fluxboard.engineio"),
        )
        self.sio.on("connect", self._connect)
        self.sio.on("disconnect", self._disconnect)
        self.on(AUTH_REFRESH, Renewal, self._renew)

    def on(
        self, event: str, kind: type[T], handle: Callable[[str, Client, T], Awaitable[dict[str, object]]]
    ) -> None:
        """Has ``handle`` answer an event whose payload is a ``kind``; what goes wrong becomes ``error``."""

        async def handler(socket_id: str, *payload: Any) -> dict[str, object]:
            client = self.clients[socket_id]
            try:
                wanted = msgspec.convert(payload[0] if len(payload) == 1 else None, kind)
                async with client.turn:
                    return await handle(socket_id, client, wanted)
            except msgspec.ValidationError as error:
                message = f"Bad payload: {error}"
            except Refusal as refusal:
                message = refusal.message
            except Exception:
                log.exception("unexpected error in %s", event)
                message = FAILED
            await self.sio.emit(ERROR, {"message": message}, to=socket_id)
            return {"ok": False, "message": message}

        self.sio.on(event, self._traces.event(event, handler))

    async def drain(self, wait: Callable[[], float]) -> None:
        """Tells each socket that this server ends and, in seconds, when to come back; closes them all."""
        for socket_id in list(self.clients):
            await self.sio.emit(SERVER_DRAINING, {"retryAfter": round(wait(), 1)}, to=socket_id)
        await asyncio.sleep(0)
        await asyncio.gather(*(self._close(socket_id) for socket_id in list(self.clients)))
        for connection in self.sio.strangers():  # all of them now; a poll that waits is answered
            await self.sio.drop(connection)

    async def sweep(self) -> None:
        """Closes the connections whose session is over, and those that nobody signs in on."""
        await self._sweep_sessions()
        await self._sweep_connections()

    async def _connect(self, socket_id: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Raises ConnectionRefusedError and nothing else: after that alone the library forgets the socket."""
        try:
            client = self.clients[socket_id] = await self._welcome(auth)
        except Unavailable as unavailable:
            raise socketio.exceptions.ConnectionRefusedError(unavailable.message) from None
        except Refusal as refusal:
            message = f"Authentication error: {refusal.message}"
            raise socketio.exceptions.ConnectionRefusedError(message) from None
        except Exception:
            log.exception("a handshake failed")
            raise socketio.exceptions.ConnectionRefusedError(FAILED) from None
        if not self.sio.is_open(socket_id):  # closed meanwhile, and nobody will say so again
            del self.clients[socket_id]
            raise socketio.exceptions.ConnectionRefusedError("The connection is closed")
        await self.sio.enter_room(socket_id, room_of_person(client.caller.user_id))
        self._came(client.caller.user_id)

    async def _welcome(self, auth: Any) -> Client:
        token = auth.get("token") if isinstance(auth, dict) else None
        if not isinstance(token, str) or not token:
            raise Forbidden("no token")
        caller = self._tokens.caller(token)
        person = await self._storage().read(lambda tx: identify(tx, caller))
        return Client(caller, person.name)

    async def _disconnect(self, socket_id: str, reason: str = "") -> None:
        client = self.clients.pop(socket_id, None)
        if client is not None:
            self._went(socket_id, client)

    async def _renew(self, socket_id: str, client: Client, renewal: Renewal) -> dict[str, object]:
        caller = self._tokens.caller(renewal.token)
        if (caller.user_id, caller.session_id) != (client.caller.user_id, client.caller.session_id):
            raise Forbidden(BAD_TOKEN)
        client.caller, client.warned = caller, False
        return {"ok": True}

    async def _sweep_sessions(self) -> None:
        now = time.time()
        sessions = list({client.caller.session_id for client in self.clients.values()})
        ended = await self._storage().read(lambda tx: accounts.ended(tx, sessions)) if sessions else set()
        for socket_id, client in list(self.clients.items()):
            if client.caller.session_id in ended or client.caller.expires <= now:
                await self.sio.emit(AUTH_EXPIRED, {"message": BAD_TOKEN}, to=socket_id)
                await self._close(socket_id)
            elif not client.warned and client.caller.expires <= now + EXPIRING_SECONDS:
                client.warned = True
                await self.sio.emit(
                    AUTH_EXPIRING, {"expiresIn": int(client.caller.expires - now)}, to=socket_id
                )

    async def _sweep_connections(self) -> None:
        now = time.monotonic()
        self._strangers = {stranger: self._strangers.get(stranger, now) for stranger in self.sio.strangers()}
        for stranger, since in self._strangers.items():
            if now - since > SIGN_IN_SECONDS:
                await self.sio.drop(stranger)

    async def _close(self, socket_id: str) -> None:
        with contextlib.suppress(Exception):
            await self.sio.disconnect(socket_id)


def room_of_person(user_id: str) -> str:
    """The room of all sockets of one person, whichever project they look at."""
    return f"user:{user_id}"
