"""Confirmed and pending, whatever arrives in whatever order."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fluxboard.client.edits import Create, Delete, Edit, Update
from fluxboard.client.replica import Replica, sort_key
from fluxboard.model.types import Task, TaskPatch
from fluxboard.model.wire import TASK_CREATED, TASK_DELETED, TASK_UPDATED, Change, TaskCreate

IDS = ("a", "b", "c")
COLUMNS = ("todo", "review", "completed")


class Server:
    """The truth: a list and the log that led to it."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.log: list[Change] = []

    @property
    def rev(self) -> int:
        return len(self.log)

    def put(self, task_id: str, status: str, position: str, op_id: str | None = None) -> Change:
        rev = self.rev + 1
        known = task_id in self.tasks
        task = Task(id=task_id, title=f"{task_id} at {rev}", status=status, position=position, rev=rev)
        self.tasks[task_id] = task
        return self._log(
            Change(type=TASK_UPDATED if known else TASK_CREATED, rev=rev, task=task, op_id=op_id)
        )

    def delete(self, task_id: str, op_id: str | None = None) -> Change | None:
        if self.tasks.pop(task_id, None) is None:
            return None
        return self._log(Change(type=TASK_DELETED, rev=self.rev + 1, task_id=task_id, op_id=op_id))

    def _log(self, change: Change) -> Change:
        self.log.append(change)
        return change


def drain(replica: Replica, change: Change) -> None:
    following: Change | None = change
    while following is not None:
        replica.apply(following)
        following = replica.next_early()


def columns_are_sorted_views(replica: Replica) -> None:
    for status in {task.status for task in replica.shown.values()} | set(COLUMNS):
        expected = sorted((t for t in replica.shown.values() if t.status == status), key=sort_key)
        assert list(replica.column(status)) == [task.id for task in expected]


deeds = st.lists(
    st.tuples(st.sampled_from(IDS), st.sampled_from((*COLUMNS, "gone")), st.sampled_from(("a0", "a1", "a2"))),
    max_size=12,
)


