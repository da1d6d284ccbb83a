"""Own edits on their way to the server, and what becomes of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from fluxboard.client.aliases import Aliases
from fluxboard.client.api import Api, ApiError
from fluxboard.client.edits import Create, Delete, Edit, Restore, Update, action_of
from fluxboard.client.events import BoardEvent, Changed, Refused
from fluxboard.client.outbox import Attention
from fluxboard.client.replica import Replica
from fluxboard.model.types import Task
from fluxboard.model.wire import TASK_CREATED, TASK_DELETED, TASK_UPDATED


class Outgoing:
    """Sends one edit at a time.

    ``notify`` emits a notice on the socket, ``emit`` tells the subscribers, ``renamed`` hears that the server
    calls a task otherwise.
    """

    def __init__(
        self,
        api: Api,
        project_id: str,
        replica: Replica,
        aliases: Aliases,
        notify: Callable[[str, dict[str, Any]], Awaitable[None]],
        emit: Callable[[BoardEvent], None],
        renamed: Callable[[str, str], None],
    ) -> None:
        self._api = api
        self._project_id = project_id
        self._replica = replica
        self._aliases = aliases
        self._notify = notify
        self._emit = emit
        self._renamed = renamed

    async def send(self, edit: Edit) -> None:
        """Sends an edit and takes the answer as confirmed. Raises ApiError and ApiUnreachable."""
        project_id, key = self._project_id, edit.op_id
        server_id = self._aliases.on_server(edit.task_id)
        match edit:
            case Create(body=body):
                made = await self._api.send_create(project_id, body, key)
                if self._aliases.learn(edit.task_id, made.task.id):
                    self._renamed(edit.task_id, made.task.id)
                self._confirm(edit, made.task, made.rev)
                await self._tell(TASK_CREATED, {"task": made.task})
            case Restore():
                restored = await self._api.restore_task(project_id, server_id, key)
                self._confirm(edit, restored.task, restored.rev)
                await self._tell(TASK_CREATED, {"task": restored.task})
            case Update(patch=patch):
                shown = self._replica.shown.get(edit.task_id) or Task(id=server_id, title="")
                task = msgspec.structs.replace(shown, id=server_id)
                changed = await self._api.send_update(
                    project_id, task, self._aliases.patch(patch), key, edit.base_rev
                )
                self._confirm(edit, changed.task, changed.rev)
                await self._tell(TASK_UPDATED, {"task": changed.task})
            case Delete():
                try:
                    rev = await self._api.delete_task(project_id, server_id, key, edit.base_rev)
                except ApiError as error:
                    if error.status not in {404, 410}:
                        raise
                    self._confirm(edit, None, 0)  # gone already, which is what was wanted
                    return
                self._confirm(edit, None, rev)
                await self._tell(TASK_DELETED, {"taskId": server_id})

    def title_of(self, edit: Edit) -> str:
        """The title of an edit's task, as far as it is known."""
        if isinstance(edit, Create | Restore):
            return edit.task.title
        task = self._replica.shown.get(edit.task_id)
        return task.title if task else ""

    def refused(self, item: Attention) -> None:
        """Takes an edit back that the server did not take, and says so."""
        edit, refusal = item.edit, item.refusal
        self._replica.refuse(edit)
        self._emit(Changed(frozenset({edit.task_id})))
        self._emit(Refused(edit.task_id, item.title, action_of(edit), refusal.reason, refusal.status))

    def _confirm(self, edit: Edit, task: Task | None, rev: int) -> None:
        shown = self._replica.shown.get(edit.task_id)
        self._replica.confirm(edit, self._aliases.task(task) if task else None, rev)
        if self._replica.shown.get(edit.task_id) != shown:
            self._emit(Changed(frozenset({edit.task_id})))

    async def _tell(self, event: str, content: dict[str, object]) -> None:
        await self._notify(event, msgspec.to_builtins({"projectId": self._project_id, **content}))
