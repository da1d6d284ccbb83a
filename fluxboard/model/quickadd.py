"""The quick-add grammar: ``Fix login redirect !high @me #backend ^fri``.

A title with a priority, a person, a label and a day. What is not understood stays in the title, and so does
anything behind a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from fluxboard.model.days import read_day
from fluxboard.model.text import clean_line
from fluxboard.model.types import LABEL_MAX, LABELS_MAX, PRIORITIES

Kind = Literal["title", "priority", "person", "label", "due"]
_WORD: Final = re.compile(r"\S+")
#: A day may take several words: "^in 2 weeks".
_DAY_WORDS: Final = 4
_MARKED: Final = 2


@dataclass(frozen=True, slots=True)
class QuickAdd:
    """What a line will become. ``assigned_to`` is a user id, ``due_date`` YYYY-MM-DD.

    ``spans`` say which characters of the line were understood as what.
    """

    title: str = ""
    priority: str = "medium"
    assigned_to: str | None = None
    labels: tuple[str, ...] = ()
    due_date: str | None = None
    spans: tuple[tuple[int, int, Kind], ...] = ()


def read_line(line: str, today: date, me: str, people: Mapping[str, str]) -> QuickAdd:
    """The task that ``line`` describes; ``people`` are the members' names and emails by user id."""
    words = list(_WORD.finditer(line))
    title: list[str] = []
    spans: list[tuple[int, int, Kind]] = []
    labels: list[str] = []
    priority, person, due = "medium", None, None
    at = 0
    while at < len(words):
        word = words[at]
        text, used = word[0], 1
        kind: Kind = "title"
        value = text[1:]
        if text.startswith("\\") and len(text) >= _MARKED:
            text = value
        elif len(text) >= _MARKED and text[0] == "!" and (found := _priority(value)) is not None:
            kind, priority = "priority", found
        elif len(text) >= _MARKED and text[0] == "@" and (user := find_person(value, me, people)) is not None:
            kind, person = "person", user
        elif text[0] == "#" and _is_label(value) and len(labels) < LABELS_MAX:
            kind = "label"
            labels.append(clean_line(value))
        elif len(text) >= _MARKED and text[0] == "^":
            day, used = _day([w[0] for w in words[at : at + _DAY_WORDS]], today)
            if day is not None:
                kind, due = "due", day.isoformat()
        if kind == "title":
            title.append(text)
        else:
            spans.append((word.start(), words[at + used - 1].end(), kind))
        at += used
    return QuickAdd(
        title=clean_line(" ".join(title)),
        priority=priority,
        assigned_to=person,
        labels=tuple(dict.fromkeys(labels)),
        due_date=due,
        spans=tuple(spans),
    )


def find_person(text: str, me: str, people: Mapping[str, str]) -> str | None:
    """The one person whose name or email has a word that begins with ``text``; "me" is oneself."""
    wanted = text.casefold()
    if wanted == "me":
        return me
    exact, begun = [], []
    for user_id, known in people.items():
        words = re.split(r"[\s@.]+", known.casefold())
        joined = "".join(words[:2])
        if wanted in words[:1]:
            exact.append(user_id)
        if any(word.startswith(wanted) for word in words) or joined.startswith(wanted):
            begun.append(user_id)
    found = exact if len(exact) == 1 else begun
    return found[0] if len(found) == 1 else None


def _priority(text: str) -> str | None:
    wanted = text.casefold()
    if set(wanted) == {"!"}:  # "!!" and "!!!"
        return PRIORITIES[min(len(wanted) + 1, len(PRIORITIES) - 1)]
    return next((name for name in PRIORITIES if name.startswith(wanted)), None)


def _is_label(text: str) -> bool:
    """A number is none: "#12" names something else everywhere."""
    return bool(text) and not text[0].isdigit() and text[0] != "#" and len(text) <= LABEL_MAX


def _day(words: list[str], today: date) -> tuple[date | None, int]:
    """The day that the most of these words say, and how many they are."""
    for count in range(len(words), 0, -1):
        text = " ".join(words[:count])[1:]
        try:
            return read_day(text, today), count
        except ValueError:
            continue
    return None, 1
