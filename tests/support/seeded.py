"""A board as a team would have it on a Wednesday, for pictures and for tests of whole screens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from fluxboard.client.edits import Create, Update
from fluxboard.client.local import Refusal
from fluxboard.client.outbox import Attention
from fluxboard.model.notify import InboxItem, InboxKind
from fluxboard.model.stats import StatusChange
from fluxboard.model.types import (
    COMPLETED,
    DEFAULT_COLUMNS,
    Activity,
    ActivityMetadata,
    ChecklistItem,
    Column,
    Member,
    OnlineUser,
    Project,
    Task,
    TaskPatch,
    timestamp,
)
from fluxboard.model.wire import Conflict, FieldConflict, TaskCreate
from fluxboard.tui.widgets.sidebar import Happening
from tests.support.fake_board import ME, FakeBoard

NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)
MILA = Member(user_id="u-mila", name="Mila Lindqvist", email="mila@example.com")
SARA = Member(user_id="u-sara", name="Sara Kimura", email="sara@example.com")

_DESCRIPTION = """\
The sign-in page sends people **back to itself** once their session has expired: `next` is signed with \
the old key, the check fails, and the fallback is the page they are on.

1. Read the parameter before the session is thrown away.
2. Fall back to the start page, never to the current one.

```python
target = verified(request.args.get("next")) or url_for("start")
```

