"""What two people feel of each other: cursors, typing, who is there, and what arrived."""

from __future__ import annotations

from fluxboard.client.events import Delivery
from fluxboard.model.types import OnlineUser, TaskPatch
from fluxboard.model.wire import TaskCreate
from tests.e2e.conftest import Person, Team
from tests.support.waiting import until


def seen(person: Person, name: str) -> OnlineUser | None:
    return next((user for user in person.board.online if user.name == name), None)


def looks_at(person: Person, name: str) -> str | None:
    user = seen(person, name)
    return user.task_id if user is not None else None


async def test_a_cursor_is_seen_and_gone_when_its_person_leaves(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    task_id = ada.board.create(TaskCreate(title="Write"))
    await until(lambda: bob.titles() == {"Write"})
    bob.board.company.look_at(task_id, "todo")
    await until(lambda: looks_at(ada, "bob") == task_id, what="on the task")
    late = await team.person("cleo")
    await until(lambda: looks_at(late, "bob") == task_id, what="whoever comes later sees it too")
    bob.board.company.look_at(None, "todo")
    await until(lambda: looks_at(ada, "bob") is None, what="on no task")
    bob.board.company.look_at(task_id, "todo")
    await until(lambda: looks_at(ada, "bob") == task_id)
    await bob.board.close()
    await until(lambda: seen(ada, "bob") is None, what="gone")


async def test_typing_shows_where_and_ends(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    task_id = ada.board.create(TaskCreate(title="Write"))
    await until(lambda: seen(ada, "bob") is not None and bob.titles() == {"Write"})

    def fields() -> list[tuple[str, str]]:
        return [(writer.name, writer.field) for writer in ada.board.company.writers(task_id)]

    bob.board.company.typing(task_id, "title")
    await until(lambda: fields() == [("bob", "title")])
    bob.board.company.typing(task_id, "description")
    await until(lambda: fields() == [("bob", "description")], what="one field at a time")
    bob.board.company.stop_typing()
    await until(lambda: not fields(), what="over")
    bob.board.company.typing(task_id, "comment")
    await until(lambda: fields() == [("bob", "comment")])
    await bob.board.close()
    await until(lambda: not fields(), what="gone with bob")


async def test_who_writes_without_saying_so_again_is_silent_after_a_while(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    task_id = ada.board.create(TaskCreate(title="Write"))
    told = {"projectId": team.project_id, "taskId": task_id, "field": "title", "typing": True}
    await until(lambda: seen(ada, "bob") is not None)
    await bob.board._upkeep.live.emit("typing:update", told)
    await until(lambda: ada.board.company.writers(task_id))
    await until(lambda: not ada.board.company.writers(task_id), 8, "five seconds later")


async def test_two_terminals_are_one_person_who_is_idle_in_both(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    second = await bob.session.board(team.project_id)
    await second.start()
    await until(lambda: (user := seen(ada, "bob")) is not None and user.terminals == 2)
    bob.board.company.be(idle=True)
    second.company.be(idle=True)
    await until(lambda: (user := seen(ada, "bob")) is not None and user.idle, what="idle")
    second.company.be(idle=False)
    await until(lambda: (user := seen(ada, "bob")) is not None and not user.idle, what="back")
    await second.close()
    await until(lambda: (user := seen(ada, "bob")) is not None and user.terminals == 1)


async def test_who_is_invisible_sees_and_is_not_seen(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    task_id = ada.board.create(TaskCreate(title="Write"))
    await until(lambda: seen(ada, "bob") is not None and bob.titles() == {"Write"})
    bob.board.company.be(invisible=True)
    await until(lambda: seen(ada, "bob") is None)
    ada.board.company.look_at(task_id, "todo")
    await until(lambda: looks_at(bob, "ada") == task_id, what="bob sees")
    assert bob.board.online[0].id == bob.board.user.id
    bob.board.company.be(invisible=False)
    await until(lambda: seen(ada, "bob") is not None)


async def test_an_edit_is_seen_by_as_many_as_have_it(team: Team) -> None:
    ada, bob, _ = await team.person("ada"), await team.person("bob"), await team.person("cleo")
    await until(lambda: len(ada.board.online) == 3)
    task_id = ada.board.create(TaskCreate(title="Write"))
    await until(lambda: ada.board.company.delivery.seen == 2, what="both have it")
    first = ada.board.company.delivery.rev
    await bob.board.close()
    ada.board.update([task_id], TaskPatch(title="Rewrite"))
    await until(lambda: ada.board.company.delivery == Delivery(first + 1, 1), what="one of one")
    assert [event for event in ada.heard if isinstance(event, Delivery)]
