"""Names of tasks. A Core server names a new task itself; here it keeps the one that it was shown under."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from fluxboard.model.types import Task, TaskPatch
from fluxboard.model.wire import Change


class Aliases:
    """Both names of the tasks that have two."""

    def __init__(self) -> None:
        self._local: dict[str, str] = {}
        self._server: dict[str, str] = {}

    def learn(self, local_id: str, server_id: str) -> bool:
        """The server calls ``local_id`` so; whether that is another name."""
        if local_id == server_id:
            return False
        self._local[server_id] = local_id
        self._server[local_id] = server_id
        return True

    def on_server(self, task_id: str) -> str:
        """What the server calls a task."""
        return self._server.get(task_id, task_id)

    def patch(self, patch: TaskPatch) -> TaskPatch:
        """A patch with the neighbours' names that the server knows."""
        after, before = patch.after_id, patch.before_id
        if not self._server or (after is UNSET and before is UNSET):
            return patch
        return msgspec.structs.replace(
            patch,
            after_id=self.on_server(after) if isinstance(after, str) else after,
            before_id=self.on_server(before) if isinstance(before, str) else before,
        )

    def task(self, task: Task) -> Task:
        """A task of the server under the name that it has here."""
        local = self._local.get(task.id)
        return task if local is None else msgspec.structs.replace(task, id=local)

    def change(self, change: Change) -> Change:
        """A change of the server with the names that tasks have here."""
        if not self._local:
            return change
        task_id = change.task_id
        return msgspec.structs.replace(
            change,
            task=self.task(change.task) if change.task else None,
            task_id=self._local.get(task_id, task_id) if task_id else None,
        )
