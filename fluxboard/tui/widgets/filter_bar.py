"""The line in which the board is filtered as one types."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from fluxboard.tui.widgets.header import part
from fluxboard.tui.widgets.line_input import LineInput


class WordSuggester(Suggester):
    """Completes the last word of a line from what ``words`` offers at that moment."""

    def __init__(self, words: Callable[[], Iterable[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._words = words

    async def get_suggestion(self, value: str) -> str | None:
        last = value.rsplit(" ", 1)[-1]
        bare = last.removeprefix("-")
        if len(bare) < 2 and bare not in {"#", "@"}:
            return None
        folded = bare.casefold()
        for word in self._words():
            if word.casefold().startswith(folded) and len(word) > len(bare):
                return value + word[len(bare) :]
        return None


class WordInput(LineInput):
    """An input whose suggestion tab takes as well as the right arrow."""

    BINDINGS: ClassVar[list[BindingType]] = [("tab", "take", "Take the suggestion")]

    def action_take(self) -> None:
        self.action_end()
        self.action_cursor_right()


class FilterInput(WordInput):
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "clear_filter", "Clear the filter")]

    def action_clear_filter(self) -> None:
        self.value = ""
        self.post_message(FilterBar.Left())


class FilterBar(Horizontal):
    """Says what is searched for and how much of the board that is, or what of it was not understood."""

    DEFAULT_CSS = """
    FilterBar { height: 1; display: none; background: $panel; padding: 0 1; }
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

    def __init__(self, words: Callable[[], Iterable[str]]) -> None:
        super().__init__(id="filter")
        self._suggester = WordSuggester(words)

    def compose(self) -> ComposeResult:
        yield Static("/", id="filter-mark", markup=False)
        yield FilterInput(
            placeholder="text  #label  @person  priority:high  due<7d  is:mine  -not",
            suggester=self._suggester,
            select_on_focus=False,
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
        self.input.focus()

    def show(self, query: str, found: int, total: int, problems: tuple[str, ...]) -> None:
        """Shows a query that is in force, and what it finds; hides the line where there is none."""
        self.display = bool(query) or self.input.has_focus
        if self.input.value != query:
            with self.prevent(Input.Changed):
                self.input.value = query
        told = part(f"{found} of {total}") if not problems else part("; ".join(problems), "")
        told_at = self.query_one("#filter-told", Static)
        told_at.set_class(bool(problems), "-problem")
        told_at.update(told)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Left())
