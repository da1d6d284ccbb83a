"""Fractional positions."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxboard.model.order import FIRST, between, is_position, slot, spread


@given(st.lists(st.floats(0, 1), max_size=80))
def test_inserting_anywhere_keeps_the_order(places: list[float]) -> None:
    keys: list[str] = []
    for place in places:
        index = round(place * len(keys))
        key = slot(keys, index)
        assert key is not None
        keys.insert(index, key)
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_keys_stay_short_when_cards_are_added_at_the_end() -> None:
    key = FIRST
    for _ in range(10_000):
        key = between(key, None)
    assert len(key) < 8


def test_neighbours_without_room_ask_for_a_repair() -> None:
    assert slot([FIRST, FIRST], 1) is None
    assert slot(["not a key"], 1) is None
    with pytest.raises(ValueError, match=r"\S"):
        between("a1", "a0")


def test_spread_is_sorted_and_fits_between() -> None:
    keys = spread(1000, "a0", "a1")
    assert keys == sorted(set(keys))
    assert keys[0] > "a0"
    assert keys[-1] < "a1"


@pytest.mark.parametrize("text", ["", "!", "a", "a0 ", "zz", "\x00"])
def test_broken_keys_are_told(text: str) -> None:
    assert not is_position(text)
    assert is_position(random.Random(1).choice([FIRST, "a1"]))
