"""Every glyph has a word in the help, and a letter for fonts without glyphs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.widgets import Input

import fluxboard.tui
from fluxboard.tui.ascii import AsciiGlyphs
from fluxboard.tui.legend import SIGNS
from fluxboard.tui.screens.help import HelpScreen
from tests.support.seeded import team_board
from tests.tui.conftest import Open

SOURCES = Path(fluxboard.tui.__file__).parent
#: What is read as a letter or a mark of a sentence, keys on a keyboard, and fractions of a full cell.
PLAIN = set("…“”·'’–") | set("←↑→↓▼") | set("▁▂▃▄▅▆▇▏▍▌▋▊▉▐░▓")


def texts(path: Path) -> Iterator[str]:
    """Each text in a file that may be drawn."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


DRAWN = {
    glyph: path.name
    for path in sorted(SOURCES.rglob("*.py"))
    if path.name not in {"legend.py", "ascii.py"}
    for text in texts(path)
    for glyph in text
    if not glyph.isascii() and glyph.isprintable()
}


@pytest.mark.parametrize("glyph", sorted(set(DRAWN) - PLAIN))
def test_every_glyph_has_a_word(glyph: str) -> None:
    assert any(glyph in sign for sign in SIGNS), f"{glyph} of {DRAWN[glyph]}"


def test_no_word_is_for_a_glyph_that_is_not_drawn() -> None:
    known = set(DRAWN) | set("@*") | {"▒"}
    assert [sign for sign in SIGNS if not set(sign) <= known] == []


@pytest.mark.parametrize("glyph", sorted(set(DRAWN) | set("".join(SIGNS))))
def test_every_glyph_has_a_letter_for_fonts_without(glyph: str) -> None:
    (segment,) = AsciiGlyphs().apply([Segment(glyph)], Color(0, 0, 0))
    assert segment.text.isascii(), f"{glyph} of {DRAWN.get(glyph)}"
    assert len(segment.text) == 1


async def test_the_help_tells_what_a_sign_means_and_runs_none(opened: Open) -> None:
    async with opened(team_board(), (100, 30)) as it:
        await it.press("question_mark")
        it.app.screen.query_one("#search", Input).value = "✎"
        await it.pilot.pause()
        assert "Somebody is writing here" in it.text()
        await it.press("enter")
        assert isinstance(it.app.screen, HelpScreen), "there is nothing to run"