@given(deeds, st.data())
def test_any_order_with_duplicates_ends_at_the_servers_state(
    done: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    server = Server()
    for task_id, status, position in done:
        if status == "gone":
            server.delete(task_id)
        else:
            server.put(task_id, status, position)
    twice = data.draw(st.permutations(server.log + server.log))
    replica = Replica()
    last = 0
    for change in twice:
        drain(replica, change)
        assert replica.rev >= last
        last = replica.rev
        columns_are_sorted_views(replica)
    assert replica.rev == server.rev
    assert dict(replica.shown) == server.tasks


@given(deeds, st.integers(0, 12), st.data())
def test_a_list_in_the_middle_changes_nothing(
    done: list[tuple[str, str, str]], at: int, data: st.DataObject
) -> None:
    server, snapshots = Server(), [({}, 0)]
    for task_id, status, position in done:
        if status == "gone":
            server.delete(task_id)
        else:
            server.put(task_id, status, position)
        snapshots.append((dict(server.tasks), server.rev))
    order = data.draw(st.permutations(server.log))
    loaded = data.draw(st.sampled_from(snapshots))
    replica = Replica()
    for number, change in enumerate(order):
        if number == at:
            replica.load(loaded[0].values(), loaded[1])
        drain(replica, change)
    assert dict(replica.shown) == server.tasks


actions = st.lists(
    st.tuples(st.sampled_from(("create", "update", "delete")), st.sampled_from(IDS)), max_size=8
)
ends = st.lists(st.sampled_from(("answer", "event", "both", "refused")), min_size=8, max_size=8)


@given(actions, ends)
def test_own_edits_are_shown_at_once_and_leave_without_a_trace(
    mine: list[tuple[str, str]], how: list[str]
) -> None:
    server, replica = Server(), Replica()
    edits: list[Edit] = []
    for action, task_id in mine:
        edit: Edit
        if action == "create":
            made = Task(id=task_id, title="mine", position="a0")
            edit = Create(task_id=task_id, task=made, body=TaskCreate(title="mine"))
        elif action == "update":
            edit = Update(task_id=task_id, patch=TaskPatch(title="new"))
        else:
            edit = Delete(task_id=task_id)
        before = replica.shown.get(task_id)
        replica.add(edit)
        edits.append(edit)
        assert replica.shown.get(task_id) == edit.on(before)
        columns_are_sorted_views(replica)
    for edit, end in zip(edits, how, strict=False):
        if end == "refused":
            replica.refuse(edit)
            continue
        change = (
            server.delete(edit.task_id, edit.op_id)
            if isinstance(edit, Delete)
            else server.put(edit.task_id, "todo", "a1", edit.op_id)
        )
        if change is None:
            replica.confirm(edit, None, server.rev)
            continue
        if end in {"event", "both"}:
            drain(replica, change)
        if end in {"answer", "both"}:
            replica.confirm(edit, change.task, change.rev or 0)
        if end == "answer":
            drain(replica, change)
    assert replica.pending == []
    assert dict(replica.shown) == server.tasks
    columns_are_sorted_views(replica)


def test_a_teammates_change_does_not_repaint_a_field_that_i_changed() -> None:
    replica = Replica()
    task = Task(id="a", title="old", priority="low", rev=1)
    drain(replica, Change(type=TASK_CREATED, rev=1, task=task))
    replica.add(Update(task_id="a", patch=TaskPatch(title="mine")))
    theirs = msgspec.structs.replace(task, title="theirs", priority="high", rev=2)
    drain(replica, Change(type=TASK_UPDATED, rev=2, task=theirs))
    assert (replica.shown["a"].title, replica.shown["a"].priority) == ("mine", "high")
    replica.refuse(replica.pending[0])
    assert replica.shown["a"].title == "theirs"


def test_what_i_deleted_does_not_come_back_by_an_older_event() -> None:
    replica, server = Replica(), Server()
    drain(replica, server.put("a", "todo", "a0"))
    older = server.put("a", "review", "a0")
    edit = Delete(task_id="a")
    replica.add(edit)
    gone = server.delete("a", edit.op_id)
    assert gone is not None
    replica.confirm(edit, None, gone.rev or 0)
    drain(replica, older)
    assert not replica.shown
    drain(replica, gone)
    assert not replica.shown
    assert replica.rev == server.rev


def test_a_refused_edit_leaves_no_trace() -> None:
    replica = Replica()
    drain(replica, Change(type=TASK_CREATED, rev=1, task=Task(id="a", title="old", rev=1)))
    made = Create(task_id="b", task=Task(id="b", title="mine"), body=TaskCreate(title="mine"))
    changed = Update(task_id="a", patch=TaskPatch(title="mine"))
    for edit in (made, changed):
        replica.add(edit)
    for edit in (made, changed):
        replica.refuse(edit)
    assert {task.title for task in replica.shown.values()} == {"old"}


def test_a_late_answer_to_a_deletion_does_not_undo_its_restoration() -> None:
    server, replica = Server(), Replica()
    drain(replica, server.put("a", "todo", "a1"))
    gone = server.delete("a")
    assert gone is not None
    drain(replica, gone)
    drain(replica, server.put("a", "todo", "a1"))
    mine = Delete(task_id="a", op_id="mine")
    replica.add(mine)
    replica.confirm(mine, None, gone.rev or 0)
    assert "a" in replica.shown, "it was restored since, which is known"
    other = Delete(task_id="a", op_id="other")
    replica.add(other)
    replica.confirm(other, None, server.rev + 1)
    assert "a" not in replica.shown, "an answer that is ahead of the events counts"


def test_of_a_list_that_comes_instead_of_the_log_only_the_own_answers_are_mine() -> None:
    replica = Replica("me")
    before = Task(id="a", title="t", rev=3, field_revs={"title": 3, "priority": 3, "dueDate": 3})
    replica.load([before], 5)
    edit = Update(task_id="a", patch=TaskPatch(title="mine"))
    replica.add(edit)
    replica.confirm(edit, Task(id="a", title="mine", rev=7, field_revs=before.field_revs | {"title": 7}), 7)
    after = Task(id="a", title="mine", rev=9, field_revs={"title": 7, "priority": 9, "dueDate": 3})
    new = Task(id="b", title="new", rev=10, field_revs={"title": 10})
    replica.load([after, new], 10)
    touched = {name for name in ("title", "priority", "due_date") if replica.changed_by_others("a", name, 5)}
    assert touched == {"priority"}
    assert not replica.changed_by_others("a", "priority", 9), "seen by then"
