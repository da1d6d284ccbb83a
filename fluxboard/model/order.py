"""Fractional positions: a card moves by writing one key, never a column's whole order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from fractional_indexing import FIError, generate_key_between, generate_n_keys_between, validate_order_key

#: The key of the first card of an empty column.
FIRST: Final[str] = generate_key_between(None, None)


_KEY: Final = re.compile(r"[0-9A-Za-z]+")


def between(before: str | None, after: str | None) -> str:
    """A key that sorts bytewise after ``before`` and before ``after``; None is an open end.

    Raises ValueError when ``before`` >= ``after`` or a key is not a valid position.
    """
    try:
        return str(generate_key_between(before, after))
    except FIError as error:
        raise ValueError(str(error)) from error


def spread(count: int, before: str | None = None, after: str | None = None) -> list[str]:
    """``count`` increasing keys between two positions, short ones first."""
    return [str(key) for key in generate_n_keys_between(before, after, count)]


def is_position(key: str) -> bool:
    """Whether ``key`` is one that :func:`between` can work with."""
    if not _KEY.fullmatch(key):
        return False
    try:
        validate_order_key(key)
    except (FIError, IndexError, ValueError):
        return False
    return True


def slot(keys: Sequence[str], index: int) -> str | None:
    """A key for a card inserted at ``index`` of a column's sorted ``keys``.

    None when the neighbours leave no room (equal or broken keys): then the column needs a repair.
    """
    before = keys[index - 1] if index > 0 else None
    after = keys[index] if index < len(keys) else None
    try:
        return between(before, after)
    except (ValueError, IndexError):
        return None
