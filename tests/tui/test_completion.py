"""Completion while adding and filtering: a list beneath the line, for keys and the mouse, never over it."""

from __future__ import annotations

import pytest

from fluxboard.model.types import Member
from fluxboard.tui.completion import Choice, completed, days, fitting, fragment, people
from fluxboard.tui.widgets.comments import CommentBox
from fluxboard.tui.widgets.completing import Choices, CompletingInput
from tests.support.seeded import NOW, team_board
from tests.support.waiting import until
from tests.tui.conftest import Open, Opened

OFFERED = [
    Choice("@me", "you"),
    Choice("@mila", "Mila Lindqvist"),
    Choice("#auth"),
    Choice("is:mine", "mine"),
    Choice("^fri", "Mar 13"),
    Choice("^1m", "Fri Apr 10"),
]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("@", ["@me", "@mila"]),
        ("@mi", ["@mila"]),
        ("@lind", ["@mila"]),
        ("@MI", ["@mila"]),
        ("@mila", []),
        ("#", ["#auth"]),
        ("i", []),
        ("is", ["is:mine"]),
        ("mine", []),
        ("", []),
        ("^f", ["^fri", "^1m"]),
        ("^fri", []),  # a month from now is a Friday, too
    ],
)
def test_what_could_be_meant(typed: str, found: list[str]) -> None:
    assert [choice.text for choice in fitting(typed, OFFERED)] == found


def test_the_word_at_the_cursor_is_written_in_full() -> None:
    assert fragment("Fix -@mi now", 8) == "@mi"
    assert completed("Fix -@mi now", 8, Choice("@mila")) == ("Fix -@mila now", 11)
    assert completed("Fix @", 5, Choice("@mila")) == ("Fix @mila ", 10)
    assert completed("la", 2, Choice("label:")) == ("label:", 6)


def test_people_of_the_same_name_are_told_apart_by_both_names() -> None:
    named = [Member(user_id=name, name=name) for name in ("Sara Kimura", "Sara Berg", "Mila L")]
    mail = Member(user_id="x", email="noor@example.com")
    assert [each.text for each in people([*named, mail], "me")] == [
        "@me", "@sarakimura", "@saraberg", "@mila", "@noor",
    ]  # fmt: skip


def test_days_say_which_date_they_are() -> None:
    assert Choice("^fri", "Fri Mar 13") in days(NOW.date())


def line_and_list(it: Opened) -> tuple[CompletingInput, Choices]:
    line = it.app.focused
    assert isinstance(line, CompletingInput)
    return line, line.choices


OPEN = {"quick add": ("n",), "filter": ("slash",)}


@pytest.mark.parametrize("keys", OPEN.values(), ids=OPEN)
@pytest.mark.parametrize("size", [(160, 48), (80, 24), (40, 20), (24, 12)], ids=str)
async def test_the_list_lies_beneath_the_line(
    keys: tuple[str, ...], size: tuple[int, int], opened: Open
) -> None:
    async with opened(team_board(), size) as it:
        await it.press(*keys, "#")
        line, choices = line_and_list(it)
        assert choices.display
        assert choices.region.y >= line.region.bottom, "never over what is typed"
        assert choices.region in it.screen.region
        assert choices.size.height >= 1
        assert it.screen.get_widget_at(*choices.region.offset)[0] is choices, "nothing lies over it"
        assert it.screen.get_widget_at(*line.region.offset)[0] is line


@pytest.mark.parametrize("keys", OPEN.values(), ids=OPEN)
async def test_by_keys(keys: tuple[str, ...], opened: Open) -> None:
    async with opened(team_board(), (100, 30)) as it:
        await it.press(*keys, *"@mi")
        line, choices = line_and_list(it)
        await it.press("tab")
        assert (line.value, choices.display) == ("@mila ", False)
        await it.press(*"#")
        first, second = (choice.text for choice in choices.offered[:2])
        await it.press("up")
        assert choices.highlighted == len(choices.offered) - 1, "around the end"
        await it.press("down", "down", "enter")
        assert line.value == f"@mila {second} ", "after an arrow enter takes what is chosen"
        await it.press("#", "down", "down", "up", "up", "tab")
        assert line.value == f"@mila {second} {first} "
        await it.press("#", "escape")
        assert not choices.display
        assert it.app.focused is line, "esc closes the list first"
        assert line.value == f"@mila {second} {first} #"
        await it.press("escape")
        assert it.app.focused is not line


