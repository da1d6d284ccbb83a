"""A line of text with a list of what could be meant beneath it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from fluxboard.tui.completion import Choice, completed, fitting, fragment
from fluxboard.tui.widgets.line_input import LineInput

#: More than this nobody reads; typing brings the rest.
_OFFERED_MAX: Final = 40
#: So many are in view at once, half of them below so many lines of the terminal.
_LINES, _ROOMY = 6, 24


class Choices(OptionList, can_focus=False):
    """The list beneath a :class:`CompletingInput`, which has the keys; a click takes a line."""

    DEFAULT_CSS = """
    Choices { display: none; height: auto; background: $surface; }
    """

    def __init__(self) -> None:
        # A click on it leaves the focus where it is, whatever it lies within.
        super().__init__(markup=False, classes="-textual-system")
        self.offered: list[Choice] = []
        #: Whether an arrow was used: enter takes a choice then.
        self.stepped = False

    def offer(self, choices: list[Choice]) -> None:
        """Shows these; nothing where there are none."""
        self.offered = choices[:_OFFERED_MAX]
        self.stepped = False
        self.display = bool(self.offered)
        self.styles.max_height = _LINES if self.screen.size.height >= _ROOMY else _LINES // 2
        self.clear_options()
        self.add_options(
            Option(Content.assemble(choice.text, (f"  {choice.hint}" if choice.hint else "", "$flux-muted")))
            for choice in self.offered
        )
        self.highlighted = 0 if self.offered else None

    def step(self, distance: int) -> None:
        """Goes to another choice, and from the last to the first."""
        self.stepped = True
        self.highlighted = ((self.highlighted or 0) + distance) % len(self.offered)

    def close(self) -> bool:
        """Takes the list away; whether there was one."""
        was_open = bool(self.display)
        self.offer([])
        return was_open


class CompletingInput(LineInput):
    """Arrows go through the choices, tab or a click takes one, and enter does once an arrow was used."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("tab", "take", "Take the choice"),
        ("down", "step(1)", "Next choice"),
        ("up", "step(-1)", "Choice before"),
    ]

    def __init__(
        self, value: str, words: Callable[[], Iterable[Choice]], choices: Choices, **options: Any
    ) -> None:
        """``words`` are asked for at each key that is typed; ``choices`` is mounted by the owner."""
        super().__init__(value, select_on_focus=False, **options)
        self.words = words
        self.choices = choices

    @property
    def typed(self) -> str:
        """What there is of the word at the cursor."""
        return fragment(self.value, self.cursor_position)

    def on_input_changed(self) -> None:
        self.choices.offer(fitting(self.typed, self.words()))

    def on_blur(self) -> None:
        self.choices.close()

    def take(self, place: int) -> None:
        """Writes a choice in place of what was typed of it."""
        self.value, self.cursor_position = completed(
            self.value, self.cursor_position, self.choices.offered[place]
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a list up and down are somebody else's keys."""
        return action != "step" or bool(self.choices.display)

    def action_step(self, distance: int) -> None:
        self.choices.step(distance)

    def action_take(self) -> None:
        if self.choices.highlighted is not None:
            self.take(self.choices.highlighted)

    def take_stepped(self) -> bool:
        """Takes the choice that an arrow went to; whether there was one."""
        place = self.choices.highlighted if self.choices.stepped else None
        if place is not None:
            self.take(place)
        return place is not None

    async def action_submit(self) -> None:
        if not self.take_stepped():
            await super().action_submit()

    def clicked(self, event: OptionList.OptionSelected) -> None:
        """A line of the list was clicked."""
        event.stop()
        self.take(event.option_index)
        self.focus()
