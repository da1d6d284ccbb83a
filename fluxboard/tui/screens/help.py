"""All actions with their keys; picking one runs it."""

from __future__ import annotations

from collections.abc import Sequence

from fluxboard.tui.actions import Action
from fluxboard.tui.screens.picker import Item, PickScreen


class HelpScreen(PickScreen):
    """The action table, searchable."""

    enter = "does it"

    def __init__(self, actions: Sequence[Action], notes: Sequence[str] = ()) -> None:
        items = [
            Item(action.id, action.title, action.kind, lead="  ".join(action.shown_keys))
            for action in actions
            if action.id != "help"
        ]
        super().__init__("Keys", items, notes)
