"""Toasts: their words, their kinds, and bursts."""

from __future__ import annotations

from fluxboard.client.events import Refused, Remote
from fluxboard.model.types import Task
from fluxboard.tui.app import MOST_TOASTS
from fluxboard.tui.widgets.toasts import BURST, Gatherer, Headline, Toast, toast_of
from tests.support.fake_board import ME, FakeBoard
from tests.support.waiting import until
from tests.tui.conftest import Open, cards


def change(kind: str, number: int = 1, user: str = "u-mila") -> Headline:
    return Headline(kind, user, "mila", f"t{number}", f"Task {number}")  # type: ignore[arg-type]


def test_exact_words() -> None:
    assert toast_of(change("created")) == Toast("mila created: Task 1", "information", "t1")
    assert toast_of(change("updated")) == Toast("mila updated: Task 1", "information", "t1")
    assert toast_of(change("completed")) == Toast("mila completed: Task 1", "success", "t1")
    assert toast_of(change("deleted")) == Toast("mila deleted: Task 1", "warning", "t1")
    unknown = Headline("deleted", "u", "mila", "t", "")
    assert toast_of(unknown) == Toast("mila deleted a task", "warning")


def test_a_burst_becomes_one() -> None:
    gatherer = Gatherer()
    assert [gatherer.add(change("updated", number)) for number in range(12)] == [True] + [False] * 11
    gatherer.add(change("created", 1, "u-sara"))
    assert gatherer.flush() == [
        Toast("mila changed 12 tasks", "information"),
        Toast("mila created: Task 1", "information", "t1"),
    ]
    assert gatherer.flush() == []


def test_a_few_changes_are_told_one_by_one_and_a_repeated_one_once() -> None:
    gatherer = Gatherer()
    for number in range(BURST):
        gatherer.add(change("created", number))
        gatherer.add(change("created", number))
    assert len(gatherer.flush()) == BURST


async def test_others_changes_are_toasted_and_mine_are_not(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3))) as it:
        await it.press("plus", "L")
        it.board.emit(Remote("updated", ME.id, ME.name, "todo-1", "todo 1", None))
        it.board.remote_create(Task(id="n", title="[bug] x"))
        await until(lambda: it.toasts)
        assert it.toasts == [("mila created: [bug] x", "information")]
        it.board.remote_update("todo-2", status="completed")
        await until(lambda: len(it.toasts) == 2)
        it.board.remote_delete("todo-2", known=False)
        await until(lambda: len(it.toasts) == 3)
        assert it.toasts[1:] == [("mila completed: todo 2", "success"), ("mila deleted a task", "warning")]
        await it.pilot.pause()
        assert "mila created: [bug] x" in it.text()


async def test_on_a_phone_no_toast_lies_over_a_dialog(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3)), (60, 24)) as it:
        await it.press("question_mark")
        it.board.remote_update("todo-2", title="Quiet")
        await until(lambda: it.screen.news.told, what="what g t tells")
        assert it.toasts == []
        await it.press("escape")
        it.board.remote_update("todo-3", title="Loud")
        await until(lambda: it.toasts)


async def test_no_toast_covers_what_the_editor_says_of_its_own_task(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3)), (80, 24)) as it:
        await it.press("e", *"Mine")
        it.board.remote_update("todo-1", title="Theirs")
        await until(lambda: it.screen.news.told, what="what g t tells")
        assert it.toasts == []
        assert "changed the title" in it.text()
        it.board.remote_update("todo-2", title="Another task")
        await until(lambda: it.toasts)


async def test_what_happened_stands_in_the_sidebar(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3)), (160, 40)) as it:
        assert "Nothing yet" in it.text()
        it.board.remote_update("todo-2", status="completed")
        await it.pilot.pause()
        assert "mila completed todo 2" in it.text()


async def test_a_refused_edit_says_what_and_why(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1))) as it:
        it.board.emit(Refused("todo-1", "todo 1", "update", "the project is [archived]", 409))
        await until(lambda: it.toasts)
        message, kind = it.toasts[0]
        assert "“todo 1”" in message
        assert "the project is [archived]" in message
        assert kind == "error"


async def test_only_the_newest_toasts_cover_the_board(opened: Open) -> None:
    for height, most in ((40, MOST_TOASTS), (20, 2)):
        async with opened(FakeBoard(cards(todo=1)), (100, height)) as it:
            for number in range(7):
                it.screen.notify(f"number {number}")
            await until(lambda: "number 6" in it.text(), what="the newest is shown")
            assert len(it.toasts) == most
            assert "number 0" not in it.text()
