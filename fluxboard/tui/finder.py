"""How a board is looked at: the filter line, order, groups, folded columns, saved views, going to a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from fluxboard.model.query import KEYS
from fluxboard.model.text import clean_line
from fluxboard.tui.completion import Choice, labels, quoted
from fluxboard.tui.view import GROUPS, SORTS, Look, Looks
from fluxboard.tui.widgets.filter_bar import FilterBar

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen

_SAVE: Final = "save:"
_REMOVE: Final = "remove:"
_NAME_MAX: Final = 40


class Finder:
    """How the user looks at one board, and what they look for."""

    def __init__(self, screen: BoardScreen, looks: Looks) -> None:
        self.screen = screen
        self.saved: dict[str, Look] = dict(looks.saved)
        self.bar = FilterBar(self.words)
        self._bar_shown = False

    @property
    def looks(self) -> Looks:
        """What is to be remembered of this board."""
        return Looks(last=self.screen.view.look, saved=self.saved)

    def words(self) -> Iterable[Choice]:
        """What completes a word of a query."""
        board = self.screen.board
        used = labels_of(self.screen)
        names = [
            clean_line(each.name or each.email) for each in board.members if each.user_id != board.user.id
        ]
        yield Choice("@me", "you")
        yield from (Choice(f"@{name.casefold().split(' ')[0]}", name) for name in names)
        yield from labels(used)
        yield from (Choice(word, meaning) for word, meaning in KEYS.items())
        yield from (Choice(f"label:{quoted(name)}") for name in used)
        yield from (Choice(f"person:{quoted(name)}") for name in names)
        yield from (
            Choice(f"column:{column.id}", clean_line(column.name)) for column in board.project.columns
        )

    # -- looking

    def look_at(self, **look: object) -> None:
        """Looks at the board differently in these fields of the :class:`~fluxboard.tui.view.Look`."""
        self.screen.view.change(**look)
        self.remember()
        self.screen.show_look()

    def fold(self, status: str) -> None:
        """Collapses a column to a strip, or opens it again."""
        folded = self.screen.view.look.collapsed
        self.look_at(
            collapsed=tuple(i for i in folded if i != status) if status in folded else (*folded, status)
        )

    def remember(self) -> None:
        """Has the way the board is looked at remembered."""
        self.screen.memory.keep_looks(self.screen.board.project.id, self.looks)

    # -- the filter

    def open(self) -> None:
        """Lets the user type a query."""
        self.bar.open(self.screen.view.look.query)
        self.tell()

    def search(self, query: str) -> None:
        """Shows what a query finds."""
        screen = self.screen
        if query != screen.view.look.query:
            self.look_at(query=query)
            if screen.cursor.task_id is None:
                self._to_first()
        self.tell()

    def _to_first(self) -> None:
        """Puts the cursor on the first task that is found, where its column has none."""
        screen = self.screen
        first = next((ids[0] for each in screen.view.columns if (ids := screen.view.ids(each.id))), None)
        if first is not None:
            screen.go(lambda: screen.cursor.to_task(first))

    def leave(self) -> None:
        """The board has the keys again; the query stays in force."""
        self.screen.set_focus(None)
        self.tell()

    def tell(self) -> None:
        """Says beside the query what it finds."""
        view = self.screen.view
        found, total = view.found
        self.bar.show(view.look.query, found, total, view.query.problems)
        if self.bar.display != self._bar_shown:
            self._bar_shown = bool(self.bar.display)
            self.screen.room.arrange()

    # -- order and groups

    def choose_sort(self) -> None:
        """Asks how the cards of a column are to be sorted."""
        self._choose("Sort", SORTS, "sort")

    def choose_group(self) -> None:
        """Asks by what the cards of a column are to be grouped."""
        self._choose("Group", GROUPS, "group")

    def _choose(self, title: str, choice: Mapping[str, str], field: str) -> None:
        from fluxboard.tui.screens.picker import Item, PickScreen

        screen = self.screen
        now = getattr(screen.view.look, field)
        items = [
            Item(value, text.capitalize(), "now" if value == now else "") for value, text in choice.items()
        ]

        def chosen(value: str | None) -> None:
            if value is not None:
                self.look_at(**{field: value})

        screen.app.push_screen(PickScreen(title, items), chosen)

    # -- saved views

    def choose_view(self) -> None:
        """Offers the saved views; a name that is none yet saves what is looked at now."""
        from fluxboard.tui.screens.picker import Item, PickScreen

        items = [Item("all", "Everything", "no filter, by hand")]
        items += [Item(f"={name}", name, _told(look)) for name, look in sorted(self.saved.items())]
        items += [Item(f"{_REMOVE}{name}", f"Forget {name}", "saved view") for name in sorted(self.saved)]

        def offer(text: str) -> Item | None:
            name = clean_line(text)[:_NAME_MAX]
            return Item(f"{_SAVE}{name}", f"Save this view as “{name}”") if name else None

        def chosen(value: str | None) -> None:
            if value is not None:
                self._take_view(value)

        picker = PickScreen("Views", items, offer=offer, placeholder="A view, or a name to save this one as")
        self.screen.app.push_screen(picker, chosen)

    def _take_view(self, value: str) -> None:
        screen = self.screen
        now = screen.view.look
        if value.startswith(_SAVE):
            name = value.removeprefix(_SAVE)
            self.saved[name] = now
            screen.notify(f"Saved as “{name}”", timeout=3)
        elif value.startswith(_REMOVE):
            self.saved.pop(value.removeprefix(_REMOVE), None)
        elif value == "all":
            self.look_at(query="", sort="position", group="none")
        elif (look := self.saved.get(value.removeprefix("="))) is not None:
            self.look_at(**{name: getattr(look, name) for name in look.__struct_fields__})
        self.remember()

    # -- jumping

    def jump(self) -> None:
        """Goes to any task by a few letters of its title; a filter that hides it is taken away."""
        from fluxboard.tui.screens.picker import Item, PickScreen

        screen = self.screen
        names = {column.id: column.name for column in screen.board.project.columns}
        tasks = sorted(screen.board.tasks.values(), key=lambda task: task.updated_at, reverse=True)
        items = [Item(task.id, task.title, names.get(task.status, "")) for task in tasks]

        def chosen(task_id: str | None) -> None:
            if task_id is not None:
                self.reveal(task_id)

        screen.app.push_screen(PickScreen("Go to", items, placeholder="A few letters of a title"), chosen)

    def reveal(self, task_id: str) -> None:
        """Puts the cursor on a task, looking differently where it would not be seen."""
        screen = self.screen
        task = screen.board.tasks.get(task_id)
        if task is None:
            return
        look = screen.view.look
        if not screen.view.is_shown(task_id):
            look = replace(look, query="is:archived" if task.archived else "")
        look = replace(
            look,
            collapsed=tuple(status for status in look.collapsed if status != task.status),
            hidden=tuple(status for status in look.hidden if status != task.status),
        )
        if look != screen.view.look:
            self.look_at(**{name: getattr(look, name) for name in look.__struct_fields__})
        screen.go(lambda: screen.cursor.to_task(task_id))


def labels_of(screen: BoardScreen) -> list[str]:
    """The labels in use on a board, the most used first."""
    from collections import Counter

    counts = Counter(label for task in screen.board.tasks.values() for label in task.labels)
    return [label for label, _ in counts.most_common()]


def _told(look: Look) -> str:
    parts = [look.query]
    if look.sort != "position":
        parts.append(SORTS[look.sort])
    if look.group != "none":
        parts.append(f"grouped {GROUPS[look.group]}")
    return ", ".join(part for part in parts if part) or "everything"
