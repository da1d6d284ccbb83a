"""From a command's options to a signed-in session and a project."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fluxboard.cli.errors import CommandFailed, sign_in_needed
from fluxboard.cli.state import LOCAL, data_folder, recall
from fluxboard.model.types import Project, Task

if TYPE_CHECKING:
    from fluxboard.client.session import Session

NO_SERVER = "No board yet. Run `fluxboard` once, or `fluxboard login --server URL`."


def chosen_server(server: str | None) -> str:
    """The server a command means: its option, the environment, else the last one."""
    chosen = server or os.environ.get("FLUXBOARD_SERVER") or recall().server
    if not chosen:
        raise CommandFailed(NO_SERVER)
    return chosen


async def open_session(chosen: str) -> Session:
    """A session on a server, or with LOCAL on this computer's own, which is started when it does not run."""
    from fluxboard.client.session import Session

    return await (Session.at_home(LOCAL, _come_home) if chosen == LOCAL else Session.open(chosen))


async def _come_home(session: Session) -> None:
    """Signs in at this computer's own server."""
    from fluxboard.cli.local_server import ServerDidNotStart, find_or_start, local_account
    from fluxboard.client.api import ApiError, ApiUnreachable

    folder = data_folder()
    try:
        session.move(await asyncio.to_thread(find_or_start, folder))
    except ServerDidNotStart as error:
        raise ApiUnreachable(str(error)) from None
    account = await asyncio.to_thread(local_account, folder)
    try:
        await session.sign_in(account.email, account.password)
    except ApiError as error:
        if error.status not in {400, 401}:
            raise
        await session.sign_up(account.email, account.password, account.name)


@asynccontextmanager
async def signed_in(server: str | None) -> AsyncIterator[Session]:
    """A session that is signed in; fails with what to do when it cannot be."""
    session = await open_session(chosen_server(server))
    try:
        if session.user is None:
            sign_in_needed()
        yield session
    finally:
        await session.close()


async def find_project(session: Session, wanted: str | None) -> Project:
    """The project by id, by (the start of) its name, or the last one that was open."""
    projects = await session.projects()
    if not projects:
        raise CommandFailed("There is no project yet. Run `fluxboard` and create one.")
    if wanted is None:
        last = recall().project_id
        return next((project for project in projects if project.id == last), projects[0])
    found = fitting(projects, wanted)
    if len(found) == 1:
        return found[0]
    names = ", ".join(project.name for project in found or projects)
    raise CommandFailed(f"{'Several projects fit' if found else 'No project is called'} {wanted!r}: {names}")


def fitting(projects: Sequence[Project], wanted: str) -> list[Project]:
    """The projects of this id or name, else those whose name starts so, else those that have it in theirs."""
    words = wanted.lower()
    return (
        [project for project in projects if wanted in {project.id, project.name}]
        or [project for project in projects if project.name.lower().startswith(words)]
        or [project for project in projects if words in project.name.lower()]
    )


def find_task(tasks: tuple[Task, ...], wanted: str) -> Task:
    """The task by id, the end of its id, its title, the start of it or else a part."""
    wanted = wanted.strip()
    words = wanted.lower()
    found = (
        [task for task in tasks if wanted in {task.id, task.title}]
        or [task for task in tasks if task.id.endswith(wanted) or task.title.lower().startswith(words)]
        or [task for task in tasks if words in task.title.lower()]
    )
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandFailed(f"No task is called {wanted!r}. `fluxboard list` shows them.")
    names = "; ".join(f"{short_id(task)} {task.title}" for task in found[:8])
    raise CommandFailed(f"Several tasks fit {wanted!r}: {names}")


def short_id(task: Task) -> str:
    """The last eight characters of a task's id: enough to name it, short enough to type."""
    return task.id[-8:]
