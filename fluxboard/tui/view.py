"""How the board is looked at: which tasks are shown, in which order, under which headings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from fluxboard.model.query import Query, Scope, narrows, parse
from fluxboard.model.types import PRIORITIES, Column, Task
from fluxboard.tui.ports import Board

Sort = Literal["position", "priority", "due", "updated", "created", "title"]
Group = Literal["none", "person", "label", "priority"]

SORTS: Final[Mapping[str, str]] = {
    "position": "by hand",
    "priority": "by priority",
    "due": "by due date",
    "updated": "by last change",
    "created": "newest first",
    "title": "by title",
}
GROUPS: Final[Mapping[str, str]] = {
    "none": "no groups",
    "person": "by person",
    "label": "by label",
    "priority": "by priority",
}
_LAST: Final = "\uffff"


class Look(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A way to look at a board, as it is remembered and saved under a name."""

    query: str = ""
    sort: Sort = "position"
    group: Group = "none"
    collapsed: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


class Looks(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered of one project: how it was last looked at, and the saved views by name."""

    last: Look = Look()
    saved: dict[str, Look] = {}


class View:
    """A board through a :class:`Look`. Lists are computed when asked for and kept until :meth:`forget`."""

    def __init__(self, board: Board, today: Callable[[], date], look: Look | None = None) -> None:
        self.board = board
        self._today = today
        self._lists: dict[str, tuple[list[str], dict[int, str]]] = {}
        self._counts: dict[str, tuple[int, int]] = {}
        self._verdicts: dict[str, tuple[Task, bool]] = {}
        self._look = look or Look()
        self.reread()

    @property
    def look(self) -> Look:
        return self._look

    @look.setter
    def look(self, look: Look) -> None:
        before, self._look = self._look.query, look
        # What was not found is not found by more letters either.
        kept = {task_id: known for task_id, known in self._verdicts.items() if not known[1]}
        self.reread()
        if narrows(before, look.query):
            self._verdicts = kept

    def change(self, **fields: object) -> None:
        """Looks differently in these fields of the look."""
        self.look = replace(self._look, **fields)

    def reread(self) -> None:
        """Understands the query anew: today, the people or the columns changed."""
        board = self.board
        people = {member.user_id: f"{member.name} {member.email}" for member in board.members}
        people.setdefault(board.user.id, board.user.name)
        self._names = {member.user_id: member.name or member.email for member in board.members}
        scope = Scope(today=self._today(), me=board.user.id, people=people, columns=board.project.columns)
        self.query: Query = parse(self._look.query, scope)
        self._verdicts.clear()
        self.forget()

    def forget(self) -> None:
        """The board changed: what is shown is computed again."""
        self._lists.clear()
        self._counts.clear()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are not hidden; all of them where that would leave none."""
        every = self.board.project.columns
        return tuple(column for column in every if column.id not in self._look.hidden) or every

    def is_collapsed(self, status: str) -> bool:
        """Whether a column is but a strip with its count."""
        return status in self._look.collapsed

    def ids(self, status: str) -> Sequence[str]:
        """The tasks that a column shows, from top to bottom; none in a collapsed one."""
        return () if self.is_collapsed(status) else self._listed(status)[0]

    def headings(self, status: str) -> Mapping[int, str]:
        """The groups' names, by the place of the first task of each."""
        return {} if self.is_collapsed(status) else self._listed(status)[1]

    def count(self, status: str) -> tuple[int, int]:
        """How many tasks of a column are found, and how many there are (archived ones apart)."""
        if status not in self._counts:
            found = every = len(self._listed(status)[0])
            if self.query:
                tasks = self.board.tasks
                every = sum(not tasks[task_id].archived for task_id in self.board.column_ids(status))
            self._counts[status] = (found, max(found, every))
        return self._counts[status]

    def place_of(self, status: str) -> int:
        """Which column in view from the left a status is."""
        return next((place for place, column in enumerate(self.columns) if column.id == status), 0)

    def full(self, status: str, task_ids: Collection[str]) -> str:
        """Why a column with a limit that blocks does not take these tasks, too; "" where it does."""
        column = next((each for each in self.board.project.columns if each.id == status), None)
        if column is None or column.wip_limit is None or column.wip_policy != "block":
            return ""
        tasks = self.board.tasks
        coming = sum(task_id not in tasks or tasks[task_id].status != status for task_id in task_ids)
        _, count = self.count(status)
        if not coming or count + coming <= column.wip_limit:
            return ""
        return f"{column.name} is full: {count} of {column.wip_limit}"

    @property
    def found(self) -> tuple[int, int]:
        """How many tasks of the board are found, and how many there are."""
        counts = [self.count(column.id) for column in self.board.project.columns]
        return sum(found for found, _ in counts), sum(every for _, every in counts)

    @property
    def by_hand(self) -> bool:
        """Whether the order shown is the one that people make."""
        return self._look.sort == "position" and self._look.group == "none"

    def is_shown(self, task_id: str) -> bool:
        """Whether a task is in view somewhere."""
        task = self.board.tasks.get(task_id)
        return task is not None and any(task.status == c.id for c in self.columns) and self._matches(task)

    def _matches(self, task: Task) -> bool:
        if not self.query and not task.archived:
            return True
        known = self._verdicts.get(task.id)
        if known is None or known[0] is not task:
            known = self._verdicts[task.id] = (task, self.query.matches(task))
        return known[1]

    def _listed(self, status: str) -> tuple[list[str], dict[int, str]]:
        known = self._lists.get(status)
        if known is None:
            known = self._lists[status] = self._compute(status)
        return known

    def _compute(self, status: str) -> tuple[list[str], dict[int, str]]:
        tasks = self.board.tasks
        ids = self.board.column_ids(status)
        if not self.query and self.by_hand:  # what most people look at most of the time
            return [i for i in ids if not tasks[i].archived], {}
        found = [tasks[i] for i in ids if self._matches(tasks[i])]
        if self._look.sort != "position":
            found.sort(key=_KEYS[self._look.sort], reverse=self._look.sort in {"updated", "created"})
        headings: dict[int, str] = {}
        if self._look.group != "none":
            keyed = [(self._group(task), task) for task in found]
            keyed.sort(key=lambda pair: pair[0])  # stable: the order within a group stays
            found = [task for _, task in keyed]
            last: tuple[int, str] | None = None
            for place, (group, _) in enumerate(keyed):
                if group != last:
                    headings[place] = group[1]
                    last = group
        return [task.id for task in found], headings

    def _group(self, task: Task) -> tuple[int, str]:
        """The group of a task, sorting as the groups do: mine first, those without one last."""
        match self._look.group:
            case "person":
                if task.assigned_to is None:
                    return (2, "Nobody")
                if task.assigned_to == self.board.user.id:
                    return (0, "You")
                return (1, self._names.get(task.assigned_to) or "Somebody")
            case "label":
                return (1, f"#{task.labels[0]}") if task.labels else (2, "No label")
        return (-_rank(task), task.priority)


def _rank(task: Task) -> int:
    return _RANKS.get(task.priority, _RANKS["medium"])


_RANKS: Final = {str(name): place for place, name in enumerate(PRIORITIES)}
_KEYS: Final[Mapping[str, Callable[[Task], tuple[object, ...]]]] = {
    "priority": lambda task: (-_rank(task),),
    "due": lambda task: (task.due_date or _LAST,),
    "updated": lambda task: (task.updated_at,),
    "created": lambda task: (task.created_at,),
    "title": lambda task: (task.title.casefold(),),
}


def in_board_order(view: View, task_ids: Iterable[str]) -> list[str]:
    """These tasks as they stand on the board, from the left and from the top."""
    wanted = set(task_ids)
    return [i for column in view.board.project.columns for i in view.ids(column.id) if i in wanted]
