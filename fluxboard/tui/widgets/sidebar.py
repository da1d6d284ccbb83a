"""Who is here, and what happened since I was."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from textual import events
from textual.content import Content
from textual.message import Message

from fluxboard.model.types import OnlineUser
from fluxboard.tui.dates import ago
from fluxboard.tui.faces import Faces
from fluxboard.tui.ports import Clock
from fluxboard.tui.widgets.card import clip, wrap_title
from fluxboard.tui.widgets.header import part
from fluxboard.tui.widgets.steady import Steady

SIDEBAR_WIDTH: Final = 28
_REMEMBERED = 50
_ROOM_FOR_AWAY = 24
#: In a burst the list is painted so often, in seconds: nobody reads more, and it is as large as ten cards.
_READABLE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Happening:
    """Somebody did something, at a moment."""

    user_id: str
    name: str
    text: str
    at: datetime


class Sidebar(Steady):
    """Who is here, each in their colour and yourself first; below them who is away, and what others did."""

    ALLOW_SELECT = False
    DEFAULT_CSS = (
        f"Sidebar {{ width: {SIDEBAR_WIDTH}; height: 1fr; padding: 1 1 0 2; border-left: vkey $panel; }}"
    )

    @dataclass
    class PersonPressed(Message):
        """A person who is here was clicked."""

        user_id: str

    def __init__(self, faces: Faces, clock: Clock) -> None:
        super().__init__()
        self._rows: dict[int, str] = {}
        self._rests = False
        self.faces = faces
        self.clock = clock
        self.happenings: deque[Happening] = deque(maxlen=_REMEMBERED)

    def add(self, happening: Happening) -> None:
        """Puts a change on top of the list."""
        self.happenings.appendleft(happening)
        if not self._rests:
            self._rests = True
            self.refresh()
            self.set_timer(_READABLE, self._rested)

    def follow(self) -> None:
        if not self._rests:
            super().follow()

    def _rested(self) -> None:
        self._rests = False
        self.follow()

    def words(self) -> Content:
        width, height = self.size
        palette = self.faces.palette
        now = self.clock()
        lines = self._people(width, height, now)
        lines += [*self._away(width, height, now), Content(""), Content("")]
        lines.append(part("Since you were here", palette.muted, bold=True))
        if not self.happenings:
            lines += [Content(""), part("Nothing yet", palette.rule)]
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

    def on_click(self, event: events.Click) -> None:
        user_id = self._rows.get(event.y - self.gutter.top)
        if user_id is not None:
            self.post_message(self.PersonPressed(user_id))

    def _people(self, width: int, height: int, now: datetime) -> list[Content]:
        """Who is here, myself first and the idle ones last; of a crowd some, and a number for the rest."""
        board, palette = self.faces.board, self.faces.palette
        people = sorted(board.online, key=lambda user: (user.id != board.user.id, user.idle))
        lines = [
            Content.assemble(part("Online ", palette.muted, bold=True), part(str(len(people)), palette.muted))
        ]
        self._rows.clear()
        room = max(3, height // 2 - 2)
        airy = len(people) * 3 <= room
        shown = people if len(people) <= room else people[: room - 1]
        for user in shown:
            if airy:
                lines.append(Content(""))
            self._rows[len(lines)] = user.id
            lines.append(self._person(user, width, now))
            task = board.tasks.get(user.task_id or "")
            if airy and task is not None and user.id != board.user.id:
                self._rows[len(lines)] = user.id
                lines.append(part(f"  {clip(task.title, width - 2)}", palette.muted))
        if len(shown) < len(people):
            lines.append(part(f"  and {len(people) - len(shown)} more", palette.muted))
        return lines

    def _person(self, user: OnlineUser, width: int, now: datetime) -> Content:
        """One who is here: their name, in how many terminals, and since when or that they are idle."""
        palette = self.faces.palette
        mine = user.id == self.faces.board.user.id
        name = "you" if mine else user.name or "?"
        end = "idle" if user.idle else _since(user.joined_at, now)
        if mine and self.faces.board.company.invisible:
            end = "unseen by others"
        if user.terminals > 1:
            end = f"×{user.terminals} {end}".rstrip()
        colour = palette.muted if user.idle else palette.text
        name = clip(name, width - 3 - len(end))
        line = part(
            "◌ " if user.idle else "● ", palette.muted if user.idle else self.faces.colour_of(user.id)
        )
        line += part(name, colour, bold=not user.idle)
        return line + part(" " * (width - line.cell_length - len(end)) + end, palette.rule)

    def _away(self, width: int, height: int, now: datetime) -> list[Content]:
        """The members who are not here, those who were last seen last first."""
        board, palette = self.faces.board, self.faces.palette
        here = {user.id for user in board.online}
        away = sorted(
            (member for member in board.members if member.user_id not in here),
            key=lambda member: member.last_seen_at,
            reverse=True,
        )
        if not away or height < _ROOM_FOR_AWAY:
            return []
        lines = [
            Content(""),
            Content.assemble(part("Away ", palette.muted, bold=True), part(str(len(away)), palette.muted)),
        ]
        room = max(1, height // 6)
        shown = away if len(away) <= room else away[: room - 1]
        for member in shown:
            end = _since(member.last_seen_at, now)
            end = f"{end} ago" if end not in ("", "now") else end
            name = clip(member.name or member.email or "?", width - 3 - len(end))
            line = part("○ ", palette.rule) + part(name, palette.muted)
            lines.append(line + part(" " * (width - line.cell_length - len(end)) + end, palette.rule))
        if len(shown) < len(away):
            lines.append(part(f"  and {len(away) - len(shown)} more", palette.rule))
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


def _since(at: str, now: datetime) -> str:
    """How long ago a wire timestamp is: "6m"; "" for none."""
    try:
        return ago((now - datetime.fromisoformat(at)).total_seconds())
    except (ValueError, TypeError):
        return ""
