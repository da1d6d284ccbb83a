"""A train ride: edits without a network, a closed lid, and the station."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.test_team import Someone
from tests.e2e.server_process import ServerProcess
from tests.support.terminal import Terminal
from tests.support.waiting import until

TITLES = [f"ride {number}" for number in range(1, 5)]


def plain_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLUXBOARD_", "XDG_"))}
    return kept | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "USER": "ada"}


@pytest.mark.long(15)
async def test_edits_of_a_train_ride_arrive_in_order_and_once(server: ServerProcess, tmp_path: Path) -> None:
    ada = Someone("ada", tmp_path, plain_environment())
    assert ada.sign_up(server.url).returncode == 0
    assert ada.run("create", "Relaunch").returncode == 0
    assert ada.run("add", "at home").returncode == 0
    command = [sys.executable, "-m", "fluxboard"]

    def open_board() -> Terminal:
        return Terminal(command, ada.environment, 120, 40)

    at_home = open_board()
    at_home.until("at home")
    at_home.until("● live")
    server.kill()
    at_home.until("offline")
    for title in TITLES[:2]:
        add(at_home, title)
    at_home.until("2 queued")
    quit_board(at_home)

    on_the_train = open_board()
    on_the_train.until("at home")
    for title in TITLES[:2]:
        on_the_train.until(title)
    on_the_train.until("offline")
    for title in TITLES[2:]:
        add(on_the_train, title)
    on_the_train.until("4 queued")
    quit_board(on_the_train)

    server.start()
    at_work = open_board()
    at_work.until("● live")
    async with httpx.AsyncClient(base_url=server.url) as http:
        body = {"email": "ada@example.com", "password": "correct horse"}
        token = (await http.post("/api/auth/login", json=body)).json()["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        project = (await http.get("/api/projects")).json()["projects"][0]["id"]
        found: list[str] = []
        for _ in range(200):
            at_work.read(0.05)
            answer = await http.get(f"/api/projects/{project}/activities?limit=100")
            created = [a for a in answer.json()["activities"] if a["type"] == "task.created"]
            found = [activity["entityTitle"] for activity in reversed(created)]
            if len(found) >= 5:
                break
        assert found == ["at home", *TITLES]
    await until(
        lambda: (
            at_work.read(0.05) is not None and not any("queued" in line for line in at_work.screen.display)
        )
    )
    at_work.close()


def add(terminal: Terminal, title: str) -> None:
    """Makes a task by keys."""
    terminal.write(b"N")
    terminal.until("New task")
    terminal.write(title.encode() + b"\r")
    terminal.until(title)
    terminal.quiet()


def quit_board(terminal: Terminal) -> None:
    """Quits, and says yes to keeping what is unsent."""
    terminal.write(b"q")
    terminal.until("Quit with unsent edits?")
    terminal.write(b"y")
    terminal.ended()
    terminal.close()
