"""What the server did not take: the list, the comparison, and the ways out."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from textual.widgets import Input, TextArea

from fluxboard.client.edits import Create, Delete, Edit, Update
from fluxboard.client.events import CatchingUp, Changed, Connection, Trouble
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
from fluxboard.tui.screens.editor import EditorScreen
from fluxboard.tui.screens.rewrite import RewriteScreen
from tests.support.fake_board import FakeBoard
from tests.support.hostile import RAW
from tests.support.waiting import until
from tests.tui.conftest import Open, Opened, cards
from tests.tui.test_hostile import tame

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
    for item in items:
        for name, sides in (item.refusal.conflict.fields if item.refusal.conflict else {}).items():
            board.shown["todo-1"] = replace(board.shown["todo-1"], **{name: sides.theirs})
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
        await until(lambda: isinstance(it.app.screen, EditorScreen), what="the form")
        await it.press("end", "y", "ctrl+s")
        await until(lambda: board.retried, what="sent")
        assert board.retried == [("op", TaskPatch(title="xy", priority="high"))]
        assert isinstance(it.app.screen, AttentionScreen)


async def test_every_refused_field_can_be_changed_and_the_rest_goes_along(opened: Open) -> None:
    patch = TaskPatch(title="long", description="my text", labels=("a",), status="review")
    board = board_with(refused(Update(task_id="todo-1", op_id="op", patch=patch)))
    async with opened(board) as it:
        await open_list(it)
        await it.press("e")
        screen = it.app.screen
        assert screen.query_one("#title", Input).value == "long"
        assert screen.query_one(TextArea).text == "my text"
        await it.press("escape")
        assert isinstance(it.app.screen, AttentionScreen), "nothing was typed: it does not ask"
        await it.press("e")
        it.board.remote_update("todo-1", title="theirs", priority="low")
        it.app.screen.query_one("#title", Input).value = "shorter"
        await it.press("ctrl+s")
        sent = TaskPatch(title="shorter", description="my text", labels=("a",), status="review")
        assert board.retried == [("op", sent)]


async def test_a_refused_new_task_is_changed(opened: Open) -> None:
    task = Task(id="x", title="[bug] x", description="text")
    board = board_with(refused(Create(task_id="x", op_id="op", task=task, body=TaskCreate(title="[bug] x"))))
    async with opened(board) as it:
        await open_list(it)
        await it.press("e")
        assert it.app.screen.query_one("#title", Input).value == "[bug] x"
        board.emit(Changed(frozenset()))
        await it.press("end", "!", "ctrl+s")
        assert board.retried == [("op", TaskPatch(title="[bug] x!"))]


async def test_what_the_task_says_already_need_not_be_sent(opened: Open) -> None:
    board = board_with(refused(update(title="mine")))
    async with opened(board) as it:
        await open_list(it)
        await it.press("e")
        it.app.screen.query_one("#title", Input).value = "todo 1"
        await it.press("ctrl+s")
        assert (board.retried, board.attention) == ([], ())


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
        await it.press("x", "escape")
        assert isinstance(it.app.screen, ConfirmScreen), "what is typed is not thrown away unasked"
        await it.press("n", "backspace", "ctrl+s")
        await until(lambda: board.retried, what="sent")
        assert board.retried == [("op", TaskPatch(description="theirs\nmine"))]


async def test_a_title_out_of_both_is_one_line_and_not_empty(opened: Open) -> None:
    found = conflict(title=sides("Plan", "Bob's plan", "Mila's plan"))
    board = board_with(refused(update(title="Bob's plan"), "x", 409, conflict=found))
    async with opened(board) as it:
        await open_list(it)
        await it.press("enter", "e")
        await until(lambda: isinstance(it.app.screen, RewriteScreen), what="the text")
        area = it.app.screen.query_one(TextArea)
        await it.press("s")
        assert area.text == "Bob's plans", "it goes on at the end"
        for wrong, said in ((" \n ", "needs a title"), ("x" * 501, "501 characters, 500 fit")):
            area.load_text(wrong)
            await it.press("ctrl+s")
            assert said in it.text()
        area.load_text("one\ntwo")
        await it.press("ctrl+s")
        assert board.retried == [("op", TaskPatch(title="one two"))]


async def test_theirs_is_what_the_board_has_now(opened: Open) -> None:
    found = conflict(title=sides("Plan", "Bob's plan", "Mila's plan"))
    board = board_with(refused(update(title="Bob's plan"), "x", 409, conflict=found))
    async with opened(board, (160, 48)) as it:
        await open_list(it)
        await it.press("enter")
        await until(lambda: isinstance(it.app.screen, ConflictScreen), what="the comparison")
        board.remote_update("todo-1", title="Third")
        await it.pilot.pause()
        assert "It was changed again since." in it.text()
        assert "−Plan +Third" in it.text()


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


async def test_ctrl_q_asks_on_every_screen_and_goes_the_second_time(opened: Open) -> None:
    board = FakeBoard(cards(todo=1))
    board.connection = Connection("offline", 3)
    async with opened(board) as it:
        await it.press("e", "ctrl+q")
        await until(lambda: isinstance(it.app.screen, ConfirmScreen), what="the question")
        assert "3 not sent yet" in it.text()
        await it.press("escape")
        assert isinstance(it.app.screen, EditorScreen)
        await it.press("ctrl+q", "ctrl+q")
        await until(lambda: not it.app.is_running, what="the end")


async def test_a_history_that_cannot_be_had_says_so(opened: Open) -> None:
    board = FakeBoard(cards(todo=1))
    async with opened(board) as it:
        board.fail = RuntimeError("offline")
        await it.press("enter")
        await until(lambda: "The history is on the server" in it.text(), what="the reason")


async def test_trouble_that_comes_again_is_told_once(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1))) as it:
        for _ in range(3):
            it.board.emit(Trouble("The disk is full"))
            await it.pilot.pause()
        await until(lambda: it.toasts, what="the toast")
        assert it.toasts == [("The disk is full", "error")]


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
    board = board_with()
    lines = {name: clean_line(raw) for name, raw in RAW.items()}
    task, items, past = board.shown["todo-1"], [], []
    for name, line in lines.items():
        found = conflict(description=sides("base", clean_text(RAW[name]), line))
        edit = update(name, title=line, description=line or "x")
        items.append(Attention(edit, Refusal(reason=line, status=409, conflict=found), line))
        told = (FieldChange(field=line, old=line, new=line), FieldChange(field="title", new=line))
        past.append(
            HistoryEntry(rev=1, type=line, user_id=line, user_name=line, timestamp=line, changes=told)
        )
    board.attention, board.past_of["todo-1"] = tuple(items), tuple(past)
    board.overtaken = Overtaken("all", ("todo-1",), tuple(lines.values()))
    async with opened(board, (100, 30)) as it:
        await it.press("enter")
        await until(lambda: "History" in it.text(), what="the history")
        await it.press("j", "j", "end")
        tame(it.app)
        await it.press("escape", "u")
        tame(it.app)
        await it.press("n")
        await open_list(it)
        for name, line in lines.items():
            board.shown["todo-1"] = replace(task, description=line)
            await it.press("enter")
            await until(lambda: isinstance(it.app.screen, ConflictScreen), what=name)
            tame(it.app)
            await it.press("escape", "j")
            tame(it.app)


def test_differences_are_marked_by_more_than_colour() -> None:
    content = differences("one two three", "one 2 three")
    assert content.plain == "one −two +2 three"
    styles = {str(span.style).split()[0] for span in content.spans}
    assert styles == {"strike", "underline", "bold"}
    assert differences("loops.", "loops when it rains.").plain == "loops +when it rains."
    assert differences("", " \n").plain == " \n"
