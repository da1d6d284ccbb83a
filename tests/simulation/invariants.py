"""What must be true of a world at rest; the numbers are those of docs/reliability.md."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tests.simulation.world import World

#: What the column review takes in half of the worlds.
LIMIT = 2


def check_at_rest(world: World) -> None:
    """Everything that must be true when all is quiet. Raises Violation."""
    truth = world.backend.tasks(world.project_id)
    for client in world.clients:
        board = client.board
        assert board is not None
        confirmed = {task_id: as_stored(task) for task_id, task in board._upkeep.replica.confirmed.items()}
        world.must(confirmed == truth, f"I1: client {client.number} differs: {_difference(confirmed, truth)}")
        shown = {task_id: as_stored(task) for task_id, task in board.tasks.items()}
        world.must(shown == truth, f"I1: client {client.number} shows something else")
        cached = client.store.board("sim " + client.user.id, world.project_id) if client.store else None
        world.must(cached is not None and cached.rev <= board.rev, "the cache is ahead of what was seen")
    standing = sum(task["status"] == "review" for task in truth.values())
    world.must(not world.limited or standing <= LIMIT, "I12: a column stands above its limit")
    _check_log(world, truth)
    _check_operations(world)


def _check_log(world: World, truth: dict[str, dict[str, object]]) -> None:
    rows = world.backend.rows(
        "SELECT rev, body FROM changes WHERE project_id = ? ORDER BY rev", world.project_id
    )
    revs = [int(str(rev)) for rev, _ in rows]
    world.must(revs == list(range(1, len(revs) + 1)), "I4: the log has a gap")
    replayed: dict[str, dict[str, object]] = {}
    for _, body in rows:
        change = json.loads(str(body))
        if change["type"] == "task:deleted":
            replayed.pop(change["taskId"], None)
        elif change.get("task"):
            known = change["task"]["id"] in replayed
            world.must(known or change["type"] == "task:created", "I8: a deleted task came back by itself")
            replayed[change["task"]["id"]] = change["task"]
    world.must(replayed == truth, "I7: the list is not the replay of the log")


def _check_operations(world: World) -> None:
    done = {
        str(key) for (key,) in world.backend.rows("SELECT key FROM answers WHERE status BETWEEN 200 AND 299")
    }
    deleted = {
        str(found)
        for (found,) in world.backend.rows("SELECT entity_id FROM changes WHERE kind = 'task.deleted'")
    }
    created = {
        str(found)
        for (found,) in world.backend.rows("SELECT entity_id FROM changes WHERE kind = 'task.created'")
    }
    comments = {str(found) for (found,) in world.backend.rows("SELECT id FROM comments")}
    decided = {op_id for client in world.clients for op_id in client.discarded}
    reasons = {
        item.refusal.status for client in world.clients if client.board for item in client.board.attention
    }
    world.must(422 not in reasons, "I3: a repetition was not the same request")
    waiting = {item.edit.op_id for client in world.clients if client.board for item in client.board.attention}
    again = {op_id: edits for client in world.clients for op_id, edits in client.again.items()}

    def kept(op_id: str, edit: dict[str, Any]) -> bool:
        # To delete what is deleted, or never was, is done without the server's doing.
        gone = edit["kind"] == "delete" and (edit["task_id"] in deleted or edit["task_id"] not in created)
        gone = gone or (edit["kind"] == "comment-remove" and edit["comment_id"] not in comments)
        if op_id in done or op_id in waiting or op_id in decided or gone:
            return True
        return any(kept(*successor) for successor in again.get(op_id, {}).items())

    for client in world.clients:
        for op_id, edit in client.saved.items():
            world.must(kept(op_id, edit), f"I2/I10: client {client.number} lost {edit}")
    rows = world.backend.rows("SELECT op_id, kind, entity_id FROM changes WHERE op_id IS NOT NULL")
    twice = [row for row, count in Counter(rows).items() if count > 1]
    world.must(not twice, f"I3: operations took effect twice: {twice}")


def as_stored(kept: msgspec.Struct) -> dict[str, object]:
    found: dict[str, object] = json.loads(msgspec.json.encode(kept))
    return found


def _difference(mine: dict[str, Any], truth: dict[str, Any]) -> object:
    for task_id in sorted(mine.keys() | truth.keys()):
        here, there = mine.get(task_id), truth.get(task_id)
        if here is None or there is None:
            return ("missing" if here is None else "too many", task_id)
        if here != there:
            return {name: (here[name], there[name]) for name in there if here[name] != there[name]}
    return None
