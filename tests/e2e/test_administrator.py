"""Two people at work, and an administrator at the database of their server."""

from __future__ import annotations

import asyncio
import sys

from fluxboard.model.wire import TaskCreate
from tests.e2e.conftest import Person, Team
from tests.support.waiting import until


async def admin(team: Team, *arguments: str) -> str:
    command = [sys.executable, "-m", "fluxboard", "admin", "--data", str(team.server.folder), *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    assert process.returncode == 0
    return told.decode()


def column(person: Person) -> list[tuple[str, str]]:
    return [(task_id, person.board.tasks[task_id].position) for task_id in person.board.column_ids("todo")]


def queued(person: Person) -> int:
    return person.board.connection.queued


async def test_positions_are_spread_under_their_hands(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    ids = [ada.board.create(TaskCreate(title=f"Task {number}")) for number in range(60)]
    await until(lambda: len(bob.board.tasks) == 60)
    for task_id in ids[2:50]:  # always right behind the first: the keys grow
        bob.board.move([task_id], "todo", after_id=ids[0])
    await until(lambda: not queued(bob) and column(ada) == column(bob), 20, what="moved")
    order = [task_id for task_id, _ in column(ada)]
    longest = max(len(position) for _, position in column(ada))

    spreading = asyncio.create_task(admin(team, "reindex", "Relaunch"))
    while not spreading.done():
        ada.board.move([order[0]], "todo", after_id=order[-1])
        ada.board.move([order[0]], "todo", before_id=order[1])
        await until(lambda: not queued(ada), what="sent")
    assert int((await spreading).split()[0]) > 40
    server = {task.id: task for task in (await ada.session.api.tasks(team.project_id)).tasks}
    await until(lambda: dict(ada.board.tasks) == dict(bob.board.tasks) == server, what="one board")
    assert [task_id for task_id, _ in column(bob)] == order
    assert max(len(position) for _, position in column(bob)) < longest
