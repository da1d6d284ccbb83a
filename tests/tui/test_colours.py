"""Terminals of 16 colours and of none: everything can be read, and nothing is told by colour alone."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem
from rich.segment import Segment

from fluxboard.tui.config import Config
from fluxboard.tui.themes import SIXTEEN
from tests.support.seeded import give_a_past, give_mail, refused_edits, team_board
from tests.tui.conftest import Open, Opened
from tests.tui.test_hostile import SCREENS


def drawn(it: Opened) -> list[Segment]:
    """All text on the screen, as it goes to the terminal."""
    lines = it.app.screen._compositor.render_strips()
    return [segment for line in lines for segment in line if segment.text.strip()]


def shown(colour: Color | None) -> str | int:
    """What a terminal of 16 colours makes of it."""
    if colour is None or colour.is_default:
        return "default"
    return colour.downgrade(ColorSystem.STANDARD).number or 0


@pytest.mark.parametrize("keys", SCREENS.values(), ids=SCREENS)
async def test_with_16_colours_no_text_vanishes(keys: tuple[str, ...], opened: Open) -> None:
    board = team_board()
    give_mail(board)
    board.attention = refused_edits()
    async with opened(board, (100, 30), config=Config(theme=SIXTEEN.name)) as it:
        it.screen.tour.start()
        for key in keys:
            await it.press(key)
        for segment in drawn(it):
            style = segment.style
            if style is None or not segment.text.strip("█▎▌▐ "):
                continue
            pair = shown(style.color), shown(style.bgcolor)
            assert pair[0] != pair[1] or pair[0] == "default", segment
            # Whether the terminal's own background is dark or light is not known; dark blue is hard to read.
            assert pair not in {(0, "default"), ("default", 0), (15, "default"), (4, "default"), (8, 12)}, (
                segment
            )


STATES = {
    "cursor": ((), "█"),
    "selected": (("space",), "✓"),
    "range": (("v", "j"), "✓"),
    "the cursor's column": ((), "━"),
}


@pytest.mark.parametrize(("keys", "glyph"), STATES.values(), ids=STATES)
async def test_without_colours_the_state_is_there(
    keys: tuple[str, ...], glyph: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(team_board(), (100, 30)) as it:
        await it.press(*keys)
        assert glyph in it.text()
        for segment in drawn(it):
            for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                if colour is not None and colour.triplet is not None:
                    assert len(set(colour.triplet)) == 1, f"{segment!r} has a hue"


async def test_without_colours_the_statistics_have_textures(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    board = team_board()
    give_a_past(board)
    async with opened(board, (160, 48)) as it:
        await it.press("S")
        assert {"█", "▒", "░"} <= set(it.text())
