"""The structs speak the wire's names and survive what only Core sends."""

import msgspec

from fluxboard.model.types import Task, TaskPatch, day_of, new_id, progress_of, timestamp
from fluxboard.model.wire import ErrorAnswer, TasksAnswer


def test_a_core_task_is_read_with_defaults() -> None:
    answer = msgspec.json.decode(
        b'{"success":true,"tasks":[{"id":"1","title":"x","assignedTo":null,"projectId":"p","extra":1}]}',
        type=TasksAnswer,
    )
    assert answer.rev is None
    assert answer.tasks[0] == Task(id="1", title="x")


def test_a_patch_sends_only_what_changed() -> None:
    assert msgspec.json.encode(TaskPatch(assigned_to=None)) == b'{"assignedTo":null}'


def test_an_error_says_the_same_to_both_readers() -> None:
    assert msgspec.to_builtins(ErrorAnswer(error="no", message="no")) == {
        "error": "no",
        "message": "no",
        "success": False,
        "field": None,
        "requestId": None,
    }


def test_ids_sort_by_time() -> None:
    ids = [new_id() for _ in range(100)]
    assert ids == sorted(set(ids))


def test_small_things() -> None:
    assert timestamp().endswith("Z")
    assert str(day_of("2026-12-01T10:00:00.000Z")) == "2026-12-01"
    assert day_of("soon") is None
    assert [progress_of(n, 8) for n in (0, 1, 8)] == [0, 13, 100]
    assert progress_of(0, 0) == 0
