"""What a click does, a key does, too: found out by clicking on everything that takes clicks."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.message_pump import MessagePump
from textual.widget import Widget
from textual.widgets._toast import Toast

import fluxboard.tui
from fluxboard.client.events import Connection
from fluxboard.tui.actions import BY_ID
from fluxboard.tui.app import FluxboardApp
from fluxboard.tui.widgets.column import Column
from tests.support.seeded import give_mail, refused_edits, team_board
from tests.support.waiting import until
from tests.tui.conftest import Open, Opened

HANDLERS = ("on_click", "_on_click", "on_mouse_down", "on_mouse_up")


def own_classes() -> Iterator[type]:
    """Every class of the screens."""
    for module in pkgutil.walk_packages(fluxboard.tui.__path__, "fluxboard.tui."):
        for _, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if each.__module__ == module.name and issubclass(each, MessagePump):
                yield each


def taking_clicks() -> set[type]:
    """Those that do something of their own with the mouse."""
    return {each for each in own_classes() if any(name in vars(each) for name in HANDLERS)}


class Watch:
    """While it watches, actions are noted instead of run, and so is whose handler had a click."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.acted: list[tuple[str, tuple[object, ...]]] = []
        self.clicked: set[type] = set()
        for each in own_classes():
            for name, method in list(vars(each).items()):
                if name.startswith("action_"):
                    patch.setattr(each, name, self._note(name, inspect.iscoroutinefunction(method)))
                if name in HANDLERS:
                    patch.setattr(each, name, self._seen(each, method))

    def _note(self, name: str, is_async: bool) -> Callable[..., Any]:
        async def later(_: object, *arguments: object) -> None:
            self.acted.append((name, arguments))

        def at_once(_: object, *arguments: object) -> None:
            self.acted.append((name, arguments))

        return later if is_async else at_once

    def _seen(self, each: type, method: Callable[..., Any]) -> Callable[..., Any]:
        takes = len(inspect.signature(method).parameters)

        def handler(widget: object, event: object) -> Any:
            # A toast's click is heard by the app, as any other is.
            if each is not FluxboardApp or isinstance(getattr(event, "widget", None), Toast):
                self.clicked.add(each)
            return method(*(widget, event)[:takes])

        return handler


def state(it: Opened) -> tuple[object, ...]:
    """Everything that a user could have changed; the cursor may go where it likes."""
    screen = it.screen
    return (
        dict(it.board.tasks),
        screen.view.look,
        frozenset(screen.cursor.selected),
        screen.following.user_id,
        screen.sidebar.display,
        tuple(type(each) for each in it.app.screen_stack),
        it.board.project,
        it.app.theme,
        frozenset(item.id for item in it.board.inbox.items if item.done),
    )


def cells(widget: Widget) -> Iterator[tuple[int, int]]:
    """Places on a widget that are close enough to each other to hit whatever is on it."""
    region = widget.region.intersection(widget.screen.region)
    across = 3 if region.height <= 2 else max(3, region.width // 2)
    for y in range(region.y, region.bottom):
        for x in range(region.x + 1, region.right, across):
            if widget.screen.get_widget_at(x, y)[0] is widget:
                yield x, y


def click(widget: Widget, x: int, y: int) -> None:
    """What a terminal sends for a click; the pilot would wait three times for each."""
    screen = widget.screen
    for kind in (events.MouseDown, events.MouseUp, events.Click):
        screen._forward_event(kind(widget, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y))


async def click_everything(it: Opened, known: set[type]) -> None:
    """Clicks on all that takes clicks, beside what is of a known type."""
    screen = it.app.screen
    found = [screen, *(each for each in screen.walk_children(Widget) if each.display and each.region)]
    for widget in found:
        if type(widget) not in {*taking_clicks(), Column, Toast} - known:
            continue
        before = state(it)
        for place in list(cells(widget)):
            if not widget.is_attached:
                break  # a click on a toast takes it away
            click(widget, *place)
            await it.pilot.pause(0)
        await it.pilot.pause()
        assert state(it) == before, f"a click on {widget} did what no action does"


async def wide(it: Opened) -> None:
    """Everything of a board that can be clicked."""
    await until(lambda: it.board.inbox.unread)
    it.board.attention = refused_edits()
    it.board.connect(Connection("live", 0, len(it.board.attention)))
    await it.press("l", "z")
    assert it.screen.sidebar.display


async def narrow(it: Opened) -> None:
    await it.press("l")


async def folded(it: Opened) -> None:
    await it.press("l", "z")


async def task(it: Opened) -> None:
    await it.press("l", "enter")


async def places(it: Opened) -> None:
    await it.press("g")


async def toast(it: Opened) -> None:
    it.board.remote_update(it.board.column_ids("review")[0], title="Something else")
    await until(lambda: it.app.screen.query(Toast))
    await it.pilot.pause()


SCENES: list[tuple[Callable[[Opened], Awaitable[None]], tuple[int, int]]] = [
    (wide, (160, 30)),
    (narrow, (60, 20)),
    (folded, (60, 20)),
    (task, (100, 40)),
    (places, (100, 30)),
    (toast, (100, 30)),
]


async def test_nothing_is_reachable_by_mouse_only(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a click lands, it moves the cursor or runs an action, which has its key or its name."""
    clicked: set[type] = set()
    acted: set[str] = set()
    for scene, size in SCENES:
        board = team_board()
        give_mail(board)
        async with opened(board, size) as it:
            await scene(it)
            with monkeypatch.context() as patch:
                watch = Watch(patch)
                await click_everything(it, clicked)
            clicked |= watch.clicked
            ids = {str(arguments[0]) for name, arguments in watch.acted if name == "action_act"}
            assert ids <= set(BY_ID)
            acted |= ids
    assert clicked == taking_clicks(), "a class that takes clicks is in none of the scenes"
    assert {"attention", "inbox", "projects", "collapse", "follow", "help", "new"} <= acted


def test_no_text_of_the_program_carries_a_click() -> None:
    sources = Path(fluxboard.tui.__file__).parent
    assert not [path.name for path in sources.rglob("*.py") if "@click" in path.read_text()]
