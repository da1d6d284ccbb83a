"""``fluxboard admin`` as somebody types it, beside a server that runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_team import PASSWORD, Someone
from tests.e2e.server_process import ServerProcess

Admin = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def admin(server: ServerProcess, home: dict[str, str]) -> Admin:
    """Runs ``fluxboard admin`` on the server's folder."""

    def call(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fluxboard", "admin", "--data", str(server.folder), *arguments],
            env=home,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return call


def lines(answer: subprocess.CompletedProcess[str]) -> list[str]:
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


@pytest.mark.long(15)
def test_an_afternoon_of_an_administrator(
    server: ServerProcess, admin: Admin, tmp_path: Path, home: dict[str, str]
) -> None:
    made = admin("users", "create", "ada@example.com", "--name", "Ada 漢\x1b[31m", text=f"{PASSWORD}\n")
    assert lines(made)[0].endswith("ada@example.com Ada 漢")
    assert PASSWORD not in made.stdout + made.stderr
    short = admin("users", "create", "x@example.com", text="short\n")
    assert (short.returncode, short.stdout) == (1, "")
    assert short.stderr == "fluxboard: The password must have at least 8 characters\n"

    ada, mila = Someone("ada", tmp_path, home), Someone("mila", tmp_path, home)
    login = ada.run("login", "--server", server.url, "--email", "ada@example.com", text=f"{PASSWORD}\n")
    assert login.returncode == 0, login.stderr
    assert mila.sign_up(server.url).returncode == 0
    assert ada.run("create", "Relaunch").returncode == 0
    assert ada.run("add", "Write").returncode == 0

    head, first, second = lines(admin("users", "list"))
    assert " ".join(head.split()) == "id email name user type created at active projects sessions"
    assert first.index("client") + 1 == second.index("client"), "a wide character is two cells"
    words = lines(admin("users", "list", "--plain", "--search", "ADA"))
    assert len(words) == 1
    assert ", name Ada 漢, user type client," in words[0]
    assert ", active yes, projects 1, sessions 1" in words[0]
    assert lines(admin("users", "list", "--search", "nobody")) == ["No account."]
    shown = json.loads(admin("users", "show", "ada@example.com", "--json").stdout)
    assert shown["projects"][0]["name"] == "Relaunch"
    assert "Open sessions" in admin("users", "show", "ada@example.com").stdout

    listed = json.loads(admin("projects", "list", "--json").stdout)
    assert [(row["name"], row["tasks"], row["members"]) for row in listed] == [("Relaunch", 1, 1)]
    assert lines(admin("projects", "add-member", "Relaunch", "mila@example.com", "--role", "viewer")) == [
        "mila is viewer."
    ]
    assert lines(admin("projects", "transfer", "Relaunch", "mila@example.com", "--yes")) == [
        "mila owns Relaunch."
    ]
    assert "owner" in admin("projects", "show", "Relaunch").stdout
    assert lines(admin("projects", "remove-member", "Relaunch", "ada@example.com"))
    assert ada.run("list").returncode == 1
    assert lines(admin("reindex", "Relaunch")) == ["0 tasks have another position."]
    assert lines(admin("users", "rename", "mila@example.com", "Mila")) == [
        "Renamed to Mila, and told in 1 projects."
    ]

    tables = json.loads(admin("sizes", "--json").stdout)["tables"]
    assert {"table": "users", "rows": 2}.items() <= next(t for t in tables if t["table"] == "users").items()
    assert "The largest projects" in admin("sizes").stdout
    assert "log" in admin("compact", "--vacuum").stdout

    sessions = json.loads(admin("sessions", "list", "--user", "mila@example.com", "--json").stdout)
    assert lines(admin("sessions", "revoke", sessions[0]["id"])) == ["1 session was ended."]
    assert mila.run("projects").returncode == 3
    assert lines(admin("users", "password", "mila@example.com", text="another one\n"))[0].endswith(
        "0 sessions were ended."
    )

    refused = admin("projects", "delete", "Relaunch")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert (
        refused.stderr == "fluxboard: Delete Relaunch with 1 tasks? It cannot be brought back. Say --yes.\n"
    )
    assert lines(admin("projects", "delete", "Relaunch", "--yes")) == ["Relaunch is deleted."]
    assert lines(admin("projects", "list")) == ["No project."]
    assert admin("users", "deactivate", "ada@example.com").returncode == 1
    assert lines(admin("users", "deactivate", "ada@example.com", "--yes"))
    assert ada.run("projects").returncode == 3


def test_what_cannot_be_done_is_said_in_a_line(admin: Admin, home: dict[str, str], tmp_path: Path) -> None:
    for arguments, code, said in (
        (("users", "show", "nobody@example.com"), 1, "There is no account nobody@example.com"),
        (("projects", "show", "None"), 1, "There is no project None"),
        (("--database", f"sqlite:///{tmp_path}/none.db", "sizes"), 1, "none.db cannot be opened"),
        (("--database", "postgresql://x:secret@127.0.0.1:1/x", "sizes"), 1, "127.0.0.1:1/x cannot be opened"),
        (("--database", "mysql://x", "sizes"), 1, "sqlite:///PATH"),
        (("sessions", "revoke"), 2, "Name one session, or --user."),
    ):
        answer = admin(*arguments)
        assert answer.returncode == code, answer.stderr
        assert said in answer.stderr
        assert "Traceback" not in answer.stderr
        assert "secret" not in answer.stderr
    assert not os.path.exists(tmp_path / "none.db")
