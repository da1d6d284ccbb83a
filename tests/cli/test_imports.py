"""Each command loads only what it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORBIDDEN = {
    ("serve", "--help"): ("textual", "fluxboard.client", "fluxboard.tui"),
    ("list", "--json", "--server", "http://127.0.0.1:9"): ("textual", "fluxboard.server", "litestar"),
}


@pytest.mark.parametrize("arguments", FORBIDDEN, ids=lambda words: words[0])
def test_a_command_does_not_import(arguments: tuple[str, ...], home: dict[str, str]) -> None:
    answer = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "fluxboard", *arguments],
        env=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    imported = {line.rsplit("|", 1)[1].strip() for line in answer.stderr.splitlines() if "|" in line}
    assert "fluxboard.cli.main" in imported
    assert not [name for name in imported if name.startswith(FORBIDDEN[arguments])]


def test_a_running_server_does_not_import_the_screen() -> None:
    code = "import sys, fluxboard.server.process; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout.split()
    assert not [name for name in modules if name.startswith(("textual", "fluxboard.client", "fluxboard.tui"))]
