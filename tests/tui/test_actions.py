"""The table of actions is the one place: keys, palette, help, footer and README follow from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.command import CommandPalette
from textual.widgets import OptionList

import fluxboard.tui
from fluxboard.client.edits import Delete
from fluxboard.client.local import Refusal
from fluxboard.client.outbox import Attention
from fluxboard.model.types import OnlineUser
from fluxboard.tui.actions import ACTIONS, BY_ID, Action, footer_hints, single
from fluxboard.tui.keytable import key_table
from fluxboard.tui.palette import ActionCommands
from fluxboard.tui.screens.board import BoardScreen
from fluxboard.tui.screens.confirm import ConfirmScreen
from fluxboard.tui.screens.help import HelpScreen
from fluxboard.tui.screens.settings import SettingsScreen
from tests.support.fake_board import FakeBoard
from tests.support.waiting import until
from tests.tui.conftest import Open, Opened, cards

ROOT = Path(__file__).parents[2]
SOURCES = Path(fluxboard.tui.__file__).parent
#: Keys that a terminal without newer protocols sends as tab, enter, backspace or escape, or not at all.
MISTAKEN = {"ctrl+i", "ctrl+m", "ctrl+j", "ctrl+h", "ctrl+left_square_bracket", "ctrl+enter", "shift+enter"}


def test_ids_and_keys_are_given_once() -> None:
    assert len(BY_ID) == len(ACTIONS)
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_has_a_key_that_every_terminal_sends(action: Action) -> None:
    assert not action.keys or set(action.keys) - MISTAKEN, "without keys it is in palette and help"


async def test_every_action_is_bound_by_its_keys_and_an_id(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2))) as it:
        bound = {binding.id: binding for _, binding in it.screen._bindings if isinstance(binding, Binding)}
        for action in ACTIONS:
            for key in single(action.keys):
                found = it.screen._bindings.get_bindings_for_key(key)
                assert [binding.action for binding in found] == [f"act('{action.id}')"]
                assert not found[0].priority, "it would be taken from text fields"
            assert (f"board.{action.id}" in bound) == bool(single(action.keys))


async def test_users_give_an_action_their_own_keys(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2))) as it:
        it.app.set_keymap({"board.down": "ctrl+n"})
        await it.press("ctrl+n")
        assert it.screen.cursor.task_id == "todo-2"
        await it.press("k", "j")
        assert it.screen.cursor.task_id == "todo-1"


async def everything_makes_sense(it: Opened) -> None:
    """A board on which every action is on offer."""
    await it.press("space")
    refused = Refusal(reason="no", status=400)
    it.board.attention = (Attention(Delete(task_id="x"), refused, "x"),)
    it.board.fail = RuntimeError("no")
    it.screen.start_board()
    await until(lambda: it.screen.failure)
    it.screen.tour.start()
    it.board.arrive(OnlineUser(id="u-mila", name="Mila Lund"))
    assert all(action.when(it.screen) for action in ACTIONS)


async def test_every_action_is_in_the_palette(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2))) as it:
        await everything_makes_sense(it)
        provider = ActionCommands(it.screen)
        found = {hit.text async for hit in provider.discover()}
        assert found == {action.title for action in ACTIONS if action.id != "palette"}
        for action in ACTIONS:
            searched = {hit.text async for hit in provider.search(action.title)}
            assert action.id == "palette" or action.title in searched


async def test_what_makes_no_sense_now_is_not_offered(opened: Open) -> None:
    async with opened(FakeBoard()) as it:
        found = {hit.text async for hit in ActionCommands(it.screen).discover()}
        assert "New task" in found
        assert not found & {
            "Delete",
            "Clear selection, filter, or close the task",
            "Try again to reach the server",
        }


async def test_the_palette_runs_what_is_picked(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2))) as it:
        await it.press("ctrl+p")
        await until(lambda: isinstance(it.app.screen, CommandPalette))
        await it.press(*"raise the pr")
        palette = it.app.screen
        await until(lambda: palette.query_one(OptionList).option_count == 1)
        await it.press("enter")
        await until(lambda: it.board.tasks["todo-1"].priority == "high")
        assert it.app.screen is it.screen


async def test_every_action_is_in_the_help_with_its_keys(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2)), (100, 60)) as it:
        await it.press("question_mark")
        shown = it.app.screen.query_one(OptionList)
        text = "\n".join(str(shown.get_option_at_index(place).prompt) for place in range(shown.option_count))
        for action in ACTIONS:
            if action.id != "help":
                row = rf"^{re.escape('  '.join(action.shown_keys))} +{re.escape(action.title)}  {action.kind}"
                assert re.search(row, text, re.MULTILINE), action.id


async def test_the_help_runs_what_is_picked(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2))) as it:
        await it.press("f1")
        assert isinstance(it.app.screen, HelpScreen)
        await it.press(*"next card", "enter")
        await until(lambda: it.screen.cursor.task_id == "todo-2")


async def test_the_help_does_it_with_the_mouse_alone(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2))) as it:
        footer = it.text().splitlines()[-1]
        await it.pilot.click(offset=(footer.index("help"), it.app.size.height - 1))
        lines = it.text().splitlines()
        row = next(y for y, line in enumerate(lines) if "Raise the priority" in line)
        await it.pilot.click(offset=(lines[row].index("Raise"), row))
        await until(lambda: it.board.tasks["todo-1"].priority == "high")


async def test_the_footer_names_actions_of_the_table(opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=2)), (220, 40)) as it:
        await everything_makes_sense(it)
        hints = footer_hints(it.screen)
        assert [hint.action for hint in hints] == [action.id for action in ACTIONS if action.short]
        footer = it.text().splitlines()[-1]
        for hint in hints:
            assert f"{hint.keys} {hint.word}" in footer


def test_no_screen_has_bindings_of_the_board_beside_the_table() -> None:
    assert BoardScreen.BINDINGS
    assert all(isinstance(item, Binding) and item.action.startswith("act(") for item in BoardScreen.BINDINGS)


def test_the_readme_has_the_key_table() -> None:
    readme = (ROOT / "README.md").read_text()
    between = readme.split("<!-- keys -->\n")[1].split("\n<!-- /keys -->")[0]
    assert between == key_table(), "write it anew with fluxboard.tui.keytable.key_table()"


@pytest.mark.parametrize("opening", ["full_stop", "question_mark", "ctrl+p"])
async def test_what_is_picked_meets_no_task_that_was_not_meant(opened: Open, opening: str) -> None:
    async with opened(FakeBoard(cards(todo=3))) as it:
        await it.press(opening, *"delete")
        it.board.remote_delete("todo-1")
        await until(lambda: it.screen.cursor.task_id == "todo-2")
        await until(lambda: "Delete" in it.text())
        await it.press("enter")
        await until(lambda: "no longer in view" in it.text())
        assert not isinstance(it.app.screen, ConfirmScreen)
        if opening != "full_stop":  # what is about no task is not held up
            await it.press(opening, *"board settings", "enter")
            await until(lambda: isinstance(it.app.screen, SettingsScreen))
