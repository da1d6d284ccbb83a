"""What ``/metrics`` shows, in Prometheus' text format.

With several workers each writes its values to a folder that the parent names (PROMETHEUS_MULTIPROC_DIR), and
whichever worker is asked answers for all of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
#: The upper bounds of the classes in which rooms are counted, in sockets.
ROOM_SIZES: Final = (1, 10, 100, 1_000, 10_000)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_JOBS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Metrics:
    """The figures of one process; gauges are set by who knows them, some seconds apart."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()

        def gauge(name: str, text: str, mode: str = "livesum", labels: Iterable[str] = ()) -> Gauge:
            return Gauge(f"fluxboard_{name}", text, labels, registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type]

        def histogram(
            name: str, text: str, buckets: tuple[float, ...] = _SECONDS, labels: Iterable[str] = ()
        ) -> Histogram:
            return Histogram(f"fluxboard_{name}", text, labels, registry=registry, buckets=buckets)

        self.sockets = gauge("sockets", "Socket connections that are signed in")
        self.rooms = gauge("rooms", "Rooms with so many sockets, by upper bound", labels=("sockets",))
        self.largest_room = gauge("largest_room_sockets", "Sockets in the largest room", "livemax")
        self.outbound = gauge("outbound_packets", "Packets that wait for their connection")
        self.outbound_longest = gauge(
            "outbound_longest_packets", "Packets that wait for the slowest connection", "livemax"
        )
        self.unpublished = gauge("unpublished_commits", "Commits that wait to be told to their rooms")
        self.nodes = gauge("nodes", "Processes on this board that are heard, this one included", "livemin")
        self.redis_lag = gauge(
            "redis_lag_seconds", "Time since the own heartbeat came back through Redis", "livemax"
        )
        self.redis_lost = gauge("redis_lost_messages", "Messages that Redis did not take", "livesum")
        self.storage_jobs = gauge("storage_jobs", "Transactions that run, or wait for a connection")
        self.storage_connections = gauge("storage_connections", "Database connections that may run jobs")
        self.cpu = gauge("cpu_seconds", "Processor time used", "sum")
        self.memory = gauge("resident_bytes", "Resident memory")
        self.publishing = histogram(
            "publish_seconds", "From a commit until it is written to the sockets of its room"
        )
        self._requests = histogram(
            "request_seconds", "REST requests by route", labels=("method", "route", "status")
        )
        self.commits = histogram("commit_seconds", "Time of a COMMIT, with its fsync")
        self.batches = histogram("commit_jobs", "Transactions in one COMMIT", buckets=_JOBS)
        self._events = Counter(
            "fluxboard_events",
            "Socket events: received, and delivered to a socket",
            ("event", "direction"),
            registry=registry,
        )
        self.login_failures = Counter(
            "fluxboard_login_failures", "Sign-ins that were refused", registry=registry
        )
        self._counted: dict[tuple[str, str], Counter] = {}
        self._timed: dict[tuple[object, ...], Histogram] = {}

    def event(self, name: str, direction: str, count: int = 1) -> None:
        """Counts an event that came (``in``), or was delivered ``count`` times (``out``).

        Names become series for good, so none is taken from a client that is not the server's own.
        """
        key = (name, direction)
        counter = self._counted.get(key)
        if counter is None:
            counter = self._counted[key] = self._events.labels(*key)
        counter.inc(count)

    def request(self, method: object, route: object, status: int, seconds: float) -> None:
        """Notes how long an answer took; of a route that does not exist ``route`` is None."""
        key = (method, route, status)
        timed = self._timed.get(key)
        if timed is None:
            timed = self._timed[key] = self._requests.labels(*key)
        timed.observe(seconds)

    def room_sizes(self, sizes: Iterable[int]) -> None:
        """Sets how many rooms there are of each size."""
        counts = dict.fromkeys(ROOM_SIZES, 0)
        largest = above = 0
        for size in sizes:
            largest = max(largest, size)
            bound = next((bound for bound in ROOM_SIZES if size <= bound), None)
            if bound is None:
                above += 1
            else:
                counts[bound] += 1
        for bound, count in counts.items():
            self.rooms.labels(str(bound)).set(count)
        self.rooms.labels("more").set(above)
        self.largest_room.set(largest)

    def process(self) -> None:
        """Sets what this process uses."""
        self.cpu.set(time.process_time())
        try:
            self.memory.set(int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE)
        except OSError:  # only Linux has it
            return

    def text(self) -> bytes:
        """The figures of all workers of this server."""
        if FOLDER not in os.environ:
            return generate_latest(self._registry)
        all_of_them = CollectorRegistry()
        MultiProcessCollector(all_of_them)  # type: ignore[no-untyped-call]
        return generate_latest(all_of_them)
