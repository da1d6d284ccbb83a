"""What could be meant by the word that is being typed: pure, for the quick-add line and the filter alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from fluxboard.model.days import read_day
from fluxboard.model.types import Member
from fluxboard.tui.dates import due_day

SIGILS: Final = "@#!^"
#: From so many letters on a word without a sigil is compared.
_LETTERS: Final = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """A word that can be written, and what it means."""

    text: str
    hint: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether something is still to follow, such as the label after ``label:``."""
        return self.text.endswith(":")


def fragment(line: str, cursor: int) -> str:
    """The beginning of a word that ends at the cursor, without a ``-`` that negates it."""
    return line[:cursor].rpartition(" ")[2].removeprefix("-")


def fitting(typed: str, choices: Iterable[Choice]) -> list[Choice]:
    """The choices that ``typed`` begins, or whose hint has a word that begins with it; no whole ones.

    Who wrote a whole word means that: ``^fri`` is not a month from now, though that is a Friday, too.
    """
    wanted = typed.casefold()
    sigil = wanted[:1] if wanted[:1] and wanted[:1] in SIGILS else ""
    if not sigil and len(wanted) < _LETTERS:
        return []
    begun: dict[str, Choice] = {}
    meant: dict[str, Choice] = {}
    whole = False
    for choice in choices:
        text = choice.text.casefold()
        if text == wanted:
            whole = True
        elif text.startswith(wanted):
            begun.setdefault(text, choice)
        elif sigil and text.startswith(sigil) and f" {wanted[1:]}" in f" {choice.hint}".casefold():
            meant.setdefault(text, choice)
    return [*begun.values(), *(() if whole else meant.values())]


def completed(line: str, cursor: int, choice: Choice) -> tuple[str, int]:
    """The line with the word at the cursor written in full, and where the cursor is then."""
    head = line[: cursor - len(fragment(line, cursor))] + choice.text
    tail = line[cursor:]
    if not choice.goes_on:
        head, tail = f"{head} ", tail.removeprefix(" ")
    return head + tail, len(head)


def people(members: Sequence[Member], me: str) -> list[Choice]:
    """``@mila`` for each member; first and last name in one word where a first name is not enough."""
    words = [
        (member.name or member.email).casefold().replace("@", " ").split() or ["?"] for member in members
    ]
    firsts = [parts[0] for parts in words]
    return [
        Choice("@me", "you"),
        *(
            Choice(
                f"@{first if firsts.count(first) == 1 else ''.join(parts[:2])}", member.name or member.email
            )
            for member, parts, first in zip(members, words, firsts, strict=True)
            if member.user_id != me
        ),
    ]


def labels(names: Iterable[str]) -> list[Choice]:
    """``#backend`` for each label that is one word."""
    return [Choice(f"#{name}") for name in names if " " not in name]


def quoted(value: str) -> str:
    """A value as the filter reads it: in quotes where it has spaces."""
    return f'"{value}"' if " " in value else value


def days(today: date) -> list[Choice]:
    """The days that people mean most often, with the date that each is."""
    return [
        Choice(f"^{word}", due_day(read_day(word, today).isoformat(), today))
        for word in ("today", "tomorrow", "fri", "mon", "1w", "2w", "1m")
    ]
