"""The board by keyboard and mouse, alone and while others change it."""

from __future__ import annotations

from msgspec.structs import replace
from textual.widgets import Static

from fluxboard.client.events import Changed, Connection, ProjectChanged
from fluxboard.model.types import Column, OnlineUser, Task
from fluxboard.tui.screens.confirm import ConfirmScreen
from fluxboard.tui.screens.editor import EditorScreen
from tests.support.fake_board import FakeBoard
from tests.support.waiting import until
from tests.tui.conftest import Open, Opened, cards


def three_columns() -> FakeBoard:
    return FakeBoard(cards(todo=5, in_progress=3, review=1))


async def test_arrows_and_letters_move_the_cursor(opened: Open) -> None:
    async with opened(three_columns()) as it:
        cursor = it.screen.cursor
        assert cursor.task_id == "todo-1"
        await it.press("j", "down", "k")
        assert cursor.task_id == "todo-2"
        await it.press("l")
        assert cursor.task_id == "in_progress-2"
        await it.press("right", "right", "right")
        assert cursor.task_id is None
        await it.press("h", "left", "left")
        assert cursor.task_id == "todo-2"
        await it.press("G")
        assert cursor.task_id == "todo-5"
        await it.press("home", "up")
        assert cursor.task_id == "todo-1"


async def test_a_cursor_step_paints_two_cards_and_no_more(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=12))) as it:
        column = it.screen.columns["todo"]
        painted: list[int] = []
        draw = column.render_line
        column.render_line = lambda y: (painted.append(y), draw(y))[1]  # type: ignore[method-assign]
        await it.press("j")
        assert painted
        assert set(painted) <= {0, 1, 2, 3}


async def test_cards_move_between_columns_and_the_cursor_goes_along(opened: Open) -> None:
    async with opened(three_columns()) as it:
        await it.press("j", "L")
        assert it.ids("in_progress")[0] == "todo-2"
        assert it.screen.cursor.task_id == "todo-2"
        await it.press("greater_than_sign")
        assert it.ids("review")[0] == "todo-2"
        await it.press("less_than_sign", "H")
        assert it.ids("todo")[0] == "todo-2"
        await it.press("H")
        assert it.ids("todo")[0] == "todo-2"


async def test_cards_are_put_in_order(opened: Open) -> None:
    async with opened(three_columns()) as it:
        await it.press("K", "J", "J")
        assert it.ids("todo") == ["todo-2", "todo-3", "todo-1", "todo-4", "todo-5"]
        await it.press("K")
        assert it.ids("todo") == ["todo-2", "todo-1", "todo-3", "todo-4", "todo-5"]
        assert it.screen.cursor.index == 1


async def test_selected_cards_are_acted_on_together(opened: Open) -> None:
    async with opened(three_columns()) as it:
        await it.press("space", "j", "j", "space", "L")
        assert it.ids("in_progress")[:2] == ["todo-1", "todo-3"]
        await it.press("plus")
        assert {it.board.tasks[task_id].priority for task_id in ("todo-1", "todo-3")} == {"high"}
        await it.press("escape")
        assert not it.screen.cursor.selected


async def test_a_task_is_made_with_the_keyboard_alone(opened: Open) -> None:
    async with opened(three_columns()) as it:
        await it.press("l", "N")
        await it.press(*"Buy", "space", *"milk", "enter")
        made = it.screen.cursor.task_id
        assert made is not None
        assert it.board.tasks[made].title == "Buy milk"
        assert it.board.tasks[made].status == "in_progress"
        assert it.ids("in_progress")[-1] == made


async def test_delete_asks_and_undo_brings_back(opened: Open) -> None:
    async with opened(three_columns()) as it:
        await it.press("d")
        assert isinstance(it.app.screen, ConfirmScreen)
        await it.press("n")
        assert "todo-1" in it.board.tasks
        await it.press("d", "y")
        assert "todo-1" not in it.board.tasks
        assert it.screen.cursor.task_id == "todo-2"
        await it.press("u")
        assert it.ids("todo")[0] == "todo-1"
        await it.press("ctrl+r")
        assert "todo-1" not in it.ids("todo")


async def test_enter_on_the_question_deletes(opened: Open) -> None:
    async with opened(three_columns()) as it:
        await it.press("d", "enter")
        assert "todo-1" not in it.board.tasks


