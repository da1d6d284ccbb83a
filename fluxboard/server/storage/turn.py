"""Whose turn it is to write a SQLite file, among all the processes that may."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class WriterTurn:
    """A context manager that one connection to a file holds at a time, while it writes or checkpoints.

    SQLite's own locks let one connection checkpoint while another writes; before 3.51.3 that can lose what
    was committed. The turn is a lock on a file of its own, and ends with the process that holds it.
    """

    def __init__(self, database: Path) -> None:
        path = database.with_name(f"{database.name}-turn")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.geteuid() == 0 and database.exists():
            owner = database.stat()  # a server that runs as somebody else must be able to open it
            os.fchown(self._file, owner.st_uid, owner.st_gid)

    def __enter__(self) -> Self:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Gives the file back; the turn cannot be taken any more."""
        os.close(self._file)
