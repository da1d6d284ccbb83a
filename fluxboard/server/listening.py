"""Where a server listens, and until when: what one process and the parent of several have in common."""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import Final

from fluxboard.server.settings import Settings

#: A process that ends gives its requests and sockets this time, in seconds.
DRAIN_SECONDS: Final = 5
BACKLOG: Final = 2048


def listen(settings: Settings, *, shared: bool = False) -> socket.socket:
    """A listening socket; a ``shared`` one has neighbours on its port, among which the kernel chooses."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    address = (settings.host, settings.port)
    listening = socket.create_server(address, family=family, backlog=BACKLOG, reuse_port=shared)
    # Accepted sockets inherit it; without it an answer of two writes waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def url_of(settings: Settings, listening: socket.socket) -> str:
    """Where a listening socket is reached."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listening.getsockname()[1]}"


def wait_for_eof() -> None:
    """Returns when standard input ends, and with it the process that started this one."""
    with contextlib.suppress(OSError, ValueError):
        while sys.stdin.buffer.read(4096):
            continue
