"""A client program that edits a board and dies at a given step.

It prints the operation of each edit that is on disk, one a line, before it goes on.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from fluxboard.client.local import LocalStore
from fluxboard.client.outgoing import Outgoing
from fluxboard.client.session import Session
from fluxboard.model.types import TaskPatch
from fluxboard.model.wire import TaskCreate

STEPS = ("before disk", "before sending", "before confirming", "before removing", "never")


def die(*_: Any, **__: Any) -> None:
    os._exit(9)


def arm(step: str, after: int) -> None:
    """Makes the program die when it comes to ``step`` for the ``after``-th time."""
    places: dict[str, tuple[type, str]] = {
        "before disk": (LocalStore, "append"),
        "before sending": (Outgoing, "send"),
        "before confirming": (Outgoing, "_confirm"),
        "before removing": (LocalStore, "done"),
    }
    if step not in places:
        return
    owner, name = places[step]
    real, left = getattr(owner, name), [after]

    def counted(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] <= 0:
            die()
        return real(*arguments, **named)

    setattr(owner, name, counted)


async def main(server: str, project_id: str, edits: int) -> None:
    """Makes ``edits`` edits; without any it sends what an earlier run left."""
    session = await Session.open(server, remember=False, token=os.environ["VICTIM_TOKEN"], kept_as="crash")
    board = await session.board(project_id)
    await board.start()
    for number in range(edits):
        task_id = board.create(TaskCreate(title=f"{os.getpid()}-{number}"))
        board.update([task_id], TaskPatch(priority="high"))
        await board._upkeep.outbox.on_disk()
        print(f"{os.getpid()}-{number}", flush=True)
    await board.idle()
    await board.close()
    await session.close()


def run(server: str, project_id: str, step: str, after: int, edits: int) -> None:
    """The program, in a process of its own."""
    arm(step, after)
    asyncio.run(main(server, project_id, edits))
