"""Over a slow link each byte counts: of a frame only what differs from the last one is written.

Textual paints the whole screen again whenever something is laid out anew, 14 kB for a line of text at 80x24.
Here the rows that are on the terminal are remembered, and of each row the part between the first and the last
difference is sent, and of the colours what is different from the cell before. Empty cells are erased, where
the terminal gives them the background then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Piece = tuple[int, int, Strip]
#: What switches on a style's attributes, its colour and the one behind it.
Codes = tuple[str, str, str]

#: So many spaces are as short as what erases them.
_SPACES = 12


@lru_cache(maxsize=2048)
def _codes(style: Style, system: ColorSystem) -> Codes:
    colour, behind = style.color, style.bgcolor
    attributes = Style.combine([style, Style(color="default", bgcolor="default")])
    return (
        Strip.render_ansi(attributes, system).removesuffix("39;49").rstrip(";"),
        ";".join(colour.downgrade(system).get_ansi_codes()) if colour else "39",
        ";".join(behind.downgrade(system).get_ansi_codes(foreground=False)) if behind else "49",
    )


@cache
def erases_in_colour() -> bool:
    """Whether cells that the terminal erases get the background that is set; its terminfo knows."""
    try:
        import curses
    except ImportError:  # on Windows
        return False
    try:
        curses.setupterm(fd=1)
    except curses.error:
        return False
    return curses.tigetflag("bce") == 1 and curses.tigetstr("ech") == b"\x1b[%p1%dX"


def written(pieces: Iterable[Piece], console: Console, *, erase: bool = False) -> str:
    """Parts of rows as the terminal reads them: of the colours what is different from the cell before."""
    system = console._color_system or ColorSystem.TRUECOLOR
    out: list[str] = []
    now = nothing = ("", "39", "49")
    for x, y, strip in pieces:
        out.append(Control.move_to(x, y).segment.text)
        run = ""
        for text, style, _ in strip:
            wanted = nothing if style is None else _codes(style, system)
            if text.isspace() and not wanted[0]:
                wanted = (wanted[0], now[1], wanted[2])  # nobody sees a space's own colour
            if wanted != now:
                out += (_shorter(run) if erase and not now[0] else run, _change(now, wanted))
                run, now = "", wanted
            if style is not None and style.link:
                run += f"\x1b]8;id={style.link_id};{style.link}\x1b\\{text}\x1b]8;;\x1b\\"
            else:
                run += text
        out.append(_shorter(run) if erase and not now[0] else run)
    return "".join(out) + ("\x1b[0m" if now != nothing else "")


def _change(now: Codes, wanted: Codes) -> str:
    """What makes one style of another; attributes are switched off all at once."""
    if now[0] and now[0] != wanted[0]:
        return f"\x1b[0;{';'.join(code for code in wanted if code not in {'', '39', '49'})}m"
    return f"\x1b[{';'.join(code for code, before in zip(wanted, now, strict=True) if code != before)}m"


def _shorter(run: str) -> str:
    """A text whose spaces at the end, if they are many, are erased cells that the cursor passes."""
    shown = run.rstrip(" ")
    spaces = len(run) - len(shown)
    return run if spaces <= _SPACES else f"{shown}\x1b[{spaces}X\x1b[{spaces}C"


class Pieces(CompositorUpdate):
    """Parts of rows, each with its place (x, y)."""

    def __init__(self, pieces: list[Piece], *, erase: bool) -> None:
        self.pieces = pieces
        self.erase = erase

    def render_segments(self, console: Console) -> str:
        """What to write to the terminal."""
        return written(self.pieces, console, erase=self.erase)


class Frames:
    """What is on the terminal, row by row. ``erase`` is whether it erases cells in the colour behind them."""

    def __init__(self, *, erase: bool = False) -> None:
        self._erase = erase
        self._rows: dict[int, Strip] = {}

    def forget(self) -> None:
        """Something else was on the terminal: the next frame is written whole."""
        self._rows.clear()

    def thin(self, update: CompositorUpdate) -> CompositorUpdate:
        """The part of an update that is not on the terminal already."""
        drawn: Iterator[Piece]
        if isinstance(update, LayoutUpdate):
            drawn = ((update.region.x, y, Strip.join(row)) for y, row in _numbered(update))
        elif isinstance(update, ChopsUpdate):
            drawn = _spans(update)
        else:
            self.forget()
            return update
        return Pieces([piece for each in list(drawn) for piece in self._write(*each)], erase=self._erase)

    def _write(self, x: int, y: int, strip: Strip) -> Iterator[Piece]:
        """Remembers a part of a row; what of it is new."""
        known = self._rows.get(y)
        if known is None or x + strip.cell_length > known.cell_length:
            # Only a row from its beginning is known as a whole.
            if x == 0:
                self._rows[y] = strip
            else:
                self._rows.pop(y, None)
            yield x, y, strip
            return
        before = known.crop(x, x + strip.cell_length)
        start, end = _difference(before, strip)
        if start < end:
            yield x + start, y, strip.crop(start, end)
            self._rows[y] = Strip.join([known.crop(0, x), strip, known.crop(x + strip.cell_length)])


def _numbered(update: LayoutUpdate) -> Iterator[tuple[int, list[Strip]]]:
    for y, row in enumerate(update.strips, update.region.y):
        yield y, list(row)


def _spans(update: ChopsUpdate) -> Iterator[Piece]:
    """The parts of rows that a partial update writes."""
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > x2 or end <= x1:
                continue
            whole = x2 > x >= x1 and end <= x2
            yield x, y, strip if whole else strip.crop(0, min(end, x2) - x)


def _looks_alike(one: Segment, other: Segment) -> bool:
    """Whether two segments look the same. What a click does is not seen, nor a space's own colour."""
    if one.text != other.text:
        return False
    a, b = one.style, other.style
    if a is b or a == b:
        return True
    if a is None or b is None or a.link != b.link:
        return False
    if (a.bgcolor, a._attributes) != (b.bgcolor, b._attributes):
        return False
    return a.color == b.color or (one.text.isspace() and not (a.underline or a.strike or a.reverse))


def _difference(before: Strip, after: Strip) -> tuple[int, int]:
    """From which cell to which two strips of one length differ, at borders of segments; (0, 0) nowhere."""
    old, new = list(before), list(after)
    start = 0
    while old and new and _looks_alike(old[0], new[0]):
        start += new[0].cell_length
        del old[0], new[0]
    if not new:
        return 0, 0
    end = after.cell_length
    while old and new and _looks_alike(old[-1], new[-1]):
        end -= new[-1].cell_length
        del old[-1], new[-1]
    return start, end
