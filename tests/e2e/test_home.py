"""The board on this computer, whose server dies while it is open."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from tests.cli.conftest import home
from tests.e2e.test_offline import add
from tests.support.terminal import Terminal
from tests.support.waiting import until

__all__ = ["home"]


def server_of(folder: Path) -> int:
    pid = msgspec.json.decode((folder / "data" / "fluxboard" / "server.json").read_bytes())["pid"]
    assert isinstance(pid, int)
    return pid


async def test_a_server_killed_under_two_open_boards_comes_back_by_itself_and_once(
    home: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "state" / "fluxboard").mkdir(parents=True)
    (tmp_path / "state" / "fluxboard" / "last.json").write_text('{"server": "local"}')
    one = Terminal([sys.executable, "-m", "fluxboard"], home, 120, 40)
    one.until("My first board", "● live", seconds=60)
    two = Terminal([sys.executable, "-m", "fluxboard"], home, 120, 40)
    two.until("My first board", "● live", seconds=60)
    add(one, "before")
    two.until("before")

    killed = server_of(tmp_path)
    os.kill(killed, signal.SIGKILL)
    add(one, "meanwhile")
    one.until("● live", "meanwhile", seconds=60)
    two.until("● live", "meanwhile", seconds=60)
    assert server_of(tmp_path) != killed

    def stored() -> list[str]:
        command = [sys.executable, "-m", "fluxboard", "list", "--json"]
        listed = subprocess.run(command, env=home, capture_output=True, text=True, timeout=60, check=True)
        return sorted(task["title"] for task in json.loads(listed.stdout))

    await until(lambda: one.read(0.05) is not None and "queued" not in "".join(one.screen.display))
    assert stored() == ["before", "meanwhile"]
    add(two, "after")
    one.until("after")
    one.close()
    two.close()
