"""The inbox, the activity feed, notifications, and how news are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from fluxboard.client.events import Delivery, InboxChanged, News, Remote
from fluxboard.model.notify import InboxItem, Preferences, ProjectPreferences
from fluxboard.model.types import Activity, ActivityMetadata, Member, Project, Task
from fluxboard.tui.desktop import sequence
from fluxboard.tui.screens.activity import ActivityScreen, read_wanted
from fluxboard.tui.screens.board import BoardScreen
from fluxboard.tui.screens.preferences import PreferencesScreen
from fluxboard.tui.widgets.task_pane import TaskPane
from tests.support.fake_board import ME, MILA, FakeBoard
from tests.support.hostile import RAW
from tests.support.waiting import until
from tests.tui.conftest import NOW, Open, Opened, cards


def item(number: int, kind: str = "mention", **fields: Any) -> InboxItem:
    given = {
        "id": f"i{number}",
        "kind": kind,
        "project_id": "p1",
        "task_id": f"todo-{number}",
        "task_title": f"todo {number}",
        "at": f"2026-03-11T11:{40 - number:02d}:00.000Z",
        "user_id": MILA.user_id,
        "user_name": MILA.name,
        "text": f"words {number}",
    }
    return InboxItem(**(given | fields))


def activity(number: int, kind: str = "task.updated", **fields: Any) -> Activity:
    given = {
        "id": f"a{number}",
        "project_id": "p1",
        "type": kind,
        "user_id": MILA.user_id,
        "user_name": MILA.name,
        "entity_type": kind.split(".", maxsplit=1)[0],
        "entity_id": f"todo-{number % 3 + 1}",
        "entity_title": f"todo {number % 3 + 1}",
        "metadata": ActivityMetadata(field="status", old_value="todo", new_value="review"),
        "timestamp": (NOW - timedelta(minutes=10 * number)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
    return Activity(**(given | fields))


def board_with_mail(*items: InboxItem) -> FakeBoard:
    board = FakeBoard(cards(todo=5))
    board.mail.items = items
    return board


async def see(it: Opened, text: str, *, gone: bool = False) -> None:
    await until(lambda: (text in it.text()) is not gone, what=f"{'no ' if gone else ''}{text}")


# -- the inbox


async def test_the_header_counts_and_cards_are_marked_until_they_are_read(opened: Open) -> None:
    board = board_with_mail(item(2), item(3, "due", text="2026-03-12"))
    board.shown["todo-2"] = replace(board.shown["todo-2"], comment_count=4)
    async with opened(board, size=(160, 40)) as it:
        await see(it, "✉ 2 ")
        await see(it, "✉ 4*")
        await it.press("j", "enter")
        await see(it, "✉ 4*", gone=True)
        await see(it, "✉ 1 ")
        assert [each.id for each in board.inbox.items if not each.done] == ["i3"], (
            "what is due is not read away"
        )


async def test_working_through_the_inbox(opened: Open) -> None:
    board = board_with_mail(
        item(1), item(2, "assigned"), item(3, "comment"), item(4, "due", text="2026-03-09")
    )
    async with opened(board) as it:
        await until(lambda: board.inbox.known)
        await it.press("i")
        for text in ("called you todo 1", "gave you todo 2", "commented on todo 3", "due 2d late  todo 4"):
            assert text in it.text()
        await it.press("d")
        await see(it, "called you todo 1", gone=True)
        await it.press("u")
        await see(it, "called you todo 1")
        await until(lambda: not board.inbox._unsent)
        await it.press("D")
        await see(it, "Nothing waits for you.")
        await it.press("u")
        await see(it, "gave you todo 2")
        await it.press("j", "m")
        await until(lambda: board.mail.muted == ("todo-2",))
        await it.press("escape")
        assert isinstance(it.app.screen, BoardScreen)


async def test_enter_goes_to_the_task_and_marks_the_item(opened: Open) -> None:
    board = board_with_mail(item(1), item(4))
    async with opened(board) as it:
        await until(lambda: board.inbox.known)
        await it.press("g", "i", "j", "enter")
        await until(lambda: it.screen.cursor.task_id == "todo-4")
        assert board.inbox.unread_tasks == {"todo-1"}


async def test_an_item_of_another_project_opens_that_project(opened: Open) -> None:
    board = board_with_mail(item(1, project_id="p2", task_id="x2", task_title="There", project_name="Other"))
    other = FakeBoard(
        [Task(id="x1", title="X1"), Task(id="x2", title="There")], Project(id="p2", name="Other")
    )
    async with opened(board) as it:
        it.app.session.boards["p2"] = other  # type: ignore[attr-defined]
        await until(lambda: board.inbox.known)
        await it.press("i")
        await see(it, "There in Other")
        await it.press("enter")
        await until(
            lambda: (
                isinstance(it.app.screen, BoardScreen)
                and it.app.screen.board is other  # type: ignore[comparison-overlap]
                and it.app.screen.cursor.task_id == "x2"
            )
        )


async def test_refused_edits_stand_first(opened: Open) -> None:
    from tests.support.seeded import refused_edits

    board = board_with_mail(item(1))
    board.attention = refused_edits()
    async with opened(board) as it:
        await it.press("i")
        await see(it, "not taken by the server")
        await it.press("enter")
        await see(it, "Needs attention")


@pytest.mark.parametrize("text", RAW.values(), ids=RAW)
async def test_hostile_items_are_text(opened: Open, text: str) -> None:
    hostile = {"task_title": text, "user_name": text, "text": text, "project_name": text, "project_id": "p"}
    board = board_with_mail(item(1, **hostile))
    board.done = [activity(1, entity_title=text, user_name=text)]
    async with opened(board, size=(100, 30)) as it:
        await until(lambda: board.inbox.known)
        await it.press("i")
        await see(it, "called you")
        await it.press("escape", "g", "a")
        await see(it, "1 found")


# -- the feed


async def test_the_feed_tells_live_what_was_done_since_i_was_here(opened: Open) -> None:
    board = FakeBoard(cards(todo=3))
    board.visited_at = (NOW - timedelta(minutes=25)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    board.done = [
        activity(1),
        activity(2, "comment.created"),
        activity(3, "task.created", user_id=ME.id, user_name=ME.name),
    ]
    async with opened(board) as it:
        await it.press("g", "a")
        await see(it, "Mila Lund moved “todo 2” to Review")
        lines = [line.strip() for line in it.text().splitlines()]
        marks = [place for place, line in enumerate(lines) if "since you were here, 11:35" in line]
        mine = [place for place, line in enumerate(lines) if "You created “todo 1”" in line]
        assert marks[0] + 1 == mine[0]
        board.emit(News(activity(0, "task.deleted")))
        await see(it, "Mila Lund deleted “todo 1”")
        await it.press("enter")
        await until(lambda: it.app.screen is it.screen)


async def test_the_feed_is_filtered_and_leads_to_tasks(opened: Open) -> None:
    board = FakeBoard(cards(todo=3))
    board.done = [
        activity(1),
        activity(2, "comment.created", entity_title="todo 2", entity_id="todo-2"),
        activity(200, "task.created", user_id=ME.id, user_name=ME.name),
    ]
    async with opened(board) as it:
        await it.press("g", "a")
        await see(it, "3 found")
        for typed, found in (("type:com", 1), ("@mila", 2), ("@me", 1), ("@nobody", 0), ("since:today", 2)):
            await it.press("slash", *typed.replace("@", "@"))
            await see(it, f"{found} found" if found else "Nothing was done yet.")
            screen = it.app.screen
            assert isinstance(screen, ActivityScreen)
            screen.query_one("#filter").value = ""  # type: ignore[attr-defined]
            await see(it, "3 found")
            await it.press("escape")
        await it.press("slash", *"todo 2 comm", "enter")
        await see(it, "1 found")
        await it.press("enter")
        await until(lambda: it.screen.cursor.task_id == "todo-2")


async def test_a_long_feed_loads_as_one_goes_down(opened: Open) -> None:
    board = FakeBoard(cards(todo=3))
    board.done = [activity(number) for number in range(250)]
    async with opened(board) as it:
        await it.press("g", "a")
        await see(it, "100 or more found")
        await it.press("end")
        await see(it, "200 or more found")
        await it.press("end")
        await see(it, "250 found")


async def test_a_feed_that_cannot_be_loaded_says_so(opened: Open) -> None:
    board = FakeBoard(cards(todo=3))
    async with opened(board) as it:
        board.fail = RuntimeError("nothing answers")
        await it.press("g", "a")
        await see(it, "Not loaded: nothing answers")


def test_a_filter_that_makes_no_sense_says_what_does() -> None:
    today = NOW.date()
    assert read_wanted("type:nothing", today).problem.startswith("types: created")
    assert read_wanted("since:xyz", today).problem.startswith("since: ")
    assert read_wanted("type: since: @", today).problem == ""
    assert read_wanted("since:2026-03-01 until:today", today).until == "2026-03-11"


# -- what is told


def told(it: Opened) -> list[str]:
    return [message for message, _ in it.toasts]


async def test_comments_mentions_and_assignments_are_told_once(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3))) as it:
        it.board.emit(News(activity(1, "comment.created")))
        await until(lambda: told(it) == ["Mila Lund commented: todo 2"])
        it.board.emit(News(activity(2, "comment.created")))
        it.board.emit(InboxChanged(1, (item(3, text="@ada"),)))
        await until(lambda: told(it)[1:] == ["Mila Lund mentioned you: todo 3"])
        it.board.emit(Remote("updated", MILA.user_id, MILA.name, "todo-1", "todo 1", None))
        it.board.emit(InboxChanged(2, (item(1, "assigned"), item(2, "comment"))))
        await until(lambda: told(it)[2:] == ["Mila Lund assigned you: todo 1"])
        it.board.emit(News(activity(1, "comment.created", user_id=ME.id)))
        it.board.emit(InboxChanged(2, (item(9, "comment", project_id="p9", project_name="Other"),)))
        await until(lambda: told(it)[3:] == ["Mila Lund commented: todo 9 (Other)"])


async def test_levels_silence_and_the_history(opened: Open) -> None:
    board = FakeBoard([Task(id="mine", title="Mine", assigned_to=ME.id), Task(id="other", title="Other")])
    board.mail.wanted = Preferences(
        projects={"p1": ProjectPreferences(updated="mine", created="none", deleted="none")}
    )
    async with opened(board) as it:
        await until(lambda: board.inbox.known)
        board.remote_update("other", title="O")
        board.remote_create(Task(id="new", title="New"))
        board.remote_update("mine", title="M")
        await until(lambda: told(it) == ["mila updated: M"])
        board.inbox.prefer(replace(board.inbox.preferences, dnd=True))
        board.remote_update("mine", title="Quiet")
        await until(lambda: it.screen.news.told[0].toast.text == "mila updated: Quiet")
        assert len(it.toasts) == 1
        await it.press("g", "t")
        await see(it, "mila updated: Quiet")
        await it.press("enter")
        await until(lambda: it.screen.cursor.task_id == "mine")


@pytest.mark.parametrize(
    ("wanted", "silent"),
    [
        (Preferences(), False),
        (Preferences(dnd=True), True),
        (Preferences(quiet_from="11:00", quiet_to="13:00"), True),
        (Preferences(quiet_from="22:00", quiet_to="13:00"), True),
        (Preferences(quiet_from="22:00", quiet_to="07:00"), False),
        (Preferences(quiet_from="nonsense", quiet_to="07:00"), False),
        (Preferences(projects={"p1": ProjectPreferences(muted_until="2026-03-11T12:30:00.000Z")}), True),
        (Preferences(projects={"p1": ProjectPreferences(muted_until="2026-03-11T11:30:00.000Z")}), False),
        (Preferences(projects={"p2": ProjectPreferences(muted_until="2026-03-11T12:30:00.000Z")}), False),
    ],
)
def test_when_it_is_silent(wanted: Preferences, silent: bool) -> None:
    assert wanted.silent("p1", datetime(2026, 3, 11, 12, tzinfo=UTC)) is silent


async def test_a_key_and_a_click_go_to_the_task_of_a_toast(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3))) as it:
        it.board.remote_update("todo-2", title="Two")
        await until(lambda: told(it))
        await it.press("g", "n")
        await until(lambda: it.screen.cursor.task_id == "todo-2")
        it.board.remote_update("todo-3", title="Three")
        await until(lambda: len(told(it)) == 2)
        await it.pilot.pause()
        toast = it.app.screen.query("Toast").last()
        await it.pilot.click(toast)
        await until(lambda: it.screen.cursor.task_id == "todo-3")


async def test_preferences_are_set_line_by_line(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1))) as it:
        await it.press("m")
        assert isinstance(it.app.screen, PreferencesScreen)
        await it.press("space", "j", "enter")
        wanted = it.board.inbox.preferences
        assert wanted.dnd
        assert wanted.of("p1").muted_until == "2026-03-11T13:00:00.000Z"
        await it.press("j", "enter", *"9-25", "enter")
        await see(it, "Write it as 22:00-07:00")
        await it.press("ctrl+u", *"21:30-6:00", "enter")
        await see(it, "21:30-06:00")
        await it.press(*["j"] * 5, "space")
        assert it.board.inbox.preferences.of("p1").created == "mine"
        await until(lambda: it.board.mail.wanted == it.board.inbox.preferences, what="kept on the server")
        await it.press("k", "space", "escape")
        assert it.board.company.invisible
        await see(it, "unseen by others")


async def test_an_edit_says_when_it_is_saved_and_seen(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1))) as it:
        it.board.emit(Delivery(7, 0))
        await see(it, "✓ saved")
        it.board.emit(Delivery(7, 2))
        await see(it, "✓✓ seen by 2")


# -- calling people


async def test_names_are_completed_in_a_comment(opened: Open) -> None:
    board = FakeBoard(cards(todo=1))
    others = (Member(user_id="u2", name="Mike Ross"), Member(user_id="u3", name="Mila Ek"))
    board.members = (*board.members, *others)
    async with opened(board, size=(160, 40)) as it:
        assert "c column" in it.text()
        await it.press("enter")
        assert "c column" not in it.text(), "in the task it is another key"
        assert "c comment" in it.text()
        await it.press("c", *"hi @mi")
        for line in ("@mike  Mike Ross", "@mila.ek  Mila Ek", "@mila.lund  Mila Lund"):
            await see(it, line)
        await it.press("l", "tab", *"look", "ctrl+s")
        await until(lambda: [each.content for each in board.said] == ["hi @mila.ek look"])
        pane = it.screen.query_one(TaskPane)
        assert pane.has_class("-active"), "the task has the keys again"
        await it.press("c", *"more", "escape")
        assert pane.has_class("-active")
        await it.press("escape")
        assert "c column" in it.text()


async def test_new_comments_are_marked(opened: Open) -> None:
    board = board_with_mail(item(1, "comment", at="2026-03-11T10:59:00.000Z"))
    async with opened(board, size=(160, 40)) as it:
        await until(lambda: board.inbox.known)
        board.comment("todo-1", "mine")
        board.said[0] = replace(board.said[0], created_by=MILA.user_id)
        await it.press("enter")
        await see(it, " new")


# -- the desktop


@pytest.mark.parametrize("text", RAW.values(), ids=RAW)
@pytest.mark.parametrize(
    "terminal",
    [{"TERM": "xterm-kitty"}, {"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, {"TERM": "foot"}],
    ids=["kitty", "wezterm", "foot"],
)
def test_a_notification_is_one_sequence_whatever_it_says(text: str, terminal: dict[str, str]) -> None:
    written = sequence(text, terminal)
    assert written is not None
    assert written.startswith("\x1b]")
    assert written.endswith("\x1b\\")
    inside = written[2:-2]
    assert all(char >= " " and not "\x7f" <= char < "\xa0" for char in inside)
    if terminal["TERM"] == "foot":
        assert inside.count(";") == 3


def test_terminals_without_notifications_are_left_alone() -> None:
    for terminal in ({"TERM": "xterm-256color"}, {"TERM": "tmux-256color", "TERM_PROGRAM": "WezTerm"}, {}):
        assert sequence("hello", terminal) is None
