"""What the server says of a project: lists, the log, and the events of the socket."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from fluxboard.client.aliases import Aliases
from fluxboard.client.api import Api, ApiError, ApiUnreachable
from fluxboard.client.comments import Comments
from fluxboard.client.company import EVENTS as COMPANY_EVENTS
from fluxboard.client.company import Company
from fluxboard.client.events import (
    BoardEvent,
    CatchingUp,
    Changed,
    Commented,
    News,
    ProjectChanged,
    Remote,
)
from fluxboard.client.hygiene import convert
from fluxboard.client.replica import Applied, Replica
from fluxboard.model.types import COMPLETED, Activity, Member, Project, Task, User
from fluxboard.model.wire import (
    ACTIVITY_NEW,
    COMMENT_CREATED,
    COMMENT_UPDATED,
    PROJECT_DELETED,
    PROJECT_REMOVED,
    SYNC_HEAD,
    SYNC_NEEDED,
    TASK_CREATED,
    TASK_DELETED,
    TASK_EVENTS,
    Change,
    CommentNotice,
    Head,
    TasksAnswer,
)

#: From this many tasks on, a new list is told as a whole.
MANY = 500
#: After so many seconds of catching up it is told how far it is.
LONG = 0.5


class Incoming:
    """Brings the replica to the server's state and tells the subscribers what changed.

    ``missing`` hears that something is lacking (True: for certain, so at once), ``lost`` that the project is
    no longer the user's, with the reason.
    """

    def __init__(
        self,
        api: Api,
        project: Project,
        user: User,
        replica: Replica,
        comments: Comments,
        company: Company,
        aliases: Aliases,
        *,
        emit: Callable[[BoardEvent], None],
        missing: Callable[[bool], None],
        lost: Callable[[str], None],
    ) -> None:
        self.project = project
        self._api = api
        self._user = user
        self._replica = replica
        self._comments = comments
        self._company = company
        self._aliases = aliases
        self._emit = emit
        self._missing = missing
        self._lost = lost
        self._etag: str | None = None
        self._names: dict[str, str] = {user.id: user.name}

    @property
    def members(self) -> tuple[Member, ...]:
        """The project's members; a Core server gives no names, so those that were heard."""
        if all(member.name for member in self.project.members):
            return self.project.members
        names = {**self._names, **{user.id: user.name for user in self._company.online}}
        return tuple(
            member if member.name else msgspec.structs.replace(member, name=names.get(member.user_id, ""))
            for member in self.project.members
        )

    # -- asked for

    def take_project(self, project: Project) -> None:
        """The project itself is another now."""
        self.project = project
        self._emit(ProjectChanged(project))

    def take_cached(self, tasks: tuple[Task, ...], rev: int | None) -> None:
        """Shows a board as it was last seen; ``rev`` is None for one of a Core server."""
        self._take_list(TasksAnswer(tasks=tasks, rev=rev))

    async def load(self, *, instead: int = 0) -> None:
        """Loads the whole list, ``instead`` of a log that may not know this revision.

        Raises ApiError and ApiUnreachable.
        """
        found = await self._api.tasks_if_changed(self.project.id, None)
        assert found is not None, "asked without a tag"
        answer, self._etag = found
        if answer.rev is not None and answer.rev > self.project.rev:
            # The list is newer than what is known of the columns and members; no change will say it again.
            for project in await self._api.projects():
                if project.id == self.project.id:
                    self.take_project(project)
        if answer.rev is not None and answer.rev < instead:
            self._replica.restart()  # the server was set back to a backup: what it says now is the truth
        self._take_list(answer)

    async def catch_up(self) -> None:
        """Asks for what is new. Raises ApiError and ApiUnreachable."""
        if self._api.layer == "core":
            found = await self._api.tasks_if_changed(self.project.id, self._etag)
            if found is not None:
                answer, self._etag = found
                self._take_list(answer)
            return
        started, first, told = time.monotonic(), self._replica.rev, False
        try:
            while True:
                since, newest = self._replica.rev, self._replica.newest
                answered = await self._api.changes_if_any(self.project.id, since)
                if (since if answered is None else answered.rev) < newest:
                    await self.load(instead=newest)
                    return
                if answered is None:
                    return
                for change in answered.changes:
                    self._take(change)
                if time.monotonic() - started > LONG:
                    told = True
                    self._emit(CatchingUp(self._replica.rev - first, answered.rev - first))
                if not answered.has_more or not answered.changes:
                    return
        except ApiError as error:
            if error.status != 410:
                raise
            await self.load(instead=self._replica.newest)
        finally:
            if told:  # however it ended: nothing is on its way any more
                self._emit(CatchingUp(1, 1))

    async def learn_names(self) -> None:
        """On a Core server the activity feed is where members have names."""
        with contextlib.suppress(ApiError, ApiUnreachable):
            for activity in (await self._api.activities(self.project.id, limit=100)).activities:
                if activity.user_name:
                    self._names.setdefault(activity.user_id, activity.user_name)

    # -- heard

    def hear(self, event: str, data: Any) -> None:
        """An event of the socket. What does not fit the contract is a sign that something is new."""
        try:
            self._hear(event, data, escaped=self._api.layer == "core")
        except (msgspec.ValidationError, TypeError):
            self._missing(False)

    def _hear(self, event: str, data: Any, *, escaped: bool) -> None:
        if event in COMPANY_EVENTS:
            self._company.hear(event, data, escaped=escaped)
        elif event == ACTIVITY_NEW:
            activity = convert(data, Activity, escaped=escaped)
            self._names.setdefault(activity.user_id, activity.user_name)
            self._emit(News(activity))
        elif event in {SYNC_HEAD, SYNC_NEEDED}:
            if convert(data, Head).rev > self._replica.rev:
                self._missing(event == SYNC_NEEDED)
        elif event == PROJECT_REMOVED:
            self._lost("You are no longer a member of this project")
        elif event in {COMMENT_CREATED, COMMENT_UPDATED}:
            comment = convert(data, CommentNotice, escaped=escaped)
            self._take(
                Change(
                    type=event,
                    rev=comment.rev,
                    task=comment.task,
                    comment=comment,
                    task_id=comment.task_id,
                    user_id=comment.user_id,
                    user_name=comment.user_name,
                    op_id=comment.op_id,
                )
            )
        elif event in TASK_EVENTS or (isinstance(data, dict) and "rev" in data):
            self._take(convert({**data, "type": event}, Change, escaped=escaped))

    # -- taken

    def _take_list(self, answer: TasksAnswer) -> None:
        first = not self._replica.confirmed and not self._replica.rev
        changed = self._replica.load((self._aliases.task(task) for task in answer.tasks), answer.rev)
        if changed or first:
            self._emit(Changed(frozenset() if first or len(changed) > MANY else changed))

    def _take(self, change: Change) -> None:
        """One committed change, from the socket or from the log, and those that waited for it."""
        following: Change | None = self._aliases.change(change)
        while following is not None:
            applied = self._replica.apply(following)
            if applied.outcome == "early":
                self._missing(False)
                return
            if applied.outcome == "fresh":
                self._announce(following, applied)
            following = self._replica.next_early()

    def _announce(self, change: Change, applied: Applied) -> None:
        if change.user_id and change.user_name:
            self._names[change.user_id] = change.user_name
        task, before = change.task, applied.before
        task_id = task.id if task else change.task_id
        if task_id is not None and applied.changed:
            self._emit(Changed(frozenset({task_id})))
        if (commented := self._comments.take(change)) is not None:
            self._emit(Commented(commented))
        if change.project is not None:
            self.take_project(change.project)
        if change.type == PROJECT_DELETED:
            self._lost("This project was deleted")
        if change.type in TASK_EVENTS and change.user_id != self._user.id and task_id is not None:
            known = task or before
            title = known.title if known else change.task_title or ""
            kind = _kind(change, before)
            self._emit(Remote(kind, change.user_id, change.user_name, task_id, title, task, change.fields))


def _kind(change: Change, before: Task | None) -> Literal["created", "updated", "completed", "deleted"]:
    if change.type == TASK_CREATED:
        return "created"
    if change.type == TASK_DELETED:
        return "deleted"
    completed = change.task is not None and change.task.status == COMPLETED
    moved = "status" in change.fields if change.fields else before is None or before.status != COMPLETED
    return "completed" if completed and moved else "updated"
