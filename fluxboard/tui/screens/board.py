"""The board: columns of cards, who is here, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.command import Provider
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static

from fluxboard.model.text import clean_line
from fluxboard.tui.actions import BY_ID, bindings, footer_hints, key_names, with_keys
from fluxboard.tui.adding import Adding
from fluxboard.tui.config import Config
from fluxboard.tui.cursor import Cursor
from fluxboard.tui.drag import Drag
from fluxboard.tui.faces import Faces
from fluxboard.tui.finder import Finder
from fluxboard.tui.following import Following
from fluxboard.tui.hearing import Hearing
from fluxboard.tui.memory import Memory, NoMemory
from fluxboard.tui.news import NewsDesk
from fluxboard.tui.palette import ActionCommands
from fluxboard.tui.ports import Board, Clock, Unsubscribe
from fluxboard.tui.room import Room
from fluxboard.tui.themes import TERMINAL, palette_of
from fluxboard.tui.view import View
from fluxboard.tui.widgets.card import CardStyle, Density
from fluxboard.tui.widgets.column import Column
from fluxboard.tui.widgets.filter_bar import FilterBar
from fluxboard.tui.widgets.footer import KeyFooter
from fluxboard.tui.widgets.header import BoardHeader, ColumnTabs, FoldedLane
from fluxboard.tui.widgets.lanes import Lanes
from fluxboard.tui.widgets.quick_add import QuickAddBox
from fluxboard.tui.widgets.sidebar import Sidebar
from fluxboard.tui.widgets.tour import Tour
from fluxboard.tui.widgets.waiting import Waiting
from fluxboard.tui.wishes import WantsAction, WantsProjects, WantsTask

if TYPE_CHECKING:
    from fluxboard.tui.widgets.task_pane import TaskPane


class BoardScreen(Screen[None]):
    """One project's board. It knows its board and its clock, and asks the app for the rest by message."""

    ALLOW_SELECT = False
    AUTO_FOCUS = ""
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionCommands}
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    DEFAULT_CSS = """
    BoardScreen { layout: vertical; }
    BoardScreen #body { height: 1fr; }
    BoardScreen > Waiting { padding: 0 1; }
    BoardScreen #notice { height: auto; max-height: 4; padding: 0 1; display: none;
        background: $error-muted; }
    """

    def __init__(
        self,
        board: Board,
        clock: Clock,
        *,
        memory: Memory | None = None,
        config: Config = Config(),  # noqa: B008 (frozen)
        start_at: str | None = None,
    ) -> None:
        """``start_at`` is a task to go to at first."""
        super().__init__()
        self._start_at = start_at
        self.memory: Memory = memory or NoMemory()
        self.config = config
        self.actions = with_keys(config.keys)
        self.key = key_names(self.actions)
        looks = self.memory.looks(board.project.id)
        style = CardStyle(config.density or "normal", config.dates)
        self.board = board
        self.clock = clock
        self.view = View(board, lambda: self.today, looks.last)
        self.cursor = Cursor(self.view)
        self.faces = Faces(self.view, self.cursor, TERMINAL, self.today, style)
        self.lanes = Lanes(self.faces, self.key)
        self.finder = Finder(self, looks)
        self.adding = Adding(self)
        self.following = Following(self)
        self.failure: str | None = None
        self.room = Room(self, config.sidebar)
        self.hearing = Hearing(self)
        self._stop: Unsubscribe | None = None

    @property
    def today(self) -> date:
        """Today by the board's clock."""
        return self.clock().date()

    @property
    def columns(self) -> dict[str, Column]:
        """The columns' cards by status."""
        return self.lanes.columns

    def compose(self) -> ComposeResult:
        palette = palette_of(self.app.get_css_variables())
        self.faces.recolour(palette)
        self.drag = Drag(self)
        self.header = BoardHeader(self.faces)
        self.header.following = lambda: self.following.person
        self.tabs = ColumnTabs(self.faces)
        self.sidebar = Sidebar(self.faces, self.clock)
        self.key_footer = KeyFooter(lambda: footer_hints(self), palette)
        self.tour = Tour(self.key)
        self.news = NewsDesk(self)
        yield self.header
        yield Static("", id="notice", markup=False)
        yield self.finder.bar
        yield Waiting("Loading the board")
        yield self.tabs
        with Horizontal(id="body"):
            yield self.lanes
            yield self.sidebar
        yield self.tour
        yield self.key_footer

    async def on_mount(self) -> None:
        await self._build_lanes()
        self.board.open()
        self._stop = self.board.subscribe(self.hearing.hear)
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._recolour())
        self.set_interval(30, self._tick)
        self.sync(None)
        self.finder.tell()
        for note in self.board.notes:
            self.notify(note, severity="warning", timeout=8)
        # What is known is painted before the network is even imported.
        self.call_after_refresh(self.start_board)

    async def _build_lanes(self) -> None:
        await self.lanes.build()
        self.room.arrange()

    @work(exclusive=True, group="start", exit_on_error=False)
    async def start_board(self) -> None:
        """Connects the board; what is cached is already shown, and stays when this fails."""
        self._set_failure(None)
        self.lanes.tell_empty("Loading …")
        try:
            with self.query_one(Waiting).on():
                await self.board.start()
        except Exception as error:  # the client's errors are written for the user
            self._set_failure(clean_line(str(error)) or type(error).__name__)
        self.lanes.tell_empty("")
        self.sync(())
        if self._start_at is not None:
            self.jump_to(self._start_at)
            self._start_at = None
        if not self.memory.seen_tour and self.failure is None:
            self.tour.start()

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop()
            self._stop = None

    # -- what is painted

    def sync(self, dirty: Iterable[str] | None) -> None:
        """Shows the board as it is now; only the ``dirty`` tasks (None: all) changed since the last time."""
        waiting = self.hearing.take_unpainted()
        if dirty is not None and waiting is not None:
            old = self.cursor.task_id
            dirty = {*dirty, *waiting, *([old] if old is not None else ())}
        else:
            dirty = None
        column = self.cursor.column
        self.view.forget()
        self.cursor.settle()
        if dirty is not None and self.cursor.task_id is not None:
            dirty = {*dirty, self.cursor.task_id}
        self.lanes.fill(dirty)
        self.lanes.tell_empty("")
        if self.cursor.column != column:
            self.room.arrange()
        self.lanes.reveal()
        if self.view.look.query:
            self.finder.tell()
        self._follow()
        self.refresh_chrome()

    def after_edit(self) -> None:
        """Shows my own edit in this frame, where that was not done while the board told of it."""
        if self.hearing.behind:
            self.sync(())

    def go(self, move: Callable[[], None]) -> None:
        """Moves the cursor: two cards are painted again, not a column."""
        old, column = self.cursor.task_id, self.cursor.column
        move()
        if old == self.cursor.task_id and column == self.cursor.column:
            return
        stretched = self.cursor.stretch() if self.cursor.ranging else set()
        self.repaint({old, self.cursor.task_id, *stretched})
        if column != self.cursor.column:
            self.room.arrange()
        self.lanes.reveal()
        self._follow()
        if stretched or (old is None) != (self.cursor.task_id is None):
            self.refresh_chrome()

    def repaint(self, task_ids: Iterable[str | None]) -> None:
        """Paints these cards again, wherever they are."""
        self.lanes.repaint([task_id for task_id in task_ids if task_id is not None])

    def selected(self, changed: Iterable[str | None]) -> None:
        """Other tasks are selected."""
        self.repaint(changed)
        self.refresh_chrome()

    def refresh_chrome(self) -> None:
        """Paints what stands around the cards again, where it says something else."""
        for widget in (self.header, self.tabs, self.sidebar, self.key_footer, *self.lanes.heads):
            if widget.display:
                widget.follow()

    def has_room(self, status: str, task_ids: Sequence[str]) -> bool:
        """Whether a column takes these tasks, too; says so where it does not."""
        full = self.view.full(status, task_ids)
        if full:
            self.notify(full, severity="warning", timeout=4)
        return not full

    def jump_to(self, task_id: str) -> None:
        """Puts the cursor on a task wherever it is; says so when it is gone."""
        if task_id in self.board.tasks:
            self.finder.reveal(task_id)
        else:
            self.notify("This task is no longer there.", timeout=4)

    def go_to(self, project_id: str, task_id: str) -> None:
        """Asks the app for a task of another project."""
        self.post_message(WantsTask(project_id, task_id))

    def edited(self, task_id: str | None) -> None:
        """The editor closed; the cursor goes to what was saved."""
        if task_id is not None:
            self.sync(None)
            self.go(lambda: self.cursor.to_task(task_id))

    # -- one task

    def _follow(self) -> None:
        """The open task and the others follow the cursor."""
        self.board.company.look_at(self.cursor.task_id, self.cursor.status)
        self.room.follow_cursor()

    def on_task_pane_left(self) -> None:
        self.room.close_pane()

    async def on_task_pane_wants(self, message: TaskPane.Wants) -> None:
        """The task beside the board is to be edited or deleted."""
        self.set_focus(None)
        self.finder.reveal(message.task_id)
        await self.action_act(message.action)

    # -- how it is looked at

    def show_look(self) -> None:
        """The board is looked at differently: other cards, in another order, or in other columns."""
        if self.lanes.stale:
            self.run_worker(self._rebuild(), group="lanes")
            return
        self.room.arrange()
        self.sync(())  # the cards themselves are what they were
        self.finder.tell()

    def restyle(self, density: Density) -> None:
        """Draws the cards compact, normal or roomy."""
        self.faces.style = CardStyle(density, self.faces.style.dates)
        self.lanes.forget_drawings()
        self.sync(None)
        self.memory.keep_density(density)

    # -- layout

    def on_resize(self, event: events.Resize) -> None:
        self.room.arrange()

    def ask_for_projects(self) -> None:
        """Asks the app for the list of projects."""
        self.post_message(WantsProjects())

    def _set_failure(self, reason: str | None) -> None:
        self.failure = reason
        notice = self.query_one("#notice", Static)
        notice.display = reason is not None
        if reason is not None:
            again = f"{self.key('retry')} tries again"
            notice.update(f"Could not reach the board: {reason}. What you see is kept; {again}.")
        self.refresh_chrome()

    def project_changed(self) -> None:
        """The columns, the members or the name are others."""
        self.faces.refresh_people()
        self.view.reread()
        self.cursor.settle()
        if self.lanes.stale:
            self.run_worker(self._rebuild(), group="lanes")
        else:
            self.sync(None)

    async def _rebuild(self) -> None:
        await self._build_lanes()
        self.sync(None)
        self.finder.tell()

    def _recolour(self) -> None:
        palette = self.key_footer.palette = palette_of(self.app.get_css_variables())
        self.faces.recolour(palette)
        self.lanes.forget_drawings()
        self.refresh_chrome()

    def _tick(self) -> None:
        """Minutes pass in the sidebar, and at midnight due dates change."""
        if self.faces.today != self.today:
            self.faces.today = self.today
            self.view.reread()
            self.sync(None)
        self.sidebar.refresh()

    # -- keys and mouse

    async def action_act(self, action_id: str) -> None:
        """Runs an action of the table."""
        self.following.stop()
        action = BY_ID[action_id]
        if action.kind != "Moving" and self.hearing.behind:
            self.sync(())  # it acts on what is there now, not on what was painted a moment ago
        if self.tour.did(action_id):
            self.memory.keep_tour()
            self.notify(f"That is all you need. {self.key('palette')} finds the rest.", timeout=6)
        outcome = action.run(self)
        if outcome is not None:
            await outcome

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "act":
            return BY_ID[str(parameters[0])].when(self)
        return super().check_action(action, parameters)

    async def on_wants_action(self, message: WantsAction) -> None:
        if BY_ID[message.action].when(self):
            await self.action_act(message.action)

    def on_column_tabs_picked(self, message: ColumnTabs.Picked) -> None:
        self.go(lambda: self.cursor.to_column(message.place))

    async def on_folded_lane_pressed(self, message: FoldedLane.Pressed) -> None:
        self.go(lambda: self.cursor.to_column(self.view.place_of(message.status)))
        await self.action_act("collapse")

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        self.finder.search(message.query)

    def on_filter_bar_left(self) -> None:
        self.finder.leave()

    def on_quick_add_box_added(self, message: QuickAddBox.Added) -> None:
        self.adding.add(message.task)

    def on_quick_add_box_pasted(self, message: QuickAddBox.Pasted) -> None:
        self.adding.add_lines(message.lines)

    async def on_quick_add_box_left(self, message: QuickAddBox.Left) -> None:
        await self.adding.close(message.text)

    async def on_sidebar_person_pressed(self, message: Sidebar.PersonPressed) -> None:
        self.following.wanted = message.user_id
        await self.action_act("follow")

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self.drag.down(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self.drag.move(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self.drag.up()

    async def on_click(self, event: events.Click) -> None:
        on_card = self.drag.card_at(event.screen_x, event.screen_y) is not None
        if event.button == 3 and on_card:
            await self.action_act("menu")
        elif event.chain == 2 and on_card:
            await self.action_act("open")
