"""One key after the other: each is given to who has the keyboard once the key before it has done its work.

Without this, keys that arrive together (fast typing, a slow link, a paste without brackets) all go to whoever
has the focus when the first of them comes: ``nFix`` would be four commands of the board instead of a title.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from textual import events
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump
from textual.timer import Timer

#: A key that takes longer (its widget may be gone, and the mark with it) does not hold up the next one.
PATIENCE: Final = 0.3
#: A key often has its widget say something to itself first ("submitted"), which then does the work.
ROUNDS: Final = 2

Typed = events.Key | events.Paste


@dataclass
class KeyDone(Message):
    """Follows a key through the same queues: where it is back at the app, what went before it is done."""

    turn: int


class Turns:
    """Holds keys back until it is their turn. ``give`` hands one to who has the focus by then."""

    def __init__(self, app: App[None], give: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._give = give
        self._held: deque[Typed] = deque()
        self._target: MessagePump | None = None
        self._rounds = 0
        self._turn = 0
        self._timer: Timer | None = None

    async def take(self, key: Typed) -> None:
        """Gives the key at once, or when the keys before it are done."""
        self._held.append(key)
        if self._target is None:
            await self._next()

    async def back(self, turn: int) -> None:
        """A mark is back."""
        if turn != self._turn or self._target is None:
            return
        self._rounds -= 1
        if not (self._rounds and self._target.post_message(KeyDone(turn))):
            await self._next()

    async def _next(self) -> None:
        """Gives the next key; one for a screen that is not built yet waits for its focus to be there."""
        self._turn += 1
        self._target = None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if not self._held or not self._app.screen_stack:
            return
        screen, turn = self._app.screen, self._turn
        built = screen.is_mounted
        self._target = (self._app.focused or screen) if built else screen
        self._rounds = ROUNDS
        self._timer = self._app.set_timer(PATIENCE, lambda: self._waited(turn))
        if built:
            await self._give(self._held.popleft())
        if not self._target.post_message(KeyDone(turn)):
            await self._next()

    async def _waited(self, turn: int) -> None:
        if turn == self._turn:
            await self._next()
