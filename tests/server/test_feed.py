"""A room hears commits in the order of their revisions, in whatever order they come from the processes."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxboard.server import feed
from fluxboard.server.feed import Feed
from fluxboard.server.storage.engine import Committed
from tests.support.waiting import until

COMMITS = 6


def commit(rev: int) -> Committed:
    return Committed("p", rev, (), since=rev - 1)


class Room:
    """What a room of one process was told, and how often its log was to be read."""

    def __init__(self, known: int = 0) -> None:
        self.told: list[int] = []
        self.missed: list[str] = []
        self.feed = Feed(lambda committed: self.told.append(committed.rev), self.missed.append)
        self.feed.open("p")
        self.feed.begin("p", known)


@given(st.permutations(range(1, COMMITS + 1)), st.lists(st.integers(1, COMMITS), max_size=4))
def test_whatever_the_order_a_room_hears_each_commit_once_and_in_order(
    arriving: list[int], again: list[int]
) -> None:
    async def run() -> None:
        room = Room()
        for rev in [*arriving, *again]:
            room.feed.take(commit(rev))
            assert room.told == list(range(1, len(room.told) + 1))
        assert room.told == list(range(1, COMMITS + 1))

    asyncio.run(run())


async def test_what_does_not_come_is_read_from_the_log_and_the_rest_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "PATIENCE", 0.01)
    room = Room(known=4)
    room.feed.take(commit(7))
    room.feed.take(commit(3))
    assert not room.missed
    await until(lambda: room.missed == ["p"], what="the gap is noticed")
    assert room.told == [], "nothing that comes after what is missing"
    room.feed.healed("p", 6)
    assert room.told == [7]
    room.feed.take(commit(6))
    assert room.told == [7], "it was told from the log"
