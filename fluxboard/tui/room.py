"""Who has room on a board screen: the people, the open task, and which of the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fluxboard.tui.widgets.sidebar import SIDEBAR_WIDTH

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen
    from fluxboard.tui.widgets.task_pane import TaskPane

_SIDEBAR_FROM: Final = 120
#: From this width an open task stands beside the board, below it over it.
_PANE_FROM: Final = 132
_PANE_AND_SIDEBAR_FROM: Final = 180
_AIRY_FROM: Final = 20
#: From this width the people stand beside a column, below it under it.
_BESIDE_FROM: Final = SIDEBAR_WIDTH + 24


class Room:
    """The layout of one board screen. ``sidebar_wanted`` None: where there is room."""

    def __init__(self, screen: BoardScreen, sidebar_wanted: bool | None) -> None:
        self.screen = screen
        self.pane: TaskPane | None = None
        self._sidebar_wanted = sidebar_wanted

    @property
    def pane_open(self) -> bool:
        """Whether a task stands beside the board."""
        return self.pane is not None and bool(self.pane.display)

    async def open_task(self, task_id: str) -> None:
        """Shows a task beside the board, or over it where there is no room for both."""
        screen = self.screen
        if screen.size.width < _PANE_FROM:
            from fluxboard.tui.screens.detail import DetailScreen

            screen.app.push_screen(DetailScreen(screen.board, task_id, screen.clock, screen.memory))
            return
        if self.pane is None:
            from fluxboard.tui.widgets.task_pane import TaskPane

            self.pane = TaskPane(screen.board, screen.clock, screen.memory)
            await screen.query_one("#body").mount(self.pane, before=screen.sidebar)
        self.pane.display = True
        self.arrange()
        self.pane.show(task_id)
        self.pane.focus_body()
        screen.refresh_chrome()

    def close_pane(self) -> None:
        """Gives the room of the open task back to the board."""
        if self.pane is not None:
            self.pane.display = False
        self.screen.set_focus(None)
        self.arrange()
        self.screen.refresh_chrome()

    def follow_cursor(self) -> None:
        """The task beside the board is the one under the cursor; no text is taken from who writes there."""
        task_id, pane = self.screen.cursor.task_id, self.pane
        if pane is not None and pane.display and task_id is not None and not pane.holds_text:
            pane.show(task_id)

    def toggle_sidebar(self) -> None:
        """Shows the people, or gives their room to the columns."""
        self._sidebar_wanted = not self.screen.sidebar.display
        self.arrange()

    def arrange(self) -> None:
        """Gives each its place in the size that the screen has now."""
        screen = self.screen
        width, height = screen.size
        wide = width >= (_PANE_AND_SIDEBAR_FROM if self.pane_open else _SIDEBAR_FROM)
        screen.sidebar.display = wide if self._sidebar_wanted is None else self._sidebar_wanted
        screen.header.people = not screen.sidebar.display
        screen.set_class(screen.sidebar.display, "-sidebar")
        beneath = screen.sidebar.display and width < _BESIDE_FROM
        screen.set_class(beneath, "-beneath")
        room = width - (SIDEBAR_WIDTH if screen.sidebar.display and not beneath else 0)
        if self.pane is not None and self.pane.display:
            pane = max(48, min(80, room * 2 // 5))
            self.pane.styles.width = pane
            room -= pane
        screen.tabs.display = not screen.lanes.make_room(room)
        # The filter's line takes the place of the free one: nothing moves, and little is written.
        free = 0 if screen.finder.bar.display else 1
        screen.lanes.styles.padding = (0 if screen.tabs.display else free, 0, 0, 1)
        screen.tabs.styles.margin = (free if height >= _AIRY_FROM else 0, 0, 0, 0)
        screen.tabs.refresh()
        screen.header.refresh()
