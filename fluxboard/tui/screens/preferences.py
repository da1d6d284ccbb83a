"""How I want to hear of things: each line is one choice, enter or space goes to its next value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from fluxboard.client.events import BoardEvent, PreferencesChanged
from fluxboard.model.notify import LEVELS, NEWS_KINDS, NewsKind, Preferences, ProjectPreferences, clock_time
from fluxboard.model.types import timestamp
from fluxboard.tui.ports import Board, Clock, Unsubscribe
from fluxboard.tui.widgets.dialog import Dialog, KeyHints

_NEWS: Final[dict[NewsKind, str]] = {
    "created": "new tasks",
    "updated": "changed tasks",
    "completed": "finished tasks",
    "deleted": "deleted tasks",
    "commented": "comments",
    "assigned": "tasks given to me",
    "mentioned": "who calls me by name",
}
_LEVELS: Final = {"all": "all", "mine": "only mine", "none": "none"}
#: What is about me in any case is wanted or not.
_PERSONAL: Final = frozenset({"assigned", "mentioned"})
_QUIET: Final = "22:00-07:00"
#: As wide as the longest value, and a gap.
_VALUE: Final = 13


@dataclass(frozen=True, slots=True)
class _Choice:
    title: str
    value: Callable[[Preferences], str]
    #: What the next value is; None asks.
    following: Callable[[Preferences], Preferences] | None


class PreferencesScreen(ModalScreen[None]):
    """The same on all terminals of the user: the server keeps it."""

    AUTO_FOCUS = "#choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,m", "leave", "Close"),
        ("j", "step(1)", "Next"),
        ("k", "step(-1)", "Before"),
        ("space", "take", "Next value"),
    ]
    DEFAULT_CSS = """
    PreferencesScreen { align: center middle; }
    PreferencesScreen Dialog { width: 66; }
    PreferencesScreen #heading { text-style: bold; margin-bottom: 1; }
    PreferencesScreen #choices { height: auto; max-height: 30; }
    PreferencesScreen #note { color: $flux-muted; margin-top: 1; }
    PreferencesScreen #keys { margin-top: 1; }
    """

    def __init__(self, board: Board, clock: Clock) -> None:
        super().__init__()
        self.board = board
        self.clock = clock
        self._choices = self._all()
        self._stop: Unsubscribe | None = None

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static("Notifications", id="heading", markup=False)
            yield OptionList(id="choices", classes="-squeeze", markup=False)
            yield Static("Kept on the server: the same in all your terminals.", id="note", markup=False)
            yield KeyHints(("enter", "next value"), ("↑ ↓", "choose"), ("esc", "close"), id="keys")

    def on_mount(self) -> None:
        self._stop = self.board.subscribe(self._on_board_event)
        self._fill()

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop()

    def _on_board_event(self, event: BoardEvent) -> None:
        if isinstance(event, PreferencesChanged):
            self._fill()

    def _all(self) -> list[_Choice | None]:
        """Every line; None is the heading of those below it."""

        def switch(title: str, name: str) -> _Choice:
            return _Choice(
                title,
                lambda wanted: "on" if getattr(wanted, name) else "off",
                lambda wanted: replace(wanted, **{name: not getattr(wanted, name)}),
            )

        def level(kind: NewsKind) -> _Choice:
            return _Choice(
                _NEWS[kind],
                lambda wanted: self._level_text(wanted, kind),
                lambda wanted: self._with_level(wanted, kind),
            )

        return [
            switch("Do not disturb", "dnd"),
            _Choice("Mute this project for an hour", self._mute_text, self._mute),
            _Choice("Quiet hours", _quiet_text, None),
            switch("Toasts on the screen", "toasts"),
            switch("Bell", "bell"),
            switch("Desktop, while the terminal is hidden", "desktop"),
            switch("Invisible to the others", "invisible"),
            None,
            *map(level, NEWS_KINDS),
        ]

    @property
    def _project_id(self) -> str:
        return self.board.project.id

    def _fill(self) -> None:
        options = self.query_one("#choices", OptionList)
        place = options.highlighted or 0
        wanted = self.board.inbox.preferences
        options.clear_options()
        for choice in self._choices:
            if choice is None:
                heading = Content.styled("In this project I want to hear of", "$flux-muted")
                options.add_option(Option(heading, disabled=True))
            else:
                line = Content.assemble((f"{choice.value(wanted):<{_VALUE}}", "bold $primary"), choice.title)
                options.add_option(Option(line))
        options.highlighted = place

    @on(OptionList.OptionSelected, "#choices")
    def _entered(self, event: OptionList.OptionSelected) -> None:
        self._take(self._choices[event.option_index])

    def _level_text(self, wanted: Preferences, kind: NewsKind) -> str:
        level = wanted.of(self._project_id).level(kind)
        if kind in _PERSONAL:
            return "no" if level == "none" else "yes"
        return _LEVELS[level]

    def action_take(self) -> None:
        place = self.query_one("#choices", OptionList).highlighted
        if place is not None:
            self._take(self._choices[place])

    def _take(self, choice: _Choice | None) -> None:
        if choice is None:
            return
        if choice.following is None:
            self._ask_quiet_hours()
            return
        self.board.inbox.prefer(choice.following(self.board.inbox.preferences))

    def _with_level(self, wanted: Preferences, kind: NewsKind) -> Preferences:
        mine = wanted.of(self._project_id)
        levels = LEVELS[1:] if kind in _PERSONAL else LEVELS
        following = levels[(levels.index(mine.level(kind)) + 1) % len(levels)]
        return self._with_project(wanted, replace(mine, **{kind: following}))

    def _with_project(self, wanted: Preferences, mine: ProjectPreferences) -> Preferences:
        return replace(wanted, projects={**wanted.projects, self._project_id: mine})

    def _mute(self, wanted: Preferences) -> Preferences:
        until = None if self._muted(wanted) else timestamp(self.clock().astimezone(UTC) + timedelta(hours=1))
        return self._with_project(wanted, replace(wanted.of(self._project_id), muted_until=until))

    def _muted(self, wanted: Preferences) -> bool:
        until = wanted.of(self._project_id).muted_until
        return until is not None and until > timestamp(self.clock())

    def _mute_text(self, wanted: Preferences) -> str:
        return "on" if self._muted(wanted) else "off"

    def _ask_quiet_hours(self) -> None:
        from fluxboard.tui.screens.ask import AskScreen

        wanted = self.board.inbox.preferences
        now = f"{wanted.quiet_from}-{wanted.quiet_to}" if wanted.quiet_from and wanted.quiet_to else ""

        def answered(text: str | None) -> None:
            if text is not None:
                start, end = _hours(text) or (None, None)
                self.board.inbox.prefer(replace(self.board.inbox.preferences, quiet_from=start, quiet_to=end))

        question = AskScreen("Quiet hours, empty for none", now, _QUIET, wrong=_wrong_hours)
        self.app.push_screen(question, answered)

    def action_step(self, distance: int) -> None:
        options = self.query_one("#choices", OptionList)
        if distance > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_leave(self) -> None:
        self.dismiss(None)


def _quiet_text(wanted: Preferences) -> str:
    return f"{wanted.quiet_from}-{wanted.quiet_to}" if wanted.quiet_from and wanted.quiet_to else "none"


def _hours(text: str) -> tuple[str, str] | None:
    """ "22:00-7:00" as two times of day; None for what is not that."""
    parts = [part.strip().rjust(5, "0") for part in text.split("-")]
    if len(parts) != 2 or any(clock_time(part) is None for part in parts):
        return None
    return parts[0], parts[1]


def _wrong_hours(text: str) -> str:
    return "" if not text.strip() or _hours(text) else f"Write it as {_QUIET}"