async def test_enter_without_an_arrow_adds_what_is_typed(opened: Open) -> None:
    async with opened(team_board(), (100, 30)) as it:
        await it.press("n", *"Ask @mi", "enter")
        made = it.board.tasks[it.screen.cursor.task_id or ""]
        assert (made.title, made.assigned_to) == ("Ask", "u-mila")


@pytest.mark.parametrize("keys", OPEN.values(), ids=OPEN)
async def test_by_mouse(keys: tuple[str, ...], opened: Open) -> None:
    async with opened(team_board(), (100, 30)) as it:
        cursor = it.screen.cursor.task_id
        await it.press(*keys, "@")
        line, choices = line_and_list(it)
        place = [choice.text for choice in choices.offered].index("@sara")
        await it.pilot.click(offset=(choices.region.x + 2, choices.region.y + place))
        await it.pilot.pause()
        assert line.value == "@sara "
        assert it.app.focused is line
        if keys == ("n",):
            assert it.screen.cursor.task_id == cursor, "no card under the list was clicked"


async def test_a_field_is_followed_by_its_values(opened: Open) -> None:
    async with opened(team_board(), (100, 30)) as it:
        await it.press("slash", *"lab", "tab")
        line, choices = line_and_list(it)
        assert line.value == "label:"
        assert choices.display
        assert all(choice.text.startswith("label:") for choice in choices.offered)
        await it.press(*"au", "tab")
        assert it.screen.view.look.query == "label:auth "


async def test_without_a_list_the_arrows_are_the_boards(opened: Open) -> None:
    async with opened(team_board(), (100, 30)) as it:
        first = it.screen.cursor.task_id
        await it.press("slash", "down")
        assert it.screen.cursor.task_id != first


def box_and_list(it: Opened) -> tuple[CommentBox, Choices]:
    """The box for a comment, and what it offers."""
    box = it.app.focused
    assert isinstance(box, CommentBox)
    return box, box.choices


@pytest.mark.parametrize("size", [(160, 48), (80, 24), (40, 20)], ids=str)
async def test_names_in_a_comment_are_offered_beneath_it(size: tuple[int, int], opened: Open) -> None:
    async with opened(team_board(), size) as it:
        await it.press("enter", "c", *"Hi", "enter", *"ask @")
        box, choices = box_and_list(it)
        await until(
            lambda: choices.display and it.app.screen.get_widget_at(*choices.region.offset)[0] is choices
        )
        assert choices.region.y >= box.region.bottom
        assert [choice.text for choice in choices.offered] == ["@mila", "@sara"]
        await it.press("down", "enter", *"now @m", "tab")
        assert box.text == "Hi\nask @sara now @mila "
        assert not choices.display
        await it.press("@", "escape")
        assert (choices.display, it.app.focused) == (False, box), "esc closes the list first"
        await it.press("up", "x")
        assert box.text.startswith("Hix"), "without a list the arrows are the text's"


async def test_a_name_in_a_comment_is_taken_by_the_mouse(opened: Open) -> None:
    async with opened(team_board(), (100, 30)) as it:
        await it.press("enter", "c", *"@s", "backspace")
        box, choices = box_and_list(it)
        await until(lambda: choices.display and choices.region in it.screen.region)
        await it.pilot.click(offset=(choices.region.x + 2, choices.region.y + 1))
        await it.pilot.pause()
        assert (box.text, it.app.focused) == ("@sara ", box)
