"""How the board is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from fluxboard.tui.widgets.card import Density

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen


def search(screen: BoardScreen) -> None:
    screen.finder.open()


def jump(screen: BoardScreen) -> None:
    screen.finder.jump()


def mine(screen: BoardScreen) -> None:
    """Only my tasks; once more, all."""
    screen.finder.search("" if screen.view.look.query == "is:mine" else "is:mine")


def views(screen: BoardScreen) -> None:
    screen.finder.choose_view()


def sort(screen: BoardScreen) -> None:
    screen.finder.choose_sort()


def group(screen: BoardScreen) -> None:
    screen.finder.choose_group()


def collapse(screen: BoardScreen) -> None:
    """The cursor's column to a strip, or the strip to a column."""
    screen.finder.fold(screen.cursor.status)


def expand_all(screen: BoardScreen) -> None:
    screen.finder.look_at(collapsed=(), hidden=())


def hide_column(screen: BoardScreen) -> None:
    view = screen.view
    if len(view.columns) > 1:
        name = view.columns[screen.cursor.column].name
        screen.finder.look_at(hidden=(*view.look.hidden, screen.cursor.status))
        screen.notify(f"{name} is hidden; {screen.key('expand_all')} shows every column again.", timeout=4)


def density(screen: BoardScreen) -> None:
    """Compact, normal, roomy, and again."""
    every: tuple[Density, ...] = get_args(Density)
    now = every.index(screen.faces.style.density)
    screen.restyle(every[(now + 1) % len(every)])


def sidebar(screen: BoardScreen) -> None:
    screen.room.toggle_sidebar()


def theme(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.picker import Item, PickScreen

    app = screen.app
    ours = [name for name in sorted(app.available_themes) if name.startswith("fluxboard")]
    others = [name for name in sorted(app.available_themes) if not name.startswith("fluxboard")]

    def chosen(name: str | None) -> None:
        if name is not None:
            app.theme = name

    items = [Item(name, name, "in use" if name == app.theme else "") for name in ours + others]
    app.push_screen(PickScreen("Theme", items), chosen)
