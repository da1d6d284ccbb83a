from __future__ import annotations

import asyncio
from typing import Any

from fluxboard.server.protocols import Gathered


class Below:
    """A transport that remembers."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written.append(data)

    def close(self) -> None:
        self.closed = True


def gathered() -> tuple[Any, Below]:
    below = Below()
    return Gathered(below, asyncio.get_running_loop()), below  # type: ignore[arg-type]


async def test_what_is_written_within_a_turn_goes_out_in_one_piece() -> None:
    transport, below = gathered()
    transport.write(b"head ")
    transport.write(b"body")
    assert not below.written
    await asyncio.sleep(0)
    transport.write(b"next")
    await asyncio.sleep(0)
    assert below.written == [b"head body", b"next"]


async def test_much_is_not_held_back_and_the_end_comes_after_all() -> None:
    transport, below = gathered()
    transport.write(b"x" * 100_000)
    assert len(below.written) == 1
    transport.write(b"last")
    transport.close()
    assert below.written[1:] == [b"last"]
    assert below.closed
    await asyncio.sleep(0)
    assert len(below.written) == 2
