"""Own edits on their way to the server, and what becomes of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from fluxboard.client.aliases import Aliases
from fluxboard.client.api import Api, ApiError
from fluxboard.client.comments import Comments
from fluxboard.client.edits import (
    AddComment,
    ChangeComment,
    CommentEdit,
    Create,
    Delete,
    Edit,
    RemoveComment,
    Restore,
    TaskEdit,
    Update,
    action_of,
)
from fluxboard.client.events import BoardEvent, Changed, Commented, Refused
from fluxboard.client.outbox import Attention
from fluxboard.client.replica import Replica
from fluxboard.model.types import Comment, Task, timestamp
from fluxboard.model.wire import (
    TASK_CREATED,
    TASK_DELETED,
    TASK_UPDATED,
    BatchBody,
    BatchOp,
    TaskAnswer,
    TaskCreate,
)

_CLOCKS_DIFFER: Final = timedelta(minutes=1)
#: What a Core server keeps of a new task as it was sent.
_CORE_FIELDS: Final = ("title", "description", "status", "priority", "assigned_to", "due_date")


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
        comments: Comments,
        aliases: Aliases,
        notify: Callable[[str, dict[str, Any]], Awaitable[None]],
        emit: Callable[[BoardEvent], None],
        renamed: Callable[[str, str], None],
    ) -> None:
        self._api = api
        self._project_id = project_id
        self._replica = replica
        self._comments = comments
        self._aliases = aliases
        self._notify = notify
        self._emit = emit
        self._renamed = renamed
        #: The newest revision that an answer gave to one of my edits; the event may still be on its way.
        self.last_rev = 0
        #: The creates whose answer is not there, with the tasks that were known before the first try.
        self._doubtful: dict[str, frozenset[str]] = {}

    async def send(self, edit: Edit) -> None:
        """Sends an edit and takes the answer as confirmed. Raises ApiError and ApiUnreachable."""
        project_id, key = self._project_id, edit.op_id
        server_id = self._aliases.on_server(edit.task_id)
        match edit:
            case AddComment() | ChangeComment() | RemoveComment():
                await self._send_comment(edit, server_id)
            case Create(body=body):
                made = await self._made_before(edit) or await self._create(edit, body)
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

    async def _create(self, edit: Create, body: TaskCreate) -> TaskAnswer:
        """Creates a task. Until the answer is there it is doubtful whether it was done."""
        self._doubtful.setdefault(edit.op_id, frozenset(self._replica.confirmed))
        try:
            made = await self._api.send_create(self._project_id, body, edit.op_id)
        except ApiError as error:
            if not error.passing:
                del self._doubtful[edit.op_id]
            raise
        del self._doubtful[edit.op_id]
        return made

    async def _made_before(self, edit: Create) -> TaskAnswer | None:
        """On a Core server, which knows no operation's id, the task of a create whose answer was lost."""
        known = self._doubtful.get(edit.op_id)
        if known is None or self._api.layer != "core":
            return None
        listed = (await self._api.tasks(self._project_id)).tasks
        made = next((task for task in listed if task.id not in known and self._is_made_by(task, edit)), None)
        if made is None:
            return None
        self._aliases.learn(edit.task_id, made.id)
        self._renamed(edit.task_id, made.id)
        changed = self._replica.load((self._aliases.task(task) for task in listed), None)
        self._emit(Changed(changed))
        del self._doubtful[edit.op_id]
        return TaskAnswer(task=made)

    def _is_made_by(self, task: Task, edit: Create) -> bool:
        """Whether a task of the server is what ``edit`` asked for, and no other that has a name here."""
        if task.created_by != edit.task.created_by or self._aliases.task(task).id != task.id:
            return False
        asked = datetime.fromisoformat(edit.task.created_at) - _CLOCKS_DIFFER
        if task.created_at < timestamp(asked):
            return False
        return all(getattr(task, name) == getattr(edit.body, name) for name in _CORE_FIELDS)

    def doubt(self, edits: Iterable[Edit]) -> None:
        """These may have been sent by a program that ended before it heard the answer."""
        self._doubtful |= {edit.op_id: frozenset[str]() for edit in edits if isinstance(edit, Create)}

    async def send_step(self, edits: Sequence[TaskEdit]) -> list[ApiError | None]:
        """Sends the edits of one step in one request; answers for each why it was refused, or None.

        Raises ApiError and ApiUnreachable where none of them was done.
        """
        ops = tuple(self._operation(edit) for edit in edits)
        answer = await self._api.batch(self._project_id, BatchBody(ops=ops))
        refusals: list[ApiError | None] = []
        for edit, result in zip(edits, answer.results, strict=True):
            error: ApiError | None = None
            if result.success or (isinstance(edit, Delete) and result.status in {404, 410}):
                self._confirm(edit, result.task if result.success else None, result.rev)
            else:
                error = ApiError(
                    result.status,
                    result.error or f"The server answered {result.status}",
                    result.field,
                    conflict=result.conflict,
                    gone=result.task if result.status == 410 else None,
                )
            refusals.append(error)
        return refusals

    def _operation(self, edit: TaskEdit) -> BatchOp:
        task_id, key = edit.task_id, edit.op_id
        match edit:
            case Create(body=body):
                return BatchOp(op="create", op_id=key, task=body)
            case Restore():
                return BatchOp(op="restore", op_id=key, task_id=task_id)
            case Update(patch=patch, base_rev=base_rev):
                return BatchOp(op="update", op_id=key, task_id=task_id, patch=patch, base_rev=base_rev)
            case Delete(base_rev=base_rev):
                return BatchOp(op="delete", op_id=key, task_id=task_id, base_rev=base_rev)

    async def _send_comment(self, edit: CommentEdit, task_id: str) -> None:
        api, project_id, key = self._api, self._project_id, edit.op_id
        task: Task | None
        comment: Comment | None = None
        match edit:
            case AddComment(comment=own):
                added = await api.add_comment(project_id, task_id, own.content, own.id, key)
                task, comment = added.task, added.comment
            case ChangeComment(comment=own):
                changed = await api.change_comment(project_id, task_id, own.id, own.content, key)
                task, comment = changed.task, changed.comment
            case RemoveComment(comment_id=comment_id):
                try:
                    task = (await api.remove_comment(project_id, task_id, comment_id, key)).task
                except ApiError as error:
                    if error.status != 404:  # of a deleted task it would be back when the task is restored
                        raise
                    task = None  # gone already, which is what was wanted
        self._comments.confirm(edit, comment)
        if task is not None:
            self._confirm(edit, task, 0)
        else:
            self._replica.refuse(edit)  # its count comes with the event
        self._emit(Commented(edit.task_id))

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
        if isinstance(edit, AddComment | ChangeComment | RemoveComment):
            self._emit(Commented(edit.task_id))
        self._emit(Refused(edit.task_id, item.title, action_of(edit), refusal.reason, refusal.status))

    def _confirm(self, edit: Edit, task: Task | None, rev: int) -> None:
        self.last_rev = max(self.last_rev, rev, task.rev if task else 0)
        shown = self._replica.shown.get(edit.task_id)
        self._replica.confirm(edit, self._aliases.task(task) if task else None, rev)
        if self._replica.shown.get(edit.task_id) != shown:
            self._emit(Changed(frozenset({edit.task_id})))

    async def _tell(self, event: str, content: dict[str, object]) -> None:
        await self._notify(event, msgspec.to_builtins({"projectId": self._project_id, **content}))
