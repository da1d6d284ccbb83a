"""One embedded server, however many ask for it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from fluxboard.cli.local_server import LocalAccount, find, local_account
from tests.support.waiting import until

FIND = """
import pathlib, sys
from fluxboard.cli.local_server import find_or_start
print(find_or_start(pathlib.Path(sys.argv[1])))
"""


def ask(folder: Path, home: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FIND, str(folder)], env=home, stdout=subprocess.PIPE, text=True
    )


def test_many_starts_at_once_share_one_server(tmp_path: Path, home: dict[str, str]) -> None:
    folder = tmp_path / "board"
    answers = {process.communicate(timeout=60)[0] for process in [ask(folder, home) for _ in range(3)]}
    assert len(answers) == 1
    assert answers.pop().startswith("http://127.0.0.1:")


def test_the_folder_one_stands_in_is_not_searched_for_modules(tmp_path: Path, home: dict[str, str]) -> None:
    for name in ("secrets", "queue"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('somebody else's')")
    asked = [sys.executable, "-P", "-c", FIND, str(tmp_path / "board")]
    answer = subprocess.run(asked, env=home, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.stdout.startswith("http://127.0.0.1:"), answer.stderr


async def test_a_stale_file_is_not_believed(tmp_path: Path, home: dict[str, str]) -> None:
    folder = tmp_path / "board"
    first = ask(folder, home).communicate(timeout=60)[0].strip()
    pid = msgspec.json.decode((folder / "server.json").read_bytes())["pid"]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: find(folder) is None, what="the dead server is known to be dead")
    second = ask(folder, home).communicate(timeout=60)[0].strip()
    assert find(folder) == second
    assert first


async def test_a_server_that_is_silent_but_lives_keeps_its_database_for_itself(
    tmp_path: Path, home: dict[str, str]
) -> None:
    folder = tmp_path / "board"
    first = ask(folder, home).communicate(timeout=60)[0]
    pid = msgspec.json.decode((folder / "server.json").read_bytes())["pid"]
    os.kill(pid, signal.SIGSTOP)
    waiting = ask(folder, home)
    second = subprocess.run(
        [sys.executable, "-m", "fluxboard", "serve", "--port", "0", "--data", str(folder)],
        env=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (second.returncode, "another server runs on the data" in second.stderr) == (1, True)
    os.kill(pid, signal.SIGCONT)
    assert waiting.communicate(timeout=60)[0] == first


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b'{"pid": 1, "url": "http://127.0.0.1:1"}', b'{"pid": "x"}']
)
def test_a_broken_file_is_no_server(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "server.json").write_bytes(content)
    assert find(tmp_path) is None


def test_the_account_is_made_once_and_private(tmp_path: Path) -> None:
    account = local_account(tmp_path)
    assert isinstance(account, LocalAccount)
    assert local_account(tmp_path) == account
    assert stat.S_IMODE((tmp_path / "account.json").stat().st_mode) == 0o600