async def test_after_several_are_deleted_the_cursor_is_on_the_next_that_is_left(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=6))) as it:
        await it.press("v", "j", "j", "d", "y")
        assert it.screen.cursor.task_id == "todo-4"
        await it.press("G", "v", "k", "d", "y")
        assert it.screen.cursor.task_id == "todo-4"
        await it.press("d", "y")
        assert it.screen.cursor.task_id is None


async def test_the_settings_say_at_once_who_may_save_them(opened: Open) -> None:
    board = three_columns()
    async with opened(board) as it:
        await it.press("comma")
        assert "Only an owner" not in it.text()
        await it.press("escape")
        board.members = tuple(replace(member, role="member") for member in board.members)
        await it.press("comma")
        assert "Only an owner or an admin" in it.text()


async def test_a_task_is_assigned_from_a_list(opened: Open) -> None:
    async with opened(three_columns()) as it:
        await it.press("a", *"mila", "enter")
        assert it.board.tasks["todo-1"].assigned_to == "u-mila"
        assert " ML " in it.text()
        await it.press("a", "enter")
        assert it.board.tasks["todo-1"].assigned_to == "u-me", "oneself comes first"
        await it.press("at")
        assert it.board.tasks["todo-1"].assigned_to is None


# -- others


async def test_remote_changes_never_move_the_cursor_off_my_task(opened: Open) -> None:
    async with opened(three_columns()) as it:
        await it.press("j", "j")
        for change in (
            lambda: it.board.remote_delete("todo-1"),
            lambda: it.board.remote_create(Task(id="new", title="new", status="todo", position="Zz")),
            lambda: it.board.remote_update("todo-2", status="completed"),
            lambda: it.board.remote_update("todo-3", title="mine, renamed"),
            lambda: it.board.remote_update("todo-3", status="review"),
        ):
            change()
            await it.pilot.pause()
            assert it.screen.cursor.task_id == "todo-3"
        assert it.screen.cursor.column == 2
        it.board.remote_delete("todo-3")
        await it.pilot.pause()
        assert it.screen.cursor.task_id == "review-1"


async def test_changes_from_elsewhere_are_drawn(opened: Open) -> None:
    async with opened(three_columns()) as it:
        it.board.remote_update("in_progress-1", title="Renamed by mila")
        it.board.remote_create(Task(id="x", title="From afar", status="review"))
        await it.pilot.pause()
        assert "Renamed by mila" in it.text()
        await until(lambda: "Review 2" in it.text())
        assert "From afar" in it.text()


async def test_people_and_what_they_look_at(opened: Open) -> None:
    async with opened(three_columns(), (160, 40)) as it:
        it.board.arrive(OnlineUser(id="u-mila", name="mila", task_id="todo-2", idle=False))
        await it.pilot.pause()
        text = it.text()
        assert "Online 2" in text
        assert text.index("● you") < text.index("● mila")
        assert text.count(" mila ") >= 2, "in the sidebar, and as a tag on the card"
        it.board.arrive()
        await it.pilot.pause()
        assert " mila " not in it.text()


async def test_the_connection_in_words(opened: Open) -> None:
    async with opened(three_columns()) as it:
        for connection, words in (
            (Connection("polling", 0), "polling"),
            (Connection("offline", 3), "offline · 3 queued"),
            (Connection("live", 2), "⇡ 2"),
            (Connection("live", 0), "● live"),
        ):
            it.board.connect(connection)
            await it.pilot.pause()
            assert words in it.text()


async def test_columns_follow_the_project(opened: Open) -> None:
    async with opened(three_columns()) as it:
        it.board.project = replace(
            it.board.project,
            columns=(*it.board.project.columns[:2], Column(id="qa", name="Check", wip_limit=1)),
        )
        it.board.emit(ProjectChanged(it.board.project))
        await until(lambda: "qa" in it.screen.columns)
        await it.pilot.pause()
        assert "Check 0/1" in it.text()
        assert it.screen.cursor.task_id == "todo-1"


# -- states


async def test_an_empty_board_says_what_to_do(opened: Open) -> None:
    async with opened(FakeBoard()) as it:
        assert "No tasks yet." in it.text()
        assert "n makes one." in it.text()
        await it.press("d", "e", "enter", "p", "L", "J", "space", "j", "l")
        assert it.app.screen is it.screen


