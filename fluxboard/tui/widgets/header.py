"""The board's top line, the heads of its columns, and the tabs where not all columns are in view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.cells import cell_len, split_graphemes
from textual import events
from textual.content import Content, Span
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from fluxboard.client.events import CatchingUp, Connection, Delivery
from fluxboard.model.types import COMPLETED, Column, OnlineUser, progress_of
from fluxboard.tui.faces import Faces
from fluxboard.tui.themes import Palette
from fluxboard.tui.widgets.card import clip
from fluxboard.tui.widgets.steady import Steady
from fluxboard.tui.wishes import WantsAction

_BAR = 12
#: A collapsed column that is alone on the screen has so much and more.
_ROOM_FOR_SENTENCE = 20
_ROOM_FOR_BAR = 56
_ROOM_FOR_WORDS = 76
_CATCHING_BAR = 8
#: So many seconds the fate of my last edit is shown.
_DELIVERED_SHOWN = 8.0


def part(text: str, colour: str = "", *, bold: bool = False, on: str = "") -> Content:
    """Plain text in one colour; never read as markup."""
    style = " ".join(
        word for word in ("bold" if bold else "", _css(colour), f"on {_css(on)}" if on else "") if word
    )
    return Content(text, [Span(0, len(text), style)] if style else None)


def _css(colour: str) -> str:
    return colour if not colour or colour.startswith("#") else f"ansi_{colour}"


def connection_text(connection: Connection) -> str:
    """ "live", "polling", "offline · 3 queued": the word, and what waits to be sent."""
    if connection.queued and connection.word != "live":
        return f"{connection.word} · {connection.queued} queued"
    return connection.word


def attention_text(count: int, *, short: bool = False) -> str:
    """ "⚠ 2 need attention": how many of my edits the server refused; "" for none."""
    if not count:
        return ""
    if short:
        return f"⚠ {count} refused"
    return f"⚠ {count} need{'' if count > 1 else 's'} attention"


class DeliveryMark:
    """What became of my last edit: saved, and seen by so many; forgotten after a while."""

    def __init__(self, header: BoardHeader) -> None:
        self._header = header
        self._saved = False
        self._seen = 0
        self._timer: Timer | None = None

    def connected(self, connection: Connection) -> None:
        """Whatever is queued is not saved."""
        if connection.queued:
            self._saved, self._seen = False, 0

    def delivered(self, delivery: Delivery) -> None:
        """The server has it, and so many of the others show it."""
        self._saved, self._seen = True, delivery.seen
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._header.set_timer(_DELIVERED_SHOWN, self._forget)
        self._header.refresh()

    def text(self, *, short: bool) -> str:
        """ "✓ saved", "✓✓ seen by 2"; "" when there is nothing to tell."""
        if not self._saved:
            return ""
        if not self._seen:
            return "✓" if short else "✓ saved"
        return f"✓✓ {self._seen}" if short else f"✓✓ seen by {self._seen}"

    def _forget(self) -> None:
        self._saved = False
        self._header.refresh()


class BoardHeader(Steady):
    """Project, progress, who is here (where the sidebar is hidden) and the connection's word.

    While missed changes arrive it says how far that is, and it counts the edits that the server refused.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "BoardHeader { height: 1; background: $panel; padding: 0 1; }"

    def __init__(self, faces: Faces) -> None:
        super().__init__()
        self.faces = faces
        self.people = True
        #: Whom I follow, in short.
        self.following: Callable[[], OnlineUser | None] = lambda: None
        self._catching: CatchingUp | None = None
        self._attention = (0, 0)
        self._inbox = (0, 0)
        self.delivery = DeliveryMark(self)

    def catch_up(self, event: CatchingUp) -> None:
        """Shows how far the catching up is, until it is done."""
        self._catching = event if 0 <= event.done < event.total else None
        self.refresh()

    def connected(self, connection: Connection) -> None:
        """Shows the connection; what was interrupted is no progress any more."""
        if connection.word == "offline":
            self._catching = None
        self.refresh()

    def words(self) -> Content:
        board, palette = self.faces.board, self.faces.palette
        width = self.size.width
        warning = part(
            attention_text(board.connection.refused, short=width < _ROOM_FOR_WORDS), palette.high, bold=True
        )
        right = self._right(width)
        unread = board.inbox.unread
        waiting = part(f"✉ {unread}" if unread else "", palette.accent, bold=True)
        if waiting.cell_length:
            right = waiting + Content("  ") + right
        if warning.cell_length:
            right = warning + Content("  ") + right
        room = width - right.cell_length - 2
        done, total = len(board.column_ids(COMPLETED)), len(board.tasks)
        percent = progress_of(done, total)
        bar = Content("")
        if room >= 30 and width >= _ROOM_FOR_BAR and total:
            full = round(percent * _BAR / 100)
            bar = Content.assemble(
                "   ",
                part("▰" * full, palette.success),
                part("▱" * (_BAR - full), palette.rule),
                part(f" {percent}%", palette.muted),
            )
            if 4 + bar.cell_length + 8 > room:
                bar = part(f"  {percent}%", palette.muted)
        name = clip(board.project.name, room - bar.cell_length - 4)
        left = Content.assemble(
            part("◆ ", palette.accent), part(name, palette.text, bold=True), part(" ▾", palette.muted), bar
        )
        gap = max(1, width - left.cell_length - right.cell_length)
        start = left.cell_length + gap
        self._attention = (start, start + warning.cell_length)
        inbox = start + (warning.cell_length + 2 if warning.cell_length else 0)
        self._inbox = (inbox, inbox + waiting.cell_length)
        return Content.assemble(left, " " * gap, right)

    def _right(self, width: int) -> Content:
        board, palette = self.faces.board, self.faces.palette
        connection = board.connection
        parts: list[Content] = []
        followed = self.following()
        if followed is not None:
            colour = self.faces.colour_of(followed.id)
            parts.append(_badge(f" ⇢ {clip(self.faces.short(followed.name), 12)} ", colour, palette))
        selected = len(self.faces.cursor.selected)
        if selected:
            parts.append(part(f"✓ {selected}", palette.accent))
        if self.people:
            badges = self._badges(max(0, min(5, width // 14 - 2)))
            if badges.cell_length:
                parts.append(badges)
        if self._catching is not None:
            parts.append(self._progress(self._catching, width))
        delivery = self.delivery.text(short=width < _ROOM_FOR_WORDS)
        if connection.queued and connection.word == "live":
            parts.append(part(f"⇡ {connection.queued}", palette.muted))
        elif delivery:
            parts.append(part(delivery, palette.muted))
        colour = {"live": palette.success, "polling": palette.medium, "offline": palette.critical}.get(
            connection.word, palette.muted
        )
        dot = "●" if connection.word == "live" else "○"
        parts.append(
            part(f"{dot} {connection_text(connection)}", colour, bold=connection.word != "connecting")
        )
        return Content("  ").join(parts)

    def _progress(self, event: CatchingUp, width: int) -> Content:
        palette = self.faces.palette
        share = event.done / event.total
        if width < _ROOM_FOR_WORDS:
            return part(f"⇣ {int(100 * share)}%", palette.muted)
        full = int(share * _CATCHING_BAR)
        return Content.assemble(
            part("catching up ", palette.muted),
            part("━" * full, palette.accent),
            part("─" * (_CATCHING_BAR - full), palette.rule),
            part(f" {int(100 * share)}%", palette.muted),
        )

    def _badges(self, most: int) -> Content:
        board, palette = self.faces.board, self.faces.palette
        others = [user for user in board.online if user.id != board.user.id]
        shown = others[:most]
        badges = [
            _badge(clip((user.name or "?")[:1].upper(), 2), self.faces.colour_of(user.id), palette)
            for user in shown
        ]
        if len(others) > most:
            badges.append(part(f"+{len(others) - most}", palette.muted))
        return Content(" ").join(badges)

    def on_click(self, event: events.Click) -> None:
        start, end = self._attention
        if start <= event.x - 1 < end:
            self.post_message(WantsAction("attention"))
        elif self._inbox[0] <= event.x - 1 < self._inbox[1]:
            self.post_message(WantsAction("inbox"))
        elif event.x < 4 + cell_len(self.faces.board.project.name) + 3:
            self.post_message(WantsAction("projects"))


def _badge(text: str, colour: str, palette: Palette) -> Content:
    return part(f" {text} ", palette.on(colour), bold=True, on=colour)


def count_of(column: Column, found: int, count: int, palette: Palette) -> Content:
    """A column's count, with its limit where it has one; marked when full, more so when over.

    Where a filter hides some, "2 of 7".
    """
    if found < count:
        return part(f"{found} of {count}", palette.accent)
    if column.wip_limit is None:
        return part(str(count), palette.muted)
    text = f"{count}/{column.wip_limit}"
    if count > column.wip_limit:
        return part(f"{text} over", palette.critical, bold=True)
    return part(text, palette.high if count == column.wip_limit else palette.muted)


class LaneHead(Steady):
    """A column's name and count above a rule; the accent tells where the cursor is."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "LaneHead { height: 2; }"

    def __init__(self, column: Column, faces: Faces) -> None:
        super().__init__()
        self.column = column
        self.faces = faces
        self.active = False

    def words(self) -> Content:
        palette = self.faces.palette
        count = count_of(self.column, *self.faces.view.count(self.column.id), palette)
        width = self.size.width
        if self.faces.view.is_collapsed(self.column.id):
            return self._folded(width)
        mark = part("● ", palette.of_name(self.column.color)) if self.column.color else Content("")
        name = clip(self.column.name, width - count.cell_length - mark.cell_length - 1)
        colour = palette.accent if self.active else palette.text
        rule = part(("━" if self.active else "─") * width, palette.accent if self.active else palette.rule)
        return Content.assemble(mark, part(name, colour, bold=True), " ", count, "\n", rule)

    def _folded(self, width: int) -> Content:
        palette = self.faces.palette
        colour = palette.accent if self.active else palette.muted
        found, _ = self.faces.view.count(self.column.id)
        rule = part(("━" if self.active else "─") * width, palette.accent if self.active else palette.rule)
        return Content.assemble(part(short_count(found).center(width), colour, bold=self.active), "\n", rule)


class FoldedLane(Widget):
    """A collapsed column: its name from top to bottom; where there is room, what opens it. A click does."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "FoldedLane { height: 1fr; display: none; }"

    @dataclass
    class Pressed(Message):
        """The strip was clicked."""

        status: str

    def __init__(self, column: Column, faces: Faces, key: str) -> None:
        """``key`` opens it."""
        super().__init__()
        self.column = column
        self.faces = faces
        self._key = key

    def render(self) -> Content:
        palette = self.faces.palette
        if self.size.width >= _ROOM_FOR_SENTENCE:
            told = part("\n Collapsed; ", palette.muted) + part(self._key, palette.accent, bold=True)
            return told + part(" opens it", palette.muted)
        active = self.faces.cursor.status == self.column.id
        letters = _graphemes(self.column.name)[: max(0, self.size.height - 1)]
        text = "\n".join(["", *(f" {letter}" for letter in letters)])
        return part(text, palette.accent if active else palette.muted, bold=active)

    def on_click(self) -> None:
        self.post_message(self.Pressed(self.column.id))


def short_count(count: int) -> str:
    """A count in at most three cells: 12, 999, 2k."""
    return str(count) if count < 1000 else f"{min(99, count // 1000)}k"


def _graphemes(text: str) -> list[str]:
    return [text[start:stop] for start, stop, _ in split_graphemes(text)[0]]


class ColumnTabs(Steady):
    """The board's columns in one line; the one with the cursor between rules."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "ColumnTabs { height: 2; padding: 0 1; }"

    @dataclass
    class Picked(Message):
        """A tab was clicked."""

        place: int

    def __init__(self, faces: Faces) -> None:
        super().__init__()
        self.faces = faces
        self._spans: list[tuple[int, int, int]] = []

    def words(self) -> Content:
        view, palette = self.faces.view, self.faces.palette
        columns = view.columns
        active = self.faces.cursor.column
        width = self.size.width
        counts = [count_of(column, *view.count(column.id), palette) for column in columns]
        full = sum(cell_len(column.name) + 1 for column in columns)
        full += sum(count.cell_length for count in counts)
        roomy = full + 2 * (len(columns) - 1) <= width
        line, at, rule = Content(""), 0, Content("")
        self._spans = []
        for place, (column, count) in enumerate(zip(columns, counts, strict=True)):
            tab = self._tab(column, count, place == active, roomy, width - 4 * (len(columns) - 1))
            self._spans.append((at, at + tab.cell_length, place))
            mark = part(
                ("━" if place == active else "─") * tab.cell_length,
                palette.accent if place == active else palette.rule,
            )
            gap = "  " if place < len(columns) - 1 else ""
            line, rule = line + tab + gap, rule + mark + part("─" * len(gap), palette.rule)
            at += tab.cell_length + len(gap)
        rest = part("─" * max(0, width - at), palette.rule)
        return Content.assemble(line, "\n", rule, rest)

    def _tab(self, column: Column, number: Content, active: bool, roomy: bool, room: int) -> Content:
        palette = self.faces.palette
        if active:
            name = column.name if roomy else clip(column.name, max(4, room - number.cell_length - 1))
            return Content.assemble(part(name, palette.accent, bold=True), " ", number)
        if roomy:
            return Content.assemble(part(column.name, palette.muted), " ", number)
        return part(clip(column.name, 2) if cell_len(column.name) <= 2 else column.name[:2], palette.muted)

    def place_at(self, x: int) -> int | None:
        """Which tab is at a cell of the line."""
        return next((place for start, end, place in self._spans if start <= x < end), None)

    def on_click(self, event: events.Click) -> None:
        place = self.place_at(event.x - 1)
        if place is not None:
            self.post_message(self.Picked(place))
