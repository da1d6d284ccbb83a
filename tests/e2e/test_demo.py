"""The first thing a newcomer runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal
from tests.support.waiting import until


@pytest.mark.long(9)
async def test_a_living_board_within_seconds_and_nothing_left_behind(tmp_path: Path) -> None:
    env = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "USER": "ada"}
    terminal = Terminal([sys.executable, "-m", "fluxboard", "demo"], env)
    try:
        terminal.until("Website relaunch")
        terminal.until("Mila Lindqvist")
        terminal.until("Online 3")
        terminal.matches(re.compile(r"(Mila Lindqvist|Sara Kimura) (created|updated|completed|deleted)"))
        terminal.write(b"\x11")
        terminal.ended()
    finally:
        terminal.close()
    await until(lambda: processes(tmp_path) == "", what="all are gone")
    assert not list(tmp_path.glob("fluxboard-demo-*"))


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name)
async def test_a_closed_window_takes_its_server_along(tmp_path: Path, number: signal.Signals) -> None:
    env = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "USER": "ada"}
    terminal = Terminal([sys.executable, "-m", "fluxboard", "demo"], env)
    try:
        terminal.until("Online 3")
        terminal.signal(number)
        terminal.ended()
    finally:
        terminal.close()
    await until(lambda: processes(tmp_path) == "", what="all are gone")


def test_where_the_server_does_not_start_its_log_is_there(tmp_path: Path) -> None:
    env = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    env["PYTHONPATH"] = str(tmp_path / "broken")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "uvicorn.py").write_text("raise ImportError('no uvicorn here')")
    asked = [sys.executable, "-m", "fluxboard", "demo"]
    answer = subprocess.run(asked, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 1
    log = Path(answer.stderr.strip().rpartition("Its log: ")[2])
    assert "no uvicorn here" in log.read_text()


def processes(folder: Path) -> str:
    """The ids of the processes that have a folder in their command line or environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return " ".join(found)
