"""No byte of a user's text is anything but text (I14)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxboard.model.text import clean_line, clean_text, initials

CONTROLS = [chr(code) for code in (*range(0x20), 0x7F, *range(0x80, 0xA0))]
BIDI = list("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


@pytest.mark.parametrize("char", [*CONTROLS, *BIDI, "\ud800", "\U000e0041"], ids=lambda c: f"U+{ord(c):04X}")
def test_a_line_keeps_no_character_that_a_terminal_acts_upon(char: str) -> None:
    assert clean_line(f"ä{char}ö") in {"äö", "ä ö"}


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("\x1b]52;c;aGk=", "]52;c;aGk="),
        ("[bug] x", "[bug] x"),
        ("[@click=app.quit]z", "[@click=app.quit]z"),
        ("  two \n lines\t here ", "two lines here"),
        (" \u200b\u3000\ufeff ", ""),
    ],
)
def test_sequences_go_whole_and_markup_stays_text(hostile: str, shown: str) -> None:
    assert clean_line(hostile) == shown


def test_a_text_keeps_its_lines_and_tabs() -> None:
    assert clean_text("a\r\nb\rc\td\x00") == "a\nb\nc\td"


def test_combining_marks_are_capped() -> None:
    assert len(clean_line("z" + "\u0311" * 500)) < 12


def test_joined_emoji_stay_whole() -> None:
    family = "👩‍👩‍👧‍👦"
    assert clean_line(family) == family


@given(st.text())
def test_cleaning_is_idempotent_and_leaves_nothing_to_act_upon(text: str) -> None:
    line = clean_line(text)
    assert clean_line(line) == line
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in line)


@pytest.mark.parametrize(
    ("name", "shown"), [("Ada Lovelace", "AL"), ("mila", "MI"), ("", "?"), ("a.b@c", "AB"), ("李 明", "李")]
)
def test_initials(name: str, shown: str) -> None:
    assert initials(name) == shown
