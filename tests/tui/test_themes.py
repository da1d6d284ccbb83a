"""Colours: every theme can draw a board, and people are told apart."""

from __future__ import annotations

import pytest
from textual.theme import BUILTIN_THEMES, Theme

from fluxboard.model.types import Member, OnlineUser
from fluxboard.tui.cursor import Cursor
from fluxboard.tui.faces import Faces
from fluxboard.tui.themes import DARK, LIGHT, palette_of
from fluxboard.tui.view import View
from tests.support.fake_board import ME, FakeBoard
from tests.support.seeded import NOW, team_board
from tests.tui.conftest import Open

PALETTE = palette_of({**DARK.to_color_system().generate(), **DARK.variables})


def faces_of(board: FakeBoard) -> Faces:
    view = View(board, NOW.date)
    return Faces(view, Cursor(view), PALETTE, NOW.date())


async def test_every_theme_draws_the_board(opened: Open) -> None:
    async with opened(team_board(), (160, 48)) as it:
        plain = it.text()
        for name in (LIGHT.name, *BUILTIN_THEMES, DARK.name):
            it.app.theme = name
            await it.pilot.pause()
            assert it.text() == plain, name


def test_no_two_people_share_a_colour_while_there_are_enough() -> None:
    board = FakeBoard()
    board.members = tuple(Member(user_id=f"u{number}", name=f"Person {number}") for number in range(6))
    faces = faces_of(board)
    colours = [faces.colour_of(member.user_id) for member in board.members]
    assert len({*colours, faces.colour_of(ME.id)}) == 7
    board.online = (OnlineUser(id="u9", name="Nina"), OnlineUser(id="u8", name="Omar", color="#123456"))
    faces.refresh_people()
    assert [faces.colour_of(member.user_id) for member in board.members] == colours
    assert faces.colour_of("u9") in PALETTE.people
    assert faces.colour_of("u8") == "#123456"


def test_people_go_by_their_first_name_unless_two_have_the_same() -> None:
    board = FakeBoard()
    names = ["Mila Lindqvist", "Sara Kimura", "Sara Berg"]
    board.members = tuple(Member(user_id=name, name=name) for name in names)
    faces = faces_of(board)
    assert [faces.short(name) for name in [*names, "Noor Aziz", "", "taro"]] == [
        "Mila",
        "Sara Kimura",
        "Sara Berg",
        "Noor",
        "",
        "taro",
    ]


def contrast(one: str, other: str) -> float:
    """The ratio that WCAG 2 defines."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_our_own_themes_can_be_read(theme: Theme) -> None:
    palette = palette_of({**theme.to_color_system().generate(), **theme.variables})
    inks = ("text", "muted", "accent", "label", "success", "low", "medium", "high", "critical")
    weak = {
        (ink, paper): round(contrast(getattr(palette, ink), getattr(palette, paper)), 2)
        for ink in inks
        for paper in ("background", "panel", "card", "cursor", "selected")
        if contrast(getattr(palette, ink), getattr(palette, paper)) < 4.5
    }
    assert weak == {}
    for colour in (*palette.people, palette.accent):
        assert contrast(palette.on(colour), colour) >= 4.5, colour
    for colour in palette.named.values():
        assert contrast(colour, palette.background) >= 4.5, colour
