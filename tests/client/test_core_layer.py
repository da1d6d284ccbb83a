"""Our client against a server that knows only the Core layer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from fluxboard.client.api import ApiError, ApiUnreachable
from fluxboard.client.board import Board
from fluxboard.client.events import BoardEvent, Refused, Remote
from fluxboard.client.session import Session
from fluxboard.model.types import COMPLETED, TaskPatch
from fluxboard.model.wire import TaskAnswer, TaskCreate
from tests.client.conftest import QUICK
from tests.support.core_server import CoreServer
from tests.support.forwarder import Forwarder
from tests.support.waiting import until


@dataclass
class Person:
    session: Session
    board: Board
    heard: list[BoardEvent] = field(default_factory=list)

    def titles(self) -> list[str]:
        return [task.title for task in self.board.tasks.values()]


@dataclass
class Team:
    core: CoreServer
    project_id: str = ""
    people: list[Person] = field(default_factory=list)

    def stored(self) -> dict[str, dict[str, object]]:
        """The tasks as the server keeps them, by id."""
        return self.core.tasks[self.project_id]

    async def person(self, name: str, socket_url: str | None = None) -> Person:
        session = await Session.open(self.core.url, remember=False, socket_url=socket_url)
        session.timing = QUICK
        await session.sign_up(f"{name}@example.com", "correct horse", name)
        if self.project_id:
            self.core.add_member(self.project_id, f"{name}@example.com")
        else:
            self.project_id = (await session.create_project("R&D")).id
        person = Person(session, await session.board(self.project_id))
        person.board.subscribe(person.heard.append)
        await person.board.start()
        await until(lambda: person.board.connection.word == "live", what=f"{name} is live")
        self.people.append(person)
        return person


@pytest.fixture
async def team(core: CoreServer) -> AsyncIterator[Team]:
    made = Team(core)
    yield made
    for person in made.people:
        await person.board.close()
        await person.session.close()
    assert core.malformed == []


async def test_it_says_what_is_off(team: Team) -> None:
    ada = await team.person("ada")
    assert ada.board.layer == "core"
    assert any("basic protocol" in note for note in ada.board.notes)
    assert ada.board.project.name == "R&D"


async def test_text_is_not_escaped_once_more_by_each_save(team: Team) -> None:
    ada = await team.person("ada")
    task_id = ada.board.create(TaskCreate(title="Q&A: it's <b>bold</b>", description="a & b"))
    await ada.board.idle()
    for priority in ("high", "low"):
        ada.board.update([task_id], TaskPatch(priority=priority))
        await ada.board.idle()
    assert ada.board.tasks[task_id].title == "Q&A: it's <b>bold</b>"
    stored = next(iter(team.stored().values()))
    assert stored["title"] == "Q&amp;A: it&#x27;s &lt;b&gt;bold&lt;&#x2F;b&gt;"


async def test_two_see_each_others_changes(team: Team) -> None:
    ada = await team.person("ada")
    bob = await team.person("bob")
    await until(lambda: {user.name for user in ada.board.online} == {"ada", "bob"}, what="both online")
    task_id = ada.board.create(TaskCreate(title="Write"))
    await until(lambda: bob.titles() == ["Write"], what="created")
    (bobs_id,) = bob.board.tasks
    bob.board.update([bobs_id], TaskPatch(title="Rewrite"))
    await until(lambda: ada.titles() == ["Rewrite"], what="updated")
    ada.board.move([task_id], COMPLETED)
    await until(lambda: bob.board.tasks[bobs_id].status == COMPLETED, what="completed")
    ada.board.delete([task_id])
    await until(lambda: not bob.board.tasks, what="deleted")
    kinds = [event.kind for event in bob.heard if isinstance(event, Remote)]
    assert kinds == ["created", "completed", "deleted"]


async def test_a_task_keeps_its_id_here_though_the_server_gives_another(team: Team) -> None:
    ada = await team.person("ada")
    task_id = ada.board.create(TaskCreate(title="Write"))
    ada.board.update([task_id], TaskPatch(title="Rewrite"))
    await ada.board.idle()
    assert list(ada.board.tasks) == [task_id]
    assert task_id not in team.stored()
    ada.board.delete([task_id])
    await ada.board.idle()
    assert not team.stored()


@pytest.mark.parametrize("polled", [False, True])
async def test_a_create_whose_answer_is_lost_is_not_done_twice(team: Team, polled: bool) -> None:
    ada = await team.person("ada")
    ada.board.create(TaskCreate(title="Write", description="R&D"))
    await ada.board.idle()
    send, lost = ada.session.api.send_create, []

    async def loses_the_first(project_id: str, body: TaskCreate, key: str | None) -> TaskAnswer:
        answer = await send(project_id, body, key)
        if not lost:
            lost.append(answer)
            if polled:  # the list is heard before the next try
                await ada.board._upkeep.incoming.load()
            raise ApiUnreachable("the answer was lost")
        return answer

    ada.session.api.send_create = loses_the_first  # type: ignore[method-assign]
    task_id = ada.board.create(TaskCreate(title="Write", description="R&D"))
    ada.board.update([task_id], TaskPatch(priority="high"))
    await ada.board.idle()
    assert lost
    assert sorted(task["priority"] for task in team.stored().values()) == ["high", "medium"]
    assert len(ada.board.tasks) == 2
    assert ada.board.tasks[task_id].priority == "high"
    ada.board.create(TaskCreate(title="Write", description="R&D"))
    await ada.board.idle()
    assert len(team.stored()) == len(ada.board.tasks) == 3, "what is made again on purpose is made again"


async def test_what_it_refuses_is_taken_back_and_told(team: Team) -> None:
    ada = await team.person("ada")
    task_id = ada.board.create(TaskCreate(title="Write"))
    await ada.board.idle()
    ada.board.move([task_id], "review")
    assert ada.board.tasks[task_id].status == "review"
    await ada.board.idle()
    assert ada.board.tasks[task_id].status == "todo"
    (refused,) = [event for event in ada.heard if isinstance(event, Refused)]
    assert (refused.title, refused.action, refused.status) == ("Write", "update", 400)


async def test_too_many_requests_means_wait(team: Team) -> None:
    ada = await team.person("ada")
    team.core.limit_after = 0
    ada.board.create(TaskCreate(title="patience"))
    await until(lambda: ada.board.connection.queued == 1, what="queued")
    await until(
        lambda: ("POST", f"/api/projects/{team.project_id}/tasks") in team.core.requests, what="tried"
    )
    team.core.limit_after = None
    await ada.board.idle()
    assert [task["title"] for task in team.stored().values()] == ["patience"]
    assert not [event for event in ada.heard if isinstance(event, Refused)]


async def test_without_sockets_it_polls_and_converges(team: Team) -> None:
    ada = await team.person("ada")
    wire = Forwarder(team.core.url)
    await wire.open()
    bob = await team.person("bob", socket_url=wire.url)
    await wire.close()
    await until(lambda: bob.board.connection.word == "polling", what="bob polls")
    ada.board.create(TaskCreate(title="seen by polling"))
    await until(lambda: bob.titles() == ["seen by polling"], what="bob has it")
    await wire.open()
    await until(lambda: bob.board.connection.word == "live", what="bob is live again")
    await wire.close()


async def test_nothing_beyond_core_is_sent_on_the_socket(team: Team) -> None:
    ada = await team.person("ada")
    ada.board.create(TaskCreate(title="Write"))
    await ada.board.idle()
    await until(lambda: any(event == "task:created" for event, _ in team.core.notices), what="the notice")
    assert {event for event, _ in team.core.notices} <= {
        "join:project",
        "task:created",
        "task:updated",
        "task:deleted",
        "leave:project",
    }


async def test_a_wrong_password_says_so(core: CoreServer) -> None:
    session = await Session.open(core.url, remember=False)
    with pytest.raises(ApiError) as caught:
        await session.sign_in("nobody@example.com", "wrong horse")
    assert caught.value.status in {400, 401}
    assert str(caught.value)
    await session.close()
