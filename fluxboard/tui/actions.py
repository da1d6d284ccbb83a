"""The one table of actions: bindings, palette, footer, menu and help are made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from textual.binding import Binding, BindingType

from fluxboard.tui import commands as when
from fluxboard.tui.commands import changing, going, looking, program
from fluxboard.tui.widgets.footer import Hint

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen

Run = Callable[["BoardScreen"], Awaitable[None] | None]
When = Callable[["BoardScreen"], bool]
Kind = Literal["Tasks", "Moving", "Selecting", "Looking", "Team", "Program"]

#: How people write keys that Textual calls otherwise.
SHOWN_KEYS: Final = {
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "question_mark": "?",
    "slash": "/",
    "exclamation_mark": "!",
    "number_sign": "#",
    "circumflex_accent": "^",
    "at": "@",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "comma": ",",
    "full_stop": ".",
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

    ``short`` is its word in the footer, "" keeps it out of there; ``in_menu`` ones are in a task's own menu.
    One without keys is reached by the palette and the help.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    run: Run
    kind: Kind
    when: When = when.always
    short: str = ""
    in_menu: bool = False

    @property
    def shown_keys(self) -> tuple[str, ...]:
        """Its keys as a person reads them."""
        return tuple(" ".join(SHOWN_KEYS.get(part, part) for part in key.split()) for key in self.keys)


def _task(
    id_: str, title: str, keys: tuple[str, ...], run: Run, short: str = "", *, plus: bool = False
) -> Action:
    """An action on the task under the cursor or the selected ones."""
    needs = when.on_task_on_plus if plus else when.on_task
    return Action(id_, title, keys, run, "Tasks", needs, short, in_menu=True)


ACTIONS: Final[tuple[Action, ...]] = (
    Action("new", "New task", ("n",), changing.new, "Tasks", short="new"),
    Action("new_whole", "New task in the editor", ("N",), changing.new_whole, "Tasks"),
    _task("open", "Open the task", ("enter",), changing.open_task, "open"),
    _task("edit", "Edit the task", ("e",), changing.edit, "edit"),
    _task("move_right", "Move to the next column", ("L", "greater_than_sign"), changing.move_right),
    _task("move_left", "Move to the column before", ("H", "less_than_sign"), changing.move_left, "move"),
    Action("search", "Filter the board", ("slash",), looking.search, "Looking", short="filter"),
    _task("order_down", "Move down in the column", ("J",), changing.order_down, "order"),
    _task("order_up", "Move up in the column", ("K",), changing.order_up),
    _task("order_first", "Move to the top of the column", (), changing.order_first),
    _task("order_last", "Move to the bottom of the column", (), changing.order_last),
    _task("column", "Move to a column", ("c",), changing.column, "column"),
    _task("done", "Move to the finished ones", ("C",), changing.done),
    _task("priority", "Choose the priority", ("p",), changing.priority, "priority"),
    _task("raise_priority", "Raise the priority", ("plus",), changing.raise_priority),
    _task("lower_priority", "Lower the priority", ("minus",), changing.lower_priority),
    _task("assign", "Assign to somebody", ("a",), changing.assign, "assign"),
    _task("assign_me", "Assign to me, or no longer", ("at",), changing.assign_me),
    _task("labels", "Labels", ("b", "number_sign"), changing.labels, "labels", plus=True),
    _task("due", "Due date", ("D", "circumflex_accent"), changing.due, "due"),
    _task("duplicate", "Duplicate", ("Y",), changing.duplicate),
    _task("copy", "Copy the title", ("y",), changing.copy),
    _task("archive", "Archive, or bring back", ("x",), changing.archive, plus=True),
    _task("delete", "Delete", ("d", "delete"), changing.delete, "delete"),
    Action(
        "archive_done", "Archive all finished tasks", ("X",), changing.archive_done, "Tasks", when.on_plus
    ),
    Action("undo", "Undo my last change", ("u",), changing.undo, "Tasks", short="undo"),
    Action("redo", "Redo", ("ctrl+r",), changing.redo, "Tasks"),
    Action("select", "Select or deselect", ("space",), going.select, "Selecting", when.on_task, "select"),
    Action(
        "select_range", "Select from here to there", ("v",), going.select_range, "Selecting", when.on_task
    ),
    Action("select_column", "Select the column", ("ctrl+a",), going.select_column, "Selecting"),
    Action(
        "clear",
        "Clear selection, filter, or close the task",
        ("escape",),
        going.clear,
        "Selecting",
        when.can_clear,
    ),
    Action("down", "Next card", ("j", "down"), going.down, "Moving"),
    Action("up", "Card before", ("k", "up"), going.up, "Moving"),
    Action("left", "Column to the left", ("h", "left"), going.left, "Moving"),
    Action("right", "Column to the right", ("l", "right"), going.right, "Moving"),
    Action("first", "First card", ("home", "g g"), going.first, "Moving"),
    Action("last", "Last card", ("G", "end"), going.last, "Moving"),
    Action("page_down", "A page down", ("pagedown",), going.page_down, "Moving"),
    Action("page_up", "A page up", ("pageup",), going.page_up, "Moving"),
    Action("jump", "Go to a task by its title", ("f",), looking.jump, "Moving", short="find"),
    Action("follow", "Follow somebody's cursor", ("F",), going.follow, "Team", when.with_others),
    Action("go", "Go to …: the next key says where", ("g",), program.go, "Moving"),
    Action("news_task", "Newest toast: go to its task", ("g n",), program.newest_news, "Moving"),
    Action("mine", "Only my tasks, or all", ("M",), looking.mine, "Looking"),
    Action("views", "Saved views", ("w",), looking.views, "Looking"),
    Action("sort", "Sort the cards", ("o",), looking.sort, "Looking"),
    Action("group", "Group the cards", ("O",), looking.group, "Looking"),
    Action("collapse", "Collapse or open the column", ("z",), looking.collapse, "Looking"),
    Action("hide_column", "Hide the column", (), looking.hide_column, "Looking"),
    Action("expand_all", "Show every column", ("Z",), looking.expand_all, "Looking"),
    Action("density", "Compact, normal or roomy cards", ("equals_sign",), looking.density, "Looking"),
    Action("sidebar", "Show or hide the people", ("s",), looking.sidebar, "Looking"),
    Action("theme", "Choose a theme", ("t",), looking.theme, "Looking"),
    Action("stats", "Statistics", ("S", "g s"), program.statistics, "Looking"),
    Action("inbox", "Inbox", ("i", "g i"), program.inbox, "Team", when.on_plus, "inbox"),
    Action("activity", "Activity: what was done", ("g a",), program.activity, "Team"),
    Action("told", "Toasts: what they told", ("g t",), program.told, "Team"),
    Action("preferences", "Notifications", ("m",), program.preferences, "Team", when.on_plus),
    Action("mute", "Be quiet about the task, or no longer", (), program.mute, "Team", when.on_task_on_plus),
    Action("settings", "Board settings: columns, limits, name", ("comma",), program.settings, "Program"),
    Action("projects", "Projects", ("P", "g p"), program.projects, "Program", short="projects"),
    Action("menu", "What can be done with the task", ("full_stop",), program.menu, "Program", when.on_task),
    Action("tour", "First steps", (), program.tour, "Program"),
    Action("end_tour", "End the first steps", ("T",), program.end_tour, "Program", when.in_tour),
    Action("redraw", "Draw the screen anew", ("ctrl+l",), program.redraw, "Program"),
    Action("palette", "Command palette", ("ctrl+p",), program.palette, "Program"),
    Action(
        "retry", "Try again to reach the server", ("r",), program.retry, "Program", when.has_failed, "retry"
    ),
    Action("attention", "What needs attention", ("exclamation_mark",), program.attention, "Program"),
    Action("quit", "Quit", ("q", "ctrl+q"), program.quit_app, "Program", short="quit"),
    Action("help", "Help", ("question_mark", "f1"), program.help_screen, "Program", short="help"),
)
BY_ID: Final = {action.id: action for action in ACTIONS}


def with_keys(own: Mapping[str, tuple[str, ...]]) -> tuple[Action, ...]:
    """The table with a user's own keys; a key that is given to another action is taken from its old one."""
    taken = {key for keys in own.values() for key in keys}
    return tuple(
        replace(action, keys=own[action.id])
        if action.id in own
        else replace(action, keys=tuple(key for key in action.keys if key not in taken))
        for action in ACTIONS
    )


