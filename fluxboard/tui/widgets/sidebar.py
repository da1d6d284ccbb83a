"""Who is here, and what happened since I was."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from textual.content import Content
from textual.widget import Widget

from fluxboard.tui.dates import ago
from fluxboard.tui.faces import Faces
from fluxboard.tui.ports import Clock
from fluxboard.tui.widgets.card import clip, wrap_title
from fluxboard.tui.widgets.header import part

SIDEBAR_WIDTH: Final = 28
_REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class Happening:
    """Somebody did something, at a moment."""

    user_id: str
    name: str
    text: str
    at: datetime


class Sidebar(Widget):
    """Online people in their colour, yourself first; below them the latest changes of others."""

    ALLOW_SELECT = False
    DEFAULT_CSS = (
        f"Sidebar {{ width: {SIDEBAR_WIDTH}; height: 1fr; padding: 1 1 0 2; border-left: vkey $panel; }}"
    )

    def __init__(self, faces: Faces, clock: Clock) -> None:
        super().__init__()
        self.faces = faces
        self.clock = clock
        self.happenings: deque[Happening] = deque(maxlen=_REMEMBERED)

    def add(self, happening: Happening) -> None:
        """Puts a change on top of the list."""
        self.happenings.appendleft(happening)
        self.refresh()

    def render(self) -> Content:
        width, height = self.size
        palette = self.faces.palette
        lines = [
            *self._people(width),
            Content(""),
            Content(""),
            part("Since you were here", palette.muted, bold=True),
        ]
        if not self.happenings:
            lines += [Content(""), part("Nothing yet", palette.rule)]
        now = self.clock()
        for happening in self.happenings:
            if len(lines) >= height - 3:
                break
            lines += [Content(""), *self._happening(happening, now, width)]
        for note in self.faces.board.notes:
            lines += [
                Content(""),
                *(part(line, palette.medium) for line in wrap_title(f"! {note}", width, width)),
            ]
        return Content("\n").join(lines[:height])

    def _people(self, width: int) -> list[Content]:
        board, palette = self.faces.board, self.faces.palette
        people = sorted(board.online, key=lambda user: user.id != board.user.id)
        lines = [
            Content.assemble(part("Online ", palette.muted, bold=True), part(str(len(people)), palette.muted))
        ]
        roomy = len(people) * 3 < self.size.height // 2
        for user in people:
            if roomy:
                lines.append(Content(""))
            mine = user.id == board.user.id
            name = "you" if mine else user.name or "?"
            colour = self.faces.colour_of(user.id)
            dot = part("◌ " if user.idle else "● ", palette.muted if user.idle else colour)
            line = dot + part(
                clip(name, width - 2), palette.muted if user.idle else palette.text, bold=not user.idle
            )
            lines.append(line + part("  idle", palette.rule) if user.idle else line)
            task = board.tasks.get(user.task_id or "")
            if roomy and task is not None:
                lines.append(part(f"  {clip(task.title, width - 2)}", palette.muted))
        if not people:
            lines.append(part("Nobody is connected", palette.rule))
        return lines

    def _happening(self, happening: Happening, now: datetime, width: int) -> list[Content]:
        palette = self.faces.palette
        name = clip(self.faces.short(happening.name) or "?", width // 2)
        age = f" · {ago((now - happening.at).total_seconds())}"
        first, *rest = wrap_title(f"{name} {happening.text}", width, width - len(age))
        lines = [
            part(first[: len(name)], self.faces.colour_of(happening.user_id), bold=True)
            + part(first[len(name) :], palette.text)
        ]
        if rest:
            lines.append(part(rest[0], palette.muted) + part(age, palette.muted))
        elif Content(first).cell_length + len(age) <= width:
            lines[0] += part(age, palette.muted)
        return lines
