"""The application: which screen is shown when, and the rules that hold on all of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from textual import events, work
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult, SystemCommand
from textual.containers import Center, Middle
from textual.notifications import Notify, SeverityLevel
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets._toast import Toast

from fluxboard.model.text import clean_line
from fluxboard.tui.actions import single, with_keys
from fluxboard.tui.ascii import AsciiGlyphs
from fluxboard.tui.commands.program import QUITTING, quit_app
from fluxboard.tui.config import Config
from fluxboard.tui.desktop import sequence
from fluxboard.tui.frames import Frames, erases_in_colour
from fluxboard.tui.memory import Memory, NoMemory
from fluxboard.tui.ports import Board, Clock, Session
from fluxboard.tui.screens.board import BoardScreen
from fluxboard.tui.themes import DARK, LIGHT, SIXTEEN
from fluxboard.tui.turns import KeyDone, Turns
from fluxboard.tui.widgets.waiting import Waiting
from fluxboard.tui.wishes import BoardClosed, WantsTask, WantsTold

MOST_TOASTS: Final = 4
ROOMY_HEIGHT: Final = 28
IDLE_SECONDS: Final = 300.0


def local_now() -> datetime:
    """The time on this computer's clock, with its zone."""
    return datetime.now().astimezone()


class FluxboardApp(App[None]):
    """A board in the terminal. ``project_id`` None asks which project to open."""

    TITLE = "fluxboard"
    ENABLE_COMMAND_PALETTE = True
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (76, "-normal")]  # noqa: RUF012 (so declared by Textual)

    def __init__(
        self,
        session: Session,
        project_id: str | None = None,
        *,
        clock: Clock = local_now,
        config: Config = Config(),  # noqa: B008 (frozen)
        memory: Memory | None = None,
        problems: Iterable[str] = (),
        on_open: Callable[[str], None] | None = None,
    ) -> None:
        """``problems`` of the config are told on the first board; ``on_open`` hears each project's id."""
        self.config = config
        super().__init__()
        self.memory: Memory = memory or NoMemory()
        self._problems = list(problems)
        self.set_keymap(
            {f"board.{action.id}": ",".join(single(action.keys)) for action in with_keys(config.keys)}
            if config.keys
            else {}
        )
        if config.ascii:
            self._filters.append(AsciiGlyphs())
        self.session = session
        self.project_id = project_id
        self.clock = clock
        self._on_open = on_open
        self._board: Board | None = None
        self._frames = Frames(erase=erases_in_colour())
        self._turns = Turns(self, super().on_event)
        self._start_at: str | None = None
        self._has_terminal = asyncio.Event()
        self._has_terminal.set()
        self._idle = False
        self._idle_timer: Timer | None = None
        for own in (DARK, LIGHT, SIXTEEN):
            self.register_theme(own)
        if config.theme is not None and config.theme not in self.available_themes:
            self._problems.append(f"There is no theme “{config.theme}”; t shows all.")
        self.theme = config.theme if config.theme in self.available_themes else DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Values for our own variables under themes that do not know them."""
        dark = self.current_theme.dark
        # Over SSH a dialog that dims the board behind it would send every cell again.
        dimmed = self.config.dim if self.config.dim is not None else "SSH_CONNECTION" not in os.environ
        return {
            "flux-dim": "60%" if dimmed else "0%",
            "flux-muted": "#9ba3b7" if dark else "#5c6478",
            "flux-low": "#98a0b6" if dark else "#566078",
            "flux-medium": "#e0af68" if dark else "#7d5800",
        }

    def compose(self) -> ComposeResult:
        with Center(id="waiting"), Middle():
            yield Waiting("Opening the board")

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self._frames.forget())
        self.theme_changed_signal.subscribe(self, lambda theme: self.memory.keep_theme(theme.name))
        self._idle_timer = self.set_interval(IDLE_SECONDS, self._fall_idle)
        self.go_on()

    def _display(self, screen: Screen[object], renderable: Any) -> None:
        """Writes what of a frame is not on the terminal already."""
        if isinstance(renderable, CompositorUpdate) and not self.is_headless and not self._batch_count:
            renderable = self._frames.thin(renderable)
        super()._display(screen, renderable)

    @contextmanager
    def suspend(self) -> Iterator[None]:
        """Lends the terminal to another program, and takes it back after an error as well."""
        error: BaseException | None = None
        self._has_terminal.clear()
        try:
            with super().suspend():
                try:
                    yield
                except BaseException as raised:
                    error = raised  # Textual's own would leave the terminal as it is
        finally:
            self._has_terminal.set()
        if error is not None:
            raise error

    def redraw(self) -> None:
        """Paints everything anew, whatever the terminal shows now."""
        self._frames.forget()
        self.refresh(layout=True)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Shows a toast as plain text, whatever ``markup`` says.

        ``Widget.notify`` passes True when nobody asked for it, and toasts carry other people's titles.
        """
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def on_notify(self, event: Notify) -> None:
        """Lets the oldest toasts go when there are more than a few: they cover the board."""
        most = MOST_TOASTS if self.size.height >= ROOMY_HEIGHT else MOST_TOASTS // 2
        if self.screen.is_modal:
            most //= 2
        for old in list(self._notifications)[: max(0, len(self._notifications) - most + 1)]:
            self._unnotify(old, refresh=False)

    def action_help_quit(self) -> None:
        """ctrl+c does not quit, since people copy with it."""
        self.notify("ctrl+q quits", timeout=3)

    async def on_event(self, event: events.Event) -> None:
        """Somebody is at the keys."""
        if isinstance(event, events.Key | events.MouseDown | events.MouseScrollDown | events.MouseScrollUp):
            self.touched()
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._turns.take(event)
        else:
            await super().on_event(event)

    async def on_key_done(self, message: KeyDone) -> None:
        """A key has done what it does; the next one goes to who has the keyboard now."""
        await self._turns.back(message.turn)

    def touched(self) -> None:
        """A key or the mouse was used: who was idle is back, and so again after a while of nothing."""
        if self._idle_timer is not None:
            self._idle_timer.reset()
        if self._idle and self._board is not None:
            self._board.company.be(idle=False)
        self._idle = False

    def _fall_idle(self) -> None:
        self._idle = True
        if self._board is not None:
            self._board.company.be(idle=True)

    async def action_quit(self) -> None:
        """ctrl+q on any screen: as q on the board, it asks where something is unsent; twice, it just goes."""
        board = next((screen for screen in self.screen_stack if isinstance(screen, BoardScreen)), None)
        if board is None or self.screen.id == QUITTING:
            self.exit()
        else:
            quit_app(board)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """None: the palette's entries come from the board's action table."""
        return ()

    @work(exclusive=True, group="flow")
    async def go_on(self, reason: str = "", *, choose: bool = False) -> None:
        """Goes from wherever the user is to a board: signs in, asks for a project, opens it."""
        while True:
            if self.session.user is None:
                from fluxboard.tui.screens.sign_in import SignInScreen

                await self.push_screen_wait(SignInScreen(self.session, reason=reason))
                reason = ""
                continue
            if self.project_id is None or choose:
                from fluxboard.tui.screens.projects import ProjectsScreen

                screen = ProjectsScreen(self.session, current=self.project_id, reason=reason)
                chosen = await self.push_screen_wait(screen)
                reason, choose = "", False
                if not chosen:
                    await self._close_board()
                    self.project_id = None
                    continue
                if self._board is not None and self._board.project.id == chosen:
                    return
                self.project_id = chosen
            failed = await self._open(self.project_id)
            if failed is None:
                return
            reason, self.project_id = failed, None

    async def _open(self, project_id: str) -> str | None:
        """Opens a board; the reason in words when that fails."""
        await self._close_board()
        try:
            with self.query_one(Waiting).on():
                board = await self.session.board(project_id)
        except Exception as error:  # the client's errors are written for the user
            return f"The board could not be opened: {clean_line(str(error))}"
        self._board = board
        start_at, self._start_at = self._start_at, None
        screen = BoardScreen(board, self.clock, memory=self.memory, config=self.config, start_at=start_at)
        await self.push_screen(screen)
        for problem in self._problems:
            self.notify(problem, title="Your settings", severity="warning", timeout=10)
        self._problems = []
        if self._on_open is not None:
            self._on_open(project_id)
        return None

    async def _close_board(self) -> None:
        # Another program that has the terminal is not disturbed, and what it wrote is kept.
        await self._has_terminal.wait()
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        board, self._board = self._board, None
        if board is not None:
            await board.close()

    async def on_wants_task(self, message: WantsTask) -> None:
        """Opens another project at a task."""
        self.project_id, self._start_at = message.project_id, message.task_id
        await self._close_board()
        self.go_on()

    def on_wants_redraw(self) -> None:
        self.redraw()

    def on_wants_told(self, message: WantsTold) -> None:
        """Tells the desktop what happened, while the terminal is in the background."""
        text = sequence(message.text, os.environ)
        if text is not None and not self.app_focus and self._driver is not None:
            self._driver.write(text)

    def on_click(self, event: events.Click) -> None:
        """A click on a toast goes to its task."""
        if isinstance(event.widget, Toast) and isinstance(self.screen, BoardScreen):
            self.screen.news.jump(event.widget._notification.message)

    def on_wants_projects(self) -> None:
        self.go_on(choose=True)

    @work(exclusive=True, group="closing")
    async def on_board_closed(self, message: BoardClosed) -> None:
        """The board is lost; says why and offers the way on."""
        await self._close_board()
        if message.sign_in:
            from fluxboard.tui.screens.sign_in import SignInScreen

            if not await self.push_screen_wait(SignInScreen(self.session, reason=message.reason)):
                return
        else:
            self.project_id = None
        self.go_on("" if message.sign_in else message.reason)

    async def on_unmount(self) -> None:
        if self._board is not None:
            await self._board.close()
