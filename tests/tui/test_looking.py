"""Finding, sorting, grouping, folding, and what is remembered of it."""

from __future__ import annotations

from msgspec.structs import replace
from textual.widgets import Input

from fluxboard.client.events import Connection
from fluxboard.model.types import Column, Project, Task
from fluxboard.tui.actions import footer_hints
from fluxboard.tui.config import Config
from fluxboard.tui.memory import NoMemory
from fluxboard.tui.screens.detail import DetailScreen
from fluxboard.tui.view import Look, View
from tests.support.fake_board import FakeBoard
from tests.support.seeded import team_board
from tests.support.waiting import until
from tests.tui.conftest import Open, Opened, cards


def mixed() -> FakeBoard:
    return FakeBoard(
        [
            Task(id="login", title="Fix login", priority="high", labels=("auth",), due_date="2026-03-12"),
            Task(id="copy", title="Write copy", priority="low", assigned_to="u-mila"),
            Task(id="mine", title="Polish", assigned_to="u-me", labels=("ux", "auth"), due_date="2026-03-01"),
            Task(id="done", title="Shipped login", status="completed"),
            Task(id="old", title="Old login", status="completed", archived=True),
        ]
    )


async def query(it: Opened, text: str) -> None:
    await it.press("slash")
    it.app.screen.query_one("#filter-input", Input).value = text
    await it.pilot.pause()


async def test_the_board_is_filtered_as_one_types(opened: Open) -> None:
    async with opened(mixed()) as it:
        assert it.ids("completed") == ["done"], "archived ones are off the board"
        await it.press("slash", *"login")
        assert (it.ids("todo"), it.ids("completed")) == (["login"], ["done"])
        assert "2 of 4" in it.text()
        await it.press("enter", "j", "L")
        assert it.board.tasks["login"].status == "in_progress", "the board has the keys again"
        assert "/  login" in it.text()
        await it.press("escape")
        assert len(it.ids("todo")) == 2
        await query(it, "is:archived")
        assert it.ids("completed") == ["old"]
        await query(it, "due<banana")
        assert "“banana” is not a day" in it.text()
        await it.press("escape")
        assert "banana" not in it.text()


async def test_the_cursor_goes_to_what_is_found(opened: Open) -> None:
    async with opened(mixed()) as it:
        await query(it, "shipped")
        assert it.screen.cursor.task_id == "done"
        await it.press("enter", "e", "escape")
        assert it.app.screen is it.screen


async def test_my_own_new_task_that_the_filter_hides_says_so(opened: Open) -> None:
    async with opened(mixed()) as it:
        await query(it, "login")
        await it.press("enter", "n", *"Else", "enter", "escape")
        assert ("Added; the filter hides it.", "information") in it.toasts


async def test_sorting_and_grouping(opened: Open) -> None:
    async with opened(mixed()) as it:
        await it.press("o", *"due", "enter")
        assert it.ids("todo") == ["mine", "login", "copy"]
        await it.press("J")
        assert any("sorting" in message for message, _ in it.toasts)
        await it.press("o", *"hand", "enter", "O", *"person", "enter")
        assert it.ids("todo") == ["mine", "copy", "login"]
        text = it.text()
        assert "You ─" in text
        assert "Mila Lund ─" in text
        assert "Nobody ─" in text
        await it.press("O", *"label", "enter")
        assert "#auth ─" in it.text()
        await it.press("j", "j", "k")
        assert it.screen.cursor.task_id == it.ids("todo")[1], "headings are no cards"


async def test_views_are_saved_and_remembered(opened: Open) -> None:
    memory = NoMemory()
    board = mixed()
    for again in (False, True):
        async with opened(board, memory=memory) as it:
            screen = it.screen
            if not again:
                screen.finder.look_at(query="is:mine", sort="due", collapsed=("review",))
                await it.press("w", *"mine", "enter")
                await it.press("w", *"everything", "enter")
                assert screen.view.look.query == ""
            await it.press("w", *"mine", "enter")
            assert (screen.view.look.query, screen.view.look.sort) == ("is:mine", "due")
            assert screen.view.is_collapsed("review")


async def test_a_column_folds_to_a_strip_and_back(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3, review=2))) as it:
        width = it.screen.columns["todo"].size.width
        await it.press("l", "l", "z")
        assert it.screen.columns["todo"].size.width > width
        assert "R\n" not in it.text()
        assert it.screen.cursor.task_id is None
        assert it.screen.lanes.lanes[2].size.width == 3
        await it.press("n")
        assert not it.screen.view.is_collapsed("review"), "adding opens it"
        await it.press("escape", "z", "Z")
        assert it.ids("review") == ["review-1", "review-2"]


