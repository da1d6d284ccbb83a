"""What holds for all tests."""

from __future__ import annotations

import gc
import os

import pytest

# The programs that the tests start, some of them a hundred times, are compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The heap of a test process is large and old: looking it all over, as often as is usual, takes a third of
# the time. A server sets the same thresholds.
gc.set_threshold(50_000, 20, 100)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Those marked as long begin first, each worker with some of them, so that none is the last that runs."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    long = sorted((item for item in items if _seconds(item)), key=_seconds, reverse=True)
    others = [item for item in items if not _seconds(item)]
    # What xdist gives to each worker at first: an equal piece of the list, the rest of what is left.
    ordered, left = [], len(items)
    for worker in range(workers):
        size = left // (workers - worker)
        left -= size
        piece = long[worker::workers][:size]
        rest = size - len(piece)
        ordered += piece + others[:rest]
        del others[:rest]
    given = set(map(id, ordered))
    items[:] = ordered + [item for item in items if id(item) not in given]


def _seconds(item: pytest.Item) -> float:
    mark = item.get_closest_marker("long")
    return float(mark.args[0]) if mark else 0.0
