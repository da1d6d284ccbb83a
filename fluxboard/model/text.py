"""Hygiene of text that people or the network send.

No character that a terminal acts upon survives: C0 and C1 controls, DEL, bidirectional overrides, tag
characters and lone surrogates go, on both sides of the wire.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from wcwidth import wcwidth

# Escape sequences go as a whole where they are recognisable, so that no "[31m" debris stays behind.
_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
)
_BREAKS: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_FORBIDDEN: Final = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
    r"\U000e0000-\U000e007f]"
)
_SPACE: Final = re.compile(r"[\s\u200b]+")
_MARKS_A_BASE: Final = 8


def clean_text(text: str) -> str:
    """Several lines of text without control characters; line ends become ``\\n``, tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    text = _BREAKS.sub("\n", _SEQUENCE.sub("", text))
    return _cap_marks(unicodedata.normalize("NFC", _FORBIDDEN.sub("", text)))


def clean_line(text: str) -> str:
    """One line of text: as :func:`clean_text`, with every run of white space one space, trimmed."""
    return _SPACE.sub(" ", clean_text(text)).strip()


def _cap_marks(text: str) -> str:
    """At most a handful of combining marks on one base, so that no text climbs out of its cell."""
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MARKS_A_BASE:
            kept.append(char)
    return "".join(kept)


def initials(name: str) -> str:
    """Two letters that stand for a person: of their first and last word, else the first two of the one."""
    words = [word for word in re.split(r"[\s._-]+", clean_line(name)) if word]
    if not words:
        return "?"
    picked = words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]
    return picked.upper() if all(wcwidth(char) == 1 for char in picked) else words[0][0]
