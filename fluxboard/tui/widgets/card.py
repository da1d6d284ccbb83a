"""A card's face: a pure function of a task, a width and its marks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from rich.style import Style

from fluxboard.model.text import initials
from fluxboard.model.types import COMPLETED, PRIORITIES, Task, day_of
from fluxboard.tui.dates import due_text
from fluxboard.tui.themes import Palette

GLYPHS: Final = {"low": "▽", "medium": "■", "high": "▲", "critical": "▲▲"}
_ROOMY: Final = 20
UNTITLED: Final = "(no title)"


@dataclass(frozen=True, slots=True)
class Person:
    """A person, or several, as a badge; ``short`` where there is little room."""

    text: str
    colour: str
    short: str = ""

    @property
    def brief(self) -> str:
        """The shortest that tells who it is."""
        return self.short or initials(self.text)


Density = Literal["compact", "normal", "roomy"]
DateStyle = Literal["words", "iso"]


@dataclass(frozen=True, slots=True)
class CardStyle:
    """How a user likes their cards: one line each, as they need, or airy; days in words or as ISO dates."""

    density: Density = "normal"
    dates: DateStyle = "words"

    @property
    def gap(self) -> int:
        """The free lines above a card."""
        return 0 if self.density == "compact" else 1


@dataclass(frozen=True, slots=True)
class Marks:
    """What a card shows beyond its task: my cursor and selection, its assignee, who else is on it.

    ``writer`` is what somebody does to it right now, as a sentence; ``unread`` that it has comments which are
    new to me.
    """

    today: date
    style: CardStyle = CardStyle()
    cursor: bool = False
    selected: bool = False
    lifted: bool = False
    assignee: Person | None = None
    visitor: Person | None = None
    writer: Person | None = None
    unread: bool = False


def clip(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, with an ellipsis where something was cut off."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return _head(text, width - 1)[0].rstrip() + "…"


def wrap_title(title: str, first: int, second: int) -> list[str]:
    """A title on one line of ``first`` cells, or on two, the second of ``second`` cells."""
    if cell_len(title) <= first:
        return [title]
    head, rest = _head(title, first)
    space = head.rfind(" ")
    if rest and not rest.startswith(" ") and space > 0:
        head, rest = head[:space], head[space:] + rest
    return [head.rstrip(), clip(rest.strip(), second)]


def _head(text: str, width: int) -> tuple[str, str]:
    """The longest start of ``text`` that fits into ``width`` cells, never splitting a grapheme; the rest."""
    if text.isascii():
        return text[:width], text[width:]
    used = 0
    ends = [0]
    for _, stop, cells in split_graphemes(text)[0]:
        if used + cells > width:
            break
        used += cells
        ends.append(stop)
    # A joiner with nothing before it is counted in two ways: the sum of the parts is not the whole.
    while len(ends) > 1 and cell_len(text[: ends[-1]]) > width:
        ends.pop()
    return text[: ends[-1]], text[ends[-1] :]


def _gutter(width: int) -> int:
    return 5 if width >= _ROOMY else 4


def _full(width: int) -> int:
    return max(1, width - _gutter(width) - 1)


def _visitor_text(title: str, marks: Marks, width: int) -> str:
    """A teammate's name tag, or their initials where the title's first word needs the room."""
    if marks.visitor is None or width < _ROOMY:
        return ""
    name = f" {clip(marks.visitor.text, width // 3)} "
    word = title.split(" ", 1)[0]
    fits = cell_len(word) + 1 + cell_len(name) <= _full(width)
    return name if fits else f" {marks.visitor.brief} "


def _title_widths(title: str, marks: Marks, width: int) -> tuple[int, int]:
    full = _full(width)
    tag = _visitor_text(title, marks, width)
    return (full - cell_len(tag) - 1 if tag else full), full


def _has_meta(task: Task, marks: Marks) -> bool:
    return bool(
        task.labels or day_of(task.due_date) or marks.assignee or task.comment_count or task.checklist
    )


def card_height(task: Task, width: int, marks: Marks) -> int:
    """How many lines :func:`draw_card` returns, without drawing."""
    if marks.style.density == "compact":
        return 1
    title = task.title or UNTITLED
    cells = len(title) if title.isascii() else cell_len(title)
    padding = 2 if marks.style.density == "roomy" else 0
    return (1 if cells <= _title_widths(title, marks, width)[0] else 2) + (
        _has_meta(task, marks) + (marks.writer is not None) + padding
    )


def draw_card(task: Task, width: int, marks: Marks, palette: Palette) -> list[list[Segment]]:
    """The lines of a card, each exactly ``width`` cells of text (12 or more) in segments."""
    back = palette.cursor if marks.cursor else palette.selected if marks.selected else palette.card
    base = Style(color=palette.muted if marks.lifted else palette.text, bgcolor=back)
    title = task.title or UNTITLED
    style = base + Style(bold=marks.cursor, dim=task.status == COMPLETED and not marks.cursor)
    if marks.style.density == "compact":
        lines = [_one_line(task, title, width, marks, palette, base, style)]
    else:
        lines = _several_lines(task, title, width, marks, palette, base, style)
    first = 0
    if marks.style.density == "roomy":
        lines, first = [[], *lines, []], 1
    bar = Style(color=palette.accent if marks.cursor else palette.of_priority(task.priority))
    framed = []
    for number, line in enumerate(lines):
        lead = [Segment("█" if marks.cursor else "▎", base + bar)]
        lead += (
            _glyph(task, width, marks, palette, base)
            if number == first
            else [_space(_gutter(width) - 1, base)]
        )
        used = sum(cell_len(segment.text) for segment in lead + line)
        framed.append([*lead, *line, _space(width - used, base)])
    return framed


def _several_lines(
    task: Task, title: str, width: int, marks: Marks, palette: Palette, base: Style, style: Style
) -> list[list[Segment]]:
    """The title on up to two lines, and below it what else is to say."""
    widths = _title_widths(title, marks, width)
    lines: list[list[Segment]] = []
    for number, text in enumerate(wrap_title(title, *widths)):
        line = [Segment(text, style)]
        tag = _visitor_text(title, marks, width) if number == 0 else ""
        if tag and marks.visitor is not None:
            line += [_space(widths[0] - cell_len(text) + 1, base), _badge(tag, marks.visitor.colour, palette)]
        lines.append(line)
    if _has_meta(task, marks):
        lines.append(_meta(task, widths[1], marks, palette, base))
    if marks.writer is not None:
        text = f"✎ {marks.writer.text}"
        if cell_len(text) > widths[1]:
            text = clip(f"✎ {marks.writer.brief}", widths[1])
        lines.append([Segment(text, base + Style(color=marks.writer.colour, italic=True))])
    return lines


def _one_line(
    task: Task, title: str, width: int, marks: Marks, palette: Palette, base: Style, style: Style
) -> list[Segment]:
    """The title, and at its right who looks at it, when it is due and whose it is, if there is room."""
    room = _full(width)
    parts: list[list[Segment]] = []
    if marks.assignee is not None:
        parts.append([_badge(f" {marks.assignee.text} ", marks.assignee.colour, palette)])
    due = due_text(task.due_date, marks.today, done=task.status == COMPLETED, iso=marks.style.dates == "iso")
    if due:
        parts.append([Segment(due, _due_style(task, marks, palette, base))])
    company = marks.visitor or marks.writer
    if company is not None:
        pen = "✎ " if marks.writer is not None else ""
        parts.append([_badge(f" {pen}{company.brief} ", company.colour, palette)])
    while parts and _needs(parts) > room // 2:
        parts.pop()
    end = _joined(parts[::-1], base)
    used = sum(cell_len(segment.text) for segment in end)
    text = clip(title, room - used - bool(used))
    return [Segment(text, style), _space(room - used - cell_len(text), base), *end]


def _glyph(task: Task, width: int, marks: Marks, palette: Palette, base: Style) -> list[Segment]:
    """The priority's glyph between the bar and the title; a tick on a selected card.

    Where the title has no room for a name tag, the teammate's first letter stands here: it moves nothing.
    """
    glyph = "✓" if marks.selected else GLYPHS.get(task.priority, GLYPHS["medium"])
    colour = palette.accent if marks.selected else palette.of_priority(task.priority)
    gutter = _gutter(width)
    text = f" {glyph}" if gutter == 5 else glyph
    style = base + Style(color=colour, bold=marks.selected)
    if marks.visitor is None or width >= _ROOMY or marks.style.density == "compact":
        return [Segment(text.ljust(gutter - 1), style)]
    letter = marks.visitor.brief[:1]
    badge = _badge(letter if cell_len(letter) == 1 else "●", marks.visitor.colour, palette)
    return [Segment(text, style), badge, _space(gutter - 2 - cell_len(text), base)]


def _meta(task: Task, width: int, marks: Marks, palette: Palette, base: Style) -> list[Segment]:
    """Labels and due date on the left, counts and initials on the right; what does not fit goes."""
    muted = base + Style(color=palette.muted)
    left: list[list[Segment]] = []
    if task.labels:
        text = clip(" ".join(f"#{label}" for label in task.labels), width)
        left.append([Segment(text, base + Style(color=palette.label))])
    due = due_text(task.due_date, marks.today, done=task.status == COMPLETED, iso=marks.style.dates == "iso")
    if due:
        left.append([Segment(due, _due_style(task, marks, palette, base))])
    right: list[list[Segment]] = []
    if marks.assignee is not None:
        right.append([_badge(f" {marks.assignee.text} ", marks.assignee.colour, palette)])
    if task.comment_count:
        counted = base + Style(color=palette.accent, bold=True) if marks.unread else muted
        right.append([Segment(f"✉ {task.comment_count}{'*' if marks.unread else ''}", counted)])
    if task.checklist:
        done = sum(item.done for item in task.checklist)
        right.append([Segment(f"☑ {done}/{len(task.checklist)}", muted)])
    # The order in which things go, last first: labels, due date, initials, comments, checklist.
    while len(left) + len(right) > 1 and _needs(left + right) > width:
        (right or left).pop()
    start = _joined(left, base)
    end = _joined(right[::-1], base)
    gap = width - sum(cell_len(segment.text) for segment in start + end)
    if gap < 0:
        return []
    return [*start, _space(gap, base), *end]


def _due_style(task: Task, marks: Marks, palette: Palette, base: Style) -> Style:
    day = day_of(task.due_date)
    if day is not None and day < marks.today and task.status != COMPLETED:
        return base + Style(color=palette.critical, bold=True)
    return base + Style(color=palette.medium if day == marks.today else palette.muted)


def _needs(parts: list[list[Segment]]) -> int:
    cells = sum(cell_len(segment.text) for part in parts for segment in part)
    return cells + 2 * (len(parts) - 1)


def _joined(parts: list[list[Segment]], base: Style) -> list[Segment]:
    line: list[Segment] = []
    for part in parts:
        if line:
            line.append(_space(2, base))
        line += part
    return line


def _badge(text: str, colour: str, palette: Palette) -> Segment:
    return Segment(text, Style(color=palette.on(colour), bgcolor=colour, bold=True))


def _space(count: int, style: Style) -> Segment:
    return Segment(" " * max(0, count), style)


def priority_text(name: str) -> str:
    """A priority as glyph and word, never by colour alone."""
    return f"{GLYPHS.get(name, GLYPHS['medium'])} {name}"


def priorities_of(layer: Literal["core", "plus"]) -> tuple[str, ...]:
    """The priorities that a server of this layer knows, from low to high."""
    return PRIORITIES if layer == "plus" else PRIORITIES[:3]
