"""Three hundred worlds; ``python -m tests.simulation`` runs ten thousand."""

from __future__ import annotations

import pytest

from tests.simulation.world import simulate

A_TEST = 25


@pytest.mark.parametrize("first", range(0, 300, A_TEST))
@pytest.mark.long(8)
def test_the_invariants_hold(first: int) -> None:
    for seed in range(first, first + A_TEST):
        try:
            simulate(seed)
        except Exception as error:
            raise AssertionError(f"{error}\nagain: python -m tests.simulation --seed {seed}") from error
