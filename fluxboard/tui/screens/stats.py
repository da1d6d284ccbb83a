"""A board's statistics as plots."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from fluxboard.model.stats import StatusChange
from fluxboard.tui.charts import Lines, Paper
from fluxboard.tui.plots import PLOTS, Past, Plot
from fluxboard.tui.ports import Board, Clock
from fluxboard.tui.themes import palette_of
from fluxboard.tui.widgets.card import clip
from fluxboard.tui.widgets.dialog import KeyHints
from fluxboard.tui.widgets.waiting import Waiting

#: A plot has so many lines; around all of them are two bars and two free lines.
_LOWEST: Final = 13
_HIGHEST: Final = 18
_AROUND: Final = 4


class Chart(Widget):
    """One plot: a title with its line of words, and the picture below."""

    ALLOW_SELECT = False

    def __init__(self, plot: Plot) -> None:
        super().__init__()
        self.plot = plot
        self._past: Past | None = None
        self._lines: Lines = []

    def show(self, past: Past) -> None:
        """Draws what is known by now."""
        self._past = past
        self.redraw()

    def redraw(self) -> None:
        """Draws it anew: in another size or in other colours."""
        if self._past is None:
            return
        palette = palette_of(self.app.get_css_variables())
        paper = Paper(self.size.width, self.size.height, palette, self.app.no_color)
        title = Segment(self.plot.title, paper.ink(palette.text) + Style(bold=True))
        told = self.plot.told(self._past)
        words = Segment(clip(told, paper.width), paper.ink(palette.muted))
        beside = title.cell_length + 2 + words.cell_length <= paper.width
        head = [[title, Segment("  ", paper.ink(palette.muted)), words]] if beside else [[title], [words]]
        self._lines = [*head, *self.plot.draw(self._past, paper.smaller(len(head)))]
        self.refresh()

    def on_resize(self) -> None:
        self.redraw()

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else []
        return Strip(line).crop_extend(0, self.size.width, self.visual_style.rich_style)


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
    StatsScreen #stats-head { height: 1; padding: 0 2; background: $panel; }
    StatsScreen #stats-title { height: 1; width: 1fr; text-style: bold; text-wrap: nowrap;
        text-overflow: ellipsis; }
    StatsScreen Waiting { width: auto; max-width: 60%; }
    StatsScreen #charts { height: 1fr; layout: grid; grid-size: 1; grid-rows: 15; grid-gutter: 1 2;
        padding: 1 2; }
    StatsScreen.-two #charts { grid-size: 2; }
    StatsScreen.-two Chart:first-child { column-span: 2; }
    StatsScreen Chart { height: 100%; }
    StatsScreen #stats-keys { dock: bottom; padding: 0 1; background: $panel; }
    """

    def __init__(self, board: Board, clock: Clock) -> None:
        super().__init__()
        self.board = board
        self._clock = clock
        self._changes: tuple[StatusChange, ...] = ()

    def compose(self) -> ComposeResult:
        with Horizontal(id="stats-head"):
            yield Static(self.board.project.name, id="stats-title", markup=False)
            yield Waiting("reading the log")
        with VerticalScroll(id="charts"):
            for plot in PLOTS:
                yield Chart(plot)
        yield KeyHints(("j k", "scroll"), ("esc", "close"), id="stats-keys")

    def on_mount(self) -> None:
        self.query_one("#charts").focus()
        self._draw()
        self._learn()

    @work(exclusive=True)
    async def _learn(self) -> None:
        """Moves are told by the log, which is on the server."""
        title = self.query_one("#stats-title", Static)
        try:
            with self.query_one(Waiting).on() as tell:
                self._changes = await self.board.status_changes(tell)
            empty = "" if self.board.tasks else ": no tasks yet, and so nothing to draw"
            title.update(f"{self.board.project.name}{empty}")
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
        for chart in self.query(Chart):
            chart.show(past)

    def on_resize(self) -> None:
        """The plots fill the screen where they have at least the height that they need."""
        rows = -(-len(PLOTS) // 2)
        each = (self.size.height - _AROUND + 1) // rows - 1
        self.query_one("#charts").styles.grid_rows = str(max(_LOWEST, min(each, _HIGHEST)))

    def action_scroll(self, distance: int) -> None:
        self.query_one("#charts", VerticalScroll).scroll_relative(y=3 * distance, animate=False)

    def action_leave(self) -> None:
        self.dismiss(None)
