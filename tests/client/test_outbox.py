"""The queue and the disk below it."""

from __future__ import annotations

import asyncio
import stat
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from fluxboard.client.api import ApiError, ApiUnreachable
from fluxboard.client.database import Database
from fluxboard.client.edits import Create, Delete, Edit, Update
from fluxboard.client.live import Timing
from fluxboard.client.local import SCHEMA, LocalStore, Refusal
from fluxboard.client.outbox import FAILURES_MAX, Attention, Outbox
from fluxboard.model.types import Project, Task, TaskPatch
from fluxboard.model.wire import TaskCreate
from tests.support.waiting import until

PLACE = ("server me", "project")
QUICK = Timing(retry_min=0.01, retry_max=0.05)


class Server:
    """Takes edits, or does not."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.errors: list[Exception] = []
        self.refuses: dict[str, ApiError] = {}
        self.requests: list[list[str]] = []

    async def send(self, edits: list[Edit]) -> list[ApiError | None]:
        if self.errors:
            raise self.errors.pop(0)
        self.requests.append([edit.op_id for edit in edits])
        self.taken += [edit.op_id for edit in edits if edit.op_id not in self.refuses]
        return [self.refuses.get(edit.op_id) for edit in edits]


def make(
    store: LocalStore, server: Server, timing: Timing = QUICK
) -> tuple[Outbox, list[Attention], list[str]]:
    refused: list[Attention] = []
    failed: list[str] = []
    outbox = Outbox(
        store,
        PLACE,
        timing,
        send=server.send,
        together=lambda: True,
        refused=refused.append,
        title_of=lambda edit: edit.task.title if isinstance(edit, Create) else "",
        unreachable=lambda _: None,
        failed=failed.append,
    )
    return outbox, refused, failed


def create(task_id: str, op_id: str) -> Create:
    return Create(
        task_id=task_id, op_id=op_id, task=Task(id=task_id, title=task_id), body=TaskCreate(title=task_id)
    )


class SlowDisk(Database):
    """Writes when it is told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SCHEMA, threaded=False)
        self.waiting: list[tuple[Any, Future[Any]]] = []

    def write(self, work: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((work, future))
        return future

    def go(self) -> None:
        waiting, self.waiting = self.waiting, []
        self._commit(waiting)


async def test_nothing_is_sent_before_it_is_on_disk(tmp_path: Path) -> None:
    disk, server = SlowDisk(tmp_path / "boards.db"), Server()
    outbox, _, _ = make(LocalStore(None, database=disk), server)
    outbox.put([create("a", "1")])
    running = asyncio.create_task(outbox.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert server.taken == []
    disk.go()
    await until(lambda: server.taken == ["1"], what="sent")
    running.cancel()


async def test_what_passes_is_tried_again_in_order(tmp_path: Path) -> None:
    store, server = LocalStore(tmp_path / "boards.db"), Server()
    outbox, refused, _ = make(store, server)
    server.errors = [ApiUnreachable("away"), ApiError(503, "busy"), ApiError(429, "wait", retry_after=0.01)]
    outbox.put([create("a", "1"), create("b", "2")])
    running = asyncio.create_task(outbox.run())
    await outbox.idle()
    assert server.taken == ["1", "2"]
    assert refused == []
    running.cancel()
    store.close()


async def test_a_refused_create_parks_its_edits_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "boards.db"
    store, server = LocalStore(path), Server()
    outbox, refused, _ = make(store, server)
    server.errors = [ApiError(400, "The title must not be empty", "title")]
    later = [Update(task_id="a", op_id="2", patch=TaskPatch(title="x")), Delete(task_id="a", op_id="3")]
    outbox.put([create("a", "1"), create("b", "4"), *later])
    running = asyncio.create_task(outbox.run())
    await outbox.idle()
    assert server.taken == ["4"]
    assert [(item.edit.op_id, item.refusal.status) for item in refused] == [
        ("1", 400),
        ("2", 424),
        ("3", 424),
    ]
    running.cancel()
    store.close()

    again = LocalStore(path)
    second, _, _ = make(again, server)
    assert second.adopt() == []
    assert second.attention[0].refusal.reason == "The title must not be empty"
    edits = second.again("1", 7)
    assert [type(edit) for edit in edits.values()] == [Create, Update, Delete]
    assert list(edits) == ["1", "2", "3"]
    assert {edit.op_id for edit in edits.values()}.isdisjoint({"1", "2", "3"})
    second.put(edits.values(), instead_of=edits)
    assert second.attention == ()
    assert again.unsent(PLACE[0]) == {PLACE[1]: 3}, "the new ones took the place of the old ones"
    second.discard("no such edit")
    again.close()


async def test_a_step_is_one_request_and_each_of_its_edits_is_taken_or_refused(tmp_path: Path) -> None:
    store, server = LocalStore(tmp_path / "boards.db"), Server()
    outbox, refused, _ = make(store, server)
    server.refuses = {"2": ApiError(403, "not yours")}
    alone = [create("a", "0")]
    step = [Delete(task_id=task_id, op_id=op_id, step="s") for task_id, op_id in (("b", "1"), ("c", "2"))]
    outbox.put([*alone, *step, Delete(task_id="d", op_id="3", step="t")])
    running = asyncio.create_task(outbox.run())
    await outbox.idle()
    assert server.requests == [["0"], ["1", "2"], ["3"]]
    assert [item.edit.op_id for item in refused] == ["2"]
    assert store._ask("SELECT op_id FROM outbox") == [("2",)]
    running.cancel()
    store.close()


async def test_a_step_that_is_refused_as_a_whole_goes_one_by_one(tmp_path: Path) -> None:
    store, server = LocalStore(tmp_path / "boards.db"), Server()
    outbox, refused, _ = make(store, server)
    server.errors = [ApiUnreachable("away"), ApiError(413, "too large")]
    outbox.put([Delete(task_id=task_id, op_id=task_id, step="s") for task_id in "abc"])
    running = asyncio.create_task(outbox.run())
    await outbox.idle()
    assert server.requests == [["a"], ["b"], ["c"]]
    assert refused == []
    running.cancel()
    store.close()


async def test_only_the_edits_of_a_program_that_is_gone_are_adopted(tmp_path: Path) -> None:
    path = tmp_path / "boards.db"
    first, other = LocalStore(path), LocalStore(path)
    first.append(*PLACE, [create("a", "1")]).result()
    other.append(*PLACE, [create("b", "2")]).result()
    assert [row.edit.op_id for row in other.adopt(*PLACE)] == ["2"]
    first.close()
    assert [row.edit.op_id for row in other.adopt(*PLACE)] == ["1", "2"]
    other.release(*PLACE).result()
    third = LocalStore(path)
    assert [row.edit.op_id for row in third.adopt(*PLACE)] == ["1", "2"]
    assert third.unsent("server me") == {"project": 2}
    third.close()
    other.close()


def test_the_file_is_private_and_the_board_is_the_newest_that_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "state" / "boards.db"
    store = LocalStore(path)
    store.put_projects("me", [Project(id="p", name="P")]).result()
    tasks = [Task(id=name, title=name, rev=2) for name in "ab"]
    store.put_board("me", "p", tasks, 2).result()
    store.put_changes("me", "p", {"a": None, "c": Task(id="c", title="c", rev=4)}, 2, 4).result()
    store.put_changes("me", "p", {"a": Task(id="a", title="late", rev=3)}, 2, 3).result()
    hole = store.put_changes("me", "p", {"b": Task(id="b", title="b", rev=7)}, 6, 7)
    assert not hole.result(), "what came from 5 to 6 was never written"
    store.put_board("me", "p", tasks, 3).result()
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    store.close()
    again = LocalStore(path)
    cached = again.board("me", "p")
    assert cached is not None
    assert ({task.id for task in cached.tasks}, cached.rev) == ({"b", "c"}, 4)
    assert again.board("me", "other") is None
    assert [project.name for project in again.projects("me")] == ["P"]
    again.forget("me").result()
    assert again.board("me", "p") is None
    again.close()


async def test_a_disk_that_fails_is_told_and_the_edit_is_sent_all_the_same(tmp_path: Path) -> None:
    disk, server = SlowDisk(tmp_path / "boards.db"), Server()
    outbox, _, failed = make(LocalStore(None, database=disk), server)
    outbox.put([create("a", "1")])
    running = asyncio.create_task(outbox.run())
    ((_, future),) = disk.waiting
    future.set_exception(OSError("No space left on device"))
    await until(lambda: server.taken == ["1"], what="sent")
    assert "No space left" in failed[0]
    running.cancel()


@pytest.mark.parametrize("terminals", [4])
async def test_several_terminals_write_one_file(tmp_path: Path, terminals: int) -> None:
    stores = [LocalStore(tmp_path / "boards.db") for _ in range(terminals)]
    futures = [
        store.append(*PLACE, [create("t", f"{index}-{number}")])
        for number in range(50)
        for index, store in enumerate(stores)
    ]
    for future in futures:
        await asyncio.wrap_future(future)
    assert stores[0].unsent(PLACE[0]) == {PLACE[1]: 50 * terminals}
    for store in stores:
        store.close()


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 413, 422])
async def test_what_is_refused_waits_for_its_author_and_holds_nothing_up(tmp_path: Path, status: int) -> None:
    path = tmp_path / "boards.db"
    store, server = LocalStore(path), Server()
    server.errors = [ApiError(status, "no")]
    outbox, refused, _ = make(store, server)
    outbox.put([create("a", "1")])
    outbox.put([create("b", "2")])
    running = asyncio.create_task(outbox.run())
    await outbox.idle()
    assert server.taken == ["2"]
    assert [(item.edit.op_id, item.title, item.refusal.status) for item in refused] == [("1", "a", status)]
    running.cancel()
    store.release(*PLACE)
    store.close()
    again = LocalStore(path)
    outbox, _, _ = make(again, Server())
    assert outbox.adopt() == []
    assert [(item.edit, item.refusal.reason) for item in outbox.attention] == [(create("a", "1"), "no")]
    again.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again_after_one_to_thirty_seconds(
    tmp_path: Path, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[tuple[float, float]] = []

    def longest(low: float, high: float) -> float:
        waited.append((low, high))
        return 0.0

    monkeypatch.setattr("fluxboard.client.outbox.random.uniform", longest)
    store, server = LocalStore(tmp_path / "boards.db"), Server()
    server.errors = [ApiError(status, "later") for _ in range(6)]
    outbox, refused, _ = make(store, server, Timing())
    outbox.put([create("a", "1")])
    running = asyncio.create_task(outbox.run())
    await outbox.idle()
    assert server.taken == ["1"]
    assert not refused
    assert waited == [(1.0, 2.0), (1.0, 4.0), (1.0, 8.0), (1.0, 16.0), (1.0, 30.0), (1.0, 30.0)]
    running.cancel()
    store.close()


async def test_a_server_is_left_alone_for_as_long_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    store, server = LocalStore(tmp_path / "boards.db"), Server()
    server.errors = [ApiError(429, "wait", retry_after=90.0), ApiError(503, "wait", retry_after=1e9)]
    outbox, _, _ = make(store, server, Timing())
    outbox.put([create("a", "1")])
    outbox.hurry()
    monkeypatch.setattr("fluxboard.client.outbox.asyncio.sleep", sleep)
    running = asyncio.create_task(outbox.run())
    await outbox.idle()
    assert server.taken == ["1"]
    assert 90 <= slept[0] <= 92
    assert 3600 <= slept[1] <= 3604
    running.cancel()
    store.close()


@pytest.mark.parametrize("problem", [ApiError(500, "broken"), ValueError("a defect")])
async def test_what_always_fails_does_not_hold_up_the_others_for_ever(
    tmp_path: Path, problem: Exception
) -> None:
    store, server = LocalStore(tmp_path / "boards.db"), Server()
    server.errors = [problem] * FAILURES_MAX
    outbox, refused, _ = make(store, server)
    outbox.put([create("a", "1"), create("b", "2")])
    running = asyncio.create_task(outbox.run())
    await outbox.idle()
    assert server.taken == ["2"]
    assert [(item.edit.op_id, item.refusal.status) for item in refused] == [("1", 500)]
    assert str(problem) in refused[0].refusal.reason
    running.cancel()
    store.close()


async def test_a_server_that_is_away_for_long_holds_everything_and_refuses_nothing(tmp_path: Path) -> None:
    store, server = LocalStore(tmp_path / "boards.db"), Server()
    server.errors = [ApiUnreachable("away"), ApiError(502, "a proxy"), ApiError(503, "starting")] * 20
    outbox, refused, _ = make(store, server, Timing(retry_min=0.0, retry_max=0.0))
    outbox.put([create("a", "1"), create("b", "2")])
    running = asyncio.create_task(outbox.run())
    await outbox.idle()
    assert server.taken == ["1", "2"]
    assert not refused
    running.cancel()
    store.close()


def test_an_edit_that_is_tried_again_is_on_disk_before_the_refused_one_is_gone(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "boards.db")
    store.append(*PLACE, [create("a", "1")])
    store.refuse("1", Refusal(reason="no", status=400))
    store.release(*PLACE)
    store.close()
    disk = SlowDisk(tmp_path / "boards.db")
    store = LocalStore(None, database=disk)
    outbox, _, _ = make(store, Server())
    disk.read = lambda work: work(disk.connection)  # type: ignore[method-assign]
    outbox.adopt()
    disk.waiting.clear()
    edits = outbox.again("1", 3)
    outbox.put(edits.values(), instead_of=edits)
    assert len(disk.waiting) == 1, "one job, so one transaction"
    disk.go()
    (row,) = disk.connection.execute("SELECT op_id, refusal FROM outbox").fetchall()
    assert row == (next(iter(edits.values())).op_id, None)
    assert not outbox.attention


def test_what_a_terminal_leaves_is_taken_over_once_by_one_that_is_open(tmp_path: Path) -> None:
    mine, other = LocalStore(tmp_path / "boards.db"), LocalStore(tmp_path / "boards.db")
    outbox, _, _ = make(mine, Server())
    assert outbox.adopt() == []
    outbox.put([create("a", "1")])
    other.append(*PLACE, [create("b", "2"), create("c", "3")]).result()
    other.refuse("3", Refusal(reason="no", status=400)).result()
    assert outbox.adopt() == [], "its terminal still runs"
    other.release(*PLACE).result()
    other.close()
    assert [edit.op_id for edit in outbox.adopt()] == ["2"]
    assert [item.edit.op_id for item in outbox.attention] == ["3"]
    assert outbox.adopt() == []
    assert len(outbox) == 2
    mine.close()
