"""What was seen before is on the screen before anybody is asked for it."""

from __future__ import annotations

import sys
from pathlib import Path

from filelock import FileLock

from tests.cli.conftest import Cli
from tests.support.terminal import Terminal


def open_board(home: dict[str, str]) -> Terminal:
    return Terminal([sys.executable, "-m", "fluxboard"], home, 120, 40)


def test_the_board_on_this_computer_is_painted_while_its_server_is_not_there(
    home: dict[str, str], cli: Cli, tmp_path: Path
) -> None:
    first = open_board(home)
    first.until("Where is your board?")
    first.write(b"1\r")
    first.until("My first board", "● live")
    first.write(b"q")
    first.ended()
    first.close()
    assert cli("add", "Gardening").returncode == 0
    seen = open_board(home)
    seen.until("Gardening", "● live")
    seen.write(b"q")
    seen.ended()
    seen.close()

    with FileLock(tmp_path / "data" / "fluxboard" / "start.lock"):  # whoever looks for the server waits
        again = open_board(home)
        again.until("Gardening")
        assert not any("● live" in line for line in again.screen.display)
    again.until("● live")
    again.close()
