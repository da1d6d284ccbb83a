"""What is left out of a frame is on the terminal already."""

from __future__ import annotations

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from fluxboard.tui.frames import Frames, written

WIDTH, HEIGHT = 48, 4
STYLES = [
    *(Style(), Style(bold=True), Style(color="red"), Style(bgcolor="blue")),
    *(
        Style(color="red", bgcolor="blue"),
        Style(color="red", underline=True),
        Style(bold=True, bgcolor="blue"),
    ),
]
CONSOLE = Console(color_system="standard", force_terminal=True, width=WIDTH, height=HEIGHT)

#: Few words and few styles, so that rows begin and end alike often enough.
words = st.tuples(st.sampled_from(["ab" * 4, "b." * 4, " " * 8]), st.sampled_from(STYLES))


def strip(drawn: list[tuple[str, Style]]) -> Strip:
    """Words of one style beside each other are one segment, as a widget would draw them."""
    return Strip([Segment(text, style) for text, style in drawn]).simplify()


rows = st.lists(words, min_size=6, max_size=6).map(strip)


@st.composite
def updates(draw: st.DrawFn) -> CompositorUpdate:
    if draw(st.booleans()):
        top = draw(st.integers(0, HEIGHT - 1))
        height = draw(st.integers(1, HEIGHT - top))
        lines = [[draw(rows)] for _ in range(height)]
        return LayoutUpdate(lines, Region(0, top, WIDTH, height))
    y = draw(st.integers(0, HEIGHT - 1))
    cut = draw(st.integers(1, WIDTH - 1))
    row = draw(rows)
    chops = [{0: row.crop(0, cut), cut: row.crop(cut, WIDTH)} for _ in range(HEIGHT)]
    x1 = draw(st.sampled_from([0, cut]))
    x2 = draw(st.sampled_from([each for each in (cut, WIDTH) if each > x1]))
    return ChopsUpdate(chops, [(y, x1, x2)], [[cut, WIDTH]] * HEIGHT)


def fresh() -> tuple[pyte.Screen, pyte.Stream]:
    screen = pyte.Screen(WIDTH, HEIGHT)
    return screen, pyte.Stream(screen)


def seen(screen: pyte.Screen, y: int) -> list[object]:
    """A row as one sees it: a space has no colour of its own unless something is drawn through it."""
    cells = [screen.buffer[y][x] for x in range(WIDTH)]
    return [
        cell._replace(fg="default") if cell.data == " " and not cell.underscore else cell for cell in cells
    ]


@settings(max_examples=400)
@given(st.lists(st.one_of(updates(), st.none()), min_size=1, max_size=12), st.booleans())
def test_the_terminal_shows_the_same(drawn: list[CompositorUpdate | None], erase: bool) -> None:
    whole, thinned = fresh(), fresh()
    frames = Frames(erase=erase)
    for update in drawn:
        if update is None:
            frames.forget()
            continue
        whole[1].feed(update.render_segments(CONSOLE))
        thinned[1].feed(frames.thin(update).render_segments(CONSOLE))
        for y in range(HEIGHT):
            assert seen(whole[0], y) == seen(thinned[0], y)


def test_of_the_colours_only_what_is_different_is_written() -> None:
    wide = Style(color="#0000ff", bgcolor="#101010")
    cells = [Segment("█", wide) for _ in range(WIDTH)]
    one = written([(0, 0, Strip(cells))], CONSOLE)
    assert one == written([(0, 0, Strip([Segment("█" * WIDTH, wide)]))], CONSOLE)
    other = Style(color="#ff0000", bgcolor="#101010")
    row = Strip([Segment("a", wide), Segment(" ", other), Segment("b", other)])
    two = written([(0, 0, row)], CONSOLE)
    assert two.count("\x1b[") == 4, "the place, the colours, the other colour, the end"
    rows = [(0, y, Strip(cells)) for y in range(HEIGHT)]
    assert written(rows, CONSOLE).count("\x1b[") == HEIGHT + 2, "the colours stay from row to row"


def test_a_frame_that_is_there_already_costs_nothing() -> None:
    frames = Frames()
    lines = [[Strip([Segment("one", STYLES[2]), Segment(" two     ", STYLES[0])])] for _ in range(HEIGHT)]
    region = Region(0, 0, WIDTH, HEIGHT)
    assert frames.thin(LayoutUpdate(lines, region)).render_segments(CONSOLE)
    assert frames.thin(LayoutUpdate(lines, region)).render_segments(CONSOLE) == ""
    frames.forget()
    assert frames.thin(LayoutUpdate(lines, region)).render_segments(CONSOLE)
