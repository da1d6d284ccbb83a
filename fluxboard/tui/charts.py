"""Charts in a terminal's cells: pure functions from numbers to lines of segments.

A cell is filled in eighths, so that a chart of twelve lines tells 96 heights apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from itertools import count as counting
from math import ceil
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from fluxboard.tui.themes import Palette
from fluxboard.tui.widgets.card import clip

Lines = list[list[Segment]]

_LOWER: Final = " ▁▂▃▄▅▆▇█"
_LEFT: Final = " ▏▎▍▌▋▊▉█"
#: What layers are told apart by where there are no colours.
_TEXTURES: Final = "█▒░▓"
_NAME_MAX: Final = 20
_BAR_MAX: Final = 9
#: So many free cells between two names below a chart.
_APART: Final = 2


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of what a chart counts: its name, its colour."""

    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Paper:
    """What a chart is drawn on: so many cells, in these colours or, for who has none, in textures."""

    width: int
    height: int
    palette: Palette
    colourless: bool = False

    def ink(self, colour: str, on: str = "") -> Style:
        """A text style on the chart's background, or on another colour."""
        return Style(color=colour, bgcolor=on or self.palette.background)

    def texture(self, place: int) -> str:
        """The full cell of the layer with this number."""
        return _TEXTURES[place % len(_TEXTURES)] if self.colourless else "█"

    def smaller(self, lines: int) -> Paper:
        """The same with so many lines less."""
        return Paper(self.width, max(0, self.height - lines), self.palette, self.colourless)


def legend(layers: Sequence[Layer], counts: Sequence[str], paper: Paper, dots: str = "") -> Lines:
    """Which layer is which, what each comes to, what the dots mean; on as many lines as that takes."""
    room = min(_NAME_MAX, paper.width - 8)
    entries = [
        [
            Segment(paper.texture(place) * 2, paper.ink(layer.colour)),
            Segment(f" {clip(layer.name, room)} ", paper.ink(paper.palette.text)),
            Segment(number, paper.ink(paper.palette.muted)),
        ]
        for place, (layer, number) in enumerate(zip(layers, counts, strict=True))
    ]
    if dots:
        entries.append([Segment(clip(f"•• {dots}", paper.width), paper.ink(paper.palette.text))])
    lines: Lines = [[]]
    for entry in entries:
        if lines[-1] and _cells([*lines[-1], *entry]) + 2 > paper.width:
            lines.append([])
        lines[-1] += [Segment("  ", paper.ink(paper.palette.text)), *entry] if lines[-1] else entry
    return lines


def _cells(line: Sequence[Segment]) -> int:
    return sum(segment.cell_length for segment in line)


def ticks(top: float, most: int) -> list[int]:
    """Round whole numbers from 0 up to ``top``, about as many as ``most`` (1 or more)."""
    steps = (digit * 10**power for power in counting() for digit in (1, 2, 5))
    step = next(step for step in steps if step * most >= top)
    return list(range(0, int(top) + 1, step))


