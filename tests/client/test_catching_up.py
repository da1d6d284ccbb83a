"""Coming back after a long time, against the real REST application and without sockets."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path

import pytest

from fluxboard.client import incoming
from fluxboard.client.events import BoardEvent, CatchingUp
from fluxboard.model.types import TaskPatch
from fluxboard.model.wire import BatchOp, TaskCreate
from tests.support.program import Person, alone
from tests.support.waiting import until

TASKS = 10_000


@pytest.fixture
async def ada(tmp_path: Path) -> Person:
    return await alone(tmp_path)


def progress(events: list[BoardEvent]) -> list[tuple[int, int]]:
    return [(event.done, event.total) for event in events if isinstance(event, CatchingUp)]


def created(count: int) -> list[BatchOp]:
    return [BatchOp(op="create", task=TaskCreate(title=f"task {number}")) for number in range(count)]


async def test_a_week_of_changes_of_a_large_board_comes_by_one_walk_with_its_progress(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ada.edit(created(TASKS))
    session, board, _ = await ada.open()
    assert len(board.tasks) == TASKS
    mine = board.column_ids("todo")[0]
    ada.network.away = True
    board.update([mine], TaskPatch(title="written on a train"))
    await board.close()
    await session.close()
    week = [
        BatchOp(op="update", task_id=task_id, patch=TaskPatch(priority="high"))
        for task_id in sorted(ada.stored())[: TASKS // 4]
    ]
    await ada.edit(week)

    monkeypatch.setattr(incoming, "LONG", 0.0)
    ada.network.away = False
    session, board, events = await ada.open()
    assert board.tasks[mine].title == "written on a train"
    await until(lambda: board.tasks == ada.stored() and not board.connection.queued, 30, "all is there")
    walk = [call for call in ada.network.asked if call == "GET changes"]
    assert "GET tasks" not in ada.network.asked, "the list is not loaded again"
    assert len(walk) <= len(week) // 500 + 3
    await until(lambda: progress(events)[-1:] == [(1, 1)], what="the end is told")
    assert progress(events)[:-1] == sorted(progress(events)[:-1])
    assert len(progress(events)) >= len(week) // 500
    await board.close()
    await session.close()


async def test_a_log_that_no_longer_reaches_back_means_the_list_and_pending_edits_stay(ada: Person) -> None:
    await ada.edit(created(3))
    session, board, _ = await ada.open()
    first, second, third = board.column_ids("todo")
    ada.network.away = True
    board.update([first], TaskPatch(title="mine"))
    made = board.create(TaskCreate(title="made on a train"))
    board.comment(first, "and said")
    await board.close()
    await session.close()
    await ada.edit(
        [
            BatchOp(op="update", task_id=second, patch=TaskPatch(title="theirs")),
            BatchOp(op="delete", task_id=third),
        ]
    )
    ada.forget_log()

    session, board, _ = await ada.open()
    titles = {task_id: task.title for task_id, task in board.tasks.items()}
    assert titles == {first: "mine", second: "task 1", third: "task 2", made: "made on a train"}
    ada.network.away = False
    await until(lambda: not board.connection.queued and board.tasks == ada.stored(), 10, "all is there")
    assert "GET tasks" in ada.network.asked
    titles = {task_id: task.title for task_id, task in board.tasks.items()}
    assert titles == {first: "mine", second: "theirs", made: "made on a train"}
    assert board.tasks[first].comment_count == 1
    assert not board.attention
    await board.close()
    await session.close()


@pytest.mark.parametrize("form", ["seconds", "a time"])
async def test_who_asks_too_much_leaves_the_server_alone_for_as_long_as_it_says(
    ada: Person, form: str
) -> None:
    session, board, _ = await ada.open()
    await until(lambda: board.connection.word == "polling", what="it polls")
    ada.network.gets.clear()
    ada.network.limited = lambda: "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
    await until(lambda: ada.network.gets, what="it asked")
    await ada.edit(created(1))
    board.create(TaskCreate(title="mine"))
    await board.idle()  # what somebody waits for goes out all the same
    ada.network.limited = None
    await until(lambda: board.tasks == ada.stored(), what="the news comes in the end")
    refused = max(at for at, limited in ada.network.gets if limited)
    answered = min(at for at, limited in ada.network.gets if not limited)
    assert answered - refused >= 1
    assert len([at for at, limited in ada.network.gets if limited]) == 1
    await board.close()
    await session.close()


async def test_a_walk_that_breaks_off_ends_its_progress(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    await ada.edit(created(3))
    session, board, events = await ada.open()
    monkeypatch.setattr(incoming, "LONG", 0.0)

    def cut(event: BoardEvent) -> None:
        if isinstance(event, CatchingUp):
            ada.network.away = True

    stop = board.subscribe(cut)
    await ada.edit(created(1200))
    await until(lambda: (1, 1) in progress(events), what="the end is told")
    assert len(board.tasks) < 1203
    stop()
    ada.network.away = False
    await until(lambda: len(board.tasks) == 1203, what="the rest")
    await board.close()
    await session.close()


async def test_an_answer_that_nothing_is_new_is_an_answer(ada: Person) -> None:
    session, board, _ = await ada.open()
    await until(lambda: board.connection.word == "polling", what="it polls")
    ada.network.away = True
    await until(lambda: board.connection.word == "offline", what="the network is gone")
    ada.network.away = False
    await until(lambda: board.connection.word == "polling", what="the network is back, and nothing is new")
    await board.close()
    await session.close()
