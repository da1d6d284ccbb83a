"""Charts are told apart by height and texture, whole in every size, and the same at every run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from fluxboard.model.types import Project
from fluxboard.tui.charts import Layer, Lines, Paper, area, bars, legend, lying, ticks
from fluxboard.tui.plots import PLOTS, Past, Plot, svg
from fluxboard.tui.themes import TERMINAL
from tests.support.hostile import RAW
from tests.support.seeded import NOW, give_a_past, team_board

PAPER = Paper(40, 10, TERMINAL)
PLAIN = Paper(40, 10, TERMINAL, colourless=True)
TWO = [Layer("done", "green"), Layer("open", "blue")]


def text_of(lines: Lines) -> list[str]:
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


def a_past() -> Past:
    board = team_board()
    give_a_past(board)
    names = {member.user_id: member.name for member in board.members}
    return Past(board.project, list(board.tasks.values()), (), names, NOW.date())


@pytest.mark.parametrize(
    ("top", "most", "expected"),
    [
        (0, 3, [0]),
        (1, 3, [0, 1]),
        (7, 3, [0, 5]),
        (64, 4, [0, 20, 40, 60]),
        (9999, 4, [0, 5000]),
        (0.4, 2, [0]),
    ],
)
def test_an_axis_has_round_whole_numbers(top: float, most: int, expected: list[int]) -> None:
    assert ticks(top, most) == expected


def test_a_bar_is_as_high_as_its_count_which_stands_above_it() -> None:
    shown = text_of(bars([("a", 1), ("b", 2), ("c", 0)], "green", PAPER))
    heights = {
        name: sum(line[at] in "▁▂▃▄▅▆▇█" for line in shown if len(line) > at)
        for name, at in ((name, shown[-1].index(name)) for name in "abc")
    }
    assert heights == {"a": 4, "b": 8, "c": 0}
    at = shown[-1].index("b")
    assert shown[0][at] == "2", "the highest has room for its count"


def test_layers_lie_on_each_other_and_a_line_over_them() -> None:
    lines = area(TWO, [(1, 1), (1, 3)], ["Mon", "Tue"], PAPER, dots=[4, 0])
    colours = [
        [segment.style.color.name for segment in line[1:] if segment.text == "█"] for line in lines[:-1]
    ]
    assert set(colours[-1]) == {"green"}
    assert set(colours[2]) == {"blue"}
    assert [line.count("•") for line in text_of(lines)[:-1]] == [19, *[0] * 7, 19]


def test_without_colours_layers_have_textures() -> None:
    shown = "\n".join(text_of(area(TWO, [(2, 2)], ["Mon"], PLAIN)))
    assert {"█", "▒"} <= set(shown)
    assert text_of(legend(TWO, ["2", "2"], PLAIN)) == ["██ done 2  ▒▒ open 2"]


def test_a_legend_takes_the_lines_that_it_needs() -> None:
    assert len(legend(TWO * 4, ["100"] * 8, PAPER)) > 2


def test_the_longest_bar_fills_the_line_and_all_have_their_count() -> None:
    shown = text_of(lying([("Ada", 8), ("Sara", 4)], "green", PAPER))
    assert [cell_len(line) for line in shown if line] == [40, 24]
    assert [line.split()[-1] for line in shown if line] == ["8", "4"]


@pytest.mark.parametrize("size", [(156, 16), (76, 13), (36, 12), (20, 5), (9, 3), (1, 1)], ids=str)
@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.title)
def test_no_plot_is_larger_than_its_paper(plot: Plot, size: tuple[int, int]) -> None:
    past = a_past()
    texts = dict.fromkeys((task.assigned_to for task in past.tasks if task.assigned_to), RAW["wide"])
    for names in (past.names, texts):
        drawn = plot.draw(Past(past.project, past.tasks, (), names, past.today), Paper(*size, TERMINAL))
        if size[0] >= 20:
            assert len(drawn) <= size[1]
            assert max((cell_len(line) for line in text_of(drawn)), default=0) <= size[0]


@pytest.mark.parametrize("width", [152, 75, 74, 34])
@pytest.mark.parametrize("plot", PLOTS[:4], ids=lambda plot: plot.title)
def test_the_names_below_a_plot_are_equally_far_from_each_other(plot: Plot, width: int) -> None:
    below = text_of(plot.draw(a_past(), Paper(width, 12, TERMINAL)))[-1]
    names = list(re.finditer(r"\S+( \S+)?", below))
    assert len(names) > 2
    gaps = [after.start() - before.end() for before, after in pairwise(names)]
    assert min(gaps) >= 2, "apart"
    middles = [(name.start() + name.end() - 1) // 2 for name in names]
    distances = [after - before for before, after in pairwise(middles)]
    assert max(distances) - min(distances) <= 2, "as far as whole cells allow"


def test_all_bars_are_equally_wide() -> None:
    shown = text_of(bars([(str(n), 1) for n in range(7)], "green", Paper(24, 10, TERMINAL)))
    assert {len(bar) for bar in re.findall("█+", shown[-2])} == {2}


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.title)
def test_an_empty_board_has_plots_too(plot: Plot) -> None:
    empty = Past(Project(id="p", name="x"), [], (), {}, NOW.date())
    plot.draw(empty, PAPER)
    plot.told(empty)


def test_the_file_is_well_formed_whatever_the_names_are() -> None:
    past = a_past()
    for text in RAW.values():
        ElementTree.fromstring(
            svg(Past(past.project, past.tasks, (), dict.fromkeys(past.names, text), past.today))
        )


def test_a_plot_is_the_same_at_every_run() -> None:
    """Nothing of it hangs on the order of a set, which another seed changes."""
    drawn = (
        "from tests.tui.test_charts import a_past, PAPER, PLOTS, text_of\n"
        "past = a_past()\nprint([text_of(plot.draw(past, PAPER)) for plot in PLOTS])"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", drawn],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
            timeout=timedelta(minutes=1).total_seconds(),
        ).stdout
        for seed in (0, 1, 4)
    }
    assert len(seen) == 1
