"""A project's settings: its name, its due date, and its columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import ClassVar

from msgspec import UNSET
from msgspec.structs import replace
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from fluxboard.model.merge import merge_columns
from fluxboard.model.text import clean_line
from fluxboard.model.types import COLORS, COMPLETED, PROJECT_NAME_MAX, Column, ProjectPatch, new_id
from fluxboard.tui.dates import due_day, parse_day
from fluxboard.tui.ports import Board
from fluxboard.tui.screens.ask import AskScreen
from fluxboard.tui.screens.picker import Item, PickScreen
from fluxboard.tui.themes import palette_of
from fluxboard.tui.widgets.dialog import Dialog, KeyHints
from fluxboard.tui.widgets.header import part
from fluxboard.tui.widgets.waiting import Waiting

_LIMIT_MAX = 10_000
_NAME_MAX = 50


class SettingsScreen(ModalScreen[None]):
    """Changes are gathered and saved together; the server says what it does not take, and nothing is lost."""

    AUTO_FOCUS = "#lines"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("ctrl+s", "save", "Save"),
        ("escape,q", "leave", "Close"),
        ("j", "step(1)", "Next"),
        ("k", "step(-1)", "Before"),
        ("J", "shift(1)", "Later"),
        ("K", "shift(-1)", "Earlier"),
        ("n", "add", "New column"),
        ("l", "limit", "Limit"),
        ("p", "policy", "Warn or block"),
        ("c", "colour", "Colour"),
        ("d,delete", "remove", "Remove"),
    ]
    DEFAULT_CSS = """
    SettingsScreen { align: center middle; }
    SettingsScreen Dialog { width: 72; }
    SettingsScreen #heading { text-style: bold; margin-bottom: 1; }
    SettingsScreen #lines { height: auto; max-height: 26; background: $panel; border: none; padding: 0; }
    SettingsScreen #told { height: auto; margin-top: 1; display: none; color: $warning; }
    SettingsScreen Waiting { margin-top: 1; }
    SettingsScreen #keys { margin-top: 1; }
    """

    def __init__(self, board: Board, today: date) -> None:
        super().__init__()
        self.board = board
        self._today = today
        self._base = project = board.project
        self._called, self._due = project.name, project.due_date
        self._columns = list(project.columns)

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static("Board settings", id="heading", markup=False)
            yield OptionList(id="lines", classes="-squeeze", markup=False)
            yield Static("", id="told", markup=False)
            yield Waiting("Saving")
            yield KeyHints(
                ("enter", "change"),
                ("n", "new column"),
                ("J K", "order"),
                ("l", "limit"),
                ("p", "warn or block"),
                ("c", "colour"),
                ("d", "remove"),
                ("ctrl+s", "save"),
                ("esc", "close"),
                id="keys",
            )

    def on_mount(self) -> None:
        self._show(0)
        mine = {member.role for member in self.board.members if member.user_id == self.board.user.id}
        if self.board.layer == "plus" and not mine & {"owner", "admin"}:
            self._say("Only an owner or an admin of the board can save what is changed here.")

    @property
    def _patch(self) -> ProjectPatch:
        """What was changed here, and nothing of what somebody else saved meanwhile."""
        base, now = self._base, self.board.project
        columns = merge_columns(base.columns, self._columns, now.columns)
        return ProjectPatch(
            name=self._called if self._called != base.name else UNSET,
            due_date=self._due if self._due != base.due_date else UNSET,
            columns=columns if columns != now.columns else UNSET,
        )

    def _show(self, at: int | None = None) -> None:
        lines = self.query_one("#lines", OptionList)
        place = at if at is not None else (lines.highlighted or 0)
        lines.clear_options()
        due = due_day(self._due, self._today) or "none"
        lines.add_option(Option(Content.assemble(("Name      ", "$flux-muted"), self._called)))
        lines.add_option(Option(Content.assemble(("Due date  ", "$flux-muted"), due)))
        lines.add_options([Option(self._told(column)) for column in self._columns])
        lines.highlighted = max(0, min(place, lines.option_count - 1))

    def _told(self, column: Column) -> Content:
        palette = palette_of(self.app.get_css_variables())
        count = len(self.board.column_ids(column.id))
        told = f"{count} task{'s' if count != 1 else ''}"
        if column.wip_limit is not None:
            told += f", limit {column.wip_limit} ({column.wip_policy}s)"
        if column.color is not None:
            told += f", {column.color}"
        return Content.assemble(
            ("Column    ", "$flux-muted"),
            part("● ", palette.of_name(column.color)),
            Content(column.name),
            (f"  {told}", "$flux-muted"),
        )

    @property
    def _at(self) -> int | None:
        """Which column the cursor is on; None on another line."""
        place = (self.query_one("#lines", OptionList).highlighted or 0) - 2
        return place if 0 <= place < len(self._columns) else None

    def _change(self, change: Callable[[Column], Column]) -> None:
        at = self._at
        if at is not None:
            self._columns[at] = change(self._columns[at])
            self._show()

    # -- keys

    def action_step(self, distance: int) -> None:
        lines = self.query_one("#lines", OptionList)
        lines.highlighted = max(0, min((lines.highlighted or 0) + distance, lines.option_count - 1))

    @on(OptionList.OptionSelected, "#lines")
    def _entered(self, event: OptionList.OptionSelected) -> None:
        if event.option_index == 0:
            self._ask("Name of the project", self._called, self._rename_project, _name_of(PROJECT_NAME_MAX))
        elif event.option_index == 1:
            self._ask("Due date of the project", self._due or "", self._set_due, self._wrong_day)
        elif (at := self._at) is not None:
            self._ask(
                "Name of the column",
                self._columns[at].name,
                lambda text: self._change(lambda column: replace(column, name=clean_line(text))),
                _name_of(_NAME_MAX),
            )

    def action_add(self) -> None:
        def add(text: str) -> None:
            at = self._at
            place = len(self._columns) if at is None else at + 1
            self._columns.insert(place, Column(id=self._fresh_id(text), name=clean_line(text)))
            self._show(place + 2)

        self._ask("Name of the new column", "", add, _name_of(_NAME_MAX))

    def action_shift(self, distance: int) -> None:
        at = self._at
        if at is not None and 0 <= at + distance < len(self._columns):
            self._columns.insert(at + distance, self._columns.pop(at))
            self._show(at + distance + 2)

    def action_limit(self) -> None:
        def limit(text: str) -> None:
            self._change(lambda column: replace(column, wip_limit=int(text) if text.strip() else None))

        at = self._at
        if at is not None:
            now = self._columns[at].wip_limit
            question = f"How many tasks may stand in {self._columns[at].name}? Nothing for any number."
            self._ask(question, "" if now is None else str(now), limit, _wrong_limit)

    def action_policy(self) -> None:
        self._change(
            lambda column: replace(column, wip_policy="warn" if column.wip_policy == "block" else "block")
        )

    def action_colour(self) -> None:
        def chosen(name: str | None) -> None:
            if name is not None:
                self._change(lambda column: replace(column, color=name or None))

        if self._at is not None:
            items = [Item(name, name.capitalize()) for name in COLORS] + [Item("", "No colour")]
            self.app.push_screen(PickScreen("Colour", items), chosen)

    def action_remove(self) -> None:
        at = self._at
        if at is None:
            return
        column = self._columns[at]
        count = len(self.board.column_ids(column.id))
        if column.id == COMPLETED:
            self._say("The column of finished tasks stays; its name may be another.")
        elif count:
            self._say(f"{count} task{'s' if count > 1 else ''} still in {column.name}: move them first.")
        else:
            del self._columns[at]
            self._show()

    @work(exclusive=True)
    async def action_save(self) -> None:
        """Saves all changes at once and closes; what the server says against it is shown."""
        patch = self._patch
        if patch == ProjectPatch():
            self.dismiss(None)
            return
        try:
            with self.query_one(Waiting).on():
                await self.board.change_project(patch)
        except Exception as error:  # the client's errors are written for the user
            self._say(f"Not saved: {clean_line(str(error))}")
            return
        self.dismiss(None)

    def action_leave(self) -> None:
        from fluxboard.tui.screens.confirm import ConfirmScreen

        if self._patch == ProjectPatch():
            self.dismiss(None)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.dismiss(None)

        self.app.push_screen(ConfirmScreen("Discard the changes?", yes="Discard", no="Stay"), answered)

    # -- within

    def _ask(
        self, question: str, value: str, take: Callable[[str], None], wrong: Callable[[str], str]
    ) -> None:
        def answered(text: str | None) -> None:
            if text is not None:
                take(text)

        self.app.push_screen(AskScreen(question, value, wrong=wrong), answered)

    def _rename_project(self, text: str) -> None:
        self._called = clean_line(text)
        self._show()

    def _set_due(self, text: str) -> None:
        self._due = parse_day(text, self._today)
        self._show()

    def _wrong_day(self, text: str) -> str:
        try:
            parse_day(text, self._today)
        except ValueError as error:
            return str(error)
        return ""

    def _fresh_id(self, name: str) -> str:
        """An id made of the name, as the server wants one."""
        base = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")[:40]
        taken = {column.id for column in self._columns}
        return base if base and base not in taken else f"{base or 'column'}_{new_id()[-6:]}"

    def _say(self, text: str) -> None:
        told = self.query_one("#told", Static)
        told.update(text)
        told.display = True


def _name_of(limit: int) -> Callable[[str], str]:
    def wrong(text: str) -> str:
        name = clean_line(text)
        if not name:
            return "A name is needed."
        return f"{len(name)} characters, {limit} fit." if len(name) > limit else ""

    return wrong


def _wrong_limit(text: str) -> str:
    text = text.strip()
    fine = not text or (text.isascii() and text.isdigit() and 1 <= int(text) <= _LIMIT_MAX)
    return "" if fine else f"A number from 1 to {_LIMIT_MAX}, or nothing."
