"""The board: columns of cards, who is here, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.command import Provider
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from fluxboard.client import events as board_events
from fluxboard.model.text import clean_line
from fluxboard.tui.actions import ACTIONS, BY_ID, bindings
from fluxboard.tui.cursor import Cursor
from fluxboard.tui.drag import Drag
from fluxboard.tui.faces import Faces
from fluxboard.tui.palette import ActionCommands
from fluxboard.tui.ports import Board, Clock, Unsubscribe
from fluxboard.tui.screens.news import NewsDesk
from fluxboard.tui.themes import palette_of
from fluxboard.tui.widgets.column import Column
from fluxboard.tui.widgets.footer import Hint, KeyFooter
from fluxboard.tui.widgets.header import BoardHeader, ColumnTabs, LaneHead
from fluxboard.tui.widgets.sidebar import SIDEBAR_WIDTH, Sidebar

SIDEBAR_FROM = 120
ALL_COLUMNS_FROM = 76
_LANE_MIN = 17
_AIRY_FROM = 20


class BoardScreen(Screen[None]):
    """One project's board. It knows its board and its clock, and asks the app for the rest by message."""

    ALLOW_SELECT = False
    AUTO_FOCUS = ""
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionCommands}
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    DEFAULT_CSS = """
    BoardScreen { layout: vertical; }
    BoardScreen #body { height: 1fr; }
    BoardScreen #lanes { width: 1fr; height: 1fr; padding: 1 0 0 1; }
    BoardScreen .lane { width: 1fr; height: 1fr; margin-right: 1; }
    BoardScreen #notice { height: auto; max-height: 4; padding: 0 1; display: none;
        background: $error-muted; }
    """

    @dataclass
    class WantsProjects(Message):
        """The user wants to see the list of projects."""

    @dataclass
    class Closed(Message):
        """The board cannot go on: access is lost, or a sign-in is needed."""

        reason: str
        sign_in: bool

    def __init__(self, board: Board, clock: Clock) -> None:
        super().__init__()
        self.board = board
        self.clock = clock
        self.cursor = Cursor()
        self.failure: str | None = None
        self.columns: dict[str, Column] = {}
        self._lanes: list[Vertical] = []
        self._heads: list[LaneHead] = []
        self._sidebar_wanted: bool | None = None
        self._stop: Unsubscribe | None = None
        self._built_for: tuple[object, ...] = ()

    @property
    def today(self) -> date:
        """Today by the board's clock."""
        return self.clock().date()

    @property
    def cards_a_page(self) -> int:
        """About how many cards fit into a column's height."""
        return max(1, (self.size.height - 6) // 4)

    def compose(self) -> ComposeResult:
        palette = palette_of(self.app.get_css_variables())
        self.faces = Faces(self.board, self.cursor, palette, self.today)
        self.drag = Drag(self)
        self.header = BoardHeader(self.faces)
        self.tabs = ColumnTabs(self.faces)
        self.sidebar = Sidebar(self.faces, self.clock)
        self.key_footer = KeyFooter(self._hints, palette)
        self.news = NewsDesk(self)
        yield self.header
        yield Static("", id="notice", markup=False)
        yield self.tabs
        with Horizontal(id="body"):
            yield Horizontal(id="lanes")
            yield self.sidebar
        yield self.key_footer

    async def on_mount(self) -> None:
        await self._build_lanes()
        self._stop = self.board.subscribe(self.on_board_event)
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._recolour())
        self.set_interval(30, self._tick)
        self.sync(None)
        for note in self.board.notes:
            self.notify(note, severity="warning", timeout=8)
        self.start_board()

    async def _build_lanes(self) -> None:
        columns = self.board.project.columns
        self._built_for = columns
        holder = self.query_one("#lanes", Horizontal)
        await holder.remove_children()
        self._heads = [LaneHead(column, self.faces) for column in columns]
        self.columns = {column.id: Column(column.id, self.faces) for column in columns}
        self._lanes = [Vertical(head, self.columns[head.column.id], classes="lane") for head in self._heads]
        await holder.mount(*self._lanes)
        self._arrange()

    @work(exclusive=True, group="start", exit_on_error=False)
    async def start_board(self) -> None:
        """Connects the board; what is cached is already shown, and stays when this fails."""
        self._set_failure(None)
        self._set_empty_text("Loading …")
        try:
            await self.board.start()
        except Exception as error:  # the client's errors are written for the user
            self._set_failure(clean_line(str(error)) or type(error).__name__)
        self._set_empty_text("")
        self.sync(None)

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop()
            self._stop = None

    # -- what the board tells

    def on_board_event(self, event: board_events.BoardEvent) -> None:
        """Shows what happened. Called by the board, on the event loop."""
        match event:
            case board_events.Changed(task_ids):
                self.sync(task_ids or None)
            case board_events.ProjectChanged():
                self._project_changed()
            case board_events.Presence():
                changed = self.faces.refresh_people()
                self.sync(changed)
            case board_events.AccessLost(reason):
                self.post_message(self.Closed(reason, sign_in=False))
            case board_events.SignInNeeded(reason):
                self.post_message(self.Closed(reason, sign_in=True))
            case board_events.Connection():
                self.header.connected(event)
            case board_events.CatchingUp():
                self.header.catch_up(event)
            case _:
                self.news.tell(event)

    def sync(self, dirty: Iterable[str] | None) -> None:
        """Shows the board as it is now; only the ``dirty`` tasks (None: all) changed since the last time."""
        old, column = self.cursor.task_id, self.cursor.column
        self.cursor.settle(self.board)
        if dirty is not None:
            dirty = {*dirty, *(task_id for task_id in (old, self.cursor.task_id) if task_id is not None)}
        for status, widget in self.columns.items():
            widget.fill(self.board.column_ids(status), dirty)
        if self.cursor.column != column:
            self._arrange()
        self._reveal()
        self.refresh_chrome()

    def after_edit(self) -> None:
        """Shows my own edit in this frame, and keeps its card in view."""
        self.sync(())

    def go(self, move: Callable[[], None]) -> None:
        """Moves the cursor: two cards are painted again, not a column."""
        old, column = self.cursor.task_id, self.cursor.column
        move()
        if old != self.cursor.task_id or column != self.cursor.column:
            self.repaint([old, self.cursor.task_id])
            if column != self.cursor.column:
                self._arrange()
            self._reveal()
            if (old is None) != (self.cursor.task_id is None):
                self.refresh_chrome()

    def repaint(self, task_ids: Iterable[str | None]) -> None:
        """Paints these cards again, wherever they are."""
        ids = [task_id for task_id in task_ids if task_id is not None]
        for column in self.columns.values():
            column.repaint(ids)

    def refresh_chrome(self) -> None:
        """Paints what stands around the cards again."""
        for widget in (self.header, self.tabs, self.sidebar, self.key_footer, *self._heads):
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
        """Which column from the left a status is."""
        return next((i for i, column in enumerate(self.board.project.columns) if column.id == status), 0)

    def edited(self, task_id: str | None) -> None:
        """The editor closed; the cursor goes to what was saved."""
        if task_id is not None:
            self.sync(None)
            self.go(lambda: self.cursor.to_task(self.board, task_id))

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
        """Decides what has room: the sidebar, and which columns."""
        if not self._lanes:
            return
        width = self.size.width
        wide = width >= SIDEBAR_FROM
        self.sidebar.display = wide if self._sidebar_wanted is None else self._sidebar_wanted
        self.header.people = not self.sidebar.display
        self.set_class(self.sidebar.display, "-sidebar")
        room = width - (SIDEBAR_WIDTH if self.sidebar.display else 0)
        count = len(self._lanes)
        shown = max(1, min(count, room // (_LANE_MIN + 1)))
        if width < ALL_COLUMNS_FROM:
            shown = 1
        start = max(0, min(self.cursor.column - shown // 2, count - shown))
        self.tabs.display = shown < count
        for place, lane in enumerate(self._lanes):
            lane.display = start <= place < start + shown
            head = self._heads[place]
            head.display = shown > 1
            if head.active != (place == self.cursor.column):
                head.active = place == self.cursor.column
                head.refresh()
        self.query_one("#lanes").styles.padding = (0 if self.tabs.display else 1, 0, 0, 1)
        self.tabs.styles.margin = (1 if self.size.height >= _AIRY_FROM else 0, 0, 0, 0)
        self.tabs.refresh()
        self.header.refresh()

    def _reveal(self) -> None:
        column = self.columns.get(self.cursor.status(self.board))
        if column is not None and self.cursor.task_id is not None:
            column.reveal(self.cursor.task_id)

    def _set_failure(self, reason: str | None) -> None:
        self.failure = reason
        notice = self.query_one("#notice", Static)
        notice.display = reason is not None
        if reason is not None:
            notice.update(f"Could not reach the board: {reason}. What you see is kept; r tries again.")
        self.refresh_chrome()

    def _set_empty_text(self, loading: str) -> None:
        for place, column in enumerate(self.columns.values()):
            if loading or self.board.tasks:
                column.empty_text = loading or "Nothing here"
            else:
                column.empty_text = "No tasks yet.\nn makes one." if place == 0 else ""
            column.refresh()

    def _project_changed(self) -> None:
        self.faces.refresh_people()
        if self._built_for != self.board.project.columns:
            self.run_worker(self._rebuild(), exclusive=True, group="lanes")
        else:
            self.sync(None)

    async def _rebuild(self) -> None:
        await self._build_lanes()
        self.sync(None)

    def _recolour(self) -> None:
        palette = self.key_footer.palette = palette_of(self.app.get_css_variables())
        self.faces.recolour(palette)
        for column in self.columns.values():
            column.forget_drawings()
        self.refresh_chrome()

    def _tick(self) -> None:
        """Minutes pass in the sidebar, and at midnight due dates change."""
        if self.faces.today != self.today:
            self.faces.today = self.today
            self.sync(None)
        self.sidebar.refresh()

    # -- keys and mouse

    async def action_act(self, action_id: str) -> None:
        """Runs an action of the table."""
        outcome = BY_ID[action_id].run(self)
        if outcome is not None:
            await outcome

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "act":
            return BY_ID[str(parameters[0])].when(self)
        return super().check_action(action, parameters)

    def _hints(self) -> Sequence[Hint]:
        return [
            Hint(_footer_keys(action.id, action.shown_keys), action.short, action.id)
            for action in ACTIONS
            if action.short and action.when(self)
        ]

    async def on_key_footer_pressed(self, message: KeyFooter.Pressed) -> None:
        if BY_ID[message.action].when(self):
            await self.action_act(message.action)

    def on_board_header_name_pressed(self) -> None:
        self.ask_for_projects()

    async def on_board_header_attention_pressed(self) -> None:
        await self.action_act("attention")

    def on_column_tabs_picked(self, message: ColumnTabs.Picked) -> None:
        self.go(lambda: self.cursor.to_column(self.board, message.place))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self.drag.down(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self.drag.move(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self.drag.up()

    async def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and self.drag.card_at(event.screen_x, event.screen_y) is not None:
            await self.action_act("open")


def _footer_keys(action_id: str, keys: Sequence[str]) -> str:
    """A pair of actions that belong together shows both keys at one of them."""
    return {"move_left": "H L", "order_down": "J K"}.get(action_id, keys[0])
