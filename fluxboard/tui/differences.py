"""What a text became, word by word, marked by more than colour."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

from textual.content import Content

_WORDS: Final = re.compile(r"\s+|\w+|[^\w\s]")
#: Beyond this the comparison would be felt; the texts are then shown without marks.
_LONG: Final = 4000


def differences(base: str, text: str) -> Content:
    """``text`` with what was added to ``base`` underlined, and what was removed struck through."""
    if len(base) + len(text) > _LONG:
        return Content(text)
    old, new = _WORDS.findall(base), _WORDS.findall(text)
    parts: list[Content] = []
    for tag, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append(Content("".join(new[first:last])))
            continue
        if end > start:
            parts.append(Content.styled("".join(old[start:end]), "strike $error"))
        if last > first:
            parts.append(Content.styled("".join(new[first:last]), "underline bold $success"))
    return Content("").join(parts)
