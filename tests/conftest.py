"""What holds for all tests."""

from __future__ import annotations

import os

# The programs that the tests start, some of them a hundred times, are compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
