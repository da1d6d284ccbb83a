"""A board's statistics as plots."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from textual_plotext import PlotextPlot

from fluxboard.model.stats import StatusChange
from fluxboard.tui.plots import PLOTS, Past, Plot
from fluxboard.tui.ports import Board, Clock
from fluxboard.tui.widgets.dialog import hints


class _Chart(Vertical):
    """A title with its line of words, and the plot below."""

    def __init__(self, plot: Plot) -> None:
        super().__init__()
        self._kind = plot
        self._title = Static("", markup=False)
        self._plot = PlotextPlot()

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._plot

    def show(self, past: Past) -> None:
        """Draws the plot anew."""
        self._title.update(
            Content.assemble((self._kind.title, "bold"), ("  " + self._kind.told(past), "$flux-muted"))
        )
        self._plot.plt.clear_figure()
        self._kind.draw(self._plot.plt, past)
        self._plot.refresh()


class StatsScreen(ModalScreen[None]):
    """Five plots, as many side by side as there is room for; without the server from what is here."""

    HORIZONTAL_BREAKPOINTS = [(0, "-one"), (110, "-two")]  # noqa: RUF012 (so declared by Textual)
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q", "leave", "Close"),
        ("j", "scroll(1)", "Down"),
        ("k", "scroll(-1)", "Up"),
    ]
    DEFAULT_CSS = """
    StatsScreen { background: $background; }
    StatsScreen #stats-title { height: 1; padding: 0 2; background: $panel; text-style: bold; }
    StatsScreen #charts { height: 1fr; layout: grid; grid-size: 1; grid-rows: 17; grid-gutter: 1 2;
        padding: 1 2; }
    StatsScreen.-two #charts { grid-size: 2; }
    StatsScreen _Chart { height: 17; }
    StatsScreen PlotextPlot { height: 1fr; }
    StatsScreen #stats-keys { dock: bottom; height: 1; padding: 0 1; background: $panel; }
    """

    def __init__(self, board: Board, clock: Clock) -> None:
        super().__init__()
        self.board = board
        self._clock = clock
        self._changes: tuple[StatusChange, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(self.board.project.name, id="stats-title", markup=False)
        with VerticalScroll(id="charts"):
            for plot in PLOTS:
                yield _Chart(plot)
        yield Static(hints(("j k", "scroll"), ("esc", "close")), id="stats-keys")

    def on_mount(self) -> None:
        self.query_one("#charts").focus()
        self._draw()
        self._learn()

    @work(exclusive=True)
    async def _learn(self) -> None:
        """Moves are told by the log, which is on the server."""
        title = self.query_one("#stats-title", Static)
        title.update(f"{self.board.project.name}: reading the log …")
        try:
            self._changes = await self.board.status_changes()
            title.update(self.board.project.name)
        except Exception:  # what is here says most of it
            title.update(f"{self.board.project.name}: without the log, which is on the server")
        self._draw()

    def _draw(self) -> None:
        board = self.board
        names = {member.user_id: member.name or member.email for member in board.members}
        past = Past(
            board.project,
            list(board.tasks.values()),
            self._changes,
            names | {board.user.id: board.user.name},
            self._clock().date(),
        )
        for chart in self.query(_Chart):
            chart.show(past)

    def action_scroll(self, distance: int) -> None:
        self.query_one("#charts", VerticalScroll).scroll_relative(y=3 * distance, animate=False)

    def action_leave(self) -> None:
        self.dismiss(None)
