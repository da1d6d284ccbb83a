"""A team's server, from the first sign-up to a colleague who watches."""

from __future__ import annotations

import json
import os
import select
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.server_process import ServerProcess
from tests.support.terminal import Terminal

PASSWORD = "correct horse"


class Someone:
    """A user with folders of their own."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.state = folder / name / "fluxboard"
        self.environment = environment | {
            "HOME": str(folder / name),
            "XDG_DATA_HOME": str(folder / name),
            "XDG_STATE_HOME": str(folder / name),
        }

    def run(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fluxboard", *arguments],
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def sign_up(self, url: str) -> subprocess.CompletedProcess[str]:
        email = f"{self.name}@example.com"
        arguments = ("login", "--server", url, "--signup", "--email", email, "--name", self.name)
        return self.run(*arguments, text=f"{PASSWORD}\n")


@pytest.mark.long(9)
def test_a_colleague_joins_and_watches(server: ServerProcess, tmp_path: Path, home: dict[str, str]) -> None:
    ada, bob = Someone("ada", tmp_path, home), Someone("bob", tmp_path, home)
    signed = ada.sign_up(server.url)
    assert signed.returncode == 0, signed.stderr
    assert "Signed in" in signed.stdout
    store = ada.state / "credentials.json"
    assert str(store) in signed.stderr
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert PASSWORD not in signed.stdout + signed.stderr
    assert ada.run("whoami").stdout.startswith("ada <ada@example.com>")
    assert ada.run("create", "Relaunch").returncode == 0

    invite = ada.run("invite")
    assert bob.sign_up(server.url).returncode == 0
    assert json.loads(bob.run("projects", "--json").stdout) == []
    joined = bob.run("join", f"{server.url}/#{invite.stdout.strip()}")
    assert joined.returncode == 0, joined.stderr
    assert bob.run("join", invite.stdout.strip()).returncode == 0  # a member already: not used up, no error

    watch = subprocess.Popen(
        [sys.executable, "-m", "fluxboard", "watch", "--json"],
        env=bob.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    lines = Lines(watch)
    try:
        lines.until({"event": "connection", "word": "live"})
        assert ada.run("add", "[/] hello").returncode == 0
        lines.until({"event": "remote", "kind": "created", "title": "[/] hello", "user_name": "ada"})
        assert ada.run("done", "[/] hello").returncode == 0
        lines.until({"event": "remote", "kind": "completed"})
    finally:
        watch.kill()
        watch.wait()

    assert ada.run("logout").returncode == 0
    gone = ada.run("list")
    assert gone.returncode == 3
    assert "fluxboard login" in gone.stderr


def test_a_new_password_is_typed_twice(server: ServerProcess, tmp_path: Path, home: dict[str, str]) -> None:
    asked = ["login", "--server", server.url, "--signup", "--email", "ada@example.com", "--name", "Ada"]
    environment = Someone("ada", tmp_path, home).environment
    terminal = Terminal([sys.executable, "-m", "fluxboard", *asked], environment)
    try:
        terminal.until("Password:")
        terminal.write(PASSWORD.encode() + b"\n")
        terminal.until("Repeat for confirmation:")
        terminal.write(b"correct hoarse\n")
        terminal.until("do not match")
        terminal.write(PASSWORD.encode() + b"\n")
        terminal.quiet()
        terminal.write(PASSWORD.encode() + b"\n")
        terminal.until("Signed in")
    finally:
        terminal.close()


def test_a_wrong_password_is_told_in_one_line(
    server: ServerProcess, tmp_path: Path, home: dict[str, str]
) -> None:
    ada = Someone("ada", tmp_path, home)
    assert ada.sign_up(server.url).returncode == 0
    answer = ada.run("login", "--server", server.url, "--email", "ada@example.com", text="wrong horse\n")
    assert answer.returncode == 1
    assert "password" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert "Traceback" not in answer.stderr


class Lines:
    """The lines of JSON that a process prints."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._fd = process.stdout.fileno()
        self._rest = b""

    def until(self, wanted: dict[str, str], seconds: float = 20) -> None:
        """Reads until a line has these values."""
        seen: list[bytes] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            *whole, self._rest = self._rest.split(b"\n")
            for index, line in enumerate(whole):
                seen.append(line)
                if wanted.items() <= json.loads(line).items():
                    self._rest = b"\n".join([*whole[index + 1 :], self._rest])
                    return
            if select.select([self._fd], [], [], 0.2)[0]:
                self._rest += os.read(self._fd, 65536)
        raise AssertionError(f"no line with {wanted}: {seen}")
