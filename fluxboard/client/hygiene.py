"""What comes from a server is cleaned where it is decoded, whatever that server let through."""

from __future__ import annotations

import html
import re
from typing import Any, Final, TypeVar

import msgspec

from fluxboard.model.text import clean_line, clean_text

T = TypeVar("T")

#: Texts that may have several lines; every other text is one line.
_BLOCKS: Final = frozenset({"description", "content", "oldValue", "newValue"})

# Plain ASCII without escapes needs no cleaning, and to see that costs less than decoding.
_SUSPECT: Final = re.compile(rb"\\[^\"\\/]|[^\x20-\x7e\r\n\t]")


def decode(raw: bytes, kind: type[T], *, escaped: bool = False) -> T:
    """Typed JSON with clean texts; ``escaped`` undoes the HTML escapes of a Core server.

    Raises msgspec.DecodeError.
    """
    if not escaped and not _SUSPECT.search(raw):
        return msgspec.json.decode(raw, type=kind)
    return convert(msgspec.json.decode(raw), kind, escaped=escaped)


def convert(data: Any, kind: type[T], *, escaped: bool = False) -> T:
    """A decoded payload as a struct with clean texts. Raises msgspec.ValidationError."""
    return msgspec.convert(_clean(data, "", escaped), kind)


def _clean(value: Any, key: str, escaped: bool) -> Any:
    if isinstance(value, str):
        if escaped and "&" in value:
            value = html.unescape(value)
        if value.isascii() and value.isprintable():
            return value
        return clean_text(value) if key in _BLOCKS else clean_line(value)
    if isinstance(value, dict):
        return {name: _clean(item, name, escaped) for name, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, key, escaped) for item in value]
    return value