async def test_a_hidden_column_is_found_again(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1, review=1))) as it:
        it.screen.finder.look_at(hidden=("review",))
        await until(lambda: "review" not in it.screen.columns)
        await it.press("f", *"review 1", "enter")
        await until(lambda: "review" in it.screen.columns)
        await until(lambda: it.screen.cursor.task_id == "review-1")


async def test_jumping_takes_a_few_letters(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=30, review=30))) as it:
        await it.press("f", *"rvw17", "enter")
        assert it.screen.cursor.task_id == "review-17"


async def test_density_and_dates(opened: Open) -> None:
    async with opened(mixed()) as it:
        await it.press("equals_sign", "equals_sign")
        assert it.screen.faces.style.density == "compact"
        lines = it.text().splitlines()
        first = next(y for y, line in enumerate(lines) if "Fix login" in line)
        assert "Write copy" in lines[first + 1]


async def test_ranges_select_and_every_action_takes_the_selection(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=5))) as it:
        await it.press("j", "v", "j", "j")
        assert it.screen.cursor.selected == {"todo-2", "todo-3", "todo-4"}
        await it.press("k", "v", "C")
        assert it.ids("completed") == ["todo-2", "todo-3"]
        await it.press("u")
        assert len(it.ids("todo")) == 5, "one step"
        await it.press("escape", "ctrl+a", "at")
        assert {task.assigned_to for task in it.board.tasks.values()} == {"u-me"}


async def test_labels_are_put_on_and_taken_off(opened: Open) -> None:
    async with opened(mixed()) as it:
        await it.press("space", "j", "space", "b", *"auth", "enter")
        assert it.board.tasks["copy"].labels == ("auth",)
        assert it.board.tasks["login"].labels == ("auth",)
        await it.press("enter")
        assert it.board.tasks["login"].labels == ()
        await it.press(*"brand new", "enter", "escape")
        assert it.board.tasks["copy"].labels == ("brand new",)


async def test_a_due_date_in_words(opened: Open) -> None:
    async with opened(mixed()) as it:
        await it.press("D", *"in 2 weeks", "enter")
        assert it.board.tasks["login"].due_date == "2026-03-25"
        await it.press("D", *"no due", "enter")
        assert it.board.tasks["login"].due_date is None


async def test_a_full_column_takes_no_more(opened: Open) -> None:
    columns = (
        Column(id="todo", name="To Do"),
        Column(id="review", name="Review", wip_limit=1, wip_policy="block"),
    )
    board = FakeBoard(cards(todo=2, review=1), Project(id="p1", name="x", columns=columns))
    async with opened(board) as it:
        await it.press("L")
        assert it.board.tasks["todo-1"].status == "todo"
        assert ("Review is full: 1 of 1", "warning") in it.toasts
        await it.press("l", "n", *"kept", "enter")
        assert it.ids("review") == ["review-1"]
        assert it.app.screen.query_one("#quick-add Input", Input).value == "kept"


async def test_archiving(opened: Open) -> None:
    async with opened(mixed()) as it:
        await it.press("x")
        assert it.board.tasks["login"].archived
        assert "login" not in it.ids("todo")
        await it.press("X", "y")
        assert it.ids("completed") == []


async def test_the_menu_and_the_copy(opened: Open) -> None:
    async with opened(mixed()) as it:
        await it.press("full_stop", *"copy the title", "enter")
        await until(lambda: it.app.clipboard == "Fix login")
        await it.press("Y")
        assert [it.board.tasks[i].title for i in it.ids("todo")].count("Fix login") == 2


async def test_the_filters_line_moves_nothing(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3)), (80, 24)) as it:
        before, bar = it.screen.columns["todo"].region, it.screen.query_one("#filter")
        for keys, shown in ((("slash", "t"), True), (("escape",), False)):
            await it.press(*keys)
            assert bar.display is shown
            assert it.screen.columns["todo"].region == before


async def test_on_a_phone_the_people_are_under_the_column(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3)), (40, 20)) as it:
        await it.press("s")
        column, people = it.screen.columns["todo"].region, it.screen.sidebar.region
        assert column.width > 36
        assert people.y >= column.bottom
        await it.pilot.resize_terminal(60, 20)
        await it.pilot.pause()
        assert it.screen.sidebar.region.x >= it.screen.columns["todo"].region.right


