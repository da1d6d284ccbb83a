"""The commands as a person types them, against the board on this computer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

HOSTILE = ["[bug] x", "[/] y", "[@click=app.quit]z", "字" * 500, "👩‍👩‍👧‍👦 family", "-- dashes"]


@pytest.fixture
def local(cli: Cli, home: dict[str, str]) -> Cli:
    """A user whose last board is the one on this computer, with a project."""
    state = Path(home["XDG_STATE_HOME"]) / "fluxboard"
    state.mkdir(parents=True)
    (state / "last.json").write_text('{"server": "local"}')
    assert cli("create", "Relaunch").returncode == 0
    return cli


def test_a_task_from_add_to_delete(local: Cli) -> None:
    added = json.loads(local("add", "Write", "--priority", "high", "--assign", "me", "--json").stdout)
    assert (added["status"], added["priority"]) == ("todo", "high")
    task_id = added["id"]
    assert local("edit", task_id, "--title", "Rewrite", "--due", "2026-12-01").returncode == 0
    assert local("move", "Rewrite", "In Progress").stdout.startswith("Moved")
    shown = json.loads(local("show", task_id, "--json").stdout)
    assert (shown["title"], shown["status"], shown["dueDate"][:10]) == (
        "Rewrite",
        "in_progress",
        "2026-12-01",
    )
    assert local("done", task_id).returncode == 0
    assert json.loads(local("list", "--json").stdout)[0]["completedAt"]
    assert local("delete", task_id, "--yes").returncode == 0
    assert json.loads(local("list", "--json").stdout) == []


def test_days_labels_and_parts_of_a_title_as_a_person_types_them(local: Cli) -> None:
    made = ("--due", "tomorrow", "--label", "ux", "--label", "backend")
    task = json.loads(local("add", "Fix the login", *made, "--json").stdout)
    assert task["labels"] == ["ux", "backend"]
    assert task["dueDate"][:10] == (datetime.now(UTC).astimezone().date() + timedelta(days=1)).isoformat()
    changes = ("--label", "later", "--unlabel", "ux", "--due", "none")
    task = json.loads(local("edit", "LOGIN", *changes, "--json").stdout)
    assert (task["labels"], task["dueDate"]) == (["backend", "later"], None)
    assert local("edit", "login").returncode == 2
    local("add", "The login page")
    answer = local("done", "login")
    assert answer.returncode == 1
    assert "Fix the login" in answer.stderr
    assert "The login page" in answer.stderr
    assert local("done", "the login").stdout.startswith("Completed")
    assert json.loads(local("list", "--project", "launch", "--filter", "is:done", "--json").stdout)


def test_a_comment_is_written_and_shown(local: Cli) -> None:
    local("add", "Fix the login")
    assert local("comment", "login", "It [bold]loops[/].").stdout.startswith("Commented on")
    made = json.loads(local("comment", "login", "-", "--json", stdin="From a\nscript.\n").stdout)
    assert made["content"] == "From a\nscript."
    shown = local("show", "login").stdout
    assert "It [bold]loops[/]." in shown
    assert "From a\nscript." in shown
    assert "wrote: It [bold]loops[/]." in local("show", "login", "--plain").stdout
    assert local("comment", "login", "  ").returncode == 1


def test_the_board_on_this_computer_is_called_so_and_invites_nobody(local: Cli) -> None:
    assert local("whoami").stdout.strip().endswith("on this computer")
    answer = local("invite")
    assert answer.returncode == 1
    assert "fluxboard serve" in answer.stderr


def test_commands_leave_no_sessions_behind(local: Cli) -> None:
    for _ in range(3):
        assert local("list").returncode == 0
    assert json.loads(local("admin", "users", "list", "--json").stdout)[0]["sessions"] == 0


def test_plain_says_it_in_sentences(local: Cli) -> None:
    made = ("--priority", "high", "--assign", "me", "--due", "2026-12-01", "--description", "It loops.")
    assert local("add", "Fix login", *made).returncode == 0
    listed = local("list", "--plain").stdout.strip()
    assert listed.startswith("To Do: Fix login, high priority, due 2026-12-01, assigned to ")
    assert local("show", "Fix login", "--plain").stdout.splitlines() == [listed, "It loops."]
    assert "Relaunch, 0 percent finished" in local("projects", "--plain").stdout.splitlines()


def test_hostile_titles_are_text(local: Cli) -> None:
    for title in HOSTILE:
        assert local("add", "--", title).returncode == 0
    listed = local("list").stdout
    assert all(title in listed for title in HOSTILE)
    assert local("add", "a\x1b[31mb\u202ec").returncode == 0
    assert "\x1b" not in local("list").stdout


def test_bad_input_names_the_field_and_is_no_traceback(local: Cli) -> None:
    for arguments, word, code in (
        (("add", "   "), "title", 1),
        (("add", "x" * 501), "title", 1),
        (("add", "x", "--due", "soon"), "--due", 2),
        (("list", "--filter", "due<soon"), "--filter", 2),
        (("move", "nothing", "todo"), "nothing", 1),
        (("list", "--project", "Nope"), "Nope", 1),
    ):
        answer = local(*arguments)
        assert answer.returncode == code
        assert word in answer.stderr.lower() or word in answer.stderr
        assert "Traceback" not in answer.stderr


def test_without_a_server_it_says_what_to_do(cli: Cli) -> None:
    answer = cli("list")
    assert answer.returncode == 1
    assert "fluxboard login" in answer.stderr
    answer = cli("list", "--server", "http://127.0.0.1:9")
    assert answer.returncode in {3, 4}
    assert "Traceback" not in answer.stderr
