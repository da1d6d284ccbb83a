"""The one table of actions: bindings, palette, footer and help are made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.binding import Binding, BindingType

from fluxboard.tui import commands as do

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen

Run = Callable[["BoardScreen"], Awaitable[None] | None]
When = Callable[["BoardScreen"], bool]

_SHOWN_KEYS: Final = {
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "question_mark": "?",
    "slash": "/",
    "exclamation_mark": "!",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "escape": "esc",
    "home": "home",
    "end": "end",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a user can do on the board, and every way to it.

    ``short`` is its word in the footer, "" keeps it out of there.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    run: Run
    when: When = do.always
    short: str = ""

    @property
    def shown_keys(self) -> tuple[str, ...]:
        """Its keys as a person reads them."""
        return tuple(_shown(key) for key in self.keys)


def _shown(key: str) -> str:
    return _SHOWN_KEYS.get(key, key)


ACTIONS: Final[tuple[Action, ...]] = (
    Action("new", "New task", ("n",), do.new, short="new"),
    Action("edit", "Edit the task", ("e",), do.edit, do.on_task, "edit"),
    Action("open", "Open the task", ("enter",), do.open_task, do.on_task, "open"),
    Action("move_right", "Move to the next column", ("L", "greater_than_sign"), do.move_right, do.on_task),
    Action(
        "move_left", "Move to the column before", ("H", "less_than_sign"), do.move_left, do.on_task, "move"
    ),
    Action("order_down", "Move down in the column", ("J",), do.order_down, do.on_task, "order"),
    Action("order_up", "Move up in the column", ("K",), do.order_up, do.on_task),
    Action("priority", "Change the priority", ("p",), do.priority, do.on_task, "priority"),
    Action("assign", "Assign to somebody", ("a",), do.assign, do.on_task, "assign"),
    Action("select", "Select or deselect", ("space",), do.select, do.on_task, "select"),
    Action("delete", "Delete", ("d", "delete"), do.delete, do.on_task, "delete"),
    Action("undo", "Undo my last change", ("u",), do.undo, short="undo"),
    Action("redo", "Redo", ("ctrl+r",), do.redo),
    Action("down", "Next card", ("j", "down"), do.down),
    Action("up", "Card before", ("k", "up"), do.up),
    Action("left", "Column to the left", ("h", "left"), do.left),
    Action("right", "Column to the right", ("l", "right"), do.right),
    Action("first", "First card", ("g", "home"), do.first),
    Action("last", "Last card", ("G", "end"), do.last),
    Action("page_down", "A page down", ("pagedown",), do.page_down),
    Action("page_up", "A page up", ("pageup",), do.page_up),
    Action("clear", "Clear the selection", ("escape",), do.clear, do.has_selection),
    Action("sidebar", "Show or hide the people", ("s",), do.sidebar),
    Action("projects", "Projects", ("P",), do.projects, short="projects"),
    Action("theme", "Choose a theme", ("t",), do.theme),
    Action("palette", "Command palette", ("ctrl+p",), do.palette),
    Action("retry", "Try again to reach the server", ("r",), do.retry, do.has_failed, "retry"),
    Action(
        "attention",
        "What needs attention",
        ("exclamation_mark",),
        do.attention,
        do.has_attention,
        "attention",
    ),
    Action("quit", "Quit", ("q", "ctrl+q"), do.quit_app, short="quit"),
    Action("help", "Help", ("question_mark", "f1"), do.help_screen, short="help"),
)
BY_ID: Final = {action.id: action for action in ACTIONS}


def bindings() -> list[BindingType]:
    """The board's bindings; their ids let users give an action their own keys."""
    return [
        Binding(",".join(action.keys), f"act('{action.id}')", action.title, id=f"board.{action.id}")
        for action in ACTIONS
    ]
