"""A board as lines: one for each live event."""

from __future__ import annotations

import asyncio

import click
import msgspec

from fluxboard.client.events import (
    AccessLost,
    BoardEvent,
    Connection,
    Presence,
    Refused,
    Remote,
    SignInNeeded,
)
from fluxboard.client.session import Session


async def watch_board(session: Session, project_id: str, as_json: bool) -> str:
    """Prints what happens in a project until the board is lost; answers why it was."""
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def heard(event: BoardEvent) -> None:
        if isinstance(event, AccessLost | SignInNeeded) and not ended.done():
            ended.set_result(event.reason)
        line = as_line(event)
        if line is None:
            return
        if as_json:
            fields = msgspec.to_builtins(event)
            line = msgspec.json.encode({"event": type(event).__name__.lower(), **fields}).decode()
        click.echo(line)

    board = await session.board(project_id)
    board.subscribe(heard)
    await board.start()
    try:
        return await ended
    finally:
        await board.close()


def as_line(event: BoardEvent) -> str | None:
    """A live event as a sentence; None for what a reader of lines does not need."""
    match event:
        case Remote(kind=kind, user_name=name, title=title):
            return f"{name} {kind}: {title}" if title else f"{name} {kind} a task"
        case Presence(users=users):
            return "online: " + (", ".join(user.name for user in users) or "nobody")
        case Connection(word=word):
            return f"connection: {word}"
        case Refused(title=title, reason=reason):
            return f"refused: {title}: {reason}"
    return None
