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
    """``text`` with what was added to ``base`` underlined after a +, what was removed struck out after a −.

    Not every terminal strikes text through: without the signs, what is gone would look like what is there.
    """
    if len(base) + len(text) > _LONG:
        return Content(text)
    old, new = _WORDS.findall(base), _WORDS.findall(text)
    parts: list[Content] = []
    for tag, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append(Content("".join(new[first:last])))
            continue
        if end > start:
            removed = "".join(old[start:end])
            parts.append(_marked("−", removed, "strike $error"))
            if last > first and not removed[-1].isspace():
                parts.append(Content(" "))
        if last > first:
            parts.append(_marked("+", "".join(new[first:last]), "underline bold $success"))
    return Content("").join(parts)


def _marked(sign: str, text: str, style: str) -> Content:
    """A run of words behind its sign; white space before the words stays outside."""
    words = text.lstrip()
    if not words:
        return Content.styled(text, style)
    colour = style.rsplit(maxsplit=1)[-1]
    space = text[: len(text) - len(words)]
    return Content.assemble(space, (sign, f"bold {colour}"), Content.styled(words, style))
