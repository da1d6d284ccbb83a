"""The server behind the board on this computer: found when it runs, started when it does not."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from fluxboard.cli.state import write_private

START_SECONDS = 20.0
_TEAM_SETTINGS = ("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "CORS_ORIGINS", "METRICS_TOKEN")
TEAM_SETTINGS = frozenset({*_TEAM_SETTINGS, *(f"{name}_FILE" for name in _TEAM_SETTINGS)})


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What a running server writes down for those who look for it."""

    pid: int
    url: str


class LocalAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account that the embedded server made for this computer's user."""

    email: str
    password: str
    name: str


class ServerDidNotStart(Exception):
    """The embedded server did not come up; the message says where its log is."""


def find_or_start(folder: Path) -> str:
    """The URL of the one server whose data is in ``folder``, safe against any number of callers at once.

    Raises ServerDidNotStart.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with FileLock(folder / "start.lock", timeout=START_SECONDS * 2):
            running = _wait_for(folder)
            if running is not None:
                return running
            (folder / "server.json").unlink(missing_ok=True)
            return start(folder, detached=True)[0]
    except Timeout:
        raise ServerDidNotStart("Another terminal is still starting the board's server") from None


def _wait_for(folder: Path) -> str | None:
    """The URL of the server that holds ``folder``, once it answers; None when nobody holds it.

    Raises ServerDidNotStart for one that lives and is silent: a second one must not write into its database.
    """
    deadline = time.monotonic() + START_SECONDS
    while (running := find(folder)) is None:
        try:
            with holding(folder, seconds=0):
                return None
        except Timeout:
            if time.monotonic() > deadline:
                raise ServerDidNotStart("The board's server runs and does not answer") from None
            time.sleep(0.1)
    return running


def holding(folder: Path, seconds: float) -> FileLock:
    """What a server keeps locked while its database is in ``folder``; a killed one lets go of it.

    To be entered; raises filelock.Timeout where another server has it for longer than ``seconds``.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return FileLock(folder / "server.lock", timeout=seconds, thread_local=False)


def find(folder: Path) -> str | None:
    """The URL of the server that runs on ``folder``; None when there is none or the file is stale."""
    try:
        known = msgspec.json.decode((folder / "server.json").read_bytes(), type=Announcement)
    except (OSError, msgspec.MsgspecError):
        return None
    return known.url if _alive(known.pid) and _answers(known.url) else None


def announce(folder: Path, url: str) -> None:
    """Written by a server once it listens."""
    write_private(folder / "server.json", msgspec.json.encode(Announcement(pid=os.getpid(), url=url)))


def local_account(folder: Path) -> LocalAccount:
    """The local user's account, with a password made at the first call and kept in a 0600 file."""
    path = folder / "account.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=LocalAccount)
    except FileNotFoundError:
        name = os.environ.get("USER") or os.environ.get("USERNAME") or "me"
        account = LocalAccount(email="me@fluxboard.local", password=secrets.token_urlsafe(24), name=name)
        write_private(path, msgspec.json.encode(account))
        return account


def start(folder: Path, *, detached: bool) -> tuple[str, subprocess.Popen[bytes]]:
    """Starts a server on a free loopback port and waits until it answers: its URL and its process.

    A detached one outlives its caller, the others end with it. Raises ServerDidNotStart.
    """
    log = folder / "server.log"
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                # -P: a file of the folder one stands in is not taken for a module of the program.
                *(sys.executable, "-P", "-m", "fluxboard", "serve", "--log-level", "warning"),
                *("--port", "0", "--data", str(folder)),
                *(() if detached else ("--attached",)),
            ],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=detached,
            # What the shell says about a team's server is not about this one.
            env={name: value for name, value in os.environ.items() if name not in TEAM_SETTINGS},
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        url = find(folder)
        if url is not None:
            return url, process
        time.sleep(0.02)
    stop(process)
    raise ServerDidNotStart(f"The board's server did not start. Its log: {log}")


def stop(process: subprocess.Popen[bytes], seconds: float = 5) -> None:
    """Asks a process to end, and ends it when it does not."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:  # noqa: S310 - our own loopback URL
            return b"fluxboard" in answer.read(2000)
    except (OSError, urllib.error.URLError, ValueError):
        return False
