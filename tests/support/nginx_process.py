"""An nginx of a test's own, with the configuration that docs/deploy has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.ports import free_port, wait_for_port

SHIPPED = Path(__file__).parents[2] / "docs" / "deploy" / "nginx.conf"


class NginxProcess:
    """``nginx`` on a free port of the loopback in front of two servers, as unprivileged as its caller."""

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        self._folder = folder
        self.port = free_port()
        (folder / "nginx.conf").write_text(self._configuration(ports))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if program is None:
            pytest.skip("nginx is not installed")
        process = self._process = subprocess.Popen(
            [program, "-p", str(self._folder), "-c", "nginx.conf", "-e", "nginx.log"],
            stdout=subprocess.DEVNULL,
        )

        def lives() -> None:
            assert process.poll() is None, (self._folder / "nginx.log").read_text()

        wait_for_port(self.port, lives)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _configuration(self, ports: tuple[int, int]) -> str:
        """The shipped file with these ports and without TLS, which needs a certificate."""
        text = SHIPPED.read_text()
        text = text.replace("127.0.0.1:5051", f"127.0.0.1:{ports[0]}")
        text = text.replace("127.0.0.1:5052", f"127.0.0.1:{ports[1]}")
        text = re.sub(r"server \{\s+listen 80;.*?\n\}\n", "", text, flags=re.DOTALL)
        text = re.sub(r"\n *(ssl_|add_header|listen \[)[^\n]*", "", text)
        assert text.count("listen 443 ssl http2;") == 1
        text = text.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{self.port};")
        folders = "".join(
            f"{name}_temp_path {name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return (
            "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log nginx.log;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{folders}{text}\n}}\n"
        )
