"""No text of a user is ever read as markup: neither by the way it is built nor in any toast."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets._toast import Toast

import fluxboard.tui
from fluxboard.client.undo import Overtaken
from fluxboard.model.types import OnlineUser
from tests.support.fake_board import FakeBoard
from tests.tui.conftest import Open, Opened, cards
from tests.tui.test_hostile import TEXTS

SOURCES = Path(fluxboard.tui.__file__).parent
#: What takes a text as its first argument and reads it as markup unless it is told not to.
READERS = {"Static", "Label", "Button", "Option", "Checkbox", "Link", "Digits", "Collapsible"}
#: What a widget can be given later, and what is always read as markup.
ALWAYS_READ = {"border_title", "border_subtitle", "tooltip", "sub_title"}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            yield name, node


def is_tame(call: ast.Call) -> bool:
    """Whether what is shown is a word of the program, a Content, or is told to be plain."""
    if any(word.arg == "markup" and isinstance(word.value, ast.Constant) for word in call.keywords):
        return not any(word.arg == "markup" and word.value.value for word in call.keywords)  # type: ignore[attr-defined]
    return not call.args or not isinstance(call.args[0], ast.JoinedStr | ast.BinOp | ast.Attribute)


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.py")), ids=lambda path: path.stem)
def test_no_text_is_put_together_for_what_reads_markup(path: Path) -> None:
    tree = ast.parse(path.read_text())
    found = [(name, call.lineno) for name, call in calls(tree) if name in READERS and not is_tame(call)]
    assert not found
    given = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & ALWAYS_READ
    assert not given
    assert (
        not [
            call.lineno
            for name, call in calls(tree)
            if name == "notify" and {"markup"} & {w.arg for w in call.keywords}
        ]
        or path.stem == "app"
    )


def told(it: Opened) -> list[str]:
    """The toasts as they are drawn."""
    return [str(toast.render()) for toast in it.app.screen.query(Toast)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
async def test_a_toast_says_what_it_is_given(text: str, opened: Open) -> None:
    async with opened(FakeBoard(cards(todo=1)), (160, 40)) as it:
        it.screen.notify(text, title="Widget", timeout=60)
        it.app.notify(text, title=text, timeout=60)
        it.screen.key_footer.notify(text, markup=True, timeout=60)
        await it.pilot.pause()
        assert all(text in each for each in told(it))
        assert len(told(it)) == 3


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
async def test_whatever_is_told_carries_hostile_names(
    text: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hiding a column, a view's name, whom I follow, what is undone: each with a name that is meant badly."""
    board = FakeBoard(cards(todo=1, review=1))
    columns = board.project.columns
    board.project = replace(board.project, columns=(replace(columns[0], name=text), *columns[1:]))
    async with opened(board, (160, 40)) as it:
        notify = it.app.notify
        # However slow the machine is, all of them are still there when they are looked at.
        monkeypatch.setattr(
            it.app, "notify", lambda message, **given: notify(message, **{**given, "timeout": 60})
        )
        it.screen.finder._take_view(f"save:{text}")
        board.arrive(OnlineUser(id="u-x", name=text))
        await it.press("F")
        board._past.append((text, dict(board.shown)))
        await it.press("u")
        await it.screen.action_act("hide_column")
        await it.pilot.pause()
        said = [toast.message for toast in it.app._notifications]
        assert [text in message for message in said] == [True] * 4
        assert all(message in " ".join(told(it)) for message in said)
        board.overtaken = Overtaken(text, ("todo-1",), (text,))
        await it.press("u")
        assert it.app.screen.is_modal
        assert it.app.is_running
