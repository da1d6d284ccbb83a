"""My inbox: what concerns me in all my projects, and my edits that the server did not take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from fluxboard.client.events import BoardEvent, Connection, InboxChanged
from fluxboard.model.notify import InboxItem, InboxKind
from fluxboard.model.text import clean_line
from fluxboard.tui.dates import ago, due_text
from fluxboard.tui.ports import Board, Clock, Unsubscribe
from fluxboard.tui.widgets.card import UNTITLED, clip
from fluxboard.tui.widgets.dialog import Dialog, KeyHints

_ICONS: Final[dict[InboxKind, str]] = {"mention": "@", "assigned": "→", "comment": "✉", "due": "◷"}
_TEXT_MAX: Final = 120
_NAME_MAX: Final = 24
_TITLE_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Chosen:
    """A task to go to, or (with ``refused``) the list of edits that were not taken."""

    project_id: str = ""
    task_id: str = ""
    refused: bool = False


class InboxScreen(ModalScreen[Chosen]):
    """A list to work through: go there, mark as done and back, be quiet about a task."""

    AUTO_FOCUS = "#items"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,i", "leave", "Close"),
        ("j", "step(1)", "Next"),
        ("k", "step(-1)", "Before"),
        ("d,space,delete", "done", "Done"),
        ("u", "undo", "Not done"),
        ("m", "mute", "Quiet about this task"),
        ("D", "all_done", "All done"),
    ]
    DEFAULT_CSS = """
    InboxScreen { align: center middle; }
    InboxScreen Dialog { width: 92; }
    InboxScreen #heading { text-style: bold; margin-bottom: 1; }
    InboxScreen #items { height: auto; max-height: 30; }
    InboxScreen #keys { margin-top: 1; }
    """

    def __init__(self, board: Board, clock: Clock) -> None:
        super().__init__()
        self.board = board
        self.clock = clock
        self._shown: list[InboxItem] = []
        self._marked: list[tuple[str, ...]] = []
        self._stop: Unsubscribe | None = None

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static("", id="heading", markup=False)
            yield OptionList(id="items", classes="-squeeze", markup=False)
            yield KeyHints(
                *(("enter", "go there"), ("d", "done"), ("u", "not done"), ("m", "mute"), ("D", "all done")),
                ("esc", "close"),
                id="keys",
            )

    def on_mount(self) -> None:
        self._stop = self.board.subscribe(self._on_board_event)
        self.board.inbox.refresh()
        self._fill()

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop()

    @property
    def item(self) -> InboxItem | None:
        """What the cursor is on; None on the line of refused edits."""
        place = self.query_one("#items", OptionList).highlighted
        first = int(bool(self.board.attention))
        if place is None or not first <= place < first + len(self._shown):
            return None
        return self._shown[place - first]

    def _on_board_event(self, event: BoardEvent) -> None:
        if isinstance(event, InboxChanged | Connection):
            self._fill()

    def _fill(self) -> None:
        options = self.query_one("#items", OptionList)
        at, place = self.item, options.highlighted or 0
        inbox, refused = self.board.inbox, len(self.board.attention)
        self._shown = [item for item in inbox.items if not item.done]
        self.query_one("#heading", Static).update(self._heading(inbox.unread))
        options.clear_options()
        if refused:
            text = f"{refused} of your edits {'were' if refused > 1 else 'was'} not taken by the server"
            options.add_option(Option(Content.assemble(("! ", "bold $warning"), (text, "$warning"))))
        options.add_options([Option(self._line(item)) for item in self._shown])
        if not refused and not self._shown:
            empty = (
                "Nothing waits for you." if inbox.known else "It is on the server, which cannot be reached."
            )
            options.add_option(Option(Content(empty), disabled=True))
            return
        if at is not None and at in self._shown:
            place = self._shown.index(at) + int(bool(refused))
        options.highlighted = min(place, options.option_count - 1)

    def _heading(self, unread: int) -> Content:
        hidden = max(0, unread - len(self._shown))
        more = f", {hidden} more behind these" if hidden else ""
        return Content.assemble("Inbox", (f"  {unread}{more}" if unread else "", "$flux-muted"))

    def _line(self, item: InboxItem) -> Content:
        now = self.clock()
        title = clip(clean_line(item.task_title) or UNTITLED, _TITLE_MAX)
        elsewhere = item.project_id != self.board.project.id
        words = {
            "mention": "called you",
            "assigned": "gave you",
            "comment": "commented on",
            "due": f"due {due_text(item.text, now.date())}",
        }
        text = clip(clean_line(item.text), _TEXT_MAX) if item.kind in ("mention", "comment") else ""
        return Content.assemble(
            (f"{_ICONS.get(item.kind, '·')} ", "bold $primary"),
            (f"{_age(item.at, now) if item.kind != 'due' else '':>4}  ", "$flux-muted"),
            (f"{clip(clean_line(item.user_name), _NAME_MAX)} " if item.user_name else "", "bold"),
            f"{words.get(item.kind, item.kind)}  " if item.kind == "due" else f"{words[item.kind]} ",
            (title, "$secondary"),
            (f" in {clean_line(item.project_name)}" if elsewhere else "", "$flux-muted"),
            (f"\n{' ' * (2 if self.has_class('-narrow') else 8)}{text}" if text else "", "$flux-muted"),
        )

    @on(OptionList.OptionSelected, "#items")
    def _entered(self) -> None:
        item = self.item
        if item is None:
            if self.board.attention:
                self.dismiss(Chosen(refused=True))
            return
        if item.kind != "due":
            self.board.inbox.mark([item.id])
        self.dismiss(Chosen(item.project_id, item.task_id))

    def action_step(self, distance: int) -> None:
        options = self.query_one("#items", OptionList)
        if options.option_count:
            place = (options.highlighted or 0) + distance
            options.highlighted = max(0, min(place, options.option_count - 1))

    def action_done(self) -> None:
        if self.item is not None:
            self._mark((self.item.id,))

    def action_all_done(self) -> None:
        if self._shown:
            self._mark(tuple(item.id for item in self._shown))

    def _mark(self, ids: tuple[str, ...]) -> None:
        self._marked.append(ids)
        self.board.inbox.mark(ids)

    def action_undo(self) -> None:
        if self._marked:
            self.board.inbox.mark(self._marked.pop(), done=False)

    def action_mute(self) -> None:
        if self.item is not None:
            item = self.item
            self.board.inbox.mute(item.project_id, item.task_id, muted=True)
            self.notify("This task is quiet from now on; its menu (.) has the way back.", timeout=4)

    def action_leave(self) -> None:
        self.dismiss(None)


def _age(at: str, now: datetime) -> str:
    try:
        return ago((now - datetime.fromisoformat(at)).total_seconds())
    except (ValueError, TypeError):
        return ""
