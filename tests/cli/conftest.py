from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.e2e.server_process import QuickServerProcess, ServerProcess

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a user whose folders are all empty; what they started is ended."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("FLUXBOARD_", "XDG_", "JWT_"))
    }
    environment |= {
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "USER": "ada",
    }
    yield environment
    for announcement in tmp_path.rglob("server.json"):
        pid = msgspec.json.decode(announcement.read_bytes())["pid"]
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.fixture
def cli(home: dict[str, str]) -> Cli:
    """Runs ``fluxboard`` as that user."""

    def call(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fluxboard", *arguments],
            env=home,
            capture_output=True,
            text=True,
            timeout=60,
            input=stdin,
            check=False,
        )

    return call


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A running server with a folder of its own."""
    folder = tmp_path / "server"
    folder.mkdir()
    process = QuickServerProcess(folder)
    process.start()
    yield process
    process.kill()
