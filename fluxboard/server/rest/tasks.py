"""Tasks and their comments."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, Response
from litestar.params import Parameter

from fluxboard.model.wire import (
    BatchAnswer,
    BatchBody,
    CommentAnswer,
    CommentBody,
    CommentGoneAnswer,
    CommentsAnswer,
    DoneAnswer,
    HistoryAnswer,
    TaskAnswer,
    TaskCreate,
    TasksAnswer,
    TaskUpdate,
)
from fluxboard.server.commands import comments, history, tasks
from fluxboard.server.commands.access import Access
from fluxboard.server.commands.ledger import Ledger
from fluxboard.server.rest.call import Call
from fluxboard.server.rest.endpoint import called
from fluxboard.server.rest.support import (
    delete,
    get,
    post,
    put,
    with_head,
)
from fluxboard.server.storage.sql import Tx


class RawTasks(msgspec.Struct, frozen=True, kw_only=True):
    """:class:`~fluxboard.model.wire.TasksAnswer` with each task as the JSON that is stored."""

    tasks: list[msgspec.Raw]
    rev: int
    success: bool = True


class TaskRoutes(Controller):
    path = "/api/projects/{project_id:str}/tasks"
    tags = ("Tasks",)
    middleware = (called,)

    @get("", summary="Every task of a project; If-None-Match answers 304")
    async def list_all(self, project_id: str, call: Call) -> Response[TasksAnswer]:
        def work(tx: Tx, access: Access) -> RawTasks:
            return RawTasks(tasks=tasks.listed(tx, project_id), rev=access.rev)

        return await call.read_once(project_id, ("tasks",), work)

    @post("", summary="Create a task")
    async def create(self, project_id: str, data: TaskCreate, call: Call) -> Response[TaskAnswer]:
        def work(ledger: Ledger) -> TaskAnswer:
            return TaskAnswer(task=tasks.create(ledger, data), message="Task created", rev=ledger.rev)

        return await call.mutate(
            project_id, work, status=201, ahead=lambda tx: tasks.create_ahead(tx, project_id, data)
        )

    @post("/batch", status_code=200, summary="Many operations at once (Plus)")
    async def batch(self, project_id: str, data: BatchBody, call: Call) -> Response[BatchAnswer]:
        return await call.mutate(project_id, lambda ledger: tasks.batch(ledger, data))

    @get("/{task_id:str}", summary="One task (Plus)")
    async def one(self, project_id: str, task_id: str, call: Call) -> Response[TaskAnswer]:
        task, rev = await call.read(project_id, lambda tx, access: tasks.find(tx, project_id, task_id))
        return with_head(TaskAnswer(task=task, rev=rev), rev)

    @put("/{task_id:str}", summary="Change fields of a task, or move it")
    async def change(
        self,
        project_id: str,
        task_id: str,
        data: TaskUpdate,
        call: Call,
    ) -> Response[TaskAnswer]:
        def work(ledger: Ledger) -> TaskAnswer:
            task = tasks.change(ledger, task_id, data, data.base_rev)
            return TaskAnswer(task=task, message="Task updated", rev=ledger.rev)

        return await call.mutate(project_id, work, ahead=lambda tx: tasks.find_ahead(tx, task_id))

    @delete("/{task_id:str}", status_code=200, summary="Delete a task (owner, admin, creator)")
    async def remove(
        self,
        project_id: str,
        task_id: str,
        call: Call,
        base_rev: Annotated[int | None, Parameter(query="baseRev")] = None,
    ) -> Response[DoneAnswer]:
        def work(ledger: Ledger) -> DoneAnswer:
            tasks.delete(ledger, task_id, base_rev)
            return DoneAnswer(message="Task deleted", rev=ledger.rev)

        return await call.mutate(project_id, work, ahead=lambda tx: tasks.find_ahead(tx, task_id))

    @post("/{task_id:str}/restore", status_code=200, summary="Bring a deleted task back (Plus)")
    async def restore(self, project_id: str, task_id: str, call: Call) -> Response[TaskAnswer]:
        def work(ledger: Ledger) -> TaskAnswer:
            task = tasks.restore(ledger, task_id)
            return TaskAnswer(task=task, message="Task restored", rev=ledger.rev)

        return await call.mutate(project_id, work)

    @get("/{task_id:str}/history", summary="Who changed what in a task, newest first (Plus)")
    async def history(self, project_id: str, task_id: str, call: Call) -> Response[HistoryAnswer]:
        found, rev = await call.read(project_id, lambda tx, access: history.of_task(tx, project_id, task_id))
        return with_head(HistoryAnswer(history=found), rev)


class CommentRoutes(Controller):
    path = "/api/projects/{project_id:str}/tasks/{task_id:str}/comments"
    tags = ("Comments",)
    middleware = (called,)

    @get("", summary="A task's comments, oldest first")
    async def list_all(self, project_id: str, task_id: str, call: Call) -> Response[CommentsAnswer]:
        found, rev = await call.read(project_id, lambda tx, access: comments.of_task(tx, access, task_id))
        return with_head(CommentsAnswer(comments=found), rev)

    @post("", summary="Write a comment")
    async def create(
        self,
        project_id: str,
        task_id: str,
        data: CommentBody,
        call: Call,
    ) -> Response[CommentAnswer]:
        def work(ledger: Ledger) -> CommentAnswer:
            made, task = comments.create(ledger, task_id, data.content, data.id)
            return CommentAnswer(comment=made, message="Comment created", task=task, rev=ledger.rev)

        return await call.mutate(project_id, work, status=201)

    @put("/{comment_id:str}", summary="Change one's own comment")
    async def change(
        self,
        project_id: str,
        task_id: str,
        comment_id: str,
        data: CommentBody,
        call: Call,
    ) -> Response[CommentAnswer]:
        def work(ledger: Ledger) -> CommentAnswer:
            made, task = comments.edit(ledger, task_id, comment_id, data.content)
            return CommentAnswer(comment=made, message="Comment updated", task=task, rev=ledger.rev)

        return await call.mutate(project_id, work)

    @delete("/{comment_id:str}", status_code=200, summary="Delete one's own comment")
    async def remove(
        self,
        project_id: str,
        task_id: str,
        comment_id: str,
        call: Call,
    ) -> Response[CommentGoneAnswer]:
        def work(ledger: Ledger) -> CommentGoneAnswer:
            task = comments.remove(ledger, task_id, comment_id)
            return CommentGoneAnswer(message="Comment deleted", task=task, rev=ledger.rev)

        return await call.mutate(project_id, work)
