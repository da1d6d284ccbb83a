"""A phone on a train: 80x24 over a link of two kilobytes a second."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.benchmarks.board import fill
from tests.e2e.server_process import ServerProcess
from tests.support.terminal import Terminal

#: Bytes that a key may cost, and so tenths of a second at 2 kB/s.
STEP, LETTER, LAYOUT = 1_000, 400, 8_000


@pytest.fixture
def terminal(server: ServerProcess, tmp_path: Path) -> Terminal:
    project_id, token = asyncio.run(fill(server.url, 100))
    home = {name: str(tmp_path) for name in ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    env = {**os.environ, **home, "FLUXBOARD_TOKEN": token, "FLUXBOARD_SERVER": server.url}
    env["SSH_CONNECTION"] = "10.0.0.1 50000 10.0.0.2 22"
    opened = Terminal([sys.executable, "-m", "fluxboard", "--project", project_id], env, 80, 24)
    opened.until("● live")
    opened.quiet(1)
    opened.press(b"T")
    opened.quiet(1)
    return opened


def test_what_one_does_all_day_costs_few_bytes(terminal: Terminal) -> None:
    def cost(key: bytes) -> int:
        _, size = terminal.press(key)
        while more := terminal.read(0.4):
            size += len(more)
        return size

    try:
        costs = {key: cost(key) for key in (b"j", b"k", b"l", b"h")}
        assert max(costs.values()) < 2 * STEP, costs
        assert cost(b"n") < LAYOUT, "quick add opens"
        assert max(cost(letter.encode()) for letter in "Fix it") < LETTER, "a letter"
        assert cost(b"\r") < LAYOUT, "the new card"
        assert terminal.until("Fix it")
        assert cost(b"\x1b") < LAYOUT, "quick add closes"
        assert cost(b"e") < 6_000, "an editor covers all of the board"
        assert cost(b"\x1b") < LAYOUT, "and closes"
        assert cost(b"d") < LAYOUT, "a question opens"
        assert cost(b"\x1b") < LAYOUT, "and closes"
        assert cost(b"/") + cost(b"C") < 2 * STEP, "the filter's line opens and moves nothing"
        assert cost(b"\x1b") < LAYOUT, "and closes"
        assert cost(b"S") < 2 * LAYOUT, "the statistics"
        assert cost(b"j") < LAYOUT, "and a step down in them"
    finally:
        terminal.close()
