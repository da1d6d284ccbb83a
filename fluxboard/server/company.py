"""What people feel of each other: who is here, where their cursors are, and what they are writing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from fluxboard.model.types import OnlineUser
from fluxboard.model.wire import (
    CURSOR_UPDATE,
    PRESENCE_UPDATE,
    TYPING_UPDATE,
    CursorUpdate,
    PresenceNotice,
    PresenceState,
    TypingUpdate,
)
from fluxboard.server.commands.ledger import encode
from fluxboard.server.errors import BadInput, Forbidden
from fluxboard.server.presence import Presence
from fluxboard.server.whispers import Whisper, Whispers

if TYPE_CHECKING:
    from fluxboard.server.packets import SocketServer
    from fluxboard.server.sockets import Client

#: No id and no name of a field is longer.
_NAME_MAX = 100
_DROPPED: dict[str, object] = {"ok": False, "message": "Too many at once"}
_DONE: dict[str, object] = {"ok": True}


class Company:
    """Presence and the volatile events of this process's sockets.

    ``busy`` says that commits wait to be published; ``left`` hears of a person's last terminal going.
    ``changed`` and ``whispered`` hear what the other processes are to know.
    """

    def __init__(
        self,
        sio: SocketServer,
        busy: Callable[[], bool],
        left: Callable[[str, str, bool], None],
        changed: Callable[[str], None],
        whispered: Callable[[str, list[Whisper]], None],
    ) -> None:
        self._sio = sio
        self.presence = Presence(self._tell, left, changed)

        async def whisper(project_id: str, whispers: list[Whisper]) -> None:
            whispered(project_id, whispers)
            await sio.whisper(room_of(project_id), whispers)

        self._whispers = Whispers(
            whisper,
            busy,
            self.presence.crowded,
        )

    def forget(self, socket_id: str) -> None:
        """A socket closed."""
        self._whispers.forget(socket_id)

    async def cursor(self, socket_id: str, client: Client, wanted: CursorUpdate) -> dict[str, object]:
        """Passes on where a cursor is; beyond the rate it is dropped."""
        project_id = _joined(client, wanted.project_id)
        if not self._whispers.allows(socket_id):
            return _DROPPED
        _short("taskId", wanted.task_id)
        _short("column", wanted.column)
        self.presence.look(project_id, client.caller.user_id, socket_id, wanted.task_id)
        told = replace(wanted, user_id=client.caller.user_id, user_name=client.name)
        self._pass_on(CURSOR_UPDATE, told, (CURSOR_UPDATE, socket_id), socket_id)
        return _DONE

    async def typing(self, socket_id: str, client: Client, wanted: TypingUpdate) -> dict[str, object]:
        """Passes on that somebody writes, or no longer; beyond the rate it is dropped."""
        _joined(client, wanted.project_id)
        if not self._whispers.allows(socket_id):
            return _DROPPED
        _short("taskId", wanted.task_id)
        _short("field", wanted.field)
        told = replace(wanted, user_id=client.caller.user_id, user_name=client.name)
        self._pass_on(
            TYPING_UPDATE, told, (TYPING_UPDATE, socket_id, wanted.task_id, wanted.field), socket_id
        )
        return _DONE

    async def state(self, socket_id: str, client: Client, wanted: PresenceState) -> dict[str, object]:
        """Whether somebody is at the keys, and whether they want to be seen."""
        project_id = _joined(client, wanted.project_id)
        if not self._whispers.allows(socket_id):
            return _DROPPED
        self.presence.state(
            project_id, client.caller.user_id, socket_id, idle=wanted.idle, invisible=wanted.invisible
        )
        return _DONE

    def _pass_on(
        self, event: str, told: CursorUpdate | TypingUpdate, key: tuple[str, ...], socket_id: str
    ) -> None:
        if self.presence.visible(told.project_id, told.user_id):
            self._whispers.add(told.project_id, key, Whisper(event, encode(told), socket_id))

    async def _tell(self, project_id: str, users: tuple[OnlineUser, ...]) -> None:
        notice = PresenceNotice(project_id=project_id, users=users)
        await self._sio.emit(PRESENCE_UPDATE, msgspec.Raw(encode(notice)), room=room_of(project_id))


def room_of(project_id: str) -> str:
    """The name of a project's room."""
    return f"project:{project_id}"


def _joined(client: Client, project_id: str) -> str:
    if project_id not in client.rooms:
        raise Forbidden("Join the project first")
    return project_id


def _short(field: str, value: object) -> None:
    if isinstance(value, str) and len(value) > _NAME_MAX:
        raise BadInput(f"{field} is too long", field=field)
