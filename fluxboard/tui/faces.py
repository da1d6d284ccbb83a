"""What every card shows at the moment: the board, the cursor and the people put together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import date

from fluxboard.model.text import initials
from fluxboard.model.types import Task
from fluxboard.tui.cursor import Cursor
from fluxboard.tui.sentences import writing_brief, writing_text
from fluxboard.tui.themes import Palette
from fluxboard.tui.view import View
from fluxboard.tui.widgets.card import CardStyle, Marks, Person


class Faces:
    """Answers a column's questions about its cards."""

    def __init__(
        self,
        view: View,
        cursor: Cursor,
        palette: Palette,
        today: date,
        style: CardStyle = CardStyle(),  # noqa: B008 (frozen)
    ) -> None:
        self.view = view
        self.board = view.board
        self.cursor = cursor
        self.style = style
        self.today = today
        self.lifted: frozenset[str] = frozenset()
        self._people: dict[str, Person] = {}
        self._visitors: dict[str, Person] = {}
        self._writers: dict[str, Person] = {}
        self.unread: Collection[str] = ()
        self.recolour(palette)

    def recolour(self, palette: Palette) -> None:
        """Takes the colours of another theme."""
        self.palette = palette
        self._colours: dict[str, str] = {}
        self.refresh_people()

    def refresh_people(self) -> set[str]:
        """Reads members and presence again; returns the tasks whose visitor changed."""
        board = self.board
        # In the order in which they joined, so that everybody sees the same person in the same colour.
        for member in sorted(board.members, key=lambda member: (member.joined_at, member.user_id)):
            self.colour_of(member.user_id)
        for user in board.online:
            if user.color is not None and user.id != board.user.id:
                self._colours[user.id] = self.palette.of_person(user.id, user.color)
        names = {member.user_id: member.name or member.email for member in board.members}
        for user in board.online:
            names[user.id] = names.get(user.id) or user.name
        self._people = {
            user_id: Person(initials(name or user_id), self.colour_of(user_id))
            for user_id, name in sorted(names.items())
        }
        self._people[board.user.id] = Person("YOU", self.palette.accent)
        self._firsts = Counter(_first(name) for name in names.values())
        self.names = {user_id: self.short(name) for user_id, name in names.items()}
        return self.refresh_visitors()

    def refresh_visitors(self, task_ids: Iterable[str] = ()) -> set[str]:
        """Reads again who looks at what, and who writes into these tasks; answers where that changed."""
        board = self.board
        here: defaultdict[str, list[Person]] = defaultdict(list)
        for user in board.online:
            if user.task_id is not None and user.id != board.user.id:
                person = Person(self.short(user.name) or "?", self.colour_of(user.id))
                here[user.task_id].append(person)
        before, written = self._visitors, dict(self._writers)
        after = self._visitors = {
            task_id: people[0] if len(people) == 1 else self._crowd(len(people))
            for task_id, people in here.items()
        }
        for task_id in {*task_ids, *written}:
            writers = board.company.writers(task_id)
            if writers:
                colour = self.colour_of(writers[-1].user_id)
                text = writing_text(writers, self.names)
                self._writers[task_id] = Person(text, colour, writing_brief(writers, self.names))
            else:
                self._writers.pop(task_id, None)
        return {
            task_id
            for task_id in {*before, *after, *written, *self._writers}
            if before.get(task_id) != after.get(task_id) or written.get(task_id) != self._writers.get(task_id)
        }

    def _crowd(self, count: int) -> Person:
        return Person(f"{count} here", self.palette.label, str(count))

    def colour_of(self, user_id: str) -> str:
        """A person's colour on this board, mine the accent; no two have the same while there are enough."""
        if user_id not in self._colours:
            taken = self._colours.values()
            self._colours[user_id] = self.palette.of_person(user_id, taken=taken)
        return self.palette.accent if user_id == self.board.user.id else self._colours[user_id]

    def short(self, name: str) -> str:
        """A person's first name; the whole one where two people here have the same."""
        first = _first(name)
        return name if self._firsts[first] > 1 else first

    def full_name(self, user_id: str) -> str:
        """A member's whole name, the best that is known."""
        if user_id == self.board.user.id:
            return f"{self.board.user.name} (you)"
        known = {user.id: user.name for user in self.board.online}
        for member in self.board.members:
            known[member.user_id] = member.name or member.email or known.get(member.user_id, "")
        return known.get(user_id) or user_id

    def task(self, task_id: str) -> Task | None:
        """The task as it is shown now."""
        return self.board.tasks.get(task_id)

    def marks(self, task: Task) -> Marks:
        """The marks of a card."""
        return Marks(
            today=self.today,
            style=self.style,
            cursor=task.id == self.cursor.task_id,
            selected=task.id in self.cursor.selected,
            lifted=task.id in self.lifted,
            assignee=self._assignee(task),
            visitor=self._visitors.get(task.id),
            writer=self._writers.get(task.id),
            unread=task.id in self.unread,
        )

    def _assignee(self, task: Task) -> Person | None:
        if task.assigned_to is None:
            return None
        return self._people.get(task.assigned_to) or Person("?", self.colour_of(task.assigned_to))


def _first(name: str) -> str:
    return name.split(maxsplit=1)[0] if name.strip() else ""
