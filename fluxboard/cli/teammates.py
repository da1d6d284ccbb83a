"""The demo's teammates: clients of the real API who work at a human pace."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import sys
from typing import Final

import msgspec

from fluxboard.client.board import Board
from fluxboard.client.session import Session
from fluxboard.model.types import COMPLETED, PRIORITIES, Task, TaskPatch
from fluxboard.model.wire import TaskCreate

TEAM: Final = ("Mila Lindqvist", "Sara Kimura")


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What the teammates read from their standard input; a code in a process list would be no secret."""

    server: str
    project_id: str
    code: str


def _seed(status: str, priority: str, title: str, *labels: str, description: str = "") -> TaskCreate:
    return TaskCreate(title=title, status=status, priority=priority, labels=labels, description=description)


SEED: Final = (
    _seed("todo", "high", "Rate-limit the public invite endpoint", "api", "security"),
    _seed("todo", "medium", "Dark theme: contrast of disabled buttons is below 4.5:1", "design"),
    _seed("todo", "low", "Write the migration guide from the web client", "docs"),
    _seed("todo", "high", "Flaky test: reconnect after laptop sleep", "test"),
    _seed("todo", "medium", "Export board as CSV"),
    _seed("todo", "low", "Keyboard shortcut for assigning to me", "ux"),
    _seed(
        "in_progress",
        "critical",
        "Fix login redirect loop when the session expires in another tab",
        "auth",
        description="## Steps\n\n1. Sign in twice\n2. Sign out in one tab\n\nThe other tab **loops**.",
    ),
    _seed("in_progress", "medium", "Paginate the activity feed", "api"),
    _seed("in_progress", "high", "Benchmark: 10,000 cards on a slow SSH link", "perf"),
    _seed("review", "medium", "Changelog for 0.4", "docs"),
    _seed("review", "high", "Merge conflicts side by side", "sync"),
    _seed(COMPLETED, "high", "Offline queue survives a crash", "sync"),
    _seed(COMPLETED, "medium", "Presence: one row per person"),
    _seed(COMPLETED, "low", "Toasts are grouped in bursts", "ux"),
)

IDEAS: Final = (
    "Ship the Docker image for arm64",
    "Say what changed since the last visit",
    "Übersetzung: Größe der Schaltflächen prüfen",
    "Shorten the sign-up form",
    "Explain the empty board",
    "Cache the avatar colours",
    "Retry failed webhooks",
    "Measure the time to first paint",
)


SAYINGS: Final = (
    "I can take this one after lunch.",
    "Found the cause: the *second* tab keeps the old token.",
    "Is this still needed for the release?",
    "Works for me on `main`, please try again.",
    "Half done, the tests are missing.",
)
CALLS: Final = ("@{name} what do you think?", "@{name} can you look at this before Friday?")
#: Steps after which the newcomer is called for the first time, and between two calls.
FIRST_CALL: Final = 4
CALL_EVERY: Final = 15


async def work(invitation: Invitation, name: str, first_pause: float) -> None:
    """One teammate: joins, then does small deeds at a human pace until cancelled."""
    session = await Session.open(invitation.server, remember=False)
    email = f"{name.split(maxsplit=1)[0].lower()}@demo.local"
    await session.sign_up(email, secrets.token_urlsafe(16), name)
    await session.api.accept_invite(invitation.code)
    board = await session.board(invitation.project_id)
    await board.start()
    chance = random.Random()  # noqa: S311 - no secret hangs on it
    pause, steps = first_pause, 0
    try:
        while True:
            await asyncio.sleep(pause)
            steps += 1
            if steps % CALL_EVERY == FIRST_CALL and name == TEAM[0]:
                await call_newcomer(board, chance)
            else:
                await act(board, chance)
            pause = chance.uniform(1.5, 4.5)
    finally:
        await board.close()
        await session.close()


async def look(board: Board, task: Task, chance: random.Random) -> None:
    """Goes to a task and reads it for a moment."""
    board.company.look_at(task.id, task.status)
    await asyncio.sleep(chance.uniform(0.7, 1.8))


async def write(board: Board, task: Task, field: str, chance: random.Random) -> None:
    """Takes the time that a person takes to write a line."""
    for _ in range(chance.randrange(2, 5)):
        board.company.typing(task.id, field)
        await asyncio.sleep(0.8)
    board.company.stop_typing()


async def comment(board: Board, task: Task, text: str, chance: random.Random) -> None:
    """Goes to a task and writes a comment on it."""
    await look(board, task, chance)
    await write(board, task, "comment", chance)
    if task.id in board.tasks:
        board.comment(task.id, text)


async def call_newcomer(board: Board, chance: random.Random) -> None:
    """Calls the one whose demo this is, on a task that is open."""
    owner = next((member for member in board.members if member.role == "owner"), None)
    tasks = [task for task in board.tasks.values() if task.status != COMPLETED]
    if owner is not None and tasks:
        name = "".join(owner.name.lower().split())
        await comment(board, chance.choice(tasks), chance.choice(CALLS).format(name=name), chance)


async def act(board: Board, chance: random.Random) -> None:
    """One small deed, weighted so that the board stays about as full as it is."""
    tasks = list(board.tasks.values())
    open_tasks = [task for task in tasks if task.status != COMPLETED]
    mine = [task for task in tasks if task.created_by == board.user.id]
    if len(open_tasks) < 8 or chance.random() < 0.15:
        board.create(TaskCreate(title=chance.choice(IDEAS), priority=chance.choice(PRIORITIES)))
        return
    task = chance.choice(mine if mine and chance.random() < 0.1 else open_tasks)
    if chance.random() < 0.25:
        await comment(board, task, chance.choice(SAYINGS), chance)
        return
    await look(board, task, chance)
    if task.id not in board.tasks:
        return
    if task in mine and chance.random() < 0.3:
        board.delete([task.id])
    elif chance.random() < 0.2:
        await write(board, task, "description", chance)
        board.update([task.id], TaskPatch(description=f"{task.description}\n\n{chance.choice(SAYINGS)}"))
    elif chance.random() < 0.4:
        board.update([task.id], TaskPatch(assigned_to=board.user.id, priority=chance.choice(PRIORITIES)))
    else:
        forward(board, board.tasks[task.id])


def forward(board: Board, task: Task) -> None:
    """Moves a task one column on."""
    order = [column.id for column in board.project.columns]
    if task.status in order[:-1]:
        board.move([task.id], order[order.index(task.status) + 1])


async def main() -> None:
    """Reads the invitation and lets all teammates work."""
    invitation = msgspec.json.decode(sys.stdin.buffer.readline(), type=Invitation)
    working = [asyncio.create_task(work(invitation, name, 1.5 + index)) for index, name in enumerate(TEAM)]
    # Their demo holds the other end; without it there is nobody to work for.
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.buffer.read))
    await asyncio.wait([*working, ended], return_when=asyncio.FIRST_COMPLETED)
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
