"""Colours: every theme can draw a board, and people are told apart."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES

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
