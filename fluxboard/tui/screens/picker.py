"""A list to pick from, narrowed down by typing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from fluxboard.tui.widgets.dialog import Dialog, hints


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to pick; ``value`` is the answer, the texts are shown as they are, ``lead`` before all."""

    value: str
    title: str
    hint: str = ""
    lead: str = ""


class PickScreen(ModalScreen[str]):
    """Type to narrow down, arrows and enter to pick, escape to leave it."""

    AUTO_FOCUS = "#search"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "Close"),
        ("down", "step(1)", "Next"),
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
    PickScreen #keys { margin-top: 1; height: 1; }
    """
    placeholder = "Type to search"
    enter = "takes it"

    def __init__(self, title: str, items: Sequence[Item], notes: Sequence[str] = ()) -> None:
        super().__init__()
        self._title = title
        self._items = list(items)
        self._shown: list[Item] = []
        self._notes = notes

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static(self._title, id="title", markup=False)
            yield Input(placeholder=self.placeholder, id="search")
            yield OptionList(id="options", classes="-squeeze", markup=False)
            yield Static("\n".join(self._notes), id="notes", markup=False)
            yield Static(hints(("↑ ↓", "choose"), ("enter", self.enter), ("esc", "close")), id="keys")

    def on_mount(self) -> None:
        self.query_one("#options", OptionList).can_focus = False
        self.query_one("#notes").display = bool(self._notes)
        self._narrow("")

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def _narrow(self, query: str) -> None:
        words = query.casefold().split()
        self._shown = [
            item
            for item in self._items
            if all(word in f"{item.title} {item.hint} {item.lead}".casefold() for word in words)
        ]
        options = self.query_one("#options", OptionList)
        options.clear_options()
        if not self._shown:
            options.add_option(Option(Content("Nothing matches"), disabled=True))
            return
        lead = max((cell_len(item.lead) + 2 for item in self._items if item.lead), default=0)
        options.add_options(
            [
                Option(
                    Content.assemble(
                        (set_cell_size(item.lead, lead), "$primary"),
                        Content(item.title),
                        (f"  {item.hint}", "$flux-muted"),
                    )
                )
                for item in self._shown
            ]
        )
        options.highlighted = 0

    def action_step(self, distance: int) -> None:
        options = self.query_one("#options", OptionList)
        if self._shown:
            options.highlighted = max(0, min((options.highlighted or 0) + distance, len(self._shown) - 1))

    @on(Input.Submitted, "#search")
    def _entered(self) -> None:
        highlighted = self.query_one("#options", OptionList).highlighted
        if self._shown and highlighted is not None:
            self.dismiss(self._shown[highlighted].value)

    @on(OptionList.OptionSelected, "#options")
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        if self._shown:
            self.dismiss(self._shown[event.option_index].value)

    def action_leave(self) -> None:
        self.dismiss(None)
