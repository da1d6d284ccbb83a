"""REST, typed: each thing that can be asked of a server. One object for each signed-in user."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET

from fluxboard.client.calls import ApiError, ApiUnreachable, Calls, Layer
from fluxboard.model.notify import InboxAnswer, InboxDone, Mute, Preferences, PreferencesAnswer
from fluxboard.model.types import Comment, Member, Project, ProjectPatch, Role, Task, TaskPatch, User
from fluxboard.model.wire import (
    ActivitiesAnswer,
    AuthAnswer,
    BatchAnswer,
    BatchBody,
    ChangesAnswer,
    CommentAnswer,
    CommentBody,
    CommentGoneAnswer,
    CommentsAnswer,
    DoneAnswer,
    HistoryAnswer,
    HistoryEntry,
    InviteAnswer,
    InviteCreate,
    LoginBody,
    MemberAdd,
    MemberAnswer,
    MemberRole,
    MembersAnswer,
    ProjectAnswer,
    ProjectCreate,
    ProjectsAnswer,
    RefreshBody,
    SignupBody,
    TaskAnswer,
    TaskCreate,
    TasksAnswer,
    TaskUpdate,
)

__all__ = ["Api", "ApiError", "ApiUnreachable", "Layer"]

_ENTITY: Final = re.compile(r"&(?:amp|lt|gt|quot|#\d+|#x[0-9A-Fa-f]+);")


class Api(Calls):
    """What a server does for us. Every method may raise ApiError and ApiUnreachable."""

    # -- accounts

    async def sign_up(self, email: str, password: str, name: str) -> AuthAnswer:
        body = SignupBody(email=email, password=password, name=name, refresh=True)
        return await self.call("POST", "/api/auth/signup", AuthAnswer, body, renew=False)

    async def sign_in(self, email: str, password: str) -> AuthAnswer:
        body = LoginBody(email=email, password=password, refresh=True)
        return await self.call("POST", "/api/auth/login", AuthAnswer, body, renew=False)

    async def refresh(self, refresh_token: str) -> AuthAnswer:
        body = RefreshBody(refresh_token=refresh_token)
        return await self.call("POST", "/api/auth/refresh", AuthAnswer, body, renew=False)

    async def me(self) -> User:
        return await self.call("GET", "/api/auth/me", User)

    async def sign_out(self) -> None:
        await self.send("POST", "/api/auth/logout")

    # -- projects

    async def projects(self) -> tuple[Project, ...]:
        """The projects that the user is a member of."""
        found = (await self.call("GET", "/api/projects", ProjectsAnswer)).projects
        escaped = [project for project in found if _ENTITY.search(project.name + project.description)]
        if escaped and self.layer is None:
            # Only a Core server escapes, and only the task list tells which one this is.
            await self.tasks(escaped[0].id)
            if self.escapes:
                found = (await self.call("GET", "/api/projects", ProjectsAnswer)).projects
        return found

    async def create_project(self, name: str, description: str = "") -> Project:
        body = ProjectCreate(name=name, description=description)
        return (await self.call("POST", "/api/projects", ProjectAnswer, body)).project

    async def update_project(self, project_id: str, patch: ProjectPatch) -> Project:
        return await self.call("PUT", f"/api/projects/{project_id}", Project, patch)

    async def delete_project(self, project_id: str) -> None:
        await self.send("DELETE", f"/api/projects/{project_id}")

    # -- tasks

    async def tasks(self, project_id: str) -> TasksAnswer:
        """Every task; the answer that tells which layer the server speaks."""
        answer = await self.tasks_if_changed(project_id, None)
        assert answer is not None, "asked without a tag"
        return answer[0]

    async def tasks_if_changed(
        self, project_id: str, etag: str | None
    ) -> tuple[TasksAnswer, str | None] | None:
        """Every task and the answer's entity tag; None when nothing changed since ``etag``."""
        headers = {"If-None-Match": etag} if etag else {}
        response = await self.send("GET", f"/api/projects/{project_id}/tasks", headers=headers)
        if response.status_code == 304:
            return None
        answer = self.decode(response, TasksAnswer)
        if self.layer is None:
            self.layer = "core" if answer.rev is None else "plus"
            if self.escapes:
                answer = self.decode(response, TasksAnswer)
        return answer, response.headers.get("etag")

    async def create_task(self, project_id: str, body: TaskCreate, key: str | None = None) -> Task:
        return (await self.send_create(project_id, body, key)).task

    async def send_create(self, project_id: str, body: TaskCreate, key: str | None) -> TaskAnswer:
        """Creates a task and answers it with the project's revision."""
        if self.layer == "core":
            body = msgspec.structs.replace(
                body, id=None, labels=(), checklist=(), after_id=None, before_id=None
            )
        return await self.call("POST", f"/api/projects/{project_id}/tasks", TaskAnswer, body, key=key)

    async def update_task(self, project_id: str, task: Task, patch: TaskPatch) -> Task:
        return (await self.send_update(project_id, task, patch, None)).task

    async def send_update(
        self, project_id: str, task: Task, patch: TaskPatch, key: str | None, base_rev: int | None = None
    ) -> TaskAnswer:
        """Changes fields of ``task``; ``base_rev`` is the revision that the patch was made from.

        A Core server wants the title in every change. Raises ApiError 409 with a conflict.
        """
        if self.layer != "plus" and patch.title is UNSET:
            patch = msgspec.structs.replace(patch, title=task.title)
        if self.layer == "plus" and base_rev is not None:
            values = {name: getattr(patch, name) for name in TaskPatch.__struct_fields__}
            patch = TaskUpdate(**values, base_rev=base_rev)
        if self.layer == "core":
            patch = msgspec.structs.replace(
                patch,
                position=UNSET,
                after_id=UNSET,
                before_id=UNSET,
                labels=UNSET,
                checklist=UNSET,
                archived=UNSET,
            )
        path = f"/api/projects/{project_id}/tasks/{task.id}"
        return await self.call("PUT", path, TaskAnswer, patch, key=key)

    async def delete_task(
        self, project_id: str, task_id: str, key: str | None = None, base_rev: int | None = None
    ) -> int:
        """Deletes a task and answers the project's revision; 0 on a Core server.

        Raises ApiError 409 when somebody else changed it after ``base_rev``.
        """
        path = f"/api/projects/{project_id}/tasks/{task_id}"
        if self.layer == "plus" and base_rev is not None:
            path += f"?baseRev={base_rev}"
        return (await self.call("DELETE", path, DoneAnswer, key=key)).rev

    async def restore_task(self, project_id: str, task_id: str, key: str | None = None) -> TaskAnswer:
        path = f"/api/projects/{project_id}/tasks/{task_id}/restore"
        return await self.call("POST", path, TaskAnswer, key=key)

    async def batch(self, project_id: str, body: BatchBody, key: str | None = None) -> BatchAnswer:
        path = f"/api/projects/{project_id}/tasks/batch"
        return await self.call("POST", path, BatchAnswer, body, key=key)

    async def changes(self, project_id: str, since: int) -> ChangesAnswer:
        """What came after a revision. Raises ApiError 410 when the log does not reach back."""
        return await self.call("GET", f"/api/projects/{project_id}/changes?since={since}", ChangesAnswer)

    async def changes_if_any(self, project_id: str, since: int) -> ChangesAnswer | None:
        """As :meth:`changes`; None, at no cost, when ``since`` is the newest revision."""
        path = f"/api/projects/{project_id}/changes?since={since}"
        response = await self.send("GET", path, headers={"If-None-Match": f'"{since}"'})
        return None if response.status_code == 304 else self.decode(response, ChangesAnswer)

    async def history(self, project_id: str, task_id: str) -> tuple[HistoryEntry, ...]:
        """Who changed what in a task, newest first."""
        path = f"/api/projects/{project_id}/tasks/{task_id}/history"
        return (await self.call("GET", path, HistoryAnswer)).history

    # -- people

    async def members(self, project_id: str) -> tuple[Member, ...]:
        return (await self.call("GET", f"/api/projects/{project_id}/members", MembersAnswer)).members

    async def add_member(self, project_id: str, *, email: str, role: Role = "member") -> Member:
        body = MemberAdd(email=email, role=role)
        return (await self.call("POST", f"/api/projects/{project_id}/members", MemberAnswer, body)).member

    async def set_role(self, project_id: str, user_id: str, role: Role) -> Member:
        path = f"/api/projects/{project_id}/members/{user_id}"
        return (await self.call("PUT", path, MemberAnswer, MemberRole(role=role))).member

    async def remove_member(self, project_id: str, user_id: str) -> None:
        await self.send("DELETE", f"/api/projects/{project_id}/members/{user_id}")

    async def create_invite(
        self, project_id: str, *, role: Role = "member", expires_in: int = 604800, max_uses: int = 1
    ) -> InviteAnswer:
        body = InviteCreate(role=role, expires_in=expires_in, max_uses=max_uses)
        return await self.call("POST", f"/api/projects/{project_id}/invites", InviteAnswer, body)

    async def accept_invite(self, code: str) -> Project:
        return (await self.call("POST", f"/api/invites/{code}/accept", ProjectAnswer)).project

    # -- comments and activities

    async def comments(self, project_id: str, task_id: str) -> tuple[Comment, ...]:
        path = f"/api/projects/{project_id}/tasks/{task_id}/comments"
        return (await self.call("GET", path, CommentsAnswer)).comments

    async def add_comment(
        self,
        project_id: str,
        task_id: str,
        content: str,
        comment_id: str | None = None,
        key: str | None = None,
    ) -> CommentAnswer:
        body = CommentBody(content=content, id=comment_id if self.layer == "plus" else None)
        path = f"/api/projects/{project_id}/tasks/{task_id}/comments"
        return await self.call("POST", path, CommentAnswer, body, key=key)

    async def change_comment(
        self, project_id: str, task_id: str, comment_id: str, content: str, key: str | None = None
    ) -> CommentAnswer:
        path = f"/api/projects/{project_id}/tasks/{task_id}/comments/{comment_id}"
        return await self.call("PUT", path, CommentAnswer, CommentBody(content=content), key=key)

    async def remove_comment(
        self, project_id: str, task_id: str, comment_id: str, key: str | None = None
    ) -> CommentGoneAnswer:
        path = f"/api/projects/{project_id}/tasks/{task_id}/comments/{comment_id}"
        return await self.call("DELETE", path, CommentGoneAnswer, key=key)

    async def activities(
        self,
        project_id: str,
        limit: int = 50,
        offset: int = 0,
        *,
        kind: str | None = None,
        user_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> ActivitiesAnswer:
        """A page of the feed, newest first; ``since`` and ``until`` are days or times, both inclusive."""
        wanted = {"type": kind, "userId": user_id, "dateFrom": since, "dateTo": until}
        given = {name: value for name, value in wanted.items() if value}
        query = urlencode({"limit": limit, "offset": offset, **given})
        return await self.call("GET", f"/api/projects/{project_id}/activities?{query}", ActivitiesAnswer)

    # -- the inbox

    async def inbox(self) -> InboxAnswer:
        """What concerns me and is not done, newest first."""
        return await self.call("GET", "/api/inbox?limit=200", InboxAnswer)

    async def mark_inbox(self, body: InboxDone) -> InboxAnswer:
        return await self.call("POST", "/api/inbox/done", InboxAnswer, body)

    async def mute(self, project_id: str, task_id: str, *, muted: bool) -> None:
        path = f"/api/projects/{project_id}/tasks/{task_id}/mute"
        await self.call("PUT", path, DoneAnswer, Mute(muted=muted))

    async def preferences(self) -> Preferences:
        return (await self.call("GET", "/api/preferences", PreferencesAnswer)).preferences

    async def set_preferences(self, preferences: Preferences) -> None:
        await self.call("PUT", "/api/preferences", PreferencesAnswer, preferences)
