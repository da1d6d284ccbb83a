"""A widget of words that is painted again only when it says something else."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget


class Steady(Widget):
    """What stands around the cards: it is asked after each change of the board, and seldom has news."""

    def __init__(self) -> None:
        super().__init__()
        self._said: Content | None = None

    def words(self) -> Content:
        """What is to be shown now."""
        raise NotImplementedError

    def follow(self) -> None:
        """Paints itself where the words are others, or have other colours."""
        if self._said is None or not self.words().is_same(self._said):
            self.refresh()

    def render(self) -> Content:
        self._said = self.words()
        return self._said
