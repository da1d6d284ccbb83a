"""Which of several has the keys can be seen, with colours and without."""

from __future__ import annotations

import pytest

from tests.support.seeded import give_mail, refused_edits, team_board
from tests.tui.conftest import Open, Opened
from tests.tui.test_hostile import SCREENS

PLACES = {
    **SCREENS,
    "editor": ("e",),
    "delete": ("d",),
    "projects": ("P",),
}


def picture(it: Opened) -> list[list[tuple[str, str]]]:
    """The whole screen with its styles."""
    lines = it.app.screen._compositor.render_strips()
    return [[(segment.text, str(segment.style)) for segment in line] for line in lines]


@pytest.mark.parametrize("colours", [True, False], ids=["colours", "no colours"])
@pytest.mark.parametrize("keys", PLACES.values(), ids=PLACES)
async def test_every_focus_is_visible(
    keys: tuple[str, ...], colours: bool, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not colours:
        monkeypatch.setenv("NO_COLOR", "1")
    board = team_board()
    give_mail(board)
    board.attention = refused_edits()
    async with opened(board, (100, 40)) as it:
        for key in keys:
            await it.press(key)
        screen = it.app.screen
        seen: list[tuple[object, object]] = []
        for widget in screen.focus_chain:
            screen.set_focus(widget)
            await it.pilot.pause()
            for other, look in seen:
                assert picture(it) != look, f"{widget!r} and {other!r} of {screen!r} look the same"
            seen.append((widget, picture(it)))
