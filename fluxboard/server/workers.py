"""Several processes that serve one port, and the one that watches over them.

Each worker has a listening socket of its own on the port, which the parent keeps open: while a worker is
started anew, those who connect to it wait and are not refused. The parent serves nobody and knows no data.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

from fluxboard.server.listening import DRAIN_SECONDS, listen, url_of, wait_for_eof
from fluxboard.server.logs import log_to_stderr
from fluxboard.server.metrics import FOLDER
from fluxboard.server.settings import Settings
from fluxboard.server.storage.migrate import migrate

#: A worker that ends sooner than this after its start is started anew only after a pause.
SHORT_LIFE: Final = 10.0
PAUSE: Final = 2.0
#: A worker that does not end within this time is killed.
END_SECONDS: Final = 2.0 * DRAIN_SECONDS + 5.0

#: Whether the kernel spreads connections over the sockets of a port; elsewhere the last one gets all.
_SHARED: Final = sys.platform == "linux"

log = logging.getLogger("fluxboard.workers")


class WorkersFailed(Exception):
    """A worker did not come up at the start; what it logged says why."""


@dataclass(slots=True)
class _Worker:
    """A listening socket, and the process that serves it; None while it pauses until ``due``."""

    number: int
    listening: socket.socket
    process: SpawnProcess | None = None
    pipe: Connection | None = None
    ready: bool = False
    began: float = 0.0
    due: float = 0.0


def supervise(settings: Settings, ready: Callable[[str], None], *, attached: bool = False) -> None:
    """As :func:`~fluxboard.server.process.run`, with ``settings.workers`` processes.

    One that dies is started anew; SIGHUP starts all anew, one after the other, with the program as it is
    installed then. Raises OSError, what opening the database raises, and WorkersFailed.
    """
    log_to_stderr(settings.log_level)
    with contextlib.ExitStack() as opened:
        first = opened.enter_context(listen(settings, shared=_SHARED))
        migrate(settings.database)
        same = replace(settings, port=first.getsockname()[1])
        others = [
            opened.enter_context(listen(same, shared=True)) if _SHARED else first
            for _ in range(settings.workers - 1)
        ]
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="fluxboard-metrics-"))
        os.environ[FOLDER] = folder  # read by the workers' first import of the metrics
        url = url_of(settings, first)
        _Supervisor(settings, [first, *others], lambda: ready(url)).run(attached=attached)


class _Supervisor:
    def __init__(self, settings: Settings, sockets: list[socket.socket], ready: Callable[[], None]) -> None:
        self._settings = settings
        self._workers = [_Worker(number, listening) for number, listening in enumerate(sockets, 1)]
        self._ready: Callable[[], None] | None = ready
        self._context = multiprocessing.get_context("spawn")
        self._ending = False
        self._anew: deque[_Worker] = deque()
        self._wake, self._waker = os.pipe()

    def run(self, *, attached: bool) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end())
        signal.signal(signal.SIGHUP, lambda *_: self._restart())
        if attached:

            def watch() -> None:
                wait_for_eof()
                self._end()

            threading.Thread(target=watch, daemon=True).start()
        try:
            for worker in self._workers:
                self._start(worker)
            while not self._ending:
                self._turn()
        finally:
            self._stop()

    def _end(self) -> None:
        self._ending = True
        os.write(self._waker, b".")

    def _restart(self) -> None:
        self._anew = deque(self._workers)
        os.write(self._waker, b".")

    def _start(self, worker: _Worker) -> None:
        worker.pipe, theirs = self._context.Pipe()
        worker.process = self._context.Process(
            target=_work, args=(self._settings, worker.listening, theirs), name=f"worker-{worker.number}"
        )
        # What a terminal sends to all of its processes is for the parent; it tells the workers.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        worker.process.start()
        signal.signal(signal.SIGINT, handler)
        theirs.close()
        worker.ready, worker.began = False, time.monotonic()

    def _turn(self) -> None:
        """Waits for something to happen, and does what follows from it."""
        paused = [worker.due for worker in self._workers if worker.process is None]
        starting = {worker.pipe: worker for worker in self._workers if worker.pipe and not worker.ready}
        running = {worker.process.sentinel: worker for worker in self._workers if worker.process}
        timeout = max(0.0, min(paused) - time.monotonic()) if paused else None
        for what in wait([self._wake, *starting, *running], timeout):
            if what == self._wake:
                os.read(self._wake, 4096)
            elif isinstance(what, int):
                self._ended(running[what])
            elif isinstance(what, Connection):
                with contextlib.suppress(EOFError):  # its end is told by its sentinel
                    what.recv_bytes()
                    starting[what].ready = True
        for worker in self._workers:
            if worker.process is None and worker.due <= time.monotonic():
                self._start(worker)
        if all(worker.ready for worker in self._workers):
            if self._ready is not None:
                ready, self._ready = self._ready, None
                ready()
            if self._anew:
                self._renew(self._anew.popleft())

    def _renew(self, worker: _Worker) -> None:
        if worker.process is not None:
            worker.began, worker.ready = 0.0, False
            worker.process.terminate()

    def _ended(self, worker: _Worker) -> None:
        from prometheus_client.multiprocess import mark_process_dead

        assert worker.process is not None
        assert worker.pipe is not None
        worker.process.join()
        mark_process_dead(worker.process.pid)  # type: ignore[no-untyped-call]
        code = worker.process.exitcode
        worker.process.close()
        worker.pipe.close()
        worker.process, worker.pipe, worker.ready = None, None, False
        if self._ready is not None and not self._ending:
            raise WorkersFailed("A worker did not start. What it logged says why.")
        if code:
            log.error("worker %d ended with code %s and is started anew", worker.number, code)
        now = time.monotonic()
        worker.due = now if now - worker.began > SHORT_LIFE else now + PAUSE

    def _stop(self) -> None:
        alive = [worker.process for worker in self._workers if worker.process is not None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + END_SECONDS
        for process in alive:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.exitcode is None:
                log.error("%s did not end and is killed", process.name)
                process.kill()
                process.join()
        os.close(self._wake)


def _work(settings: Settings, listening: socket.socket, parent: Connection) -> None:
    """A worker's life; it ends when its parent does, even by kill -9."""

    from fluxboard.server.process import on_a_loop, serve

    def orphaned() -> None:
        with contextlib.suppress(EOFError, OSError):
            parent.recv_bytes()

    log_to_stderr(settings.log_level)
    on_a_loop(serve(settings, listening, lambda: parent.send_bytes(b"ready"), orphaned))
