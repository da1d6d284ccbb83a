"""Every screen as a picture, at the size of a desk, a laptop and a phone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from fluxboard.tui.app import FluxboardApp
from fluxboard.tui.config import Config
from tests.support.fake_board import FakeSession
from tests.support.seeded import NOW
from tests.tui.pictures import (
    Picture,
    broken,
    called_team,
    composing,
    empty,
    failed,
    half_read,
    held,
    hostile_everywhere,
    hostile_past,
    hostile_team,
    idle_team,
    linked_team,
    many_projects,
    nobody,
    old_team,
    paste,
    press,
    projects,
    projects_are_told,
    refused_team,
    sign_in,
    sign_up,
    slow,
    someone_was_faster,
    stats,
    team,
    team_with_archive,
    team_with_tom,
    toasts,
    unreachable,
    was_told,
    without_log,
    writing,
)

SIZES = [(160, 48), (100, 30), (60, 24), (40, 20)]


def clock() -> datetime:
    return NOW


PICTURES = {
    "board": Picture(team, press("l")),
    "board-hostile": Picture(hostile_team, press()),
    "board-light": Picture(team, press("l"), theme="fluxboard-light"),
    "board-people": Picture(idle_team, press("down", "s")),
    "editor-choice": Picture(team, press("e", "tab", "tab", "tab", "enter")),
    "board-selected": Picture(team, press("space", "j", "space", "j")),
    "board-empty": Picture(empty, press()),
    "board-failed": Picture(broken, failed),
    "attention": Picture(refused_team, press("exclamation_mark")),
    "conflict": Picture(refused_team, press("exclamation_mark", "enter", "m")),
    "quit": Picture(refused_team, press("q")),
    "toasts": Picture(team, toasts),
    "detail": Picture(team, press("l", "enter")),
    "board-filtered": Picture(team, press("slash", *"is:open due<7d", "enter")),
    "board-grouped": Picture(team, press("O", *"person", "enter", "z")),
    "board-compact": Picture(team, press("equals_sign", "equals_sign", "l")),
    "board-roomy": Picture(team, press("equals_sign", "l")),
    "quick-add": Picture(team, press("l", "n", *"Fix it !high @me #ux ^fri")),
    "quick-add-choices": Picture(team, press("l", "n", *"Fix it @me #")),
    "filter-choices": Picture(team, press("slash", *"is:open @")),
    "labels": Picture(team, press("l", "b")),
    "due": Picture(team, press("l", "D", *"in 2")),
    "menu": Picture(team, press("l", "full_stop")),
    "views": Picture(team, press("w", *"soon")),
    "settings": Picture(team, press("comma", "j", "j", "j")),
    "stats": Picture(old_team, stats),
    "stats-light": Picture(old_team, stats, theme="fluxboard-light"),
    "stats-empty": Picture(empty, stats),
    "archive": Picture(team_with_archive, press("slash", *"is:archived", "enter")),
    "ask": Picture(team, press("comma", "j", "j", "enter")),
    "jump": Picture(team, press("f", *"re")),
    "detail-light": Picture(team, press("l", "enter"), theme="fluxboard-light"),
    "editor-light": Picture(team, press("l", "e"), theme="fluxboard-light"),
    "settings-light": Picture(team, press("comma", "j", "j"), theme="fluxboard-light"),
    "projects-empty": Picture(FakeSession, projects_are_told, project=None),
    "projects-failed": Picture(unreachable, projects_are_told, project=None),
    "detail-hostile": Picture(hostile_everywhere, press("enter")),
    "editor-hostile": Picture(hostile_everywhere, press("e")),
    "settings-hostile": Picture(hostile_everywhere, press("comma")),
    "stats-hostile": Picture(hostile_everywhere, stats),
    "inbox-hostile": Picture(hostile_everywhere, press("i")),
    "tour": Picture(team, press("ctrl+p", *"first steps", "enter")),
    "editor-new": Picture(team, press("N")),
    "editor-edit": Picture(team, press("l", "e")),
    "delete": Picture(team, press("l", "d")),
    "help": Picture(team, press("question_mark")),
    "picker": Picture(team, press("a")),
    "palette": Picture(team, press("ctrl+p")),
    "company": Picture(team_with_tom, writing("l", "enter")),
    "inbox": Picture(called_team, writing("i")),
    "activity": Picture(called_team, writing("g", "a")),
    "notifications": Picture(called_team, press("m")),
    "go": Picture(called_team, press("g")),
    "projects": Picture(many_projects, projects, project=None),
    "sort": Picture(team, press("o")),
    "group": Picture(team, press("O")),
    "paste": Picture(team, paste),
    "inbox-empty": Picture(team, press("i")),
    "stats-without-log": Picture(old_team, without_log),
    "stats-waiting": Picture(old_team, half_read),
    "board-waiting": Picture(held, slow()),
    "activity-waiting": Picture(team, slow("g", "a")),
    "detail-waiting": Picture(team, slow("l", "enter")),
    "activity-hostile": Picture(hostile_past, press("g", "a")),
    "help-search": Picture(team, press("question_mark", *"column")),
    "column": Picture(team, press("l", "c")),
    "priority": Picture(team, press("l", "p")),
    "theme": Picture(team, press("t")),
    "follow": Picture(team, press("F")),
    "told": Picture(team, was_told),
    "links": Picture(linked_team, press("l", "enter", "o")),
    "colour": Picture(team, press("comma", "j", "j", "c")),
    "archive-done": Picture(team, press("X")),
    "undo-overtaken": Picture(team, someone_was_faster),
    "discard": Picture(team, press("l", "e", *"More", "escape")),
    "comment": Picture(team, composing),
    "quick-add-long": Picture(
        team, press("l", "n", *"A title that is far longer than the column is wide !high @me #ux")
    ),
    "board-folded": Picture(team, press("l", "z")),
    "sign-in": Picture(nobody, sign_in),
    "sign-up": Picture(nobody, sign_up),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", PICTURES)
def test_screen(name: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    picture = PICTURES[name]
    app = FluxboardApp(picture.make(), picture.project, clock=clock, config=Config(theme=picture.theme))
    app.animation_level = "none"
    assert snap_compare(app, terminal_size=size, run_before=picture.prepare)
