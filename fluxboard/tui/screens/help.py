"""All actions with their keys, of which picking one runs it, and below them what the signs mean."""

from __future__ import annotations

from collections.abc import Sequence

from fluxboard.tui.actions import Action
from fluxboard.tui.legend import SIGNS
from fluxboard.tui.screens.picker import Item, PickScreen


class HelpScreen(PickScreen):
    """The action table and the legend, searchable."""

    enter = "does it"

    def __init__(self, actions: Sequence[Action], notes: Sequence[str] = ()) -> None:
        items = [
            Item(action.id, action.title, action.kind, lead="  ".join(action.shown_keys))
            for action in actions
            if action.id != "help"
        ]
        items += [Item("", meaning, "sign", lead=sign) for sign, meaning in SIGNS.items()]
        super().__init__("Keys and signs", items, notes)

    def take(self, value: str) -> None:
        """A sign is there to be read."""
        if value:
            super().take(value)
