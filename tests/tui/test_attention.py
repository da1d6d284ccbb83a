"""What the server did not take: the list, the comparison, and the ways out."""

from __future__ import annotations

import pytest

from fluxboard.client.edits import Create, Delete, Edit, Update
from fluxboard.client.events import CatchingUp, Connection, Trouble
from fluxboard.client.local import Refusal
from fluxboard.client.outbox import Attention
from fluxboard.client.undo import Overtaken
from fluxboard.model.text import clean_line, clean_text
from fluxboard.model.types import Task, TaskPatch
from fluxboard.model.wire import Conflict, FieldChange, FieldConflict, HistoryEntry, TaskCreate
from fluxboard.tui.differences import differences
from fluxboard.tui.screens.attention import AttentionScreen
from fluxboard.tui.screens.board import BoardScreen
from fluxboard.tui.screens.confirm import ConfirmScreen
from fluxboard.tui.screens.conflict import ConflictScreen
from fluxboard.tui.screens.rewrite import RewriteScreen
from tests.support.fake_board import FakeBoard
from tests.support.hostile import RAW
from tests.support.waiting import until
from tests.tui.conftest import Open, Opened, cards

TASK = Task(id="todo-1", title="The plan")


def conflict(**fields: FieldConflict) -> Conflict:
    return Conflict(fields=fields, task=TASK)


def sides(base: str, mine: str, theirs: str) -> FieldConflict:
    stamp = "2026-03-11T11:58:00.000Z"
    return FieldConflict(base=base, mine=mine, theirs=theirs, user_name="Mila", timestamp=stamp)


def refused(edit: Edit, reason: str = "no", status: int = 400, **more: object) -> Attention:
    refusal = Refusal(reason=reason, status=status, at="2026-03-11T11:59:00.000Z", **more)  # type: ignore[arg-type]
    return Attention(edit, refusal, "The plan")


def board_with(*items: Attention) -> FakeBoard:
    board = FakeBoard(cards(todo=2))
    board.attention = items
    board.connection = Connection("live", 0, len(items))
    return board


def update(op_id: str = "op", **fields: object) -> Update:
    return Update(task_id="todo-1", op_id=op_id, patch=TaskPatch(**fields))  # type: ignore[arg-type]


async def open_list(it: Opened) -> None:
    await it.press("exclamation_mark")
    await until(lambda: isinstance(it.app.screen, AttentionScreen), what="the list")


async def test_the_header_counts_and_the_list_has_my_text_and_the_servers_words(opened: Open) -> None:
    board = board_with(
        refused(update(title="Bob's plan"), "Mila changed the title meanwhile"),
        refused(Create(task_id="x", op_id="2", task=TASK, body=TaskCreate(title="[bug] x")), "Too long"),
        refused(Delete(task_id="y", op_id="3")),
    )
    async with opened(board) as it:
        assert "⚠ 3 need attention" in it.text()
        await open_list(it)
        assert "Bob's plan" in it.text()
        assert "Mila changed the title meanwhile" in it.text()
        await it.press("j")
        assert "[bug] x" in it.text()
        assert "Too long" in it.text()
        await it.press("r")
        assert board.retried == [("2", None)]
        assert "⚠ 2 need attention" in it.text()


async def test_discarding_asks_and_copying_says_so(opened: Open) -> None:
    board = board_with(refused(update(description="an hour of work")))
    async with opened(board) as it:
        await open_list(it)
        await it.press("c")
        assert it.app.clipboard == "description: an hour of work"
        await it.press("d")
        await until(lambda: isinstance(it.app.screen, ConfirmScreen), what="the question")
        await it.press("n")
        assert len(board.attention) == 1
        await it.press("d")
        await until(lambda: isinstance(it.app.screen, ConfirmScreen), what="the question")
        await it.press("y")
        await until(lambda: not board.attention, what="gone")
        assert "the server took all" in it.text()
        await it.press("escape")
        assert isinstance(it.app.screen, BoardScreen)


async def test_a_text_can_be_changed_and_sent_again(opened: Open) -> None:
    board = board_with(refused(update(title="x", priority="high"), "The title has 501 characters"))
    async with opened(board) as it:
        await open_list(it)
        await it.press("e")
        await until(lambda: isinstance(it.app.screen, RewriteScreen), what="the text")
        await it.press("y", "ctrl+s")
        await until(lambda: board.retried, what="sent")
        ((_, patch),) = board.retried
        assert patch is not None
        assert (patch.title, patch.priority) == ("yx", "high")


async def test_a_conflict_shows_three_texts_and_takes_a_decision_for_each_field(opened: Open) -> None:
    found = conflict(
        title=sides("Plan", "Bob's plan", "Mila's plan"),
        description=sides("one", "one and mine", "one and theirs"),
    )
    edit = update(title="Bob's plan", description="one and mine", priority="high")
    for size in ((160, 48), (100, 30), (60, 24)):
        board = board_with(refused(edit, "Mila changed the title", 409, conflict=found))
        async with opened(board, size) as it:
            await open_list(it)
            await it.press("enter")
            await until(lambda it=it: isinstance(it.app.screen, ConflictScreen), what="the comparison")
            await it.pilot.pause()
            if size[1] > 30:
                for text in ("As it was", "Mine", "Mila's", "Bob's plan", "2 fields to decide"):
                    assert text in it.text(), text
            await it.press("t")
            await until(lambda it=it: "description" in it.text(), what="the second field")
            await it.press("m")
            await until(lambda board=board: board.retried, what="sent")
            ((op_id, patch),) = board.retried
            assert patch == TaskPatch(description="one and mine", priority="high")
            assert op_id == "op"


