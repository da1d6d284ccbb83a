"""The first steps: five keys to press, each told until it was pressed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from textual.content import Content
from textual.widgets import Static

#: What is to be pressed, by the action that it runs; ``{}`` stands for the action's key.
#: A first board is empty, and so the first step makes a task.
STEPS: Final[Mapping[str, str]] = {
    "new": "{} adds a task: type a title, enter, then esc",
    "down": "{} is the next card; the arrows do it, too",
    "open": "{} shows all of a task; esc closes it",
    "search": "{} filters as you type; esc shows everything again",
    "help": "{} knows every key, and does what you pick",
}


class Tour(Static):
    """One line above the footer. It watches; it never stands in the way of a key."""

    DEFAULT_CSS = """
    Tour { dock: bottom; height: auto; max-height: 3; margin-bottom: 1; padding: 0 1; display: none;
        background: $primary-muted; color: $foreground; }
    """

    def __init__(self, key: Callable[[str], str]) -> None:
        """``key`` says how the user presses an action."""
        super().__init__("", markup=False)
        self._key = key
        self._left: list[str] = []

    @property
    def going(self) -> bool:
        """Whether the tour is going on."""
        return bool(self._left)

    def start(self) -> None:
        """Begins with the first step."""
        self._left = list(STEPS)
        self._tell()

    def did(self, action_id: str) -> bool:
        """The user ran an action; whether the tour ended with it."""
        if action_id not in self._left:
            return False
        self._left.remove(action_id)
        self._tell()
        return not self._left

    def end(self) -> None:
        """Ends the tour."""
        self._left = []
        self._tell()

    def _tell(self) -> None:
        self.display = bool(self._left)
        self.screen.set_class(self.display, "-touring")
        if self._left:
            step = self._left[0]
            done = len(STEPS) - len(self._left) + 1
            self.update(
                Content.assemble(
                    (f"First steps {done} of {len(STEPS)}  ", "bold"),
                    STEPS[step].replace("{}", self._key(step)),
                    (f"   {self._key('end_tour')} ends this", "italic"),
                )
            )
