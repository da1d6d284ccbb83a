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


async def work(invitation: Invitation, name: str, first_pause: float) -> None:
    """One teammate: joins, then creates, moves, edits, finishes and deletes tasks until cancelled."""
    session = await Session.open(invitation.server, remember=False)
    email = f"{name.split(maxsplit=1)[0].lower()}@demo.local"
    await session.sign_up(email, secrets.token_urlsafe(16), name)
    await session.api.accept_invite(invitation.code)
    board = await session.board(invitation.project_id)
    await board.start()
    chance = random.Random()  # noqa: S311 - no secret hangs on it
    pause = first_pause
    try:
        while True:
            await asyncio.sleep(pause)
            act(board, chance)
            pause = chance.uniform(2.5, 6.0)
    finally:
        await board.close()
        await session.close()


def act(board: Board, chance: random.Random) -> None:
    """One small deed, weighted so that the board stays about as full as it is."""
    tasks = list(board.tasks.values())
    open_tasks = [task for task in tasks if task.status != COMPLETED]
    mine = [task for task in tasks if task.created_by == board.user.id]
    if len(open_tasks) < 8 or chance.random() < 0.2:
        board.create(TaskCreate(title=chance.choice(IDEAS), priority=chance.choice(PRIORITIES)))
    elif mine and chance.random() < 0.12:
        board.delete([chance.choice(mine).id])
    elif chance.random() < 0.3:
        task = chance.choice(open_tasks)
        board.update([task.id], TaskPatch(assigned_to=board.user.id, priority=chance.choice(PRIORITIES)))
    else:
        forward(board, chance.choice(open_tasks))


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
