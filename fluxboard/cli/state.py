"""What a computer remembers between runs: the last server and board. No secret is in it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import platformdirs

LOCAL = "local"


class LastBoard(msgspec.Struct, frozen=True, kw_only=True):
    """Where the last run was; ``server`` is an origin or :data:`LOCAL` for the board on this computer."""

    server: str | None = None
    project_id: str | None = None
    theme: str | None = None
    density: str | None = None


def data_folder() -> Path:
    """Where the board on this computer keeps its data."""
    return Path(platformdirs.user_data_dir("fluxboard", appauthor=False))


def _path() -> Path:
    # Late: a server, which also comes through here, has no use for the client.
    from fluxboard.client.credentials import state_folder

    return state_folder() / "last.json"


def recall() -> LastBoard:
    """The last board; an empty one when there is none or its file is broken."""
    try:
        return msgspec.json.decode(_path().read_bytes(), type=LastBoard)
    except (OSError, msgspec.MsgspecError):
        return LastBoard()


def remember(**changes: str | None) -> None:
    """Writes what is given over what is remembered, whole or not at all."""
    last = msgspec.structs.replace(recall(), **changes)
    write_private(_path(), msgspec.json.encode(last))


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only this user can read, replacing what was there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
