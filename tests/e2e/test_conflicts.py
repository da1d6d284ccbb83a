"""Two people at one task, one of them without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fluxboard.client.events import Delivery, Refused
from fluxboard.client.undo import Overtaken
from fluxboard.model.types import ChecklistItem, TaskPatch
from fluxboard.model.wire import TaskCreate
from tests.e2e.conftest import Person, Team
from tests.support.forwarder import Forwarder
from tests.support.waiting import until

TEXT = "one\ntwo\nthree\nfour\nfive"


@pytest.fixture
async def wire(team: Team) -> AsyncIterator[Forwarder]:
    async with Forwarder(team.server.url) as made:
        yield made


async def both_with_a_task(team: Team, wire: Forwarder, **fields: object) -> tuple[Person, Person, str]:
    """Ada on the network, Bob on a wire that is cut, and a task that both have seen."""
    ada, bob = await team.person("ada"), await team.person("bob", wire.url)
    task_id = ada.board.create(TaskCreate(title="Plan", **fields))  # type: ignore[arg-type]
    await until(lambda: task_id in bob.board.tasks, what="bob has it")
    await until(lambda: bob.board.connection.word == "live", what="bob is live")
    await wire.close()
    await until(lambda: bob.board.connection.word == "offline", what="bob is offline")
    return ada, bob, task_id


async def back(wire: Forwarder, *people: Person) -> None:
    """The wire is whole again, and everybody has everything."""
    await wire.open()
    for person in people:
        await until(lambda it=person: it.board.connection.word == "live", 30, what="live")  # type: ignore[misc]
    for person in people:
        await person.board.idle()
    head = (await people[0].session.api.tasks(people[0].board.project.id)).rev
    for person in people:
        await until(lambda it=person: it.board.rev == head, 30, what="the head")  # type: ignore[misc]


async def test_edits_of_other_fields_and_other_lines_merge_silently(team: Team, wire: Forwarder) -> None:
    ada, bob, task_id = await both_with_a_task(
        team, wire, description=TEXT, labels=("old",), checklist=(ChecklistItem(id="1", text="first"),)
    )
    bob.board.update([task_id], TaskPatch(description=TEXT.replace("one", "ONE"), labels=("old", "bobs")))
    ada.board.update([task_id], TaskPatch(description=TEXT.replace("five", "FIVE"), labels=("adas",)))
    ada.board.update([task_id], TaskPatch(priority="critical"))
    done = ChecklistItem(id="1", text="first", done=True)
    ada.board.update([task_id], TaskPatch(checklist=(done,)))
    more = (ChecklistItem(id="1", text="first"), ChecklistItem(id="2", text="second"))
    bob.board.update([task_id], TaskPatch(checklist=more))
    await ada.board.idle()
    await back(wire, ada, bob)
    for person in (ada, bob):
        task = person.board.tasks[task_id]
        assert task.description == "ONE\ntwo\nthree\nfour\nFIVE"
        assert task.labels == ("adas", "bobs")
        assert task.checklist == (done, more[1])
        assert task.priority == "critical"
    assert bob.board.attention == ()


async def test_one_text_of_two_hands_is_asked_about_and_nothing_is_lost(team: Team, wire: Forwarder) -> None:
    ada, bob, task_id = await both_with_a_task(team, wire)
    ada.board.update([task_id], TaskPatch(title="Ada's plan"))
    bob.board.update([task_id], TaskPatch(title="Bob's plan"))
    bob.board.create(TaskCreate(title="independent"))
    assert bob.board.tasks[task_id].title == "Bob's plan"
    await ada.board.idle()
    await back(wire, ada, bob)
    assert {task.title for task in ada.board.tasks.values()} == {"Ada's plan", "independent"}
    (item,) = bob.board.attention
    assert bob.board.connection.refused == 1
    assert [event.status for event in bob.heard if isinstance(event, Refused)] == [409]
    assert item.refusal.conflict is not None
    field = item.refusal.conflict.fields["title"]
    assert (field.base, field.mine, field.theirs) == ("Plan", "Bob's plan", "Ada's plan")
    assert field.user_name == "ada"
    bob.board.retry(item.edit.op_id, TaskPatch(title="Our plan"))
    await until(lambda: ada.board.tasks[task_id].title == "Our plan", what="the merged title")
    assert bob.board.attention == ()


async def test_what_was_refused_is_not_called_saved(team: Team, wire: Forwarder) -> None:
    ada, bob, task_id = await both_with_a_task(team, wire)
    ada.board.update([task_id], TaskPatch(title="Ada's plan"))
    bob.board.update([task_id], TaskPatch(title="Bob's plan"))
    await ada.board.idle()
    await back(wire, ada, bob)
    assert bob.board.connection.refused == 1
    assert not [event for event in bob.heard if isinstance(event, Delivery)]
    bob.board.retry(bob.board.attention[0].edit.op_id, TaskPatch(title="Our plan"))
    await until(lambda: any(isinstance(event, Delivery) for event in bob.heard), what="saved")


async def test_what_was_deleted_under_me_comes_back_with_my_text(team: Team, wire: Forwarder) -> None:
    ada, bob, task_id = await both_with_a_task(team, wire)
    ada.board.delete([task_id])
    bob.board.update([task_id], TaskPatch(description="an hour of work"))
    await ada.board.idle()
    await back(wire, ada, bob)
    assert task_id not in bob.board.tasks
    (item,) = bob.board.attention
    assert item.refusal.status == 410
    assert item.title == "Plan"
    bob.board.retry(item.edit.op_id)
    await until(lambda: task_id in ada.board.tasks, what="it is back")
    await until(lambda: ada.board.tasks[task_id].description == "an hour of work", what="with my text")


async def test_a_task_that_others_changed_is_not_deleted_unseen(team: Team, wire: Forwarder) -> None:
    ada, bob, task_id = await both_with_a_task(team, wire)
    await team.people[0].session.api.set_role(team.project_id, bob.board.user.id, "admin")
    ada.board.update([task_id], TaskPatch(title="Important"))
    bob.board.delete([task_id])
    assert task_id not in bob.board.tasks
    await ada.board.idle()
    await back(wire, ada, bob)
    assert bob.board.tasks[task_id].title == "Important"
    (item,) = bob.board.attention
    bob.board.retry(item.edit.op_id)
    await until(lambda: task_id not in ada.board.tasks, what="deleted after all")


async def test_undo_never_overwrites_another_unasked(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    task_id = ada.board.create(TaskCreate(title="Plan"))
    ada.board.update([task_id], TaskPatch(title="Ada's plan"))
    await until(lambda: task_id in bob.board.tasks and bob.titles() == {"Ada's plan"}, what="bob has it")
    bob.board.update([task_id], TaskPatch(title="Bob's plan"))
    await until(lambda: ada.titles() == {"Bob's plan"}, what="ada has it")
    with pytest.raises(Overtaken):
        ada.board.undo()
    assert ada.titles() == {"Bob's plan"}
    ada.board.undo(overwrite=True)
    await until(lambda: bob.titles() == {"Plan"}, what="overwritten when asked")
    ada.board.redo()
    await until(lambda: bob.titles() == {"Ada's plan"}, what="and again")


async def test_a_history_tells_who_did_what(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    task_id = ada.board.create(TaskCreate(title="Plan"))
    await until(lambda: task_id in bob.board.tasks, what="bob has it")
    bob.board.update([task_id], TaskPatch(title="Better plan", priority="high"))
    await bob.board.idle()
    changed, created = await ada.board.history(task_id)
    assert (created.type, created.user_name) == ("task.created", "ada")
    assert (changed.type, changed.user_name) == ("task.updated", "bob")
    assert {(change.field, change.old, change.new) for change in changed.changes} == {
        ("title", "Plan", "Better plan"),
        ("priority", "medium", "high"),
    }


async def test_a_refused_task_takes_its_edits_along_and_blocks_nobody(team: Team, wire: Forwarder) -> None:
    ada, bob, _ = await both_with_a_task(team, wire)
    bad = bob.board.create(TaskCreate(title="x" * 501))
    bob.board.update([bad], TaskPatch(priority="high"))
    good = bob.board.create(TaskCreate(title="good"))
    await back(wire, ada, bob)
    assert good in ada.board.tasks
    assert bad not in bob.board.tasks
    created, changed = bob.board.attention
    assert "501" in created.refusal.reason
    assert changed.refusal.status == 424
    bob.board.discard(created.edit.op_id)
    bob.board.discard(changed.edit.op_id)
    assert bob.board.connection.refused == 0


async def test_undo_asks_even_where_somebody_changed_it_to_and_fro(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    task_id = ada.board.create(TaskCreate(title="Plan"))
    ada.board.update([task_id], TaskPatch(priority="high"))
    await until(lambda: task_id in bob.board.tasks and bob.board.tasks[task_id].priority == "high")
    bob.board.update([task_id], TaskPatch(title="Bob's plan"))
    bob.board.update([task_id], TaskPatch(priority="low"))
    bob.board.update([task_id], TaskPatch(priority="high"))
    await bob.board.idle()
    head = (await bob.session.api.changes(team.project_id, 0)).rev
    await until(lambda: ada.board.rev == head, what="ada has it all")
    with pytest.raises(Overtaken):
        ada.board.undo()
    ada.board.undo(overwrite=True)
    await until(lambda: bob.board.tasks[task_id].priority == "medium")
    ada.board.redo()
    await until(lambda: bob.board.tasks[task_id].priority == "high", what="what is mine again is not asked")


async def test_a_comment_that_is_taken_back_on_a_deleted_task_stays_taken_back(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    task_id = ada.board.create(TaskCreate(title="Plan"))
    await until(lambda: task_id in bob.board.tasks)
    bob.board.comment(task_id, "hasty words")
    await bob.board.idle()
    await bob.board.load_comments(task_id)
    (comment,) = bob.board.comments(task_id)
    await ada.session.api.delete_task(team.project_id, task_id)
    bob.board.remove_comment(comment)
    await until(lambda: len(bob.board.attention) == 1, what="told that the task is gone")
    await ada.session.api.restore_task(team.project_id, task_id)
    await until(lambda: task_id in bob.board.tasks)
    bob.board.retry(bob.board.attention[0].edit.op_id)
    await bob.board.idle()
    assert await bob.session.api.comments(team.project_id, task_id) == ()
