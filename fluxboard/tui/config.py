"""What a user may set in ``config.toml``: keys, theme, density, date style, toasts, glyphs."""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast, get_args

from fluxboard.tui.actions import ACTIONS, BY_ID, SHOWN_KEYS
from fluxboard.tui.widgets.card import DateStyle, Density

Keys = Mapping[str, tuple[str, ...]]
_NAMES: Final = {shown: name for name, shown in SHOWN_KEYS.items()}
_KEY: Final = re.compile(r"((ctrl|shift|alt|super)\+)*[a-zA-Z0-9_]+")


@dataclass(frozen=True, slots=True)
class Config:
    """A user's settings; None leaves it to what the program remembers. ``keys`` are by action id."""

    theme: str | None = None
    density: Density | None = None
    dates: DateStyle = "words"
    toasts: bool = True
    sidebar: bool | None = None
    ascii: bool = False
    dim: bool | None = None
    keys: Keys = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a config, and on which line; 0 where it is no line's fault."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


def read_config(text: str) -> tuple[Config, tuple[Problem, ...]]:
    """The settings of a config file; what is wrong is told and left out, the rest is taken."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        return Config(), (Problem(int(found[1]) if found else 0, f"not TOML: {error}"),)
    return _Reader(text).read(table)


class _Reader:
    """Reads a table that is TOML already."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._problems: list[Problem] = []

    def read(self, table: dict[str, object]) -> tuple[Config, tuple[Problem, ...]]:
        known = {"theme", "density", "dates", "toasts", "sidebar", "ascii", "dim", "keys"}
        for name in table:
            if name not in known:
                self._say(name, f"{name} is no setting{_guess(name, known)}")
        config = Config(
            theme=cast("str | None", self._one(table, "theme", str)),
            density=cast("Density | None", self._choice(table, "density", get_args(Density))),
            dates=cast("DateStyle", self._choice(table, "dates", get_args(DateStyle)) or "words"),
            toasts=self._one(table, "toasts", bool) is not False,
            sidebar=cast("bool | None", self._one(table, "sidebar", bool)),
            ascii=bool(self._one(table, "ascii", bool)),
            dim=cast("bool | None", self._one(table, "dim", bool)),
            keys=self._keys(table.get("keys", {})),
        )
        return config, tuple(sorted(self._problems, key=lambda problem: problem.line))

    def _one(self, table: dict[str, object], name: str, kind: type[str] | type[bool]) -> object:
        value = table.get(name)
        if value is not None and not isinstance(value, kind):
            self._say(name, f"{name} is {'a text' if kind is str else 'true or false'}")
            return None
        return value

    def _choice(self, table: dict[str, object], name: str, choice: tuple[str, ...]) -> object:
        value = table.get(name)
        if value is not None and value not in choice:
            self._say(name, f"{name} is one of {', '.join(choice)}")
            return None
        return value

    def _keys(self, given: object) -> Keys:
        if not isinstance(given, dict):
            self._say("keys", 'keys is a table: [keys] and below it lines such as open = "o"')
            return {}
        own: dict[str, tuple[str, ...]] = {}
        for action, value in given.items():
            wanted = [value] if isinstance(value, str) else value
            if action not in BY_ID:
                self._say(action, f"{action} is no action{_guess(action, BY_ID)}")
            elif not isinstance(wanted, list) or not all(isinstance(key, str) for key in wanted):
                self._say(action, f"the keys of {action} are a text or a list of texts")
            elif bad := [key for key in wanted if key_name(key) is None]:
                self._say(action, f"“{bad[0]}” is no key; write it as x, X, ctrl+x, f5, space or ?")
            else:
                own[action] = tuple(name for key in wanted if (name := key_name(key)) is not None)
        self._tell_doubles(own)
        return own

    def _tell_doubles(self, own: Keys) -> None:
        """A key of two actions; the one that the user gave it to has it."""
        owner: dict[str, str] = {}
        for action in ACTIONS:
            for key in own.get(action.id, action.keys):
                other = owner.setdefault(key, action.id)
                if other != action.id:
                    line_of = action.id if action.id in own else other
                    self._say(line_of, f"the key {key} is given to {other} and to {action.id}")

    def _say(self, name: str, text: str) -> None:
        start = re.compile(rf"\s*\[?\"?{re.escape(name)}\"?\]?\s*(=|$)")
        line = next((number for number, line in enumerate(self._lines, 1) if start.match(line)), 0)
        self._problems.append(Problem(line, text))


def key_name(key: str) -> str | None:
    """A key as Textual calls it, from how a person writes it ("?", "ctrl+x"); None for what is no key."""
    if key.startswith("g ") and (second := key_name(key[2:])) is not None:
        return f"g {second}"
    if key in _NAMES:
        return _NAMES[key]
    if len(key) == 1 and not key.isalnum():
        return unicodedata.name(key, "").lower().replace("-", "_").replace(" ", "_") or None
    return key if _KEY.fullmatch(key) else None


def template() -> str:
    """A config file that says everything that can be set, all of it commented out."""
    lines = [
        "# fluxboard reads this file when it starts. `fluxboard config check` says what is wrong with it.",
        "",
        '# theme = "fluxboard-dark"    # any of those that t shows; without it the last one is kept',
        '# density = "normal"          # compact, normal, roomy',
        '# dates = "words"             # words ("Fri", "2d late") or iso ("2026-12-04")',
        "# toasts = true               # what others do, in a corner of the screen",
        "# sidebar = true              # the people, always or never; without it where there is room",
        "# ascii = false               # no glyphs beyond ASCII, for fonts that lack them",
        "# dim = true                  # dialogs dim what is behind them; over SSH only when set",
        "",
        "# [keys]                      # a key or a list of keys for each action",
    ]
    for action in ACTIONS:
        keys = ", ".join(f'"{key}"' for key in action.shown_keys)
        lines.append(f"# {action.id} = [{keys}]".ljust(34) + f"# {action.title}")
    return "\n".join(lines) + "\n"


def _guess(name: str, known: object) -> str:
    close = difflib.get_close_matches(name, cast("list[str]", list(cast("dict[str, str]", known))), 1)
    return f"; do you mean {close[0]}?" if close else ""
