"""What the screens remember, in files of the state folder; written by a thread, a moment later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from fluxboard.cli.state import recall, remember, write_private
from fluxboard.client.credentials import state_folder
from fluxboard.tui.memory import Typed
from fluxboard.tui.view import Looks
from fluxboard.tui.widgets.card import Density

_LATER: Final = 0.5


class _Remembered(msgspec.Struct, omit_defaults=True):
    looks: dict[str, Looks] = {}
    drafts: dict[str, Typed] = {}
    seen_tour: bool = False


class FileMemory:
    """One file for everything; a broken one is as good as none."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or state_folder() / "screens.json"
        self._timer: asyncio.TimerHandle | None = None
        try:
            self._kept = msgspec.json.decode(self._path.read_bytes(), type=_Remembered)
        except (OSError, msgspec.MsgspecError):
            self._kept = _Remembered()

    def looks(self, project_id: str) -> Looks:
        return self._kept.looks.get(project_id, Looks())

    def keep_looks(self, project_id: str, looks: Looks) -> None:
        # A filter that is still there tomorrow hides what is new.
        self._kept.looks[project_id] = replace(looks, last=replace(looks.last, query=""))
        self._write_soon()

    def draft(self, key: str) -> Typed:
        return self._kept.drafts.get(key, {})

    def keep_draft(self, key: str, draft: Typed) -> None:
        if draft:
            self._kept.drafts[key] = draft
        elif self._kept.drafts.pop(key, None) is None:
            return
        self._write_soon()

    def keep_theme(self, name: str) -> None:
        self._in_thread(lambda: remember(theme=name))

    def keep_density(self, density: Density) -> None:
        self._in_thread(lambda: remember(density=density))

    @property
    def density(self) -> str | None:
        """The density that was last chosen."""
        return recall().density

    @property
    def seen_tour(self) -> bool:
        return self._kept.seen_tour

    def keep_tour(self) -> None:
        self._kept.seen_tour = True
        self._write_soon()

    def save(self) -> None:
        """Writes what has not been written."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            write_private(self._path, msgspec.json.encode(self._kept))

    def _write_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LATER, self._write)

    def _write(self) -> None:
        self._timer = None
        content = msgspec.json.encode(self._kept)
        self._in_thread(lambda: write_private(self._path, content))

    @staticmethod
    def _in_thread(work: Callable[[], None]) -> None:
        asyncio.get_running_loop().run_in_executor(None, work)
