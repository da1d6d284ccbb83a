"""A list to pick from, narrowed down by typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from fluxboard.tui.widgets.dialog import Dialog, KeyHints
from fluxboard.tui.widgets.line_input import LineInput

#: More than this nobody reads; typing brings the rest.
_SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to pick; ``value`` is the answer, the texts are shown as they are, ``lead`` before all."""

    value: str
    title: str
    hint: str = ""
    lead: str = ""


class PickScreen(ModalScreen[str]):
    """Type to narrow down, arrows and enter to pick, escape to leave it.

    ``offer`` may make one more item of what is typed.
    """

    AUTO_FOCUS = "#search"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "Close"),
        ("down,ctrl+n", "step(1)", "Next"),
        ("up", "step(-1)", "Before"),
        ("pagedown", "step(10)", "Page down"),
        ("pageup", "step(-10)", "Page up"),
    ]
    DEFAULT_CSS = """
    PickScreen { align: center middle; }
    PickScreen #title { text-style: bold; }
    PickScreen #search { margin: 1 0; }
    PickScreen #options { height: auto; max-height: 32; }
    PickScreen #notes { color: $flux-muted; max-height: 4; margin-top: 1; display: none; }
    PickScreen #keys { margin-top: 1; }
    """
    enter = "takes it"

    def __init__(
        self,
        title: str,
        items: Sequence[Item],
        notes: Sequence[str] = (),
        *,
        offer: Callable[[str], Item | None] | None = None,
        placeholder: str = "Type to search",
    ) -> None:
        super().__init__()
        self.items = list(items)
        self._title = title
        self._shown: list[Item] = []
        self._notes = notes
        self._offer = offer
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static(self._title, id="title", markup=False)
            yield LineInput(placeholder=self._placeholder, id="search")
            yield OptionList(id="options", classes="-squeeze", markup=False)
            yield Static("\n".join(self._notes), id="notes", markup=False)
            yield KeyHints(("↑ ↓", "choose"), ("enter", self.enter), ("esc", "close"), id="keys")

    def on_mount(self) -> None:
        self.query_one("#options", OptionList).can_focus = False
        self.query_one("#notes").display = bool(self._notes)
        self._narrow("")

    def take(self, value: str) -> None:
        """An item was picked."""
        self.dismiss(value)

    def offer_again(self, items: Sequence[Item], at: str) -> None:
        """Shows the list anew, with the cursor where ``at`` is."""
        self.items = list(items)
        with self.prevent(Input.Changed):
            self.query_one("#search", Input).value = ""
        self._narrow("")
        place = next((place for place, item in enumerate(self._shown) if item.value == at), 0)
        self.query_one("#options", OptionList).highlighted = place

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def _narrow(self, query: str) -> None:
        self._shown = narrowed(self.items, query)[:_SHOWN_MAX]
        extra = self._offer(query) if self._offer is not None and query.strip() else None
        if extra is not None and all(item.value != extra.value for item in self._shown):
            self._shown.append(extra)
        options = self.query_one("#options", OptionList)
        options.clear_options()
        if not self._shown:
            options.add_option(Option(Content("Nothing matches"), disabled=True))
            return
        lead = max((cell_len(item.lead) + 2 for item in self._shown if item.lead), default=0)
        options.add_options([Option(_line(item, lead)) for item in self._shown])
        options.highlighted = 0

    def action_step(self, distance: int) -> None:
        options = self.query_one("#options", OptionList)
        if self._shown:
            options.highlighted = max(0, min((options.highlighted or 0) + distance, len(self._shown) - 1))

    @on(Input.Submitted, "#search")
    def _entered(self) -> None:
        highlighted = self.query_one("#options", OptionList).highlighted
        if self._shown and highlighted is not None:
            self.take(self._shown[highlighted].value)

    @on(OptionList.OptionSelected, "#options")
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        if self._shown:
            self.take(self._shown[event.option_index].value)

    def action_leave(self) -> None:
        self.dismiss(None)


def narrowed(items: Sequence[Item], query: str) -> list[Item]:
    """The items that ``query`` finds, the best first: all its words, or else its letters in their order."""
    words = query.casefold().split()
    if not words:
        return list(items)
    ranked: list[tuple[int, int, Item]] = []
    for place, item in enumerate(items):
        title = item.title.casefold()
        rest = f"{title} {item.hint} {item.lead}".casefold()
        if all(word in rest for word in words):
            starts = f" {title}"
            rank = (
                0 if title.startswith(words[0]) else 1 if all(f" {word}" in starts for word in words) else 2
            )
            ranked.append((rank, place, item))
        elif _in_order("".join(words), title):
            ranked.append((3, place, item))
    ranked.sort(key=lambda entry: entry[:2])
    return [item for _, _, item in ranked]


def _in_order(letters: str, text: str) -> bool:
    at = 0
    for letter in letters:
        at = text.find(letter, at) + 1
        if not at:
            return False
    return True


def _line(item: Item, lead: int) -> Content:
    return Content.assemble(
        (set_cell_size(item.lead, lead), "$primary"),
        Content(item.title),
        (f"  {item.hint}", "$flux-muted"),
    )
