"""Edits that wait while their author loses the project: none is lost, whatever comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxboard.client.board import Board
from fluxboard.client.events import AccessLost
from fluxboard.client.live import Live
from fluxboard.client.local import LocalStore
from fluxboard.model.types import TaskPatch
from fluxboard.model.wire import TaskCreate
from tests.support.program import Person, alone
from tests.support.waiting import until


class Socket(Live):
    """A socket that is there whenever the network is; it hears nothing."""

    person: Person

    async def _attempt(self, transport: str) -> None:
        if self.person.network.away:
            raise ConnectionError("away")
        await self._joined()
        self._state("live")


async def edit_on_a_train(bob: Person, board: Board) -> None:
    """Some edits of each kind, while there is no network."""
    await until(lambda: len(board.tasks) == 1)
    (task_id,) = board.tasks
    bob.network.away = True
    board.update([task_id], TaskPatch(title="by bob"))
    made = board.create(TaskCreate(title="made by bob"))
    board.update([made], TaskPatch(priority="high"))
    board.comment(task_id, "said by bob")


def left(bob: Person) -> dict[str, int]:
    """How many edits are on bob's disk, by project."""
    store = LocalStore(bob.path)
    unsent = store.unsent(f"sim {bob.user.id}")
    store.close()
    return unsent


@pytest.mark.parametrize("deleted", [True, False])
async def test_edits_of_who_lost_the_project_wait_on_their_disk(tmp_path: Path, deleted: bool) -> None:
    ada = await alone(tmp_path)
    bob = await ada.invite("bob")
    of_ada = ada.session()
    await of_ada.api.create_task(ada.project_id, TaskCreate(title="Plan"))
    session, board, events = await bob.open()
    await edit_on_a_train(bob, board)
    if deleted:
        await of_ada.api.delete_project(ada.project_id)
    else:
        await of_ada.api.remove_member(ada.project_id, bob.user.id)
    bob.network.away = False
    await until(lambda: any(isinstance(event, AccessLost) for event in events), what="told")
    await board.close()
    await session.close()
    assert left(bob) == {ada.project_id: 4}
    if not deleted:
        await of_ada.api.add_member(ada.project_id, email=bob.user.email, role="member")
        session, board, _ = await bob.open()
        await board.idle()
        while board.attention:  # those that were refused meanwhile, with what hangs on them
            board.retry(board.attention[0].edit.op_id)
            await board.idle()
        titles = {task["title"]: task["priority"] for task in bob.backend.tasks(bob.project_id).values()}
        assert titles == {"by bob": "medium", "made by bob": "high"}
        await board.close()
        await session.close()
        assert left(bob) == {}
    await of_ada.close()


async def test_an_open_terminal_sends_what_another_left_once_the_network_is_back(tmp_path: Path) -> None:
    ada = await alone(tmp_path)
    here, there = ada.session(), ada.session()

    class Mine(Socket):
        person = ada

    boards = []
    for session in (here, there):
        session.make_live = Mine
        boards.append(await session.board(ada.project_id))
        await boards[-1].start()
    ada.network.away = True
    boards[0]._upkeep.live._ended.set()
    boards[1].create(TaskCreate(title="left by a terminal that was closed"))
    await boards[1].close()
    await there.close()
    assert not ada.stored()
    ada.network.away = False
    await until(ada.stored, what="sent by the other")
    await until(lambda: boards[0].tasks == ada.stored())
    await boards[0].close()
    await here.close()
    assert left(ada) == {}
