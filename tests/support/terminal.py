"""A program in a real pseudo-terminal, with the time of each byte it writes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pyte


class Terminal:
    """Runs a command at a fixed size; ``screen`` is what a person would see."""

    def __init__(self, command: list[str], env: dict[str, str], columns: int = 160, rows: int = 48) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._status: int | None = None
        self._arrived = 0.0
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            # What the environment says of the size is about another terminal.
            own = {name: value for name, value in env.items() if name not in {"COLUMNS", "LINES"}}
            os.execvpe(command[0], command, {**own, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds: float) -> bytes:
        """What arrives within ``seconds``, from the first byte on until it is quiet for 20 ms."""
        found = b"".join(chunk for _, chunk in self._chunks(seconds))
        # pyte does not know the colon form of SGR and prints what it does not know.
        self._stream.feed(found)
        return found

    def _chunks(self, seconds: float) -> list[tuple[float, bytes]]:
        """As :meth:`read`, each piece with when it came; the screen does not have them yet."""
        chunks: list[tuple[float, bytes]] = []
        while select.select([self._fd], [], [], 0.02 if chunks else seconds)[0]:
            try:
                chunk = os.read(self._fd, 65536)
            except OSError:
                break
            if not chunk:
                break
            chunks.append((time.perf_counter(), chunk))
        return chunks

    def record(self, command: Sequence[str]) -> list[tuple[float, bytes]]:
        """What arrives while another program runs, and until it is quiet then, each piece with when it came.

        Times are those of time.monotonic(); the screen does not have the pieces yet.
        """
        pieces: list[tuple[float, bytes]] = []
        with subprocess.Popen(command) as other:
            while select.select([self._fd], [], [], 3)[0] or other.poll() is None:
                if select.select([self._fd], [], [], 0)[0]:
                    pieces.append((time.monotonic(), os.read(self._fd, 65536)))
        assert other.returncode == 0, command
        return pieces

    def feed(self, piece: bytes) -> None:
        """Puts a recorded piece on the screen."""
        self._stream.feed(piece)

    def until(self, *texts: str, seconds: float = 20) -> float:
        """Seconds since the start until what put all ``texts`` on the screen had come."""
        deadline = time.perf_counter() + seconds
        shown = time.perf_counter() if self._shows(texts) else None
        while shown is None:
            if time.perf_counter() > deadline:
                raise AssertionError(f"{texts} not on the screen:\n" + "\n".join(self.screen.display))
            for came, chunk in self._chunks(0.05):
                self._stream.feed(chunk)
                if shown is None and self._shows(texts):
                    shown = came
        return shown - self.started

    def _shows(self, texts: Sequence[str]) -> bool:
        display = self.screen.display
        return all(any(text in line for line in display) for text in texts)

    def matches(self, pattern: re.Pattern[str], seconds: float = 20) -> None:
        """Returns once a line of the screen has ``pattern``."""
        deadline = time.perf_counter() + seconds
        while not any(pattern.search(line) for line in self.screen.display):
            if time.perf_counter() > deadline:
                raise AssertionError(f"{pattern} is not on the screen:\n" + "\n".join(self.screen.display))
            self.read(0.05)

    def write(self, keys: bytes) -> None:
        """Presses keys."""
        os.write(self._fd, keys)

    def signal(self, number: int) -> None:
        """Sends a signal to the program."""
        os.kill(self.pid, number)

    def ended(self, seconds: float = 15) -> int:
        """The wait status of the program once it has ended; what it still writes is read."""
        deadline = time.perf_counter() + seconds
        while self._status is None:
            if time.perf_counter() > deadline:
                raise AssertionError("it has not ended:\n" + "\n".join(self.screen.display))
            self.read(0.05)
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self._status = status
        return self._status

    def quiet(self, seconds: float = 0.3) -> None:
        """Reads until nothing comes for ``seconds``."""
        while self.read(seconds):
            continue

    def press(self, key: bytes) -> tuple[float, int]:
        """Seconds from a key to the first byte of the answer, and how many bytes came."""
        before = time.perf_counter()
        os.write(self._fd, key)
        select.select([self._fd], [], [], 5)
        first = time.perf_counter() - before
        return first, len(self.read(1))

    def memory(self) -> float:
        """Resident memory in MB."""
        fields = Path(f"/proc/{self.pid}/status").read_text().split("VmRSS:")[1]
        return int(fields.split()[0]) / 1024

    def close(self) -> None:
        """Ends the program."""
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)
