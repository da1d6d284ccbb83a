"""A due date in human words."""

from __future__ import annotations

from datetime import date, timedelta

from fluxboard.model.days import add_months, read_day
from fluxboard.tui.dates import due_day
from fluxboard.tui.screens.picker import Item, PickScreen


class DueScreen(PickScreen):
    """Answers YYYY-MM-DD, or "" for no day."""

    def __init__(self, today: date, now: str | None) -> None:
        self._today = today
        days = {
            "Today": today,
            "Tomorrow": today + timedelta(days=1),
            "Friday": read_day("fri", today),
            "Next week": read_day("next week", today),
            "In 2 weeks": today + timedelta(weeks=2),
            "In a month": add_months(today, 1),
        }
        items = [Item(day.isoformat(), name, due_day(day.isoformat(), today)) for name, day in days.items()]
        if now is not None:
            items.append(Item("", "No due date", f"now {due_day(now, today)}"))
        super().__init__("Due", items, offer=self._read, placeholder="fri, in 2 weeks, dec 1, 2026-12-01")

    def _read(self, text: str) -> Item | None:
        try:
            day = read_day(text, self._today).isoformat()
        except ValueError:
            return None
        return Item(day, due_day(day, self._today), day)
