"""This computer's copy of a board: read when it opens, written a moment after something changed."""

from __future__ import annotations

import asyncio

from fluxboard.client.api import Api
from fluxboard.client.local import LocalStore
from fluxboard.client.replica import Replica
from fluxboard.model.types import Project, Task

#: The revision of a board whose server knows none.
_CORE = -1


class Copy:
    """``place`` is the account and the project; what changes within ``delay`` seconds is written together."""

    def __init__(
        self, store: LocalStore, place: tuple[str, str], api: Api, replica: Replica, delay: float
    ) -> None:
        self._store = store
        self._place = place
        self._api = api
        self._replica = replica
        self._delay = delay
        self._saving: asyncio.TimerHandle | None = None
        #: Up to which revision this computer's copy is to be complete.
        self._saved = _CORE

    def read(self) -> tuple[tuple[Task, ...], int | None] | None:
        """The tasks and their revision (None on a Core server); None alone for a board never seen.

        From it the API knows what the server speaks, as the task list told when it was first loaded.
        """
        kept = self._store.board(*self._place)
        if kept is None:
            return None
        core = kept.rev == _CORE
        self._api.layer = "core" if core else "plus"
        self._saved = kept.rev
        return kept.tasks, None if core else kept.rev

    def save_soon(self) -> None:
        """Writes what is confirmed, a moment later and together."""
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(self._delay, self.save)

    def save(self) -> None:
        """Writes what is confirmed and was not written yet."""
        self.stop()
        if self._api.layer is None:
            return
        rev = _CORE if self._api.layer == "core" else self._replica.rev
        changed = self._replica.take_unsaved()
        if changed is None or rev < self._saved:  # a server that was set back has the older truth
            tasks, back = self._replica.confirmed.values(), rev < self._saved
            written = self._store.put_board(*self._place, tasks, rev, even_older=back)
        elif changed:
            written = self._store.put_changes(*self._place, changed, self._saved, rev)
        else:
            return
        self._saved = rev
        asyncio.wrap_future(written).add_done_callback(self._written)

    def _written(self, written: asyncio.Future[bool]) -> None:
        if not written.cancelled() and (written.exception() is not None or not written.result()):
            self._replica.forget_saved()  # all of it is written again, with the next change

    def save_project(self, project: Project) -> None:
        """Writes the project itself."""
        self._store.put_project(self._place[0], project)

    def stop(self) -> None:
        """What was to be written soon is not."""
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
