"""Moving the cursor, and selecting."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen


def down(screen: BoardScreen) -> None:
    _step(screen, 1)


def up(screen: BoardScreen) -> None:
    _step(screen, -1)


def first(screen: BoardScreen) -> None:
    _step(screen, -screen.cursor.index)


def last(screen: BoardScreen) -> None:
    _step(screen, len(screen.board.tasks))


def _page(screen: BoardScreen) -> int:
    """About how many cards fit into a column's height."""
    lines = {"compact": 1, "normal": 4, "roomy": 6}[screen.faces.style.density]
    return max(1, (screen.size.height - 6) // lines)


def page_down(screen: BoardScreen) -> None:
    _step(screen, _page(screen))


def page_up(screen: BoardScreen) -> None:
    _step(screen, -_page(screen))


def left(screen: BoardScreen) -> None:
    screen.go(lambda: screen.cursor.sideways(-1))


def right(screen: BoardScreen) -> None:
    screen.go(lambda: screen.cursor.sideways(1))


def select(screen: BoardScreen) -> None:
    screen.cursor.toggle()
    screen.selected([screen.cursor.task_id])


def select_range(screen: BoardScreen) -> None:
    before = set(screen.cursor.selected)
    screen.cursor.toggle_range()
    screen.selected(before ^ screen.cursor.selected)


def select_column(screen: BoardScreen) -> None:
    before = set(screen.cursor.selected)
    screen.cursor.select_column()
    screen.selected(before ^ screen.cursor.selected)


def clear(screen: BoardScreen) -> None:
    """One thing at a time: the selection, the filter, the task beside the board."""
    cursor = screen.cursor
    if cursor.selected or cursor.ranging:
        before = list(cursor.selected)
        cursor.deselect()
        screen.selected(before)
    elif screen.view.look.query:
        screen.finder.search("")
    else:
        screen.room.close_pane()


def follow(screen: BoardScreen) -> None:
    screen.following.choose()


def _step(screen: BoardScreen, distance: int) -> None:
    screen.go(lambda: screen.cursor.step(distance))
