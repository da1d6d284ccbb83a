"""What the program logs as an error, as something that went wrong in a world."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from fluxboard.server.errors import Unavailable


class _Alarm(logging.Handler):
    """What the program logs as an error is not meant to happen."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._wrong = wrong

    def emit(self, record: logging.LogRecord) -> None:
        cause = record.exc_info[1] if record.exc_info else ""
        if isinstance(cause, Unavailable):
            return  # a full disk, which is this world's doing
        self._wrong.append(f"{record.getMessage()}: {cause!r}")


@contextlib.contextmanager
def alarmed(wrong: list[str]) -> Iterator[None]:
    """Adds to ``wrong`` what is logged as an error meanwhile."""
    log, alarm = logging.getLogger("fluxboard"), _Alarm(wrong)
    log.addHandler(alarm)
    try:
        yield
    finally:
        log.removeHandler(alarm)