async def test_to_take_theirs_everywhere_is_to_give_mine_up(opened: Open) -> None:
    found = conflict(title=sides("Plan", "Bob's plan", "Mila's plan"))
    board = board_with(refused(update(title="Bob's plan"), "Mila was first", 409, conflict=found))
    async with opened(board) as it:
        await open_list(it)
        await it.press("enter")
        await until(lambda: isinstance(it.app.screen, ConflictScreen), what="the comparison")
        await it.press("t")
        await until(lambda: not board.attention, what="given up")
        assert board.retried == []


async def test_both_can_be_written_together(opened: Open) -> None:
    found = conflict(description=sides("", "mine", "theirs"))
    board = board_with(refused(update(description="mine"), "Mila was first", 409, conflict=found))
    async with opened(board) as it:
        await open_list(it)
        await it.press("enter")
        await until(lambda: isinstance(it.app.screen, ConflictScreen), what="the comparison")
        await it.press("e")
        await until(lambda: isinstance(it.app.screen, RewriteScreen), what="the text")
        await it.press("ctrl+s")
        await until(lambda: board.retried, what="sent")
        assert board.retried == [("op", TaskPatch(description="theirs\nmine"))]


async def test_what_was_deleted_under_me_can_be_restored(opened: Open) -> None:
    board = board_with(refused(update(description="work"), "This task was deleted", 410, gone=TASK))
    async with opened(board) as it:
        await open_list(it)
        assert "restore with my text" in it.text()
        await it.press("enter")
        assert board.retried == [("op", None)]


@pytest.mark.parametrize("key", ["u", "ctrl+r"])
async def test_undo_asks_before_it_overwrites(opened: Open, key: str) -> None:
    board = FakeBoard(cards(todo=1))
    board.overtaken = Overtaken("change “todo 1”", ("todo-1",), ("[/] todo 1",))
    async with opened(board) as it:
        board.delete(["todo-1"])
        if key == "ctrl+r":
            board.undo(overwrite=True)
        await it.press(key)
        await until(lambda: isinstance(it.app.screen, ConfirmScreen), what="the question")
        assert "[/] todo 1" in it.text()
        before = set(board.tasks)
        await it.press("n")
        assert set(board.tasks) == before
        await it.press(key)
        await until(lambda: isinstance(it.app.screen, ConfirmScreen), what="the question")
        await it.press("y")
        await until(lambda: set(board.tasks) != before, what="done")


async def test_quitting_with_unsent_work_says_so(opened: Open) -> None:
    board = FakeBoard(cards(todo=1))
    board.connection = Connection("offline", 3, 1)
    async with opened(board) as it:
        assert "offline · 3 queued" in it.text()
        await it.press("q")
        await until(lambda: isinstance(it.app.screen, ConfirmScreen), what="the question")
        assert "3 not sent yet, 1 not taken" in it.text()
        await it.press("n")
        assert isinstance(it.app.screen, BoardScreen)
        board.connection = Connection("live", 0)
        await it.press("q")
        await until(lambda: not it.app.is_running, what="the end")


async def test_catching_up_is_shown_and_ends_and_trouble_is_a_toast(opened: Open) -> None:
    board = FakeBoard(cards(todo=1))
    async with opened(board) as it:
        board.emit(CatchingUp(40, 100))
        await it.pilot.pause()
        assert "catching up" in it.text()
        assert "40%" in it.text()
        board.emit(CatchingUp(100, 100))
        await it.pilot.pause()
        assert "catching up" not in it.text()
        board.emit(Trouble("The disk is [full]"))
        await until(lambda: ("The disk is [full]", "error") in it.toasts, what="the toast")


async def test_a_task_tells_its_history(opened: Open) -> None:
    board = FakeBoard(cards(todo=1))
    stamp = "2026-03-11T11:59:00.000Z"
    changes = (
        FieldChange(field="title", old="[a]", new="[/b]"),
        FieldChange(field="position", old="a", new="b"),
    )
    board.past_of["todo-1"] = (
        HistoryEntry(
            rev=2, type="task.updated", user_id="m", user_name="Mila", timestamp=stamp, changes=changes
        ),
        HistoryEntry(rev=1, type="task.created", user_id="m", user_name="Mila", timestamp=stamp),
    )
    async with opened(board) as it:
        await it.press("enter")
        await until(lambda: "created it" in it.text(), what="the history")
        assert "title [a] → [/b]" in it.text()


async def test_hostile_texts_are_text_here_too(opened: Open) -> None:
    for name, raw in RAW.items():
        line, block = clean_line(raw), clean_text(raw)
        found = conflict(description=sides("base", block, line))
        edit = update(description=block or "x")
        item = Attention(edit, Refusal(reason=line, status=409, conflict=found), line)
        async with opened(board_with(item), (100, 30)) as it:
            await open_list(it)
            await it.press("enter")
            await until(lambda it=it: isinstance(it.app.screen, ConflictScreen), what=name)
            await it.pilot.pause()
            assert "\x1b" not in it.text()


def test_differences_are_marked_by_more_than_colour() -> None:
    content = differences("one two three", "one 2 three")
    assert content.plain == "one two2 three"
    styles = {str(span.style).split()[0] for span in content.spans}
    assert styles == {"strike", "underline"}
