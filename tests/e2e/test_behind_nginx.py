"""Two servers on one PostgreSQL and one Redis behind nginx, and people who do not know of it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from fluxboard.client.events import Connection
from fluxboard.model.types import TaskPatch
from fluxboard.model.wire import TaskCreate
from tests.e2e.conftest import Person, Team
from tests.e2e.server_process import ServerProcess
from tests.server.conftest import drop_postgres, new_postgres
from tests.support.nginx_process import NginxProcess
from tests.support.redis_process import RedisProcess
from tests.support.waiting import until

OUTAGE_SECONDS = 30


@dataclass
class Site:
    """What people reach at ``url``."""

    servers: list[ServerProcess]
    redis: RedisProcess
    nginx: NginxProcess

    @property
    def url(self) -> str:
        return self.nginx.url

    async def sockets(self) -> list[int]:
        """How many each server has."""
        found = []
        async with httpx.AsyncClient() as http:
            for server in self.servers:
                text = (await http.get(f"{server.url}/metrics")).text
                (line,) = (line for line in text.splitlines() if line.startswith("fluxboard_sockets "))
                found.append(int(float(line.split()[-1])))
        return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as started:  # what runs is ended, too, when a part does not come up or is not installed
        name, database = new_postgres()
        started.callback(drop_postgres, name)
        redis = RedisProcess(tmp_path)
        redis.start()
        started.callback(redis.stop)
        servers = []
        for number in range(2):
            folder = tmp_path / f"server-{number}"
            folder.mkdir()
            servers.append(ServerProcess(folder, database=database, redis=redis.url))
            servers[-1].start()
            started.callback(servers[-1].kill)
        nginx = NginxProcess(tmp_path, (servers[0].port, servers[1].port))
        nginx.start()
        started.callback(nginx.stop)
        yield Site(servers, redis, nginx)


@asynccontextmanager
async def at_work(site: Site, count: int) -> AsyncIterator[list[Person]]:
    """So many people with live boards, on both servers."""
    team = Team(site)
    try:
        for number in range(count):
            await team.person(f"p{number}")
        names = {person.session.user.name for person in team.people if person.session.user}
        for person in team.people:
            board = person.board
            await until(
                lambda board=board: {user.name for user in board.online} == names, what="all are seen"
            )  # type: ignore[misc]
        assert min(await site.sockets()) >= 1, "both servers have somebody"
        yield team.people
    finally:
        for person in team.people:
            await person.board.close()
            await person.session.close()


class Work:
    """Everybody makes tasks and changes each other's, until it ends."""

    def __init__(self, people: list[Person]) -> None:
        self._people = people
        self.made: set[str] = set()
        self._tasks = [asyncio.create_task(self._work(number)) for number in range(len(people))]

    async def _work(self, number: int) -> None:
        board = self._people[number].board
        for turn in itertools.count():
            title = f"{number}-{turn}"
            board.create(TaskCreate(title=title))
            self.made.add(title)
            others = [task for task in board.tasks.values() if not task.title.startswith(f"{number}-")]
            if others:
                task = others[turn % len(others)]
                board.update([task.id], TaskPatch(labels=tuple(sorted({*task.labels, f"l{number}"}))))
            await asyncio.sleep(0.1)  # the pace of somebody at work, not a wait

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def converged(self) -> None:
        """Everybody is live with nothing unsent, and has the same board with all that was made."""

        def same() -> bool:
            boards = [person.board for person in self._people]
            quiet = all(board.connection == Connection("live", 0) for board in boards)
            return quiet and all(board.tasks == boards[0].tasks for board in boards)

        await until(same, 60, "all are live and have the same board")
        assert self._people[0].titles() == self.made
        assert len(self._people[0].board.tasks) == len(self.made), "nothing twice"


async def test_people_on_different_servers_see_each_other_and_each_others_edits(site: Site) -> None:
    async with at_work(site, 2) as (ada, bob):
        assert await site.sockets() == [1, 1]
        task_id = ada.board.create(TaskCreate(title="Write"))
        await until(lambda: bob.titles() == {"Write"})
        bob.board.update([task_id], TaskPatch(title="Written"))
        await until(lambda: ada.titles() == {"Written"})
        assert bob.toasts() == [("created", "Write")]
        assert ada.toasts() == [("updated", "Written")]
        await bob.board.close()
        await until(lambda: {user.name for user in ada.board.online} == {"p0"}, what="he left")


async def test_what_is_for_those_who_run_it_is_not_passed_on(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url) as http:
        assert (await http.get("/health")).status_code == 200
        for path in ("/ready", "/ready/", "/ready%2F", "/ready//?redis=optional", "/metrics", "/metrics/"):
            answer = await http.get(path)
            assert (answer.status_code, b"nginx" in answer.content) == (404, True), path


@pytest.mark.long(25)
async def test_a_server_that_is_killed_under_load_loses_nothing_and_nobody(site: Site) -> None:
    async with at_work(site, 4) as people:
        work = Work(people)
        await until(lambda: len(people[0].board.tasks) > 20, what="work goes on")
        site.servers[0].kill()
        count = len(work.made)
        await until(lambda: len(work.made) > count + 40, 30, "and on")
        everybody = {f"p{number}" for number in range(4)}
        survivor = people[0].board
        await until(lambda: {user.name for user in survivor.online} == everybody, 40, "all came to the other")
        assert all(person.board.connection.word == "live" for person in people)
        site.servers[0].start()
        await work.end()
        await work.converged()


@pytest.mark.long(50)
async def test_redis_may_be_away_and_edits_are_late_but_not_lost(site: Site) -> None:
    async with at_work(site, 3) as people:
        work = Work(people)
        await until(lambda: len(people[0].board.tasks) > 20, what="work goes on")
        site.redis.stop()
        until_when = time.monotonic() + OUTAGE_SECONDS
        mark = people[0].board.create(TaskCreate(title="made without Redis"))
        work.made.add("made without Redis")
        await until(lambda: all(mark in person.board.tasks for person in people), 15, "late, but there")
        await until(lambda: time.monotonic() > until_when, OUTAGE_SECONDS + 5)
        site.redis.start()
        await work.end()
        await work.converged()
        async with httpx.AsyncClient() as http:
            for server in site.servers:
                ready = f"{server.url}/ready"

                async def hears(ready: str = ready) -> bool:
                    return (await http.get(ready)).status_code == 200

                await until(hears, 30, "it hears the others again")
