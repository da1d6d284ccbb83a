"""The line in which the board is filtered as one types."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, OptionList, Static

from fluxboard.tui.completion import Choice
from fluxboard.tui.widgets.completing import Choices, CompletingInput
from fluxboard.tui.widgets.header import part


class FilterInput(CompletingInput):
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "clear_filter", "Clear the filter")]

    def action_clear_filter(self) -> None:
        if not self.choices.close():
            self.value = ""
            self.post_message(FilterBar.Left())


class FilterBar(Horizontal):
    """Says what is searched for and how much of the board that is, or what of it was not understood."""

    DEFAULT_CSS = """
    FilterBar { height: 1; display: none; background: $panel; padding: 0 1; }
    FilterBar Choices { overlay: screen; constrain: inside none; width: auto; min-width: 24; offset-y: 1; }
    FilterBar Input { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    FilterBar Input:focus { border: none; }
    FilterBar #filter-mark { width: 2; color: $primary; text-style: bold; }
    FilterBar #filter-told { width: auto; max-width: 60%; padding-left: 2; color: $flux-muted; }
    """

    @dataclass
    class Changed(Message):
        """The query is another."""

        query: str

        @property
        def control(self) -> None:
            return None

    @dataclass
    class Left(Message):
        """The user is done typing."""

    def __init__(self, words: Callable[[], Iterable[Choice]]) -> None:
        super().__init__(id="filter")
        self._words = words

    def compose(self) -> ComposeResult:
        yield Static("/", id="filter-mark", markup=False)
        choices = Choices()
        yield choices
        yield FilterInput(
            "",
            self._words,
            choices,
            placeholder="text  #label  @person  priority:high  due<7d  is:mine  -not",
            id="filter-input",
        )
        yield Static("", id="filter-told", markup=False)

    @property
    def input(self) -> FilterInput:
        return self.query_one(FilterInput)

    def open(self, query: str) -> None:
        """Shows the line with a query and puts the text cursor into it."""
        self.display = True
        with self.prevent(Input.Changed):
            self.input.value = query
        self.screen.set_focus(self.input)

    def show(self, query: str, found: int, total: int, problems: tuple[str, ...]) -> None:
        """Shows a query that is in force, and what it finds; hides the line where there is none."""
        self.display = bool(query) or self.screen.focused is self.input  # at once: blur comes later
        if self.input.value != query:
            with self.prevent(Input.Changed):
                self.input.value = query
        told = part(f"{found} of {total}") if not problems else part("; ".join(problems), "")
        told_at = self.query_one("#filter-told", Static)
        told_at.set_class(bool(problems), "-problem")
        told_at.update(told)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.input.clicked(event)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        line = self.input
        if line.choices.display:  # beneath the word that it completes
            before = line.value[: line.cursor_position - len(line.typed)]
            line.choices.styles.offset = (cell_len(before), 1)
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Left())
