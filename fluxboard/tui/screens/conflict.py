"""One text of two hands: what it was, what I made of it, what somebody else did, and the way out."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, cast

import msgspec
from msgspec import UNSET
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from fluxboard.client.events import BoardEvent, Changed
from fluxboard.model.types import TASK_FIELDS, TaskPatch
from fluxboard.model.wire import Conflict, FieldConflict
from fluxboard.tui.differences import differences
from fluxboard.tui.ports import Board, Unsubscribe
from fluxboard.tui.screens.rewrite import RewriteScreen
from fluxboard.tui.widgets.card import UNTITLED
from fluxboard.tui.widgets.dialog import Dialog, KeyHints

Choice = Literal["mine", "theirs", "merged"]
_SIDE_BY_SIDE: Final = 100


class ConflictScreen(ModalScreen[TaskPatch]):
    """Goes through the fields in conflict one by one.

    Answers the patch to send instead; one without values when all of theirs is taken, None when it is left.
    Theirs is what the board has now: what is sent again is written over that, not over what was refused.
    """

    AUTO_FOCUS = "#scroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("m", "keep('mine')", "Keep mine"),
        ("t", "keep('theirs')", "Take theirs"),
        ("e", "rewrite", "Write it together"),
        ("j", "scroll(1)", "Down"),
        ("k", "scroll(-1)", "Up"),
        ("escape,q", "leave", "Decide later"),
    ]
    DEFAULT_CSS = """
    ConflictScreen { align: center middle; }
    ConflictScreen Dialog { width: 96%; max-width: 130; border-left: thick $warning; }
    ConflictScreen #heading { text-style: bold; }
    ConflictScreen #who { color: $flux-muted; margin-bottom: 1; }
    ConflictScreen #scroll { height: auto; max-height: 30; }
    ConflictScreen #sides { height: auto; }
    ConflictScreen .side { width: 1fr; height: auto; margin-right: 2; }
    ConflictScreen .name { color: $flux-muted; text-style: bold; }
    ConflictScreen .text { padding: 0 1; background: $surface; min-height: 3; margin-bottom: 1; }
    ConflictScreen.-stacked #sides { layout: vertical; }
    ConflictScreen.-stacked .side { width: 100%; margin-right: 0; }
    ConflictScreen #keys { margin-top: 1; }
    """

    def __init__(self, board: Board, task_id: str, conflict: Conflict, patch: TaskPatch) -> None:
        super().__init__()
        self.board = board
        self._task_id = task_id
        self._stop: Unsubscribe | None = None
        self._conflict = conflict
        self._patch = patch
        self._open = list(conflict.fields)
        self._theirs: list[str] = []

    @property
    def field(self) -> str:
        """The wire name of the field that is decided now."""
        return self._open[0]

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static("", id="heading", markup=False)
            yield Static("", id="who", markup=False)
            with VerticalScroll(id="scroll", classes="-squeeze"), Horizontal(id="sides"):
                for name in ("base", "mine", "theirs"):
                    with Vertical(classes="side"):
                        yield Static("", id=f"{name}-name", classes="name", markup=False)
                        yield Static("", id=name, classes="text", markup=False)
            yield KeyHints(
                ("m", "keep mine"),
                ("t", "take theirs"),
                ("e", "write it together"),
                ("esc", "later"),
                id="keys",
            )

    def on_mount(self) -> None:
        self._stop = self.board.subscribe(self._on_board_event)
        self._show()

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop()

    def _on_board_event(self, event: BoardEvent) -> None:
        if isinstance(event, Changed) and (not event.task_ids or self._task_id in event.task_ids):
            self._show()

    def _now(self) -> str:
        """The other side's text as it is now."""
        task = self.board.tasks.get(self._task_id)
        return self._sides.theirs if task is None else str(getattr(task, _attribute(self.field)))

    def on_resize(self) -> None:
        self.set_class(self.size.width < _SIDE_BY_SIDE, "-stacked")

    def _show(self) -> None:
        sides = self._sides
        rest = f"  ({len(self._open)} fields to decide)" if len(self._open) > 1 else ""
        title = self._conflict.task.title or UNTITLED
        who = sides.user_name or "Somebody"
        self.query_one("#heading", Static).update(
            Content(f"Two hands at the {self.field} of “{title}”{rest}")
        )
        when = f", {sides.timestamp[:10]} {sides.timestamp[11:16]} UTC" if sides.timestamp else ""
        theirs = self._now()
        since = " It was changed again since." if theirs != sides.theirs else ""
        self.query_one("#who", Static).update(Content(f"{who} changed it while you did{when}.{since}"))
        texts = {
            "base": ("As it was", Content(sides.base)),
            "mine": ("Mine", differences(sides.base, sides.mine)),
            "theirs": ("As it is now" if since else f"{who}'s", differences(sides.base, theirs)),
        }
        for name, (label, text) in texts.items():
            self.query_one(f"#{name}-name", Static).update(Content(label))
            empty = Content.styled("(empty)", "$flux-muted")
            self.query_one(f"#{name}", Static).update(text if text.plain else empty)

    @property
    def _sides(self) -> FieldConflict:
        return self._conflict.fields[self.field]

    def action_keep(self, side: Choice) -> None:
        if side == "theirs":
            self._theirs.append(self.field)
        self._decide()

    def action_rewrite(self) -> None:
        mine, theirs = self._sides.mine, self._now()
        both = mine if mine.startswith(theirs) else f"{theirs}\n{mine}"
        start = mine if self.field == "title" else both
        field = cast("Literal['title', 'description']", self.field)

        def rewritten(text: str | None) -> None:
            if text is not None:
                name = _attribute(self.field)
                self._patch = msgspec.structs.replace(self._patch, **{name: text})
                self._decide()

        self.app.push_screen(RewriteScreen(field, start), rewritten)

    def _decide(self) -> None:
        if len(self._open) > 1:  # the last one stays: the board still changes while this screen goes
            del self._open[0]
            self._show()
            return
        given_up = {_attribute(field): UNSET for field in self._theirs}
        self.dismiss(msgspec.structs.replace(self._patch, **given_up))

    def action_scroll(self, distance: int) -> None:
        self.query_one("#scroll", VerticalScroll).scroll_relative(y=distance, animate=False)

    def action_leave(self) -> None:
        self.dismiss(None)


def _attribute(field: str) -> str:
    return next(name for name, wire in TASK_FIELDS.items() if wire == field)
