"""Fifty kills of a server and fifty of a client; ``python -m tests.crash`` does it as often as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.killing import Tally, kill_clients, kill_servers

#: Five times ten, so that they go on beside each other. Ten are each step of a client twice.
KILLS, TIMES = 10, 5


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(TIMES))
@pytest.mark.parametrize("kill", [kill_servers, kill_clients])
@pytest.mark.long(6)
def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(kill, seed: int, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    tally = Tally()
    for tally in kill(KILLS, tmp_path, seed):
        assert (tally.lost, tally.doubled, tally.broken) == (0, 0, 0), str(tally)
    assert tally.rounds == KILLS
    assert tally.acknowledged > KILLS
