"""Hostile texts on every screen: nothing crashes, text stays text, and no control character is drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from textual.command import CommandPalette
from textual.widgets import Input, Markdown

from fluxboard.client.edits import Update
from fluxboard.client.events import AccessLost, News, Refused, Remote
from fluxboard.client.local import Refusal
from fluxboard.client.outbox import Attention
from fluxboard.model.notify import InboxItem
from fluxboard.model.stats import StatusChange
from fluxboard.model.text import clean_line, clean_text
from fluxboard.model.types import (
    Activity,
    ActivityMetadata,
    Author,
    ChecklistItem,
    Column,
    Comment,
    Member,
    OnlineUser,
    Project,
    Task,
    TaskPatch,
)
from fluxboard.model.wire import Conflict, FieldConflict
from fluxboard.tui.app import FluxboardApp
from fluxboard.tui.screens.confirm import ConfirmScreen
from fluxboard.tui.screens.projects import ProjectsScreen
from fluxboard.tui.screens.sign_in import SignInScreen
from fluxboard.tui.widgets.sidebar import Happening
from tests.support.fake_board import ME, FakeBoard, FakeSession
from tests.support.hostile import LONG_DESCRIPTION, RAW
from tests.support.waiting import until
from tests.tui.conftest import NOW, Open, Opened, screen_text

#: What arrives at a screen: the model cleans at its edge, and so do these tests.
TEXTS = {name: clean_line(text) for name, text in RAW.items()}
SHORT = {name: text for name, text in TEXTS.items() if text and len(text) < 20 and text.isascii()}
_DRAWN_BY_TERMINALS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

hostile = pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
short = pytest.mark.parametrize("text", SHORT.values(), ids=list(SHORT))


def tame(app: FluxboardApp) -> str:
    """What is on the screen; fails when a terminal would act upon any of it."""
    text = screen_text(app)
    found = _DRAWN_BY_TERMINALS.search(text)
    assert found is None, f"{found!r} in {text!r}"
    return text


def board_of(texts: Sequence[str]) -> FakeBoard:
    """A board with each of these texts wherever a text can be."""
    columns = [Column(id=f"c{number}", name=text or "x", wip_limit=1) for number, text in enumerate(texts)]
    last = Column(id="completed", name=f"{texts[0]} done")
    project = Project(id="p1", name=texts[0], description=texts[0], columns=(*columns, last))
    board = FakeBoard(project=project)
    board.members = (
        Member(user_id=ME.id, name=texts[0], role="owner"),
        *(Member(user_id=f"u-{text}", name=text, email=f"{text}@example.com") for text in texts),
    )
    board.online = (
        OnlineUser(id=ME.id, name=texts[0]),
        *(OnlineUser(id=f"u-{text}", name=text, color=text, task_id=f"t{i}") for i, text in enumerate(texts)),
        OnlineUser(id="u-idle", name=texts[0], idle=True),
    )
    board.notes = tuple(texts)
    for number, text in enumerate(texts):
        board.shown[f"t{number}"] = Task(
            id=f"t{number}",
            title=text,
            description=clean_text(text),
            status="c0",
            priority=text,
            assigned_to=text,
            due_date=text,
            labels=(text, text),
            checklist=(ChecklistItem(id="c", text=text, done=True),),
            position=f"a{number}",
        )
        board.shown[f"lost-{number}"] = replace(board.shown[f"t{number}"], id=f"lost-{number}", status=text)
    return board


DESK, PHONE, STAMP = (120, 36), (60, 24), (24, 8)
WIDE = [TEXTS[name] for name in ("wide", "a family", "a long word")]
GROUPS = [list(TEXTS.values())[start : start + 5] for start in range(0, len(TEXTS), 5)]


@pytest.mark.parametrize(
    ("texts", "size"),
    [*((group, DESK) for group in GROUPS), (WIDE, PHONE), (WIDE, STAMP)],
    ids=[*(f"desk {number}" for number in range(len(GROUPS))), "phone", "stamp"],
)
@pytest.mark.long(9)
async def test_every_screen_of_a_board(texts: list[str], size: tuple[int, int], opened: Open) -> None:
    async with opened(board_of(texts), size) as it:
        tame(it.app)
        for _ in texts:
            for keys in (("space", "p"), ("enter",), ("escape", "e"), ("escape", "d"), ("escape", "j")):
                await it.press(*keys)
                tame(it.app)
        for keys in (
            ("s",),
            ("N",),
            ("escape", "a"),
            ("escape", "question_mark"),
            ("escape", "t"),
            ("escape", "J", "L", "u"),
        ):
            await it.press(*keys)
            tame(it.app)
        await it.press("ctrl+p")
        await until(lambda: isinstance(it.app.screen, CommandPalette))
        tame(it.app)


def busy_board_of(texts: Sequence[str]) -> FakeBoard:
    """The same with an inbox, a past, comments and refused edits, all of these texts."""
    board = board_of(texts)
    board.project = replace(board.project, due_date="2026-04-01")
    at = "2026-03-11T09:00:00.000Z"
    board.mail.items = tuple(
        InboxItem(
            id=f"m{number}",
            kind="mention",
            project_id="p1",
            project_name=text,
            task_id="t0",
            task_title=text,
            user_id=f"u-{text}",
            user_name=text,
            text=text,
            at=at,
        )
        for number, text in enumerate(texts)
    )
    board.done = [
        Activity(
            id=f"a{number}", project_id="p1", type=kind, user_id=f"u-{text}", user_name=text, action=text,
            entity_type="task", entity_id="t0", entity_title=text, timestamp=at,
            metadata=ActivityMetadata(field="title", old_value=text, new_value=text),
        )
        for number, text in enumerate(texts)
        for kind in ("task.updated", "comment.created", text)
    ]  # fmt: skip
    board.said = [
        Comment(
            id=f"c{number}", project_id="p1", task_id="t0", content=clean_text(text), created_at=at,
            author=Author(id=f"u-{text}", name=text),
        )
        for number, text in enumerate(texts)
    ]  # fmt: skip
    board.moves = tuple(StatusChange("t0", text, "c0", at) for text in texts)
    sides = FieldConflict(base=texts[0], mine=texts[-1], theirs=texts[0], user_name=texts[0], timestamp=at)
    collided = Refusal(
        reason=texts[0], status=409, at=at, conflict=Conflict(fields={"title": sides}, task=board.shown["t0"])
    )
    board.attention = tuple(
        Attention(Update(task_id="t0", op_id=str(number), patch=TaskPatch(title=text)), collided, text)
        for number, text in enumerate(texts)
    )
    return board


#: How each screen that the board has is reached, with something done on it.
SCREENS: dict[str, tuple[str, ...]] = {
    "activity": ("g", "a"),
    "assignee": ("a",),
    "attention": ("exclamation_mark", "down"),
    "columns": ("c",),
    "conflict": ("exclamation_mark", "enter", "m"),
    "detail": ("enter",),
    "due": ("D", *"fri"),
    "filter": ("slash", "#"),
    "follow": ("F",),
    "go": ("g",),
    "groups": ("O", *"person", "enter", "z"),
    "help": ("question_mark", *"zz"),
    "inbox": ("i", "down"),
    "jump": ("f", "["),
    "labels": ("b",),
    "lanes": ("O", *"label", "enter"),
    "menu": ("full_stop",),
    "new": ("N",),
    "notifications": ("m",),
    "people": ("s",),
    "quick add": ("n", "@"),
    "settings": ("comma", "j", "enter"),
    "settings of a column": ("comma", "j", "j", "j", "j", "enter"),
    "stats": ("S",),
    "toasts": ("g", "t"),
    "views": ("w", "["),
}


@pytest.mark.parametrize("keys", SCREENS.values(), ids=SCREENS)
@pytest.mark.parametrize("size", [DESK, (40, 20)], ids=["desk", "smallest"])
async def test_each_screen_alone(keys: tuple[str, ...], size: tuple[int, int], opened: Open) -> None:
    async with opened(busy_board_of(list(TEXTS.values())), size) as it:
        for key in keys:
            await it.press(key)
            tame(it.app)


@pytest.mark.long(15)
async def test_the_text_is_shown_as_it_is(opened: Open) -> None:
    async with opened(FakeBoard([Task(id="t", title="x")]), (160, 48)) as it:
        for text in SHORT.values():
            it.board.remote_update("t", title=text)
            await it.pilot.pause()
            assert f"■  {text}" in tame(it.app)
            await it.press("enter")
            assert f"█  {text}" in tame(it.app)
            await it.press("escape", "e")
            assert it.app.screen.query_one("#title", Input).value == text
            assert f" {text}" in tame(it.app)
            await it.press("escape", "d")
            assert isinstance(it.app.screen, ConfirmScreen)
            assert text in tame(it.app)
            await it.press("n")


@short
async def test_names_are_shown_as_they_are(text: str, opened: Open) -> None:
    board = FakeBoard([Task(id="t", title="x")], Project(id="p1", name=text))
    board.members = (*board.members, Member(user_id="u-x", name=text, email="x@example.com"))
    board.online = (*board.online, OnlineUser(id="u-x", name=text))
    async with opened(board, (160, 48)) as it:
        shown = tame(it.app)
        assert f"◆ {text} ▾" in shown
        assert f"● {text}" in shown
        await it.press("a")
        assert f" {text}  x@example.com" in tame(it.app)
        await it.press("escape", "P")
        await until(lambda: isinstance(it.app.screen, ProjectsScreen) and text in screen_text(it.app))
        tame(it.app)


@hostile
async def test_toasts_and_the_sidebar(text: str, opened: Open) -> None:
    async with opened(FakeBoard([Task(id="t", title="x")]), (160, 48)) as it:
        it.board.emit(Remote("created", "u-mila", text, "t", text, None))
        await until(lambda: it.toasts)
        it.board.emit(Refused("t", text, "update", text, 409))
        it.board.emit(
            News(Activity(id="a", project_id="p1", type="comment", user_id="u", user_name=text, action=text))
        )
        it.screen.sidebar.add(Happening("u", text, text, NOW - timedelta(days=3)))
        await until(lambda: len(it.toasts) == 2)
        await it.pilot.pause()
        shown = tame(it.app)
        if text in SHORT.values():
            assert shown.count(text) >= 3


@pytest.mark.parametrize("texts", GROUPS, ids=range(len(GROUPS)))
async def test_errors_carry_any_text(texts: list[str]) -> None:
    session = FakeSession(FakeBoard(), user=None)
    session.server = " ".join(texts)
    app = FluxboardApp(session, None, clock=lambda: NOW)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(lambda: isinstance(app.screen, SignInScreen))
        session.fail = RuntimeError("first")
        await pilot.press(*"a@b.c", "enter", *"password", "enter")
        await until(lambda: app.screen.query_one("#error").display)
        for text in texts:
            app.screen.query_one("#error").display = False
            session.fail = RuntimeError(text)
            await pilot.press("enter")
            await until(lambda: app.screen.query_one("#error").display)
            await pilot.pause()
            tame(app)
        session.fail = None
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ProjectsScreen))
        for text in texts:
            session.fail = RuntimeError(text)
            await pilot.press("r")
            await until(lambda: app.screen.query("#state.-failed"))
            await pilot.pause()
            tame(app)
        await pilot.press("n", "x", "enter")
        await pilot.pause()
        tame(app)


@hostile
async def test_the_board_is_lost_for_any_reason(text: str, opened: Open) -> None:
    async with opened(FakeBoard([Task(id="t", title="x")])) as it:
        it.board.emit(AccessLost(text))
        await until(lambda: isinstance(it.app.screen, ProjectsScreen))
        await it.pilot.pause()
        tame(it.app)


SPECIAL = {
    "fences": "```\n" * 50,
    "tables": "| a |\n|--|\n" * 20,
    "quotes": "> " * 200,
    "a script": "[x](javascript:y)",
    "an open tag": TEXTS["an open tag and a backslash"],
    "an action": TEXTS["an action"],
    "a closing tag": TEXTS["a closing tag"],
}


@pytest.mark.parametrize(
    "description",
    [LONG_DESCRIPTION, "\n\n".join(TEXTS.values()), *SPECIAL.values()],
    ids=["long", "all texts", *SPECIAL],
)
async def test_descriptions(description: str, opened: Open) -> None:
    async with opened(FakeBoard([Task(id="t", title="x", description=description)]), (100, 30)) as it:
        await it.press("enter")
        await until(lambda: it.app.screen.query(Markdown))
        await it.pilot.pause()
        tame(it.app)
        await it.press("j", "j", "e")
        await it.pilot.pause()
        tame(it.app)
        await it.press("ctrl+s")
        assert it.board.tasks["t"].description == description


async def test_no_link_but_a_web_page_is_opened(opened: Open) -> None:
    async with opened(FakeBoard([Task(id="t", title="x", description="x")])) as it:
        went: list[str] = []
        it.app.open_url = lambda url, **_: went.append(url)  # type: ignore[method-assign]
        await it.press("enter")
        markdown = it.app.screen.query_one(Markdown)
        for href in ("file:///etc/passwd", "javascript:x", "https://example.com/"):
            markdown.post_message(Markdown.LinkClicked(markdown, href))
        await until(lambda: went)
        await it.pilot.pause()
        assert went == ["https://example.com/"]


async def test_a_click_on_a_title_that_says_quit_does_not(opened: Open) -> None:
    title = "[@click=app.quit]" + "z" * 20 + "[/]"
    async with opened(FakeBoard([Task(id="t", title=title)]), (160, 48)) as it:
        it.board.emit(Remote("updated", "u-mila", "mila", "t", title, None))
        await until(lambda: "mila updated:" in screen_text(it.app))
        lines = screen_text(it.app).splitlines()
        for y, line in enumerate(lines):
            for x in (match.start() for match in re.finditer("z{5}", line)):
                await it.pilot.click(offset=(x + 1, y))
        assert it.app.is_running
        await it.press("enter")
        assert it.app.is_running


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(max_size=40) | st.text("[]/@=\\$^{}()!b ", max_size=30), min_size=2, max_size=6)
)
async def test_whatever_is_typed_is_kept(texts: list[str], opened: Open) -> None:
    async with opened(FakeBoard([Task(id="t", title="x")]), (100, 30)) as it:
        for text in texts:
            before = it.board.tasks["t"].title
            await edit_title(it, text)
            await it.press("ctrl+s")
            wanted = clean_line(text)
            assert it.board.tasks["t"].title == (wanted or before)
            tame(it.app)
            if not wanted:
                await it.press("escape")
                if isinstance(it.app.screen, ConfirmScreen):
                    await it.press("y")


async def edit_title(it: Opened, text: str) -> None:
    await it.press("e")
    it.app.screen.query_one("#title", Input).value = text
    await it.pilot.pause()
