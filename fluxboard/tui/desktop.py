"""Notifications of the desktop, by the escape sequences that some terminals have for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fluxboard.model.text import clean_line

_LONGEST: Final = 200
#: Terminals that take OSC 9 as a notification; Windows Terminal takes it as something else.
_OSC_9: Final = frozenset({"iTerm.app", "WezTerm", "ghostty", "WarpTerminal"})
_OSC_777: Final = ("foot", "rxvt", "contour")


def sequence(text: str, environ: Mapping[str, str]) -> str | None:
    """What to write to the terminal for a notification; None for a terminal that shows none."""
    # The name in front keeps a text that begins with a number from being taken as another command.
    text = clean_line(f"fluxboard: {text}")[:_LONGEST]
    terminal, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if "TMUX" in environ or terminal.startswith(("screen", "tmux")):
        return None
    if "KITTY_WINDOW_ID" in environ or "kitty" in terminal:
        return f"\x1b]99;;{text}\x1b\\"
    if program in _OSC_9:
        return f"\x1b]9;{text}\x1b\\"
    if terminal.startswith(_OSC_777):
        return f"\x1b]777;notify;fluxboard;{text.replace(';', ',')}\x1b\\"
    return None
