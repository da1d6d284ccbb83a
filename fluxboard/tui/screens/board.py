"""The board: columns of cards, who is here, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.command import Provider
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from fluxboard.client import events as board_events
from fluxboard.model.text import clean_line
from fluxboard.tui.actions import BY_ID, bindings, with_keys
from fluxboard.tui.adding import Adding
from fluxboard.tui.config import Config
from fluxboard.tui.cursor import Cursor
from fluxboard.tui.drag import Drag
from fluxboard.tui.faces import Faces
from fluxboard.tui.finder import Finder
from fluxboard.tui.following import Following
from fluxboard.tui.memory import Memory, NoMemory
from fluxboard.tui.news import NewsDesk
from fluxboard.tui.palette import ActionCommands
from fluxboard.tui.ports import Board, Clock, Unsubscribe
from fluxboard.tui.themes import TERMINAL, palette_of
from fluxboard.tui.view import View
from fluxboard.tui.widgets.card import CardStyle, Density
from fluxboard.tui.widgets.column import Column
from fluxboard.tui.widgets.filter_bar import FilterBar
from fluxboard.tui.widgets.footer import Hint, KeyFooter
from fluxboard.tui.widgets.header import BoardHeader, ColumnTabs, FoldedLane
from fluxboard.tui.widgets.lanes import Lanes
from fluxboard.tui.widgets.quick_add import QuickAddBox
from fluxboard.tui.widgets.sidebar import SIDEBAR_WIDTH, Sidebar
from fluxboard.tui.widgets.tour import Tour

if TYPE_CHECKING:
    from fluxboard.tui.widgets.task_pane import TaskPane

SIDEBAR_FROM = 120
#: From this width an open task stands beside the board, below it over it.
PANE_FROM = 132
_PANE_AND_SIDEBAR_FROM = 180
_AIRY_FROM = 20
#: Others' changes are painted at most so often, in seconds; my own always at once.
_FRAME = 0.05


class BoardScreen(Screen[None]):
    """One project's board. It knows its board and its clock, and asks the app for the rest by message."""

    ALLOW_SELECT = False
    AUTO_FOCUS = ""
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionCommands}
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    DEFAULT_CSS = """
    BoardScreen { layout: vertical; }
    BoardScreen #body { height: 1fr; }
    BoardScreen #notice { height: auto; max-height: 4; padding: 0 1; display: none;
        background: $error-muted; }
    """

    @dataclass
    class WantsProjects(Message):
        """The user wants to see the list of projects."""

    @dataclass
    class WantsTask(Message):
        """The user wants to see a task of another project."""

        project_id: str
        task_id: str

    @dataclass
    class WantsRedraw(Message):
        """Something else has written to the terminal."""

    @dataclass
    class Said(Message):
        """Something that the desktop is to tell as well."""

        text: str

    @dataclass
    class Closed(Message):
        """The board cannot go on: access is lost, or a sign-in is needed."""

        reason: str
        sign_in: bool

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
        looks = self.memory.looks(board.project.id)
        style = CardStyle(config.density or "normal", config.dates)
        self.board = board
        self.clock = clock
        self.view = View(board, lambda: self.today, looks.last)
        self.cursor = Cursor(self.view)
        self.faces = Faces(self.view, self.cursor, TERMINAL, self.today, style)
        self.lanes = Lanes(self.faces)
        self.finder = Finder(self, looks)
        self.adding = Adding(self)
        self.following = Following(self)
        self.failure: str | None = None
        self.pane: TaskPane | None = None
        self._sidebar_wanted = config.sidebar
        self._stop: Unsubscribe | None = None
        self._dirty: set[str] | None = set()
        self._painting = False

    @property
    def today(self) -> date:
        """Today by the board's clock."""
        return self.clock().date()

    @property
    def cards_a_page(self) -> int:
        """About how many cards fit into a column's height."""
        return max(
            1, (self.size.height - 6) // {"compact": 1, "normal": 4, "roomy": 6}[self.faces.style.density]
        )

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
        self.key_footer = KeyFooter(self._hints, palette)
        keys = {action.id: action.shown_keys[0] for action in self.actions if action.keys}
        self.tour = Tour(keys, keys.get("end_tour", "T"))
        self.news = NewsDesk(self)
        yield self.header
        yield Static("", id="notice", markup=False)
        yield self.finder.bar
        yield self.tabs
        with Horizontal(id="body"):
            yield self.lanes
            yield self.sidebar
        yield self.tour
        yield self.key_footer

    async def on_mount(self) -> None:
        await self._build_lanes()
        self.board.open()
        self._stop = self.board.subscribe(self.on_board_event)
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
        self._arrange()

    @work(exclusive=True, group="start", exit_on_error=False)
    async def start_board(self) -> None:
        """Connects the board; what is cached is already shown, and stays when this fails."""
        self._set_failure(None)
        self.lanes.tell_empty("Loading …")
        try:
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

    # -- what the board tells

    def on_board_event(self, event: board_events.BoardEvent) -> None:
        """Shows what happened. Called by the board, on the event loop."""
        match event:
            case board_events.Changed(task_ids):
                self._sync_soon(task_ids or None)
            case board_events.ProjectChanged():
                self._project_changed()
            case board_events.Presence():
                self.lanes.remark(self.faces.refresh_people())
                self.following.step()
                self.refresh_chrome()
            case board_events.Moved(task_ids):
                self.lanes.remark(self.faces.refresh_visitors(task_ids))
                self.following.step()
                self.sidebar.refresh()
            case board_events.AccessLost(reason):
                self.post_message(self.Closed(reason, sign_in=False))
            case board_events.SignInNeeded(reason):
                self.post_message(self.Closed(reason, sign_in=True))
            case board_events.Connection():
                self.header.connected(event)
                self.header.delivery.connected(event)
            case board_events.Delivery():
                self.header.delivery.delivered(event)
            case board_events.InboxChanged():
                self._inbox_changed()
                self.news.tell(event)
            case board_events.PreferencesChanged(preferences):
                self.board.company.be(invisible=preferences.invisible)
                self.refresh_chrome()
            case board_events.CatchingUp():
                self.header.catch_up(event)
            case _:
                self.news.tell(event)

    def _sync_soon(self, dirty: Iterable[str] | None) -> None:
        """Shows what others did: at once, and in a burst once a frame."""
        self._dirty = None if dirty is None or self._dirty is None else {*self._dirty, *dirty}
        if not self._painting:
            self._painting = True
            self._paint()

    def _paint(self) -> None:
        if self._dirty is None or self._dirty:
            self.sync(())
            self.set_timer(_FRAME, self._paint)
        else:
            self._painting = False

    def sync(self, dirty: Iterable[str] | None) -> None:
        """Shows the board as it is now; only the ``dirty`` tasks (None: all) changed since the last time."""
        waiting, self._dirty = self._dirty, set()
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
            self._arrange()
        self.lanes.reveal()
        if self.view.look.query:
            self.finder.tell()
        self._follow()
        self.refresh_chrome()

    def after_edit(self) -> None:
        """Shows my own edit in this frame, and keeps its card in view."""
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
            self._arrange()
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
        """Paints what stands around the cards again."""
        for widget in (self.header, self.tabs, self.sidebar, self.key_footer, *self.lanes.heads):
            if widget.display:
                widget.refresh()

    def person_name(self, user_id: str) -> str:
        """A member's name, the best that is known."""
        if user_id == self.board.user.id:
            return f"{self.board.user.name} (you)"
        known = {user.id: user.name for user in self.board.online}
        for member in self.board.members:
            known[member.user_id] = member.name or member.email or known.get(member.user_id, "")
        return known.get(user_id) or user_id

    def place_of(self, status: str) -> int:
        """Which column in view from the left a status is."""
        return next((i for i, column in enumerate(self.view.columns) if column.id == status), 0)

    def has_room(self, status: str, task_ids: Sequence[str]) -> bool:
        """Whether a column with a limit that blocks takes these tasks, too; says so where it does not."""
        column = next((each for each in self.board.project.columns if each.id == status), None)
        if column is None or column.wip_limit is None or column.wip_policy != "block":
            return True
        tasks = self.board.tasks
        coming = sum(task_id not in tasks or tasks[task_id].status != status for task_id in task_ids)
        _, count = self.view.count(status)
        if not coming or count + coming <= column.wip_limit:
            return True
        self.notify(f"{column.name} is full: {count} of {column.wip_limit}", severity="warning", timeout=4)
        return False

    def jump_to(self, task_id: str) -> None:
        """Puts the cursor on a task wherever it is; says so when it is gone."""
        if task_id in self.board.tasks:
            self.finder.reveal(task_id)
        else:
            self.notify("This task is no longer there.", timeout=4)

    def go_to(self, project_id: str, task_id: str) -> None:
        """Asks the app for a task of another project."""
        self.post_message(self.WantsTask(project_id, task_id))

    def _inbox_changed(self) -> None:
        """Cards with words for me are marked."""
        before, after = set(self.faces.unread), self.board.inbox.unread_tasks
        self.faces.unread = after
        self.lanes.remark(before ^ after)
        self.header.refresh()

    def edited(self, task_id: str | None) -> None:
        """The editor closed; the cursor goes to what was saved."""
        if task_id is not None:
            self.sync(None)
            self.go(lambda: self.cursor.to_task(task_id))

    # -- one task

    @property
    def pane_open(self) -> bool:
        """Whether a task stands beside the board."""
        return self.pane is not None and bool(self.pane.display)

    async def open_task(self, task_id: str) -> None:
        """Shows a task beside the board, or over it where there is no room for both."""
        if self.size.width >= PANE_FROM:
            if self.pane is None:
                from fluxboard.tui.widgets.task_pane import TaskPane

                self.pane = TaskPane(self.board, self.clock)
                await self.query_one("#body").mount(self.pane, before=self.sidebar)
            self.pane.display = True
            self._arrange()
            self.pane.show(task_id)
            self.pane.focus_body()
            self.refresh_chrome()
            return
        from fluxboard.tui.screens.detail import DetailScreen

        self.app.push_screen(DetailScreen(self.board, task_id, self.clock))

    def close_pane(self) -> None:
        """Gives the room of the open task back to the board."""
        if self.pane is not None:
            self.pane.display = False
        self.set_focus(None)
        self._arrange()
        self.refresh_chrome()

    def _follow(self) -> None:
        """The task beside the board is the one under the cursor, and the others see where I am."""
        self.board.company.look_at(self.cursor.task_id, self.cursor.status)
        if self.pane is not None and self.pane.display and self.cursor.task_id is not None:
            self.pane.show(self.cursor.task_id)

    def on_task_pane_left(self) -> None:
        self.close_pane()

    async def on_task_pane_wants(self, message: TaskPane.Wants) -> None:
        """The task beside the board is to be edited or deleted."""
        self.set_focus(None)
        self.finder.reveal(message.task_id)
        await self.action_act(message.action)

    # -- how it is looked at

    def look_at(self, **look: object) -> None:
        """Looks at the board differently in these fields of the :class:`~fluxboard.tui.view.Look`."""
        self.view.change(**look)
        self.remember_looks()
        if self.lanes.stale:
            self.run_worker(self._rebuild(), group="lanes")
            return
        self._arrange()
        self.sync(None)
        self.finder.tell()

    def fold(self, status: str) -> None:
        """Collapses a column to a strip, or opens it again."""
        folded = self.view.look.collapsed
        self.look_at(
            collapsed=tuple(i for i in folded if i != status) if status in folded else (*folded, status)
        )

    def restyle(self, density: Density) -> None:
        """Draws the cards compact, normal or roomy."""
        self.faces.style = CardStyle(density, self.faces.style.dates)
        self.lanes.forget_drawings()
        self.sync(None)
        self.memory.keep_density(density)

    def remember_looks(self) -> None:
        """Has the way the board is looked at remembered."""
        self.memory.keep_looks(self.board.project.id, self.finder.looks)

    # -- layout

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def toggle_sidebar(self) -> None:
        """Shows the people, or gives their room to the columns."""
        self._sidebar_wanted = not self.sidebar.display
        self._arrange()

    def ask_for_projects(self) -> None:
        """Asks the app for the list of projects."""
        self.post_message(self.WantsProjects())

    def _arrange(self) -> None:
        """Decides what has room: the sidebar, the open task, and which columns."""
        width = self.size.width
        wide = width >= (_PANE_AND_SIDEBAR_FROM if self.pane_open else SIDEBAR_FROM)
        self.sidebar.display = wide if self._sidebar_wanted is None else self._sidebar_wanted
        self.header.people = not self.sidebar.display
        self.set_class(self.sidebar.display, "-sidebar")
        room = width - (SIDEBAR_WIDTH if self.sidebar.display else 0)
        if self.pane is not None and self.pane.display:
            pane = max(48, min(80, room * 2 // 5))
            self.pane.styles.width = pane
            room -= pane
        self.tabs.display = not self.lanes.make_room(room)
        self.lanes.styles.padding = (0 if self.tabs.display else 1, 0, 0, 1)
        self.tabs.styles.margin = (1 if self.size.height >= _AIRY_FROM else 0, 0, 0, 0)
        self.tabs.refresh()
        self.header.refresh()

    def _set_failure(self, reason: str | None) -> None:
        self.failure = reason
        notice = self.query_one("#notice", Static)
        notice.display = reason is not None
        if reason is not None:
            notice.update(f"Could not reach the board: {reason}. What you see is kept; r tries again.")
        self.refresh_chrome()

    def _project_changed(self) -> None:
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
        if action.kind != "Moving" and (self._dirty is None or self._dirty):
            self.sync(())  # it acts on what is there now, not on what was painted a moment ago
        if self.tour.did(action_id):
            self.memory.keep_tour()
            self.notify("That is all you need. ctrl+p finds the rest.", timeout=6)
        outcome = action.run(self)
        if outcome is not None:
            await outcome

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "act":
            return BY_ID[str(parameters[0])].when(self)
        return super().check_action(action, parameters)

    def _hints(self) -> Sequence[Hint]:
        return [
            Hint(_footer_keys(action.id, action.shown_keys), action.short, action.id)
            for action in self.actions
            if action.short and action.keys and action.when(self)
        ]

    async def on_key_footer_pressed(self, message: KeyFooter.Pressed) -> None:
        if BY_ID[message.action].when(self):
            await self.action_act(message.action)

    def on_board_header_name_pressed(self) -> None:
        self.ask_for_projects()

    async def on_board_header_attention_pressed(self) -> None:
        await self.action_act("attention")

    async def on_board_header_inbox_pressed(self) -> None:
        await self.action_act("inbox")

    def on_column_tabs_picked(self, message: ColumnTabs.Picked) -> None:
        self.go(lambda: self.cursor.to_column(message.place))

    def on_folded_lane_pressed(self, message: FoldedLane.Pressed) -> None:
        self.fold(message.status)

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

    def on_sidebar_person_pressed(self, message: Sidebar.PersonPressed) -> None:
        self.following.start(message.user_id)

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


def _footer_keys(action_id: str, keys: Sequence[str]) -> str:
    """A pair of actions that belong together shows both keys at one of them."""
    return {("move_left", "H"): "H L", ("order_down", "J"): "J K"}.get((action_id, keys[0]), keys[0])
