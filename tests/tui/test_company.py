"""The others on my screen: name tags, who writes, who is here and away; and what they see of me."""

from __future__ import annotations

from time import monotonic

import msgspec
import pytest

from fluxboard.client.company import CURSOR_GAP
from fluxboard.model.types import Member, OnlineUser
from fluxboard.tui import app as app_module
from tests.support.fake_board import MILA, FakeBoard
from tests.support.hostile import RAW
from tests.support.waiting import until
from tests.tui.conftest import Open, Opened, cards

MILA_HERE = OnlineUser(id="u-mila", name="Mila Lund", joined_at="2026-03-11T11:48:00.000Z")


def on(task_id: str | None, user: OnlineUser = MILA_HERE) -> OnlineUser:
    return msgspec.structs.replace(user, task_id=task_id)


def crowd(count: int, task_id: str | None = None) -> list[OnlineUser]:
    return [OnlineUser(id=f"u{n}", name=f"Person{n} X", task_id=task_id) for n in range(count)]


async def see(it: Opened, text: str, *, gone: bool = False) -> None:
    await until(lambda: (text in it.text()) is not gone, what=text)


async def test_a_teammates_cursor_is_a_name_tag_that_moves(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3))) as it:
        it.board.arrive(on("todo-2"))
        await see(it, "todo 2")
        await until(lambda: any("todo 2" in line and "Mila" in line for line in it.text().splitlines()))
        it.board.hear("cursor:update", userId="u-mila", taskId="todo-3")
        await until(
            lambda: any("todo 3" in line and " Mila " in line[:40] for line in it.text().splitlines())
        )
        it.board.arrive()
        await until(
            lambda: not any("Mila" in line[:40] for line in it.text().splitlines()), what="gone with her"
        )


async def test_several_on_one_card_are_counted(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3))) as it:
        it.board.arrive(*crowd(3, "todo-2"))
        await see(it, " 3 here ")


async def test_who_writes_stands_on_the_card_and_in_the_task(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3)), size=(160, 40)) as it:
        it.board.arrive(MILA_HERE)
        it.board.hear("typing:update", userId="u-mila", taskId="todo-1", field="description", typing=True)
        await see(it, "✎ Mila: description")
        await it.press("enter")
        await see(it, "✎ Mila Lund is editing the description")
        it.board.hear("typing:update", userId="u-mila", taskId="todo-1", field="comment", typing=True)
        it.board.hear("typing:update", userId="u-mila", taskId="todo-1", field="description", typing=False)
        await see(it, "✎ Mila Lund is writing a comment")
        it.board.hear("typing:update", userId="u-mila", taskId="todo-1", field="comment", typing=False)
        await see(it, "✎", gone=True)


async def test_the_editor_says_who_else_writes_and_tells_what_i_write(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1))) as it:
        it.board.arrive(MILA_HERE)
        await it.press("e")
        it.board.hear("typing:update", userId="u-mila", taskId="todo-1", field="title", typing=True)
        await see(it, "✎ Mila Lund is editing the title")
        await it.press("x")
        typed = {"projectId": "p1", "taskId": "todo-1", "field": "title", "userId": "", "userName": ""}
        await until(lambda: ("typing:update", typed | {"typing": True}) in it.board.told)
        await it.press("ctrl+s")
        await until(lambda: ("typing:update", typed | {"typing": False}) in it.board.told)


async def test_my_cursor_is_told_but_not_each_step_of_a_run(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=30))) as it:
        await until(lambda: it.board.told, what="where I start")
        it.board.told.clear()
        begun = monotonic()
        await it.press(*["j"] * 20)
        await until(lambda: bool(it.board.told) and it.board.told[-1][1]["taskId"] == "todo-21")
        assert len(it.board.told) <= (monotonic() - begun) / CURSOR_GAP + 2


async def test_follow_mode_goes_where_they_go_until_a_key(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3, review=2))) as it:
        it.board.arrive(on("review-2"))
        await it.press("F")
        assert it.screen.cursor.task_id == "review-2"
        await see(it, "⇢ Mila")
        it.board.hear("cursor:update", userId="u-mila", taskId="todo-3")
        await until(lambda: it.screen.cursor.task_id == "todo-3")
        await it.press("j")
        assert it.screen.following.user_id is None
        it.board.hear("cursor:update", userId="u-mila", taskId="review-1")
        await see(it, "⇢ Mila", gone=True)
        assert it.screen.cursor.task_id == "todo-3"