def area(
    layers: Sequence[Layer],
    stacks: Sequence[Sequence[float]],
    names: Sequence[str],
    paper: Paper,
    dots: Sequence[float] = (),
) -> Lines:
    """Layers on each other over time: for each point a stack from the bottom up and a name below.

    ``dots`` is a line drawn over it, with one height a point.
    """
    axis = _Axis.of(max([sum(stack) for stack in stacks] + list(dots), default=0), paper)
    cells = paper.width - axis.gutter
    if axis.rows < 2 or cells < 1 or not stacks:
        return []
    points = [cell * len(stacks) // cells for cell in range(cells)]
    ends = [[axis.eighths(end) for end in accumulate(stacks[point])] for point in points]
    line = [axis.eighths(dots[point]) for point in points] if dots else []
    lines = [axis.row(row, layers, ends, line, paper) for row in range(axis.rows)]
    return [*lines, _below(_middles(names, cells), cells, axis.gutter, paper)]


def bars(counts: Sequence[tuple[str, int]], colour: str, paper: Paper) -> Lines:
    """An upright bar for each name, with its count above it."""
    # The highest bar, too, has room for its count.
    axis = _Axis.of(max((count for _, count in counts), default=0), paper, headroom=1)
    cells = paper.width - axis.gutter
    if axis.rows < 2 or cells < len(counts) or not counts:
        return []
    each = cells // len(counts)
    wide = min(each - (each > 1), _BAR_MAX)
    middles = _middles([name for name, _ in counts], cells)
    ends: list[list[int]] = [[0]] * cells
    for (_, count), middle in zip(counts, middles, strict=True):
        first = middle - (wide - 1) // 2
        ends[first : first + wide] = [[axis.eighths(count)]] * wide
    lines = [axis.row(row, [Layer("", colour)], ends, [], paper) for row in range(axis.rows)]
    for (_, count), middle in zip(counts, middles, strict=True):
        if count:
            above = axis.rows - 1 - ceil(ends[middle][0] / 8)
            _write(lines[above], middle, str(count), paper.ink(paper.palette.text))
    return [*lines, _below(middles, cells, axis.gutter, paper)]


@dataclass(frozen=True, slots=True)
class _Axis:
    """The numbers at the left of a chart, and how high each of its rows reaches."""

    rows: int
    scale: Sequence[int]
    per_unit: float

    @classmethod
    def of(cls, highest: float, paper: Paper, headroom: int = 0) -> _Axis:
        rows = paper.height - 1
        # The highest point still lies within the top row.
        return cls(rows, ticks(highest, max(1, rows // 3)), ((rows - headroom) * 8 - 1) / max(highest, 1))

    @property
    def gutter(self) -> int:
        return len(str(self.scale[-1])) + 1

    def eighths(self, value: float) -> int:
        """A height in eighths of a row."""
        return round(value * self.per_unit)

    def row(
        self,
        row: int,
        layers: Sequence[Layer],
        ends: Sequence[Sequence[int]],
        dots: Sequence[int],
        paper: Paper,
    ) -> list[Segment]:
        """One row from the top, a segment a cell after that of the axis."""
        low = (self.rows - 1 - row) * 8
        tick = next((str(tick) for tick in self.scale if low <= self.eighths(tick) < low + 8), "")
        line = [Segment(f"{tick:>{self.gutter - 1}} ", paper.ink(paper.palette.muted))]
        line += [_cell(layers, end, low, "┈" if tick else " ", paper) for end in ends]
        for place, height in enumerate(dots):
            if low <= height < low + 8:
                line[place + 1] = _dot(line[place + 1], paper)
        return line


def _cell(layers: Sequence[Layer], ends: Sequence[int], low: int, rule: str, paper: Paper) -> Segment:
    """One cell of a stack: of the layers that meet in it the lowest, and the largest of those above."""
    shares: list[tuple[int, int]] = []
    start = 0
    for place, end in enumerate(ends):
        share = min(end, low + 8) - max(start, low)
        if share > 0:
            shares.append((share, place))
        start = end
    if not shares:
        return Segment(rule, paper.ink(paper.palette.rule))
    if paper.colourless or shares[0][0] == 8:
        share, place = max(shares)
        full = sum(share for share, _ in shares) >= 4 or low == 0
        return Segment(paper.texture(place) if full else rule, paper.ink(layers[place].colour))
    share, place = shares[0]
    on = layers[max(shares[1:])[1]].colour if shares[1:] else ""
    return Segment(_LOWER[share], paper.ink(layers[place].colour, on))


def _dot(under: Segment, paper: Paper) -> Segment:
    """A point of a line, on what is drawn there already."""
    if under.text == "█" and under.style is not None and under.style.color is not None:
        return Segment("•", paper.ink(paper.palette.background, under.style.color.name))
    return Segment("•", paper.ink(paper.palette.text))


def _write(line: list[Segment], middle: int, text: str, style: Style) -> None:
    """Writes over the cells around ``middle``, as far as the line reaches."""
    start = max(1, min(middle + 1 - (len(text) - 1) // 2, len(line) - len(text)))
    for place, letter in enumerate(text[: len(line) - start], start):
        line[place] = Segment(letter, style)


def _middles(names: Sequence[str], cells: int) -> dict[int, str]:
    """The cell in the middle of what belongs to each name."""
    return {(2 * place + 1) * cells // (2 * len(names)): name for place, name in enumerate(names)}


def _below(names: Mapping[int, str], cells: int, gutter: int, paper: Paper) -> list[Segment]:
    """What stands below, each name around its cell: every one, or every second, third, … so that none touch.

    Of the ways to leave names out it takes one that an edge pushes none of, with many names, to the end.
    """
    spots: list[tuple[int, str, bool]] = []
    for middle, name in sorted(names.items()):
        wanted = middle - (len(name) - 1) // 2
        at = max(0, min(wanted, cells - len(name)))
        spots.append((at, name, abs(at - wanted) > 1))
    line = " " * cells
    for step in range(1, len(spots) + 1):
        ways = [spots[last % step :: step] for last in reversed(range(len(spots) - step, len(spots)))]
        fitting = [
            way
            for way in ways
            if all(at + len(name) + _APART <= after for (at, name, _), (after, *_) in pairwise(way))
        ]
        if fitting:
            best = min(fitting, key=lambda way: (sum(pushed for *_, pushed in way), -len(way)))
            for at, name, _ in best:
                line = line[:at] + name + line[at + len(name) :]
            break
    return [Segment(" " * gutter + line[:cells], paper.ink(paper.palette.muted))]


def lying(rows: Sequence[tuple[str, int]], colour: str, paper: Paper) -> Lines:
    """A bar for each name, with its count behind it; as many as there is room for, with air if there is."""
    if not rows or paper.height < 1:
        return []
    shown = rows[: paper.height]
    top = max(count for _, count in shown)
    gutter = min(_NAME_MAX, max(cell_len(name) for name, _ in shown), paper.width // 3) + 1
    room = max(1, paper.width - gutter - len(str(top)) - 1)
    airy = 2 * len(shown) < paper.height
    lines: Lines = [[]] if len(shown) < paper.height else []
    for name, number in shown:
        eighths = round(number / max(top, 1) * room * 8)
        bar = "█" * (eighths // 8) + (_LEFT[eighths % 8] if eighths % 8 else "")
        label = set_cell_size(clip(name, gutter - 1), gutter)
        lines.append(
            [
                Segment(label, paper.ink(paper.palette.muted)),
                Segment(bar, paper.ink(colour)),
                Segment(f" {number}", paper.ink(paper.palette.text)),
            ]
        )
        if airy:
            lines.append([])
    return lines
