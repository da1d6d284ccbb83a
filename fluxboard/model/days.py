"""Days in human words: "fri", "in 2 weeks", "dec 1". Small and strict: what is not understood is no day."""

from __future__ import annotations

import calendar
import contextlib
import re
from datetime import date, timedelta
from typing import Final

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = tuple(name.lower() for name in calendar.month_name[1:])
_SPAN: Final = re.compile(
    r"(?:in )?(?P<sign>[+-]?) ?(?P<count>\d{1,4}|a|an) ?"
    r"(?P<unit>d|day|days|w|week|weeks|m|month|months|y|year|years)(?P<ago> ago)?"
)
_DAY_OF_MONTH: Final = re.compile(
    r"(?:(?P<m1>[a-z]+) (?P<d1>\d{1,2})|(?P<d2>\d{1,2})\.? (?P<m2>[a-z]+)),?(?: (?P<year>\d{4}))?"
)
_WORDS: Final = {"today": 0, "tod": 0, "tomorrow": 1, "tom": 1, "tmr": 1, "yesterday": -1}


def read_day(text: str, today: date) -> date:
    """The day that ``text`` means.

    ISO dates, "today", "tomorrow", weekdays (the next one), "next fri", "in 2 weeks", "3d", "dec 1",
    "next week", "end of month". Raises ValueError for anything else.
    """
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(text.strip())
        raise ValueError(f"there is no {text.strip()}")
    words = re.sub(r"(?<=\w)[\s_-]+(?=\w)|\s+", " ", text.strip().casefold())
    found = _named(words, today) or _span(words, today) or _weekday(words, today) or _in_year(words, today)
    if found is None:
        raise ValueError(f"“{text.strip()}” is not a day; try “fri”, “in 2 weeks” or {today.isoformat()}")
    return found


def add_months(day: date, count: int) -> date:
    """The same day ``count`` months later, or the last one of a month that is too short.

    Raises ValueError beyond the calendar.
    """
    months = day.year * 12 + day.month - 1 + count
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise ValueError("that is too far away")
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _named(words: str, today: date) -> date | None:
    if words in _WORDS:
        return today + timedelta(days=_WORDS[words])
    if words == "next week":
        return today + timedelta(days=7 - today.weekday())
    if words in {"next month", "end of month", "eom"}:
        first = add_months(today.replace(day=1), 1)
        return first if words == "next month" else first - timedelta(days=1)
    return None


def _span(words: str, today: date) -> date | None:
    span = _SPAN.fullmatch(words)
    if span is None:
        return None
    count = 1 if span["count"] in {"a", "an"} else int(span["count"])
    if span["sign"] == "-" or span["ago"]:
        count = -count
    unit = span["unit"][0]
    try:
        if unit in "dw":
            return today + timedelta(days=count if unit == "d" else 7 * count)
        return add_months(today, count if unit == "m" else 12 * count)
    except OverflowError:
        raise ValueError("that is too far away") from None


def _weekday(words: str, today: date) -> date | None:
    """The next such day after today; with "next" the one of the week that begins on the coming Monday."""
    name = words.removeprefix("next ").removeprefix("on ")
    place = next((i for i, day in enumerate(_WEEKDAYS) if _short_for(name, day)), None)
    if place is None:
        return None
    if words.startswith("next "):
        return today + timedelta(days=7 - today.weekday() + place)
    return today + timedelta(days=(place - today.weekday() - 1) % 7 + 1)


def _in_year(words: str, today: date) -> date | None:
    """ "dec 1" is the coming first of December; a year may follow."""
    match = _DAY_OF_MONTH.fullmatch(re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", words))
    if match is None:
        return None
    name, number = match["m1"] or match["m2"], int(match["d1"] or match["d2"])
    month = next((i for i, month in enumerate(_MONTHS, 1) if _short_for(name, month)), None)
    if month is None:
        return None
    try:
        if match["year"]:
            return date(int(match["year"]), month, number)
        day = date(today.year, month, number)
        return day if day >= today else date(today.year + 1, month, number)
    except ValueError:
        raise ValueError(f"there is no {name} {number}") from None


def _short_for(text: str, name: str) -> bool:
    return len(text) >= 3 and name.startswith(text)
