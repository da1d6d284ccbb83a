"""The command palette's entries: the board's action table."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

if TYPE_CHECKING:
    from fluxboard.tui.actions import Action
    from fluxboard.tui.screens.board import BoardScreen

_KEYS = 12


def _keys(action: Action) -> Content:
    return Content.styled("  ".join(action.shown_keys).ljust(_KEYS), "$primary")


class ActionCommands(Provider):
    """Offers every action that makes sense now."""

    def _offered(self) -> list[Action]:
        from fluxboard.tui.screens.board import BoardScreen

        screen = self.screen
        if not isinstance(screen, BoardScreen):
            return []
        return [action for action in screen.actions if action.id != "palette" and action.when(screen)]

    @cached_property
    def _picked(self) -> Callable[[str | None], None]:
        from fluxboard.tui.commands.program import picked

        return picked(cast("BoardScreen", self.screen))

    def _run(self, action: Action) -> partial[None]:
        return partial(self._picked, action.id)

    async def discover(self) -> Hits:
        for action in self._offered():
            shown = Content.assemble(_keys(action), action.title)
            yield DiscoveryHit(shown, self._run(action), text=action.title)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in self._offered():
            score = matcher.match(action.title)
            if score > 0:
                shown = Content.assemble(_keys(action), matcher.highlight(action.title))
                yield Hit(score, shown, self._run(action), text=action.title)
