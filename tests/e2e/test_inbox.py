"""An inbox between two people and between two terminals of one, on a real server."""

from __future__ import annotations

from msgspec.structs import replace

from fluxboard.client.events import InboxChanged, PreferencesChanged
from fluxboard.model.notify import Preferences, ProjectPreferences
from fluxboard.model.types import TaskPatch
from fluxboard.model.wire import TaskCreate
from tests.e2e.conftest import Person, Team
from tests.support.waiting import until


def kinds(person: Person) -> list[tuple[str, str]]:
    return [(item.kind, item.task_title) for item in person.board.inbox.items if not item.done]


async def test_a_mention_while_offline_waits_in_the_inbox(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    await until(lambda: bob.board.connection.word == "live")
    await bob.board.close()
    task_id = ada.board.create(TaskCreate(title="Write"))
    ada.board.comment(task_id, "@bob what do you say?")
    await ada.board.idle()
    back = await bob.session.board(team.project_id)
    await back.start()
    await until(lambda: back.inbox.unread == 1 and back.inbox.unread_tasks == {task_id})
    item = back.inbox.items[0]
    assert (item.kind, item.user_name, item.text) == ("mention", "ada", "@bob what do you say?")
    await until(lambda: back.visited_at)
    await back.close()


async def test_what_is_done_in_one_terminal_is_done_in_the_other(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    second = await bob.session.board(team.project_id)
    await second.start()
    for title in ("One", "Two"):
        ada.board.create(TaskCreate(title=title, assigned_to=bob.board.user.id))
    await until(lambda: bob.board.inbox.unread == second.inbox.unread == 2)
    assert [event.new[0].task_title for event in bob.heard if isinstance(event, InboxChanged) and event.new]
    first = next(item for item in bob.board.inbox.items if item.task_title == "One")
    bob.board.inbox.mark([first.id])
    assert bob.board.inbox.unread == 1, "at once"
    await until(lambda: second.inbox.unread == 1, what="the other terminal")
    bob.board.inbox.mark([first.id], done=False)
    await until(lambda: second.inbox.unread == 2)
    assert ada.board.inbox.unread == 0
    await second.close()


async def test_what_is_done_offline_is_sent_later(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    ada.board.create(TaskCreate(title="One", assigned_to=bob.board.user.id))
    await until(lambda: bob.board.inbox.unread == 1)
    team.server.kill()
    await until(lambda: bob.board.connection.word != "live")
    bob.board.inbox.mark(item.id for item in bob.board.inbox.items)
    assert bob.board.inbox.unread == 0
    team.server.start()

    async def kept() -> bool:
        try:
            return (await bob.session.api.inbox()).unread == 0
        except Exception:
            return False

    await until(lambda: bob.board.connection.word == "live", 40, "back")
    for _ in range(300):
        if await kept():
            break
    assert await kept()
    assert bob.board.inbox.unread == 0


async def test_a_muted_task_is_quiet_and_a_read_one_is_done(team: Team) -> None:
    ada, bob = await team.person("ada"), await team.person("bob")
    task_id = bob.board.create(TaskCreate(title="Mine"))
    await until(lambda: ada.titles() == {"Mine"})
    ada.board.comment(task_id, "first")
    await until(lambda: kinds(bob) == [("comment", "Mine")])
    bob.board.inbox.read_task(task_id)
    assert bob.board.inbox.unread == 0
    bob.board.inbox.mute(team.project_id, task_id, muted=True)
    await until(lambda: not bob.board.inbox._unsent, what="told to the server")
    ada.board.comment(task_id, "second")
    ada.board.create(TaskCreate(title="Yours", assigned_to=bob.board.user.id))
    await until(lambda: kinds(bob) == [("assigned", "Yours")])


async def test_a_task_that_becomes_due_comes_in(team: Team) -> None:
    ada = await team.person("ada")
    task_id = ada.board.create(TaskCreate(title="Late", assigned_to=ada.board.user.id, due_date="2020-01-01"))
    await until(lambda: kinds(ada) == [("due", "Late")], 8)
    ada.board.update([task_id], TaskPatch(due_date=None, assigned_to=None))
    ada.board.update([task_id], TaskPatch(assigned_to=ada.board.user.id, due_date="2099-01-01"))
    await until(lambda: not kinds(ada), 8)


async def test_preferences_are_the_same_in_every_terminal(team: Team) -> None:
    ada = await team.person("ada")
    second = await ada.session.board(team.project_id)
    heard: list[Preferences] = []
    second.subscribe(lambda e: heard.append(e.preferences) if isinstance(e, PreferencesChanged) else None)
    await second.start()
    quiet = ProjectPreferences(created="none")
    wanted = replace(ada.board.inbox.preferences, dnd=True, projects={team.project_id: quiet})
    await until(lambda: ada.board.inbox.known and second.inbox.known)
    ada.board.inbox.prefer(wanted)
    await until(lambda: heard == [wanted])
    third = await ada.session.board(team.project_id)
    await third.start()
    await until(lambda: third.inbox.preferences == wanted)
    await third.close()
    await second.close()
