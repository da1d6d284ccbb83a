"""The command palette's entries: the board's action table."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

if TYPE_CHECKING:
    from fluxboard.tui.actions import Action


class ActionCommands(Provider):
    """Offers every action that makes sense now."""

    def _offered(self) -> list[Action]:
        from fluxboard.tui.actions import ACTIONS
        from fluxboard.tui.screens.board import BoardScreen

        screen = self.screen
        if not isinstance(screen, BoardScreen):
            return []
        return [action for action in ACTIONS if action.id != "palette" and action.when(screen)]

    def _run(self, action: Action) -> partial[Coroutine[Any, Any, None]]:
        return partial(self.screen.run_action, f"act('{action.id}')")

    async def discover(self) -> Hits:
        for action in self._offered():
            yield DiscoveryHit(action.title, self._run(action), help=" ".join(action.shown_keys))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in self._offered():
            score = matcher.match(action.title)
            if score > 0:
                keys = " ".join(action.shown_keys)
                yield Hit(score, matcher.highlight(action.title), self._run(action), help=keys)
