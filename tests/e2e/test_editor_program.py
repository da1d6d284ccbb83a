"""The description in the user's own editor, whatever that does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.test_team import Someone
from tests.e2e.server_process import ServerProcess
from tests.e2e.test_offline import plain_environment
from tests.support.terminal import Terminal


@pytest.mark.long(5)
async def test_whatever_the_editor_does_the_board_has_the_terminal_again(
    server: ServerProcess, tmp_path: Path
) -> None:
    ada = Someone("ada", tmp_path, plain_environment())
    assert ada.sign_up(server.url).returncode == 0
    assert ada.run("create", "Relaunch").returncode == 0
    assert ada.run("add", "Write").returncode == 0
    editor = tmp_path / "editor"
    board = Terminal([sys.executable, "-m", "fluxboard"], {**ada.environment, "EDITOR": str(editor)}, 120, 40)
    board.until("Write", "● live")
    board.write(b"e")
    board.until("Edit task")
    for does, seen in (
        ("exit 1", "The editor did not start"),
        ('rm "$1"', "Nothing came back from the editor"),
        ("printf 'caf\\351\\n' > \"$1\"", "caf\ufffd"),
    ):
        editor.write_text(f"#!/bin/sh\n{does}\n")
        editor.chmod(0o755)
        board.write(b"\x0f")
        board.until(seen, "Edit task")
    board.close()
