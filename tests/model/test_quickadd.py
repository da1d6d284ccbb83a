from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxboard.model.quickadd import QuickAdd, find_person, read_line
from fluxboard.model.types import PRIORITIES

WEDNESDAY = date(2026, 3, 11)
PEOPLE = {
    "u1": "Ada Lovelace ada@example.org",
    "u2": "Bob Roe bob@example.org",
    "u3": "Bobby Tables tables@example.org",
}


def read(line: str) -> QuickAdd:
    return read_line(line, WEDNESDAY, "u1", PEOPLE)


def test_the_whole_grammar() -> None:
    line = "Fix login redirect !high @me #backend ^fri"
    task = read(line)
    assert (task.title, task.priority, task.assigned_to) == ("Fix login redirect", "high", "u1")
    assert (task.labels, task.due_date) == (("backend",), "2026-03-13")
    assert [(line[start:end], kind) for start, end, kind in task.spans] == [
        ("!high", "priority"),
        ("@me", "person"),
        ("#backend", "label"),
        ("^fri", "due"),
    ]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("Mail @nobody about #12", "Mail @nobody about #12"),
        ("a ^soon b", "a ^soon b"),
        ("Wow!", "Wow!"),
        ("! @ # ^", "! @ # ^"),
        (r"say \#backend", "say #backend"),
        ("x ^in 2 weeks y", "x y"),
        ("ask @bo about it", "ask @bo about it"),
        ("ask @bob about it", "ask about it"),
    ],
)
def test_what_is_not_understood_stays_in_the_title(line: str, title: str) -> None:
    assert read(line).title == title


@pytest.mark.parametrize(("text", "name"), [("h", "high"), ("LOW", "low"), ("!", "high"), ("!!", "critical")])
def test_priorities_may_be_short(text: str, name: str) -> None:
    assert read(f"x !{text}").priority == name


def test_a_day_takes_as_many_words_as_it_needs() -> None:
    assert read("x ^in 2 weeks").due_date == "2026-03-25"
    assert read("x ^dec 1").due_date == "2026-12-01"
    assert (read("x ^fri 2 eggs").due_date, read("x ^fri 2 eggs").title) == ("2026-03-13", "x 2 eggs")


def test_a_name_that_could_be_two_people_is_nobody() -> None:
    assert find_person("b", "u1", PEOPLE) is None
    assert find_person("bobb", "u1", PEOPLE) == "u3"
    assert find_person("ME", "u1", PEOPLE) == "u1"


@given(st.text(st.characters(max_codepoint=0x2FF, categories=["L", "N", "P", "S", "Zs"]), max_size=60))
def test_nothing_that_is_typed_is_lost(line: str) -> None:
    task = read(line)
    assert task.priority in PRIORITIES
    marked = "".join(line[start:end] for start, end, _ in task.spans)
    assert all(char in task.title + marked or char == "\\" or char.isspace() for char in line)