async def test_whom_i_follow_may_leave(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3))) as it:
        it.board.arrive(on("todo-2"), OnlineUser(id="u2", name="Tom"))
        await it.press("F", "M", "i", "enter")
        await until(lambda: it.screen.following.user_id == "u-mila")
        it.board.arrive()
        await until(lambda: ("Whom you followed has left.", "information") in it.toasts)
        assert it.screen.following.user_id is None


async def test_a_click_on_a_person_follows_them(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=3))) as it:
        it.board.arrive(on("todo-3"))
        await it.pilot.pause()
        row = next(row for row, user in it.screen.sidebar._rows.items() if user == "u-mila")
        await it.pilot.click(it.screen.sidebar, offset=(6, row + it.screen.sidebar.gutter.top))
        await until(lambda: it.screen.cursor.task_id == "todo-3")


async def test_the_sidebar_tells_who_is_here_since_when_and_who_is_away(opened: Open) -> None:
    board = FakeBoard(cards(todo=1))
    tom = Member(user_id="u-tom", name="Tom Berg", last_seen_at="2026-03-09T12:00:00.000Z")
    board.members = (*board.members, tom)
    async with opened(board, size=(130, 44)) as it:
        idle = OnlineUser(id="u2", name="Sara K", idle=True, terminals=2)
        board.arrive(on("todo-1"), idle)
        await see(it, "Online 3")
        lines = it.text().splitlines()
        assert any("● Mila Lund" in line and line.rstrip().endswith("12m") for line in lines)
        assert any("◌ Sara K" in line and line.rstrip().endswith("×2 idle") for line in lines)
        assert any("○ Tom Berg" in line and line.rstrip().endswith("2d ago") for line in lines)
        assert "Away 1" in it.text()


@pytest.mark.parametrize("size", [(130, 40), (130, 24)])
async def test_two_hundred_people_stay_readable(opened: Open, size: tuple[int, int]) -> None:
    async with opened(FakeBoard(cards(todo=1)), size=size) as it:
        it.board.arrive(*crowd(200))
        await see(it, "Online 201")
        assert "more" in it.text()
        assert "Since you were here" in it.text()


async def test_a_person_has_the_same_colour_whoever_came_first(opened: Open) -> None:
    members = tuple(
        Member(user_id=f"m{n}", name=f"M{n}", joined_at=f"2026-01-0{n + 1}T00:00:00.000Z") for n in range(3)
    )
    colours = []
    for order in (members, members[::-1]):
        board = FakeBoard(cards(todo=1))
        board.members = (*order, *board.members)
        async with opened(board) as it:
            board.arrive(*(OnlineUser(id=member.user_id, name=member.name) for member in order))
            await it.pilot.pause()
            colours.append([it.screen.faces.colour_of(member.user_id) for member in members])
    assert colours[0] == colours[1]
    assert len(set(colours[0])) == 3


async def test_who_touches_nothing_is_idle_and_a_key_brings_them_back(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "IDLE_SECONDS", 0.3)
    async with opened(FakeBoard(cards(todo=1))) as it:

        def states() -> list[bool]:
            return [
                payload.get("idle", False) for event, payload in it.board.told if event == "presence:state"
            ]

        await until(lambda: states() == [True])
        await it.press("j")
        await until(lambda: states()[:2] == [True, False])


@pytest.mark.parametrize("text", RAW.values(), ids=RAW)
async def test_hostile_names_are_text(opened: Open, text: str) -> None:
    from fluxboard.model.text import clean_line

    name = clean_line(text)
    async with opened(FakeBoard(cards(todo=2)), size=(100, 30)) as it:
        it.board.members = (*it.board.members, Member(user_id="u9", name=name))
        it.board.arrive(OnlineUser(id="u9", name=name, task_id="todo-1"), on("todo-2"))
        it.board.hear("typing:update", userId="u9", taskId="todo-1", field=name[:90], typing=True)
        await it.press("s", "F")
        await it.press("escape")
        assert MILA.name in it.text() or it.board.user.name in it.text() or "Online" in it.text()