Three customers since Monday; the [report](https://example.com/report/812) has a recording.
"""


def _checklist(done: int, *texts: str) -> tuple[ChecklistItem, ...]:
    return tuple(ChecklistItem(id=f"c{i}", text=text, done=i < done) for i, text in enumerate(texts))


def _steps(done: int, count: int) -> tuple[ChecklistItem, ...]:
    return _checklist(done, *(f"Step {number}" for number in range(1, count + 1)))


def _task(
    number: int,
    status: str,
    title: str,
    priority: str = "medium",
    labels: str = "",
    due: int | None = None,
    by: str | None = None,
    comments: int = 0,
    checklist: tuple[ChecklistItem, ...] = (),
    description: str = "",
) -> Task:
    return Task(
        id=f"t{number}",
        title=title,
        description=description,
        status=status,
        priority=priority,
        assigned_to=by,
        due_date=None if due is None else (NOW + timedelta(days=due)).date().isoformat(),
        labels=tuple(labels.split()),
        comment_count=comments,
        checklist=checklist,
    )


def tasks() -> list[Task]:
    """Tasks in four columns; the first of "In Progress" has everything a task can have."""
    redirect = _checklist(
        2, "Reproduce it", "Write the failing test", "Fix the fallback", "Tell the three customers"
    )
    rows = [
        ("todo", "Rate-limit the public invite endpoint", "high", "api security", 2, None, 2),
        ("todo", "Dark theme: contrast of disabled buttons is below AA", "medium", "design", None, "u-sara"),
        ("todo", "Write the migration guide for the old web client", "low", "docs", 23),
        ("todo", "Flaky test: reconnect after the laptop slept", "high", "test", None, "u-mila", 5),
        ("todo", "Export the board as CSV"),
        ("todo", "Übersetzung: Größe der Schaltflächen prüfen", "low", "i18n", None, None, 1),
        ("todo", "Ship the Docker image for arm64", "medium", "ops", 6),
        ("todo", "Search by label and assignee", "medium", "search"),
        ("todo", "Weekly summary by mail", "low", "mail", None, "u-sara"),
        ("todo", "Keyboard shortcut for assigning to me", "low", "ux", None, None, 1),
        ("todo", "Let viewers comment", "medium", "api", None, None, 4),
        ("todo", "Remember the column widths"),
        (
            "in_progress",
            "Fix the login redirect loop when the session expires",
            *("critical", "auth", -2, "u-mila", 8, redirect, _DESCRIPTION),
        ),
        ("in_progress", "Paginate the activity feed", "medium", "api", 1, "u-sara"),
        (
            "in_progress",
            "Benchmark: 10,000 cards over a slow SSH link",
            *("high", "perf", None, ME.id, 3, _steps(4, 4)),
        ),
        ("in_progress", "Search looks into comments, too", "medium", "search", None, ME.id, 0, _steps(1, 3)),
        ("review", "Changelog for 0.4", "medium", "docs", 0, ME.id, 1),
        (
            "review",
            "Merge conflicts are shown side by side",
            *("high", "sync", None, "u-mila", 12, _steps(6, 6)),
        ),
        (COMPLETED, "The offline queue survives a crash", "high", "sync", -1, ME.id, 4),
        (COMPLETED, "Presence: one row per person", "medium", "", None, "u-sara"),
        (COMPLETED, "Toasts are grouped in bursts", "low", "ux", None, "u-mila"),
        (COMPLETED, "Undo for bulk moves", "medium", "ux", None, "u-mila", 2),
        (COMPLETED, "Publish only after the commit", "critical", "sync", None, ME.id),
        (COMPLETED, "Drag a card with the mouse", "medium", "ux", None, "u-sara", 6),
        (COMPLETED, "Import from the old board", "high", "ops", None, ME.id, 2, _steps(5, 5)),
        (COMPLETED, "Names in their own colours", "low", "ux", None, "u-mila"),
        (COMPLETED, "A light theme", "low", "design", None, "u-sara", 3),
    ]
    return [_task(number, *row) for number, row in enumerate(rows, start=1)]  # type: ignore[arg-type]


def id_of(title: str) -> str:
    """The id of the task with this title."""
    return next(task.id for task in tasks() if task.title == title)


def team_board(extra: list[Task] | None = None) -> FakeBoard:
    """The team's board: Mila and Sara are here and look at a task each."""
    columns = tuple(
        Column(id=column.id, name=column.name, wip_limit=4 if column.id == "in_progress" else None)
        for column in DEFAULT_COLUMNS
    )
    board = FakeBoard([*tasks(), *(extra or [])], Project(id="p1", name="Website relaunch", columns=columns))
    board.members = (Member(user_id=ME.id, name=ME.name, role="owner", email=ME.email), MILA, SARA)
    board.online = (
        OnlineUser(id=ME.id, name=ME.name),
        OnlineUser(id=MILA.user_id, name=MILA.name, task_id=id_of("Merge conflicts are shown side by side")),
        OnlineUser(id=SARA.user_id, name=SARA.name, task_id=id_of("Paginate the activity feed")),
    )
    return board


def happenings() -> list[Happening]:
    """What the team did in the last half hour, oldest first."""
    rows = [
        (MILA, "created Ship the Docker image for arm64", 31),
        (SARA, "updated Paginate the activity feed", 14),
        (MILA, "completed Toasts are grouped in bursts", 6),
    ]
    return [
        Happening(member.user_id, member.name, text, NOW - timedelta(minutes=minutes))
        for member, text, minutes in rows
    ]


def refused_edits() -> tuple[Attention, ...]:
    """Edits that the server did not take: one that collided with Mila's, and one that is too long."""
    stamp = "2026-03-11T11:58:00.000Z"
    text = TaskPatch(
        title="Fix the redirect after a sign-in",
        description="The sign-in page loops when the session has expired.\nThree customers since Monday.",
    )
    sides = {
        "title": ("Fix the login redirect", text.title, "Fix login: the redirect loops"),
        "description": (
            "The sign-in page loops.\nThree customers since Monday.",
            text.description,
            "The sign-in page loops.\nFive customers since Monday, all on the old plan.",
        ),
    }
    fields = {
        name: FieldConflict(base=base, mine=str(mine), theirs=theirs, user_name="Mila", timestamp=stamp)
        for name, (base, mine, theirs) in sides.items()
    }
    conflict = Conflict(fields=fields, task=Task(id="t0", title="Fix the login redirect"))
    collided = Refusal(
        reason="Mila changed the title and the description meanwhile", status=409, at=stamp, conflict=conflict
    )
    too_long = Refusal(reason="The title has 512 characters, at most 500 are allowed", status=400, at=stamp)
    made = Task(id="x", title="Everything that we ever wanted to know about the invite endpoint, " * 8)
    return (
        Attention(Update(task_id="t0", op_id="1", patch=text), collided, "Fix the login redirect"),
        Attention(
            Create(task_id="x", op_id="2", task=made, body=TaskCreate(title=made.title)), too_long, made.title
        ),
    )


def give_a_past(board: FakeBoard) -> None:
    """Four weeks of work, so that the statistics have something to show; the same each time."""
    day = timedelta(days=1)
    made: list[Task] = []
    moves: list[StatusChange] = []
    for number in range(64):
        born = NOW - day * (27 - (number * 5) % 28)
        started = born + day * (1 + number % 3)
        ended = started + day * (1 + (number * 7) % 9)
        status = "completed" if ended < NOW else "in_progress" if started < NOW else "todo"
        task_id = f"past-{number}"
        if status != "todo":
            moves.append(StatusChange(task_id, "todo", "in_progress", timestamp(started)))
        if status == "completed":
            moves.append(StatusChange(task_id, "in_progress", "review", timestamp(ended - day / 2)))
            moves.append(StatusChange(task_id, "review", "completed", timestamp(ended)))
        person = (board.user.id, *(member.user_id for member in board.members), None)[number % 4]
        made.append(
            Task(
                id=task_id,
                title=f"Past {number}",
                status=status,
                created_at=timestamp(born),
                completed_at=timestamp(ended) if status == "completed" else None,
                assigned_to=person,
            )
        )
    board.shown = {task.id: task for task in made}
    board.moves = tuple(sorted(moves, key=lambda move: move.at))
    board.project = replace(board.project, due_date=(NOW + day * 14).date().isoformat())


def give_mail(board: FakeBoard) -> None:
    """An inbox with one item of each kind, and a morning's activity with my last visit in the middle."""
    redirect = id_of("Fix the login redirect loop when the session expires")
    rows: list[tuple[InboxKind, Member, str, str, int]] = [
        ("mention", MILA, redirect, "@ada can you look at the redirect before noon?", 4),
        ("assigned", SARA, id_of("Changelog for 0.4"), "Changelog for 0.4", 22),
        ("comment", SARA, redirect, "It still loops in Safari.", 47),
        ("due", Member(user_id=""), redirect, "2026-03-09", 3 * 24 * 60),
    ]
    titles = {task.id: task.title for task in tasks()}
    board.mail.items = tuple(
        InboxItem(
            id=f"mail-{number}",
            kind=kind,
            project_id=board.project.id,
            project_name=board.project.name,
            task_id=task_id,
            task_title=titles[task_id],
            user_id=member.user_id,
            user_name=member.name,
            text=text,
            at=timestamp(NOW - timedelta(minutes=minutes)),
        )
        for number, (kind, member, task_id, text, minutes) in enumerate(rows)
    )
    moved = ActivityMetadata(field="status", old_value="in_progress", new_value="review")
    due = ActivityMetadata(field="dueDate", old_value=None, new_value="2026-03-13")
    deeds = [
        ("comment.created", MILA, redirect, ActivityMetadata(), 4),
        ("task.updated", MILA, id_of("Merge conflicts are shown side by side"), moved, 9),
        ("task.completed", SARA, id_of("Toasts are grouped in bursts"), moved, 21),
        ("task.created", SARA, id_of("Ship the Docker image for arm64"), ActivityMetadata(), 31),
        ("task.updated", board.members[0], id_of("Rate-limit the public invite endpoint"), due, 58),
        ("member.added", board.members[0], SARA.user_id, ActivityMetadata(), 26 * 60),
    ]
    board.done = [
        Activity(
            id=f"deed-{number}",
            project_id=board.project.id,
            type=kind,
            user_id=member.user_id,
            user_name=member.name,
            entity_type=kind.split(".")[0],
            entity_id=about,
            entity_title=titles.get(about, SARA.name),
            metadata=metadata,
            timestamp=timestamp(NOW - timedelta(minutes=minutes)),
        )
        for number, (kind, member, about, metadata, minutes) in enumerate(deeds)
    ]
    board.visited_at = timestamp(NOW - timedelta(minutes=26))
