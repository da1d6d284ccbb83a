"""What was done in the project, as sentences, live; with a mark where my last visit ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from fluxboard.client.events import BoardEvent, News
from fluxboard.model.days import read_day
from fluxboard.model.text import clean_line
from fluxboard.model.types import Activity
from fluxboard.tui.faces import Faces
from fluxboard.tui.ports import Board, Clock, Unsubscribe
from fluxboard.tui.sentences import activity_text
from fluxboard.tui.widgets.card import clip
from fluxboard.tui.widgets.dialog import KeyHints
from fluxboard.tui.widgets.line_input import LineInput
from fluxboard.tui.widgets.waiting import Waiting

#: The words of a filter that say what kind of thing was done.
TYPES: Final = {
    "created": ("task.created",),
    "changed": ("task.updated",),
    "moved": ("task.updated", "task.completed"),
    "finished": ("task.completed",),
    "deleted": ("task.deleted",),
    "comments": ("comment.created", "comment.updated", "comment.deleted"),
    "members": ("member.added", "member.removed", "member.role", "member.renamed"),
    "project": ("project.created", "project.updated"),
}
#: So many pages are asked for at once while a filter finds less than a screenful.
_PAGES: Final = 10
_SCREENFUL: Final = 40
_NAME_MAX: Final = 24
#: From this width on the moments stand in a column of their own.
_ROOMY: Final = 76
_WHEN: Final = 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the feed is shown: by whom, of which types, since and until which day, and with which words."""

    person: str = ""
    types: frozenset[str] = frozenset()
    moved: bool = False
    since: str | None = None
    until: str | None = None
    words: tuple[str, ...] = ()
    problem: str = ""

    def takes(self, activity: Activity, sentence: str) -> bool:
        """Whether a line is shown; who and when are asked of the server."""
        if self.types and activity.type not in self.types:
            return False
        if self.moved and activity.metadata.field != "status":
            return False
        text = sentence.casefold()
        return all(word in text for word in self.words)


def read_wanted(text: str, today: date) -> Wanted:
    """Reads ``@mila type:comments since:mon until:fri words``; ``problem`` tells what makes no sense."""
    person, types, since, until, problem = "", frozenset[str](), None, None, ""
    moved = False
    words = []
    for word in text.casefold().split():
        name, colon, value = word.partition(":")
        if word.startswith("@"):
            person = word[1:]
        elif colon and name == "type":
            found = next((each for each in TYPES if value and each.startswith(value)), None)
            types, moved = frozenset(TYPES[found]) if found else types, found == "moved"
            problem = problem if found or not value else f"types: {', '.join(TYPES)}"
        elif colon and name in ("since", "until"):
            try:
                day = read_day(value, today).isoformat() if value else None
            except ValueError as error:
                problem = f"{name}: {error}"
            else:
                since, until = (day, until) if name == "since" else (since, day)
        else:
            words.append(word)
    return Wanted(person, types, moved, since, until, tuple(words), problem)


@dataclass
class _Feed:
    """What was loaded for one filter."""

    activities: list[Activity] = field(default_factory=list)
    seen: int = 0
    more: bool = True


