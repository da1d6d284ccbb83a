"""The first thing a newcomer runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.terminal import Terminal


def test_a_living_board_within_seconds_and_nothing_left_behind(tmp_path: Path) -> None:
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
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert left.stdout == ""
    assert not list(tmp_path.glob("fluxboard-demo-*"))


def test_a_closed_window_takes_its_server_along(tmp_path: Path) -> None:
    env = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "USER": "ada"}
    terminal = Terminal([sys.executable, "-m", "fluxboard", "demo"], env)
    try:
        terminal.until("Online 3")
        terminal.signal(signal.SIGHUP)
        terminal.ended()
    finally:
        terminal.close()
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert left.stdout == ""
