"""What the board's actions do, and when they make sense. Each edit is shown before its function returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen


def always(screen: BoardScreen) -> bool:
    return True


def on_task(screen: BoardScreen) -> bool:
    return screen.cursor.task_id is not None or bool(screen.cursor.selected)


def can_clear(screen: BoardScreen) -> bool:
    return bool(
        screen.cursor.selected or screen.cursor.ranging or screen.view.look.query or screen.room.pane_open
    )


def has_failed(screen: BoardScreen) -> bool:
    return screen.failure is not None


def on_plus(screen: BoardScreen) -> bool:
    return screen.board.layer == "plus"


def on_task_on_plus(screen: BoardScreen) -> bool:
    return on_task(screen) and on_plus(screen)


def with_others(screen: BoardScreen) -> bool:
    return len(screen.board.online) > 1


def in_tour(screen: BoardScreen) -> bool:
    return screen.tour.going
