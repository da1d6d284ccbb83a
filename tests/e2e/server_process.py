"""A real server in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.support.forking import Forked

SECRET = "e2e-secret-that-is-long-enough-for-hs256"


class ServerProcess:
    """``fluxboard serve`` on ``folder``, and its SQLite unless another database is given.

    It keeps its port over restarts.
    """

    def __init__(
        self, folder: Path, *, database: str | None = None, redis: str | None = None, workers: int = 1
    ) -> None:
        self.folder = folder
        self.port = 0
        self._workers = workers
        urls = {"DATABASE_URL": database, "REDIS_URL": redis}
        self._environment = {name: url for name, url in urls.items() if url}
        self._process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        (self.folder / "server.json").unlink(missing_ok=True)
        self._process = self._begin(
            [
                *("serve", "--port", str(self.port), "--data", str(self.folder)),
                *("--workers", str(self._workers)),
            ],
            {"JWT_SECRET": SECRET, **self._environment},
        )
        deadline = time.monotonic() + 20
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def _begin(self, arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes] | Forked:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "fluxboard", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )

    def stop(self) -> int:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGTERM)
        return self._process.wait(15)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        import msgspec

        try:
            announced = msgspec.json.decode((self.folder / "server.json").read_bytes())
            self.port = int(announced["url"].rsplit(":", 1)[1])
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class QuickServerProcess(ServerProcess):
    """The same without the second of imports at each start, for who starts it fifty times."""

    def _begin(self, arguments: list[str], environment: dict[str, str]) -> Forked:
        return Forked(_fluxboard, arguments, environment=environment, output=self.folder / "log")


def _fluxboard(arguments: list[str]) -> None:
    from fluxboard.cli.main import cli

    cli(arguments, "fluxboard")
