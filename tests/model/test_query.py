from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxboard.model.query import KEYS, Scope, narrows, parse
from fluxboard.model.types import DEFAULT_COLUMNS, ChecklistItem, Task

SCOPE = Scope(
    today=date(2026, 3, 11),
    me="u1",
    people={"u1": "Ada Lovelace ada@example.org", "u2": "Bob Roe bob@example.org"},
    columns=DEFAULT_COLUMNS,
)
TASKS = {
    "login": Task(
        id="login",
        title="Fix login redirect",
        description="see http://example.org/x",
        priority="high",
        assigned_to="u1",
        labels=("backend", "Auth"),
        due_date="2026-03-13",
        updated_at="2026-03-11T08:00:00.000Z",
        created_at="2026-03-01T08:00:00.000Z",
    ),
    "copy": Task(
        id="copy",
        title="Write copy",
        status="review",
        priority="low",
        assigned_to="u2",
        due_date="2026-03-01",
        comment_count=2,
        updated_at="2026-03-05T08:00:00.000Z",
        created_at="2026-03-05T08:00:00.000Z",
    ),
    "ship": Task(
        id="ship",
        title="Ship it",
        status="completed",
        priority="critical",
        completed_at="2026-03-10T08:00:00.000Z",
        due_date="2026-03-01T10:00:00.000Z",
        checklist=(ChecklistItem(id="1", text="a"),),
    ),
    "old": Task(id="old", title="Old login", status="completed", archived=True),
}


def found(text: str) -> str:
    query = parse(text, SCOPE)
    assert query.problems == (), text
    return " ".join(name for name, task in TASKS.items() if query.matches(task))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "login copy ship"),
        ("LOGIN", "login"),
        ("redirect fix", "login"),
        ('"fix login"', "login"),
        ('"login fix"', ""),
        ("ada", "login"),
        ("auth", "login"),
        ("http://example.org", "login"),
        ("-login", "copy ship"),
        ("#backend", "login"),
        ("label:back", "login"),
        ("-label:backend", "copy ship"),
        ("@me", "login"),
        ("@bob", "copy"),
        ("person:nobody", "ship"),
        ("!crit", "ship"),
        ("priority:high", "login"),
        ("priority>=high", "login ship"),
        ("priority<high", "copy"),
        ("column:review", "copy"),
        ("status:completed", "ship"),
        ('column:"to do"', "login"),
        ("due<7d", "login copy ship"),
        ("due:fri", "login"),
        ("^fri", "login"),
        ("due>2026-03-12", "login"),
        ("due:none", ""),
        ("updated<2d", "login"),
        ("updated>2026-03-01", "login copy"),
        ("is:mine", "login"),
        ("is:open", "login copy"),
        ("is:done", "ship"),
        ("is:overdue", "copy"),
        ("is:unassigned", "ship"),
        ("is:archived", "old"),
        ("has:comments", "copy"),
        ("has:checklist", "ship"),
        ("no:label", "copy ship"),
        ("has:", "login copy ship"),
        ("#", "login copy ship"),
        ('"', "login copy ship"),
        ("is:mine due<7d -bob", "login"),
    ],
)
def test_terms(text: str, names: str) -> None:
    assert found(text) == names


@pytest.mark.parametrize("text", ["due<banana", "priority:urgentish", "is:happy", "column:nowhere"])
def test_what_is_not_understood_is_told_and_filters_nothing(text: str) -> None:
    query = parse(text, SCOPE)
    (problem,) = query.problems
    assert problem.startswith(text.replace("<", ":").split(":", maxsplit=1)[0])
    assert query.matches(TASKS["login"])


@pytest.mark.parametrize("key", KEYS)
def test_what_completion_offers_is_understood(key: str) -> None:
    assert parse(key if key[-1] != ":" else key + "review", SCOPE).problems == ()


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    query = parse(text, SCOPE)
    for task in TASKS.values():
        assert query.matches(task) in {True, False}


@given(st.text(alphabet='aeilnoprt:#@!-<" is', max_size=12), st.text(alphabet="aeilnoprt -#:", max_size=3))
def test_what_is_typed_on_finds_less(before: str, more: str) -> None:
    after = before + more
    if narrows(before, after):
        narrow, wide = parse(after, SCOPE), parse(before, SCOPE)
        assert all(wide.matches(task) for task in TASKS.values() if narrow.matches(task))


@pytest.mark.parametrize(
    ("before", "after", "is_so"),
    [
        ("fix", "fixe", True),
        ("fix", "fix lo", True),
        ("is:open fix", "is:open fixe", True),
        ("", "f", False),
        ("-fix", "-fixe", False),
        ("is:o", "is:op", False),
        ("is", "is:", False),
        ("#a", "#ab", False),
        ('"fix l', '"fix lo', False),
        ("fix", "fi", False),
    ],
)
def test_typing_on_narrows_plain_words_only(before: str, after: str, is_so: bool) -> None:
    assert narrows(before, after) is is_so
