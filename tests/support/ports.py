"""Ports of the loopback for programs that tests start."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_for_port(port: int, check: Callable[[], None] = lambda: None) -> None:
    """Returns once somebody listens; ``check``, which may fail, is asked before each further try."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            check()
            assert time.monotonic() < deadline
            time.sleep(0.01)
