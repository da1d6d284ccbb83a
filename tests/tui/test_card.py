"""A card's face."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment

from fluxboard.model.text import clean_line
from fluxboard.model.types import ChecklistItem, Task
from fluxboard.tui.dates import ago, due_text, parse_day
from fluxboard.tui.themes import DARK, palette_of
from fluxboard.tui.widgets.card import Marks, Person, card_height, clip, draw_card, wrap_title

TODAY = date(2026, 3, 11)  # a Wednesday
PALETTE = palette_of({**DARK.to_color_system().generate(), **DARK.variables})


def face(task: Task, width: int, **marks: object) -> list[str]:
    lines = draw_card(task, width, Marks(today=TODAY, **marks), PALETTE)  # type: ignore[arg-type]
    return ["".join(segment.text for segment in line) for line in lines]


TITLES = st.one_of(
    st.text(max_size=80).map(clean_line),
    st.text("漢字🎉👩‍👩‍👧é ab", max_size=60),
    st.text("\u200d\ufe0f⼀ 0", max_size=20),
    st.sampled_from(["漢" * 500, "👩‍👩‍👧‍👦" * 9, "a" * 500, "", "e\u0301" * 40, "[/] y", "🏳️‍🌈 flag"]),
)


@settings(max_examples=300, deadline=None)
@given(
    title=TITLES,
    width=st.integers(12, 60),
    labels=st.lists(TITLES, max_size=4),
    due=st.sampled_from([None, "2026-03-09", "2026-03-13", "2027-01-01"]),
    comments=st.integers(0, 1000),
    checks=st.integers(0, 30),
    person=st.sampled_from([None, Person("ML", "#7dcfff"), Person("漢字", "#7dcfff")]),
    visitor=st.sampled_from([None, Person("mila with a long name", "#7dcfff"), Person("字", "#7dcfff")]),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_every_line_is_exactly_as_wide_as_the_card(
    title: str,
    width: int,
    labels: list[str],
    due: str | None,
    comments: int,
    checks: int,
    person: Person | None,
    visitor: Person | None,
    flags: tuple[bool, bool],
) -> None:
    task = Task(
        id="t",
        title=title,
        labels=tuple(labels),
        due_date=due,
        comment_count=comments,
        checklist=tuple(ChecklistItem(id=str(i), text="x") for i in range(checks)),
    )
    marks = Marks(today=TODAY, cursor=flags[0], selected=flags[1], assignee=person, visitor=visitor)
    lines = draw_card(task, width, marks, PALETTE)
    assert len(lines) == card_height(task, width, marks)
    assert {Segment.get_line_length(line) for line in lines} == {width}
    assert "\n" not in "".join(segment.text for line in lines for segment in line)


@given(title=TITLES, width=st.integers(1, 60))
def test_a_clipped_text_fits(title: str, width: int) -> None:
    assert cell_len(clip(title, width)) <= width
    for line in wrap_title(title, width, width):
        assert cell_len(line) <= width


def test_a_title_breaks_between_words_and_ends_in_an_ellipsis() -> None:
    task = Task(id="t", title="Fix login redirect loop when the session expires")
    assert [line[5:].rstrip() for line in face(task, 30)] == [
        "Fix login redirect loop",
        "when the session expires",
    ]
    assert face(task, 24)[1].rstrip().endswith("…")


def test_what_does_not_fit_goes_from_the_right() -> None:
    task = Task(
        id="t",
        title="x",
        labels=("auth",),
        due_date="2026-03-09",
        comment_count=8,
        checklist=(ChecklistItem(id="c", text="x"),),
    )
    person = Person("ML", "#7dcfff")
    metas = {
        width: " ".join(face(task, width, assignee=person)[-1][1:].split()) for width in (60, 34, 28, 22, 12)
    }
    assert metas == {
        60: "#auth 2d late ☑ 0/1 ✉ 8 ML",
        34: "#auth 2d late ✉ 8 ML",
        28: "#auth 2d late ML",
        22: "#auth 2d late",
        12: "#auth",
    }


def test_marks_are_seen_without_colour() -> None:
    task = Task(id="t", title="x", priority="critical")
    assert face(task, 20)[0].startswith("▎ ▲▲ x")
    assert face(task, 20, cursor=True)[0].startswith("█")
    assert "✓" in face(task, 20, selected=True)[0]
    assert face(Task(id="t", title=""), 30)[0].startswith("▎ ■  (no title)")


def test_in_a_narrow_column_a_teammates_letter_stands_where_it_moves_nothing() -> None:
    task = Task(id="t", title="Write the notes")
    mila = Person("Mila", "#7dcfff")
    assert face(task, 18) == ["▎■  Write the     ", "▎   notes         "]
    assert face(task, 18, visitor=mila) == ["▎■M Write the     ", "▎   notes         "]
    assert face(task, 18, visitor=Person("3 here", "#7dcfff", "3"))[0].startswith("▎■3 Write")
    assert face(task, 18, visitor=Person("字", "#7dcfff"))[0].startswith("▎■● Write")
    assert "Mila" in face(task, 28, visitor=mila)[0]


@pytest.mark.parametrize(
    ("due", "text"),
    [
        (None, ""),
        ("2026-03-11", "today"),
        ("2026-03-09T23:00:00.000Z", "2d late"),
        ("2026-03-13", "Fri"),
        ("2026-03-17", "Tue"),
        ("2026-03-18", "Mar 18"),
        ("2026-12-04", "Dec 4"),
        ("2027-12-04", "Dec 4 2027"),
        ("nonsense", ""),
    ],
)
def test_due_dates_as_people_say_them(due: str | None, text: str) -> None:
    assert due_text(due, TODAY) == text


def test_a_finished_task_is_never_late() -> None:
    assert due_text("2026-03-09", TODAY, done=True) == "Mar 9"


def test_a_day_is_read_or_refused_in_words() -> None:
    assert parse_day(" 2026-03-11 ", TODAY) == "2026-03-11"
    assert parse_day("tomorrow", TODAY) == "2026-03-12"
    assert parse_day("", TODAY) is None
    for wrong in ("2026-02-30", "soon", "20260311"):
        with pytest.raises(ValueError, match="2026"):
            parse_day(wrong, TODAY)


def test_ages() -> None:
    assert [ago(seconds) for seconds in (-5, 59, 360, 7200, 200_000)] == ["now", "now", "6m", "2h", "2d"]