async def test_a_failed_start_keeps_what_is_shown_and_can_be_tried_again(opened: Open) -> None:
    board = three_columns()
    board.fail = RuntimeError("the server [does] not answer")
    async with opened(board) as it:
        notice = it.screen.query_one("#notice", Static)
        await until(lambda: notice.display)
        await it.pilot.pause()
        assert "the server [does] not answer" in it.text()
        assert "todo 1" in it.text()
        board.fail = None
        await it.press("r")
        await until(lambda: not notice.display)
        assert board.started == 2


# -- mouse


def spot(it: Opened, task_id: str) -> tuple[int, int]:
    for column in it.screen.columns.values():
        line = column.line_of(task_id)
        if line is not None:
            return column.region.x + 6, column.region.y + line
    raise AssertionError(task_id)


async def test_a_click_puts_the_cursor_there_and_two_open(opened: Open) -> None:
    async with opened(three_columns()) as it:
        await it.pilot.click(offset=spot(it, "in_progress-3"))
        assert it.screen.cursor.task_id == "in_progress-3"
        await it.pilot.click(offset=spot(it, "todo-4"), times=2)
        await until(lambda: it.app.screen is not it.screen)
        assert "todo 4" in it.text()


async def test_a_card_is_dragged_to_another_column(opened: Open) -> None:
    async with opened(three_columns()) as it:
        start, goal = spot(it, "todo-2"), spot(it, "in_progress-2")
        await it.pilot.mouse_down(offset=start)
        await it.pilot.hover(offset=(start[0] + 5, start[1]))
        await it.pilot.hover(offset=goal)
        await it.pilot.pause()
        assert it.screen.drag.active
        assert it.screen.columns["in_progress"].drop_slot == 1
        assert "▸───" in it.text()
        await it.pilot.mouse_up(offset=goal)
        await it.pilot.pause()
        assert it.ids("in_progress") == ["in_progress-1", "todo-2", "in_progress-2", "in_progress-3"]
        assert "▸───" not in it.text()
        assert it.screen.cursor.task_id == "todo-2"


async def test_a_drag_that_ends_outside_changes_nothing(opened: Open) -> None:
    async with opened(three_columns()) as it:
        start = spot(it, "todo-2")
        await it.pilot.mouse_down(offset=start)
        await it.pilot.hover(offset=(start[0] + 30, start[1]))
        await it.pilot.hover(offset=(3, 0))
        await it.pilot.mouse_up(offset=(3, 0))
        assert it.ids("todo") == [f"todo-{n}" for n in range(1, 6)]


async def test_a_task_deleted_while_it_is_dragged(opened: Open) -> None:
    async with opened(three_columns()) as it:
        start, goal = spot(it, "todo-2"), spot(it, "in_progress-2")
        await it.pilot.mouse_down(offset=start)
        await it.pilot.hover(offset=goal)
        it.board.remote_delete("todo-2")
        await it.pilot.mouse_up(offset=goal)
        assert it.ids("in_progress") == [f"in_progress-{n}" for n in (1, 2, 3)]


async def test_the_footer_and_the_name_can_be_clicked(opened: Open) -> None:
    async with opened(three_columns()) as it:
        await it.pilot.click(offset=(it.text().splitlines()[-1].index("edit"), 39))
        assert isinstance(it.app.screen, EditorScreen)
        await it.press("escape")
        await it.pilot.click(offset=(5, 0))
        await until(lambda: "Projects" in it.text())


async def test_a_long_column_scrolls_with_the_cursor_and_the_wheel(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=60))) as it:
        assert "+ " in it.text()
        await it.press("G")
        assert "todo 60" in it.text()
        await it.press("home")
        assert "todo 1 " in it.text()
        column = it.screen.columns["todo"]
        await it.pilot._post_mouse_events(
            [__import__("textual.events").events.MouseScrollDown], offset=(10, 12)
        )
        await until(lambda: column.scroll_offset.y > 0)
        assert it.screen.cursor.task_id == "todo-1"


async def test_ten_thousand_tasks(opened: Open) -> None:
    async with opened(
        FakeBoard(Task(id=f"t{n}", title=f"Task {n}", position=f"{n:05}") for n in range(10_000))
    ) as it:
        await it.press("G")
        assert it.screen.cursor.task_id == "t9999"
        it.board.remote_update("t9998", title="Nearly the last")
        it.board.emit(Changed(frozenset()))
        await it.pilot.pause()
        assert "Nearly the last" in it.text()
