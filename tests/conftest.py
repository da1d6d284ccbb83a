"""What holds for all tests."""

from __future__ import annotations

import gc
import os

# The programs that the tests start, some of them a hundred times, are compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The heap of a test process is large and old: looking it all over, as often as is usual, takes a third of
# the time. A server sets the same thresholds.
gc.set_threshold(50_000, 20, 100)