class ActivityScreen(Screen[str]):
    """Answers the id of a task to go to."""

    AUTO_FOCUS = "#feed"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q", "leave", "Close"),
        ("j", "step(1)", "Next"),
        ("k", "step(-1)", "Before"),
        ("slash", "filter", "Filter"),
    ]
    DEFAULT_CSS = """
    ActivityScreen #heading { height: 1; padding: 0 2; background: $panel; text-style: bold; }
    ActivityScreen #filter { margin: 1 2 0 2; }
    ActivityScreen Waiting { width: auto; }
    ActivityScreen #told-line { height: 1; padding: 0 3; }
    ActivityScreen #told { height: 1; width: auto; max-width: 60%; margin-right: 2; color: $flux-muted; }
    ActivityScreen #feed { height: 1fr; background: $background; margin: 0 2; }
    ActivityScreen #keys { padding: 0 2; background: $panel; }
    """

    def __init__(self, board: Board, faces: Faces, clock: Clock) -> None:
        super().__init__()
        self.board = board
        self.faces = faces
        self.clock = clock
        self._wanted = Wanted()
        self._feed = _Feed()
        self._lines: list[Activity | None] = []
        self._stop: Unsubscribe | None = None

    def compose(self) -> ComposeResult:
        yield Static("Activity", id="heading", markup=False)
        yield LineInput(placeholder="Filter: words, @name, type:comments, since:mon, until:fri", id="filter")
        with Horizontal(id="told-line"):
            yield Static("", id="told", markup=False)
            yield Waiting("loading")
        yield OptionList(id="feed", markup=False)
        yield KeyHints(("enter", "go to the task"), ("/", "filter"), ("esc", "close"), id="keys")

    def on_mount(self) -> None:
        self._stop = self.board.subscribe(self._on_board_event)
        self.load()

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop()

    def _on_board_event(self, event: BoardEvent) -> None:
        if isinstance(event, News) and event.activity.id not in {each.id for each in self._feed.activities}:
            wanted = self._wanted
            if wanted.until is None and self._person() in (None, event.activity.user_id):
                self._feed.activities.insert(0, event.activity)
                self._feed.seen += 1
                self._fill()

    def _person(self) -> str | None:
        """The id of the person that is asked for: "" where nobody has that name, None where nobody is."""
        name = self._wanted.person
        if not name:
            return None
        if name == "me":
            return self.board.user.id
        people = {member.user_id: member.name or member.email for member in self.board.members}
        return next((user_id for user_id, each in people.items() if name in each.casefold()), "")

    @work(exclusive=True)
    async def load(self, *, more: bool = False) -> None:
        """Loads the feed anew, or the page after what is shown."""
        if not more:
            self._feed = _Feed()
        feed, wanted, person = self._feed, self._wanted, self._person()
        try:
            with self.query_one(Waiting).on() as tell:
                for _ in range(_PAGES):
                    page = await self.board.activities(
                        feed.seen, user_id=person, since=wanted.since, until=wanted.until
                    )
                    known = {each.id for each in feed.activities}
                    feed.activities += [each for each in page.activities if each.id not in known]
                    feed.seen += len(page.activities)
                    feed.more = page.has_more and bool(page.activities)
                    if not feed.more or more or len(self._taken()) >= _SCREENFUL:
                        break
                    tell(feed.seen, min(page.total, _PAGES * len(page.activities)))
        except Exception as error:  # the client's errors are written for the user
            self._tell(f"Not loaded: {clean_line(str(error))}")
            feed.more = False
            return
        self._fill()

    def _taken(self) -> list[tuple[Activity, str]]:
        columns = {column.id: column.name for column in self.board.project.columns}
        names = self.faces.names
        lines = []
        for activity in self._feed.activities:
            text = activity_text(activity, columns, names)
            if self._wanted.takes(activity, f"{activity.user_name} {text}"):
                lines.append((activity, text))
        return lines

    def _fill(self) -> None:
        feed = self.query_one("#feed", OptionList)
        at = self._at()
        taken, visited = self._taken(), self.board.visited_at
        options: list[Option] = []
        roomy = self.size.width >= _ROOMY
        self._lines = []
        marked = not visited
        for activity, text in taken:
            if not marked and activity.timestamp <= visited:
                marked = True
                if options:
                    line = f"─── ↑ since you were here, {self._when(visited)}{' ───' * roomy}"
                    options.append(Option(Content.styled(line, "$primary"), disabled=True))
                    self._lines.append(None)
            options.append(Option(self._line(activity, text)))
            self._lines.append(activity)
        feed.clear_options()
        feed.add_options(options)
        if options:
            feed.highlighted = next(
                (place for place, line in enumerate(self._lines) if line is not None and line.id == at), 0
            )
        count = f"{len(taken)}{' or more' if self._feed.more else ''}"
        self._tell(self._wanted.problem or (f"{count} found" if taken else "Nothing was done yet."))

    def _tell(self, text: str) -> None:
        self.query_one("#told", Static).update(text)

    def _at(self) -> str:
        place = self.query_one("#feed", OptionList).highlighted
        line = self._lines[place] if place is not None and place < len(self._lines) else None
        return line.id if line is not None else ""

    def _line(self, activity: Activity, text: str) -> Content:
        mine, roomy = activity.user_id == self.board.user.id, self.size.width >= _ROOMY
        name = clean_line(activity.user_name) if roomy else self.faces.short(activity.user_name)
        name = "You" if mine else clip(name, _NAME_MAX) or "Somebody"
        colour = self.faces.colour_of(activity.user_id)
        style = f"bold {colour}" if colour.startswith("#") else "bold"
        return Content.assemble(
            (
                f"{self._when(activity.timestamp):>{_WHEN if roomy else 0}}  ",
                "$flux-muted",
            ),
            (name, style),
            f" {text}",
        )

    def _when(self, at: str) -> str:
        """A moment on the user's clock: the time today, else the day and the time."""
        now = self.clock()
        try:
            moment = datetime.fromisoformat(at).astimezone(now.tzinfo)
        except ValueError:
            return ""
        return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment:%b %d %H:%M}"

    @on(OptionList.OptionHighlighted, "#feed")
    def _near_the_end(self, event: OptionList.OptionHighlighted) -> None:
        if self._feed.more and event.option_index >= len(self._lines) - 5:
            self.load(more=True)

    @on(OptionList.OptionSelected, "#feed")
    def _entered(self, event: OptionList.OptionSelected) -> None:
        activity = self._lines[event.option_index]
        if activity is not None and activity.entity_id in self.board.tasks:
            self.dismiss(activity.entity_id)
        elif activity is not None:
            self.notify("This leads to no task that is still there.", timeout=3)

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        before, self._wanted = self._wanted, read_wanted(event.value, self.clock().date())
        after = self._wanted
        if (before.person, before.since, before.until) != (after.person, after.since, after.until):
            self.load()
        else:
            self._fill()

    @on(Input.Submitted, "#filter")
    def _searched(self) -> None:
        self.query_one("#feed").focus()
        if len(self._taken()) < _SCREENFUL and self._feed.more:
            self.load(more=True)

    def action_filter(self) -> None:
        self.query_one("#filter").focus()

    def action_step(self, distance: int) -> None:
        feed = self.query_one("#feed", OptionList)
        if distance > 0:
            feed.action_cursor_down()
        else:
            feed.action_cursor_up()

    def action_leave(self) -> None:
        """From the filter back to the lines; from the lines away."""
        if self.query_one("#filter").has_focus:
            self.query_one("#feed").focus()
        else:
            self.dismiss(None)
