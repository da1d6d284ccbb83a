"""A server that was set back to a backup, and a disk of this computer that fails for a while."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from fluxboard.client.database import Database
from fluxboard.client.local import SCHEMA, LocalStore
from fluxboard.model.types import Task, TaskPatch
from fluxboard.model.wire import BatchOp, TaskCreate
from tests.support.program import Person, alone
from tests.support.waiting import until

PLACE = ("sim", "project")
#: What docs/operations.md has a backup's projects do before their server starts.
AFTER_A_RESTORE = "UPDATE projects SET rev = rev + 1000000, log_start = rev + 1000000"


def renamed(task_id: str, title: str) -> BatchOp:
    return BatchOp(op="update", task_id=task_id, patch=TaskPatch(title=title))


def cached(ada: Person) -> dict[str, Task]:
    """What is kept of the board on ada's computer."""
    store = LocalStore(ada.path)
    board = store.board(f"sim {ada.user.id}", ada.project_id)
    store.close()
    return {task.id: task for task in board.tasks} if board else {}


@pytest.mark.parametrize("polled", [False, True])
@pytest.mark.parametrize("overtaken", [False, True])
async def test_a_board_follows_a_server_that_was_set_back_and_keeps_its_own_edits(
    tmp_path: Path, overtaken: bool, polled: bool
) -> None:
    ada = await alone(tmp_path)
    session, board, _ = await ada.open()
    one, two = board.create_all([TaskCreate(title="one"), TaskCreate(title="two")])
    await board.idle()
    backup = ada.backup()
    board.update([one], TaskPatch(title="lost with the disk"))
    lost = board.create(TaskCreate(title="lost, too"))
    await board.idle()
    if polled:  # else only the answers are known
        await until(lambda: board.rev == ada.backend.head(ada.project_id))
        board._upkeep._copy.save()
    ada.network.away = True
    board.update([two], TaskPatch(priority="high"))
    if overtaken:
        backup.execute(AFTER_A_RESTORE)
    ada.restore(backup)
    if overtaken:  # others went on before ada came back
        await ada.edit([renamed(one, f"after {number}") for number in range(9)])
    ada.network.away = False
    await board.idle()
    await until(lambda: board.tasks == ada.stored(), what="the board is the server's")
    assert board.tasks[one].title == ("after 8" if overtaken else "one")
    assert board.tasks[two].priority == "high", "what was not sent is sent"
    assert lost not in board.tasks
    await ada.edit([renamed(one, "and on")])
    await until(lambda: board.tasks[one].title == "and on", what="it goes on from there")
    await board.close()
    await session.close()
    assert cached(ada) == ada.stored(), "the copy on this computer follows, too"


class FailingDisk(Database):
    """Has no room while ``full``."""

    full = False

    def __init__(self, path: Path) -> None:
        super().__init__(path, SCHEMA, threaded=False)

    def write(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        def job(connection: sqlite3.Connection) -> Any:
            if self.full:
                raise sqlite3.OperationalError("database or disk is full")
            return work(connection)

        return super().write(job)


async def test_a_change_that_the_disk_did_not_take_is_in_the_copy_once_it_takes_some_again(
    tmp_path: Path,
) -> None:
    ada = await alone(tmp_path)
    disk = FailingDisk(ada.path)
    session, board, _ = await ada.open(LocalStore(None, database=disk))
    one, two = board.create_all([TaskCreate(title="one"), TaskCreate(title="two")])
    await board.idle()
    await until(lambda: disk.connection.execute("SELECT count(*) FROM tasks").fetchone() == (2,))
    disk.full = True
    await ada.edit([renamed(one, "while it was full")])
    await until(lambda: board.tasks[one].title == "while it was full")
    board._upkeep._copy.save()
    disk.full = False
    await ada.edit([renamed(two, "afterwards")])
    await until(lambda: board.tasks[two].title == "afterwards")
    await board.close()
    await session.close()
    assert cached(ada) == ada.stored()


def test_an_edit_of_another_version_stays_and_holds_nothing_up(tmp_path: Path) -> None:
    path = tmp_path / "boards.db"
    store = LocalStore(path)
    connection = store._database.connection
    row = "INSERT INTO outbox (account, project, op_id, owner, body) VALUES (?, ?, ?, '', ?)"
    connection.execute(row, (*PLACE, "1", '{"kind": "of-the-future", "task_id": "a"}'))
    connection.execute(row, (*PLACE, "2", '{"kind": "delete", "task_id": "a", "op_id": "2"}'))
    connection.execute("INSERT INTO boards VALUES (?, ?, 3)", PLACE)
    connection.execute("INSERT INTO tasks VALUES (?, ?, 'a', 3, '{\"id\": 1}')", PLACE)
    assert [stored.edit.op_id for stored in store.adopt(*PLACE)] == ["2"]
    assert store.unsent("sim") == {"project": 2}
    assert store.board(*PLACE) is None, "comes from the server once more"
    store.close()


def test_what_one_job_cannot_do_is_not_the_end_of_those_beside_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "boards.db", SCHEMA, threaded=False)

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO users VALUES ('half', '')")
        raise ValueError("broken")

    def good(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO users VALUES ('good', '')")

    futures: list[tuple[Any, Future[Any]]] = [(work, Future()) for work in (good, broken)]
    database._commit(futures)
    assert futures[0][1].result() is None
    with pytest.raises(ValueError, match="broken"):
        futures[1][1].result()
    assert database.connection.execute("SELECT kept_as FROM users").fetchall() == [("good",)]
    database.close()
