from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxboard.tui.config import Config, read_config, template

FINE = """theme = "nord"
density = "compact"
dates = "iso"
toasts = false
ascii = true

[keys]
open = "o"
new = ["a", "?"]
"""


def test_all_of_it() -> None:
    config, problems = read_config(FINE)
    assert (config.theme, config.density, config.dates, config.toasts, config.ascii) == (
        "nord",
        "compact",
        "iso",
        False,
        True,
    )
    assert config.keys == {"open": ("o",), "new": ("a", "question_mark")}
    assert {problem.line for problem in problems} == {8, 9}, "o, a and ? belong to other actions as well"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("theme = 1", 1, "theme is a text"),
        ('\ndensity = "tiny"', 2, "compact, normal, roomy"),
        ('densty = "normal"', 1, "do you mean density?"),
        ("toasts = 3", 1, "true or false"),
        ("a = \n", 1, "not TOML"),
        ('[keys]\nopne = "o"', 2, "do you mean open?"),
        ('[keys]\nopen = "no key"', 2, "is no key"),
        ("[keys]\nopen = 3", 2, "a text or a list"),
        ("keys = 3", 1, "[keys]"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, told: str) -> None:
    config, problems = read_config(text)
    assert config == Config()
    assert problems[0].line == line
    assert told in problems[0].text


def test_the_template_is_fine_with_and_without_its_comment_signs() -> None:
    assert read_config(template()) == (Config(), ())
    lines = template().splitlines()
    bare = "\n".join(
        line.removeprefix("# ") for line in lines if " = " in line or line.startswith("# [keys]")
    )
    tomllib.loads(bare)
    assert read_config(bare)[1] == ()


@given(st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    read_config(text)