def key_names(actions: Iterable[Action]) -> Callable[[str], str]:
    """How a user presses an action, by its id; one without a key is found in the palette."""
    keys = {action.id: action.shown_keys[0] for action in actions if action.keys}
    return lambda action_id: keys.get(action_id) or keys.get("palette", "ctrl+p")


def single(keys: Iterable[str]) -> tuple[str, ...]:
    """The keys that are pressed alone, not after another ("g a")."""
    return tuple(key for key in keys if " " not in key)


def bindings() -> list[BindingType]:
    """The board's bindings; their ids let users give an action their own keys."""
    return [
        Binding(",".join(keys), f"act('{action.id}')", action.title, id=f"board.{action.id}")
        for action in ACTIONS
        if (keys := single(action.keys))
    ]


def footer_hints(screen: BoardScreen) -> list[Hint]:
    """What the footer names now; a pair of actions that belong together shows both keys at one of them.

    What an open task's own keys do is said in the task.
    """
    pairs = {("move_left", "H"): "H L", ("order_down", "J"): "J K"}
    in_task = screen.room.pane.own_keys if screen.room.pane is not None else frozenset()
    return [
        Hint(pairs.get((action.id, action.shown_keys[0]), action.shown_keys[0]), action.short, action.id)
        for action in screen.actions
        if action.short and action.keys and action.keys[0] not in in_task and action.when(screen)
    ]
