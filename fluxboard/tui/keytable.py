"""The key table of the README, made from the table of actions."""

from __future__ import annotations

from fluxboard.tui.actions import ACTIONS

_KEYS = {"←": "left", "→": "right", "↑": "up", "↓": "down"}


def key_table() -> str:
    """The actions and their keys as a Markdown table, without a line end after it."""
    lines = ["| Keys | Action |", "| --- | --- |"]
    for action in ACTIONS:
        keys = " ".join(f"`{_KEYS.get(key, key)}`" for key in action.shown_keys) or "by name in the palette"
        lines.append(f"| {keys} | {action.title} |")
    return "\n".join(lines)
