"""Processes forked from one that has imported the program, for tests that start it a hundred times."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.support.preloaded"])


class Forked:
    """A process that runs ``work``, with the words of subprocess.Popen and the caller's environment.

    What it writes to stdout and stderr goes to the file ``output``.
    """

    def __init__(
        self, work: Callable[..., None], *arguments: Any, environment: Mapping[str, str], output: Path
    ) -> None:
        self._process: ForkServerProcess = _context.Process(
            target=_begin, args=(work, arguments, {**os.environ, **environment}, output), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        assert self._process.exitcode is not None, "it did not end in time"
        return self._process.exitcode

    def kill(self) -> None:
        """kill -9, as of any other process."""
        self._process.kill()


def _begin(
    work: Callable[..., None], arguments: tuple[Any, ...], environment: dict[str, str], output: Path
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(descriptor, stream.fileno())
    work(*arguments)
