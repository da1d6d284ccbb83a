"""The board opens, and what a teammate or a key changes is on it."""

from __future__ import annotations

from fluxboard.model.types import Task
from fluxboard.tui.app import FluxboardApp
from tests.support.fake_board import FakeBoard, FakeSession
from tests.support.waiting import until


async def test_the_board_opens_and_quits() -> None:
    board = FakeBoard([Task(id="t1", title="[/] hostile [bug] title"), Task(id="t2", title="second")])
    app = FluxboardApp(FakeSession(board), board.project.id)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(lambda: board.started)
        await pilot.press("j", "k", "question_mark", "escape", "q")
    assert app.return_code in {0, None}