async def test_quick_add_stays_open_and_offers_lines_of_a_paste(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1))) as it:
        await it.press("l", "n")
        box = it.screen.query_one("#quick-add Input", Input)
        box.value = "Call Ada !high @me #phone ^tomorrow"
        await it.pilot.pause()
        assert "▲ high" in it.text()
        assert "due Thu Mar 12" in it.text()
        await it.press("enter", *"second", "enter")
        made = [it.board.tasks[task_id] for task_id in it.ids("in_progress")]
        assert [task.title for task in made] == ["Call Ada", "second"]
        assert (made[0].priority, made[0].assigned_to, made[0].labels) == ("high", "u-me", ("phone",))
        await it.press(*"left over", "escape", "n")
        assert it.screen.query_one("#quick-add Input", Input).value == "left over"
        it.screen.adding.add_lines(["one", "two", " ", "three"])
        await it.pilot.pause()
        assert "Add 3 tasks" in it.text()
        await it.press("y")
        assert len(it.ids("in_progress")) == 5


async def test_the_task_beside_the_board_follows_the_cursor(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3)), (160, 40)) as it:
        await it.press("enter")
        assert it.screen.room.pane_open
        await it.press("c", *"Hello **there**", "ctrl+s")
        assert [comment.content for comment in it.board.said] == ["Hello **there**"]
        await until(lambda: "Hello there" in it.text())
        await it.press("x", *"first", "enter", *"second", "enter", "enter")
        assert [item.text for item in it.board.tasks["todo-1"].checklist] == ["first", "second"]
        await it.press("j", "space", "K")
        items = it.board.tasks["todo-1"].checklist
        assert [(item.text, item.done) for item in items] == [("second", True), ("first", False)]
        await it.press("e", "end", *"!", "enter")
        assert it.board.tasks["todo-1"].checklist[0].text == "second!"
        it.screen.set_focus(None)
        await it.press("j")
        await until(lambda: it.screen.room.pane is not None and it.screen.room.pane.task_id == "todo-2")
        await it.press("escape")
        assert not it.screen.room.pane_open


async def test_a_narrow_terminal_shows_the_task_over_the_board(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2)), (60, 24)) as it:
        await it.press("enter")
        assert isinstance(it.app.screen, DetailScreen)
        await it.press("c", *"half", "escape", "escape", "enter", "c")
        await until(lambda: isinstance(it.app.screen, DetailScreen) and "half" in it.text())
        await it.press("escape", "e")
        await until(lambda: "Edit task" in it.text())


async def test_what_was_written_into_the_editor_survives(opened: Open) -> None:
    memory = NoMemory()
    board = FakeBoard(cards(todo=1))
    for again in (False, True):
        async with opened(board, memory=memory) as it:
            await it.press("e")
            if not again:
                await it.press("end", *" and more")
                continue  # the program dies here
            assert it.app.screen.query_one("#title", Input).value == "todo 1 and more"
            await it.press("ctrl+s")
            assert board.tasks["todo-1"].title == "todo 1 and more"
            assert memory.draft("p1/todo-1") == {}


async def test_board_settings(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1))) as it:
        await it.press("comma", "j", "j", "n", *"Blocked", "enter")
        await it.press("l", *"2", "enter", "p", "c", *"teal", "enter", "J")
        await it.press("ctrl+s")
        columns = it.board.project.columns
        assert [column.name for column in columns][:3] == ["To Do", "In Progress", "Blocked"]
        made = columns[2]
        assert (made.id, made.wip_limit, made.wip_policy, made.color) == ("blocked", 2, "block", "teal")
        await until(lambda: "blocked" in it.screen.columns)
        await it.press("comma", "j", "j", "d")
        assert "1 task still in To Do" in it.text()
        await it.press("escape", "comma", "enter", *"!", "enter", "escape")
        assert "Discard the changes?" in it.text()


async def test_settings_that_the_server_refuses_are_kept(opened: Open) -> None:
    board = FakeBoard(cards(todo=1))
    async with opened(board) as it:
        await it.press("comma", "enter", *"!", "enter")
        board.fail = RuntimeError("Only an owner may do this")
        await it.press("ctrl+s")
        await until(lambda: "Not saved: Only an owner may do this" in it.text())


