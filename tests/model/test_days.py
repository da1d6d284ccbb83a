from __future__ import annotations

import contextlib
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxboard.model.days import read_day

WEDNESDAY = date(2026, 3, 11)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2026-03-11"),
        ("TOM", "2026-03-12"),
        ("fri", "2026-03-13"),
        ("wed", "2026-03-18"),
        ("Wednesday", "2026-03-18"),
        ("next fri", "2026-03-20"),
        ("next week", "2026-03-16"),
        ("in 2 weeks", "2026-03-25"),
        ("in-2-weeks", "2026-03-25"),
        ("2w", "2026-03-25"),
        ("+3d", "2026-03-14"),
        ("-3d", "2026-03-08"),
        ("3 days ago", "2026-03-08"),
        ("a month", "2026-04-11"),
        ("dec 1", "2026-12-01"),
        ("1 Dec", "2026-12-01"),
        ("1. dec", "2026-12-01"),
        ("mar 10", "2027-03-10"),
        ("1st december 2027", "2027-12-01"),
        ("eom", "2026-03-31"),
        ("2026-12-01", "2026-12-01"),
    ],
)
def test_days_in_human_words(text: str, day: str) -> None:
    assert read_day(text, WEDNESDAY).isoformat() == day


@pytest.mark.parametrize(
    "text", ["", " ", "f", "soon", "feb 30", "2026-02-30", "99", "in 9999 years", "12/1"]
)
def test_what_is_no_day_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]{3}"):
        read_day(text, WEDNESDAY)


@given(st.text(max_size=20))
def test_no_text_breaks_it(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(read_day(text, WEDNESDAY), date)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)), st.integers(0, 6))
def test_a_weekday_is_within_the_next_seven_days(today: date, weekday: int) -> None:
    name = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[weekday]
    day = read_day(name, today)
    assert timedelta(1) <= day - today <= timedelta(7)
    assert day.weekday() == weekday
