"""Days as people say them."""

from __future__ import annotations

from datetime import date

from fluxboard.model.days import read_day
from fluxboard.model.types import day_of

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def due_text(due: str | None, today: date, *, done: bool = False, iso: bool = False) -> str:
    """A due date for a card: "2d late", "today", "Fri" within the week, else "Dec 4"; "" for none.

    A finished task is never late: its date is shown as it is. ``iso``: "2026-12-04", and "late" behind it.
    """
    day = day_of(due)
    if day is None:
        return ""
    if iso:
        return day.isoformat() + (" late" if day < today and not done else "")
    distance = (day - today).days
    if distance == 0:
        return "today"
    if distance < 0 and not done:
        return f"{-distance}d late"
    if 0 < distance < 7:
        return _DAYS[day.weekday()]
    return _date(day, today)


def due_day(due: str | None, today: date) -> str:
    """A due date with its weekday: "Fri Mar 13"; "" for none."""
    day = day_of(due)
    return "" if day is None else f"{_DAYS[day.weekday()]} {_date(day, today)}"


def _date(day: date, today: date) -> str:
    text = f"{_MONTHS[day.month - 1]} {day.day}"
    return text if day.year == today.year else f"{text} {day.year}"


def ago(seconds: float) -> str:
    """How long something is past: "now", "6m", "3h", "2d"."""
    minutes = int(max(0.0, seconds) // 60)
    if minutes == 0:
        return "now"
    if minutes < 60:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 48 * 60 else f"{minutes // (24 * 60)}d"


def parse_day(text: str, today: date) -> str | None:
    """What is typed as a due date ("fri", "in 2 weeks", "2026-12-01"), as YYYY-MM-DD; None for nothing.

    Raises ValueError with words for the user.
    """
    return read_day(text, today).isoformat() if text.strip() else None