async def test_statistics_with_and_without_the_log(opened: Open) -> None:
    board = FakeBoard(
        [replace(task, created_at="2026-03-01T00:00:00.000Z") for task in cards(todo=4, completed=2)]
    )
    async with opened(board, (160, 48)) as it:
        await it.press("S")
        await until(lambda: "Cumulative flow" in it.text())
        await it.press("escape")
        board.fail = RuntimeError("away")
        await it.press("S")
        await until(lambda: "without the log" in it.text())


async def test_own_keys_are_told_everywhere(opened: Open) -> None:
    config = Config(keys={"down": ("ctrl+n",), "new": ("x",)})
    async with opened(FakeBoard(cards(todo=2)), config=config) as it:
        await it.press("ctrl+n")
        assert it.screen.cursor.task_id == "todo-2"
        assert footer_hints(it.screen)[0].keys == "x"
        await it.press("x")
        assert it.screen.query("#quick-add"), "the key went from archive to new"


async def test_the_first_steps_end_when_each_was_done(opened: Open) -> None:
    memory = NoMemory(seen_tour=False)
    async with opened(FakeBoard(cards(todo=3)), memory=memory) as it:
        await until(lambda: "First steps 1 of 5" in it.text())
        await it.press("j", "n", "escape")
        assert "First steps 3 of 5" in it.text()
        await it.press("enter", "escape", "slash", "escape", "question_mark", "escape")
        assert "First steps" not in it.text()
        assert memory.seen_tour


async def test_the_first_step_can_be_done_on_an_empty_board(opened: Open) -> None:
    async with opened(FakeBoard([]), memory=NoMemory(seen_tour=False)) as it:
        await until(lambda: "First steps 1 of 5  n adds a task" in it.text())


async def test_the_first_steps_can_be_ended(opened: Open) -> None:
    memory = NoMemory(seen_tour=False)
    async with opened(FakeBoard(cards(todo=3)), memory=memory) as it:
        await until(lambda: "First steps" in it.text())
        await it.press("T")
        assert "First steps" not in it.text()
        assert memory.seen_tour


async def test_without_toasts_the_sidebar_still_tells(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1)), (160, 40), config=Config(toasts=False)) as it:
        it.board.remote_update("todo-1", title="Quiet")
        await until(lambda: "updated Quiet" in it.text())
        await it.pilot.pause(0.6)
        assert it.toasts == []


async def test_ascii_draws_nothing_else(opened: Open) -> None:
    async with opened(mixed(), (160, 40), config=Config(ascii=True)) as it:
        for keys in ((), ("enter",), ("escape", "question_mark"), ("escape", "comma"), ("escape", "slash")):
            await it.press(*keys)
            assert it.text().isascii(), [char for char in it.text() if not char.isascii()]


async def test_typing_on_and_back_shows_what_a_new_query_would(opened: Open) -> None:
    """What was found before is taken over where it can be, and a task that changed is looked at again."""
    async with opened(team_board(), (160, 48)) as it:
        await it.press("slash")
        for typed in ("e", "er", "er s", "er", "ere", "-e", "-er", "is:open er", "is:open ers"):
            it.screen.finder.search(typed)
            fresh = View(it.board, lambda: it.screen.today, Look(query=typed))
            for column in it.board.project.columns:
                assert it.ids(column.id) == list(fresh.ids(column.id)), typed
        it.screen.finder.search("zzz")
        first = it.board.column_ids("todo")[0]
        it.board.remote_update(first, title="zzzz")
        it.screen.finder.search("zzzz")
        assert it.ids("todo") == [first]


async def test_words_around_the_cards_follow_every_change(opened: Open) -> None:
    """They are painted again when they say something else, and also when only their colours do."""
    async with opened(FakeBoard(cards(todo=2, review=1)), (160, 30)) as it:
        before = it.text()
        assert "To Do 2" in before
        await it.press("L")
        assert "To Do 1" in it.text()
        await it.press("H")
        assert "To Do 2" in it.text()
        it.screen.header.refresh()
        it.board.connect(Connection("offline", 1))
        await it.pilot.pause()
        assert "offline" in it.text()
        it.board.connect(Connection("live", 0))
        it.screen.refresh_chrome()
        await it.pilot.pause()
        assert "● live" in it.text()
        drawn = it.screen.header.render()
        it.app.theme = "fluxboard-light"
        await it.pilot.pause()
        assert not it.screen.header.render().is_same(drawn), "the colours are others"
