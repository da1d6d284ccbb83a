"""The filter language: words that must all be true of a task.

``fix login`` (text in title, description, labels, person), ``"exact phrase"``, ``#backend`` or
``label:backend``, ``@ada`` or ``person:ada``, ``priority:high``, ``priority>=high``, ``column:review``,
``due<7d``, ``due:today``, ``updated<2d``, ``is:mine``, ``has:comments``, ``no:due``; ``-`` in front of any of
them means not.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from fluxboard.model.days import read_day
from fluxboard.model.types import COMPLETED, PRIORITIES, Column, Task, day_of

Test = Callable[[Task], bool]
Compare = Callable[[Any, Any], bool]

_TERM: Final = re.compile(
    r"(?P<not>-)?(?:(?P<key>[a-z]+)(?P<op>:|<=|>=|<|>|=))?(?:\"(?P<quoted>[^\"]*)\"?|(?P<plain>[^\s\"]*))",
    re.IGNORECASE,
)
_SIGILS: Final = {"#": "label", "@": "person", "!": "priority", "^": "due"}
_COMPARE: Final[Mapping[str, Compare]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ALSO: Final = {"assignee": "person", "who": "person", "status": "column"}
_HAS: Final[Mapping[str, Test]] = {
    "description": lambda task: bool(task.description),
    "comments": lambda task: task.comment_count > 0,
    "checklist": lambda task: bool(task.checklist),
    "label": lambda task: bool(task.labels),
    "labels": lambda task: bool(task.labels),
    "due": lambda task: task.due_date is not None,
    "person": lambda task: task.assigned_to is not None,
}
#: The words that may follow ``is:``.
STATES: Final = ("mine", "open", "done", "overdue", "unassigned", "archived")
#: What completion offers while a query is typed, with what each finds.
KEYS: Final[Mapping[str, str]] = {
    "is:mine": "assigned to me",
    "is:open": "not finished",
    "is:done": "finished",
    "is:overdue": "late",
    "is:unassigned": "nobody's",
    "is:archived": "put away",
    **{f"priority:{name}": "" for name in PRIORITIES},
    "priority>=high": "high and critical",
    "label:": "a label",
    "person:": "somebody's",
    "column:": "in a column",
    "due:today": "",
    "due<7d": "within a week, or late",
    "due>7d": "later than in a week",
    "updated<2d": "changed lately",
    "has:comments": "",
    "has:checklist": "",
    "has:due": "",
    "no:due": "without a due date",
    "no:label": "without labels",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a query's words refer to: today, me, the people by id as one searchable text each, the columns."""

    today: date
    me: str
    people: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A filter. ``problems`` says in words what was not understood, which then filters nothing."""

    tests: tuple[Test, ...] = ()
    problems: tuple[str, ...] = ()
    asks_archived: bool = False

    def matches(self, task: Task) -> bool:
        """Whether every term is true; archived tasks are found only by a query that asks for them."""
        if task.archived and not self.asks_archived:
            return False
        return all(test(task) for test in self.tests)

    def __bool__(self) -> bool:
        return bool(self.tests)


def parse(text: str, scope: Scope) -> Query:
    """The query that ``text`` says. Never fails: see :attr:`Query.problems`."""
    tests: list[Test] = []
    problems: list[str] = []
    archived = False
    for term in _TERM.finditer(text):
        value: str = term["quoted"] if term["quoted"] is not None else term["plain"]
        key, sign = (term["key"] or "").casefold(), term["op"] or ":"
        if not key and term["quoted"] is None and value[:1] in _SIGILS:
            key, value = _SIGILS[value[0]], value[1:]
        if not value:  # not typed to its end yet
            continue
        try:
            test = _test(key, sign, value.casefold(), scope) if key else _text(value, scope)
        except ValueError as error:
            problems.append(f"{key}: {error}")
            continue
        if test is None:  # no key of ours, such as in http://…
            test = _text(term[0].removeprefix("-"), scope)
        archived = archived or (key == "is" and value.casefold() == "archived")
        tests.append(_not(test) if term["not"] else test)
    return Query(tuple(tests), tuple(problems), archived)


def narrows(before: str, after: str) -> bool:
    """Whether all that ``after`` finds is found by ``before``, too: it was typed on in plain words."""
    more = after.removeprefix(before)
    open_word = before.rpartition(" ")[2]
    return (
        bool(before.strip())
        and after.startswith(before)
        and '"' not in before
        and (not open_word or open_word.isalnum())
        and more.replace(" ", "").isalnum()
    )


def haystack(task: Task, people: Mapping[str, str]) -> str:
    """All of a task that plain words are looked for in, casefolded."""
    person = people.get(task.assigned_to or "", "")
    return "\n".join((task.title, task.description, " ".join(task.labels), person)).casefold()


def _test(key: str, sign: str, value: str, scope: Scope) -> Test | None:
    """The test of one ``key`` with its value; None for a key that is none. Raises ValueError."""
    makers: Mapping[str, Callable[[], Test]] = {
        "label": lambda: lambda task: any(value in label.casefold() for label in task.labels),
        "title": lambda: lambda task: value in task.title.casefold(),
        "person": lambda: _person(value, scope),
        "priority": lambda: _priority(sign, value),
        "column": lambda: _column(value, scope),
        "due": lambda: _due(sign, value, scope.today),
        "created": lambda: _age("created_at", sign, value, scope.today),
        "updated": lambda: _age("updated_at", sign, value, scope.today),
        "done": lambda: _age("completed_at", sign, value, scope.today),
        "is": lambda: _state(value, scope),
        "has": lambda: _chosen(value, _HAS),
        "no": lambda: _not(_chosen(value, _HAS)),
    }
    maker = makers.get(_ALSO.get(key, key))
    return maker() if maker is not None else None


def _text(value: str, scope: Scope) -> Test:
    wanted = value.casefold()
    return lambda task: wanted in haystack(task, scope.people)


def _not(test: Test) -> Test:
    return lambda task: not test(task)


def _chosen(value: str, choice: Mapping[str, Test]) -> Test:
    return choice[_one_of(value, choice)]


def _one_of(value: str, names: Iterable[str]) -> str:
    """The name that ``value`` is or begins. Raises ValueError."""
    known = list(names)
    if value in known:
        return value
    found = [name for name in known if name.startswith(value)] if value else []
    if not found:
        raise ValueError(f"one of {', '.join(known)}")
    return found[0]


def _person(value: str, scope: Scope) -> Test:
    if value == "me":
        return lambda task: task.assigned_to == scope.me
    if value in {"none", "nobody"}:
        return lambda task: task.assigned_to is None
    ids = frozenset(user_id for user_id, text in scope.people.items() if value in text.casefold())
    return lambda task: task.assigned_to in ids


def _comparison(sign: str) -> Compare:
    return _COMPARE.get(sign, operator.eq)


def _priority(sign: str, value: str) -> Test:
    wanted = _one_of(value, PRIORITIES)
    compare, order = _comparison(sign), {str(name): place for place, name in enumerate(PRIORITIES)}
    return lambda task: compare(order.get(task.priority, order["medium"]), order[wanted])


def _column(value: str, scope: Scope) -> Test:
    ids = {column.id for column in scope.columns if value in {column.id, column.name.casefold()}} or {
        column.id for column in scope.columns if value in column.name.casefold() or value in column.id
    }
    if not ids:
        raise ValueError(f"one of {', '.join(column.name for column in scope.columns)}")
    return lambda task: task.status in ids


def _due(sign: str, value: str, today: date) -> Test:
    if value in {"none", "never"}:
        return lambda task: task.due_date is None
    day = read_day(value, today)
    compare = _comparison(sign)

    def test(task: Task) -> bool:
        due = day_of(task.due_date)
        return due is not None and compare(due, day)

    return test


def _age(name: str, sign: str, value: str, today: date) -> Test:
    """``updated<2d``: less than two days ago; ``updated>2026-11-01``: after that day."""
    day = read_day(value, today)
    compare = _comparison(sign)
    if day > today:  # a span: the age is compared
        age = (day - today).days

        def by_age(task: Task) -> bool:
            at = day_of(getattr(task, name))
            return at is not None and compare((today - at).days, age)

        return by_age

    def by_day(task: Task) -> bool:
        at = day_of(getattr(task, name))
        return at is not None and compare(at, day)

    return by_day


def _state(value: str, scope: Scope) -> Test:
    match _one_of(value, STATES):
        case "mine":
            return lambda task: task.assigned_to == scope.me
        case "open":
            return lambda task: task.status != COMPLETED
        case "done":
            return lambda task: task.status == COMPLETED
        case "overdue":
            return lambda task: (
                task.status != COMPLETED and (day_of(task.due_date) or scope.today) < scope.today
            )
        case "unassigned":
            return lambda task: task.assigned_to is None
    return lambda task: task.archived
