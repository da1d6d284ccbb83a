"""Two processes' worth of servers on one PostgreSQL and one Redis, which may stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fluxboard.server import bus, cluster, live
from fluxboard.server.settings import Settings
from tests.server.world import SECRET, Ear, Person, World, done, running
from tests.support.redis_process import RedisProcess
from tests.support.waiting import until


@dataclass
class Pair:
    """Two nodes; a person of the first can be at the second, too."""

    here: World
    there: World
    redis: RedisProcess

    def at(self, world: World, person: Person) -> Person:
        return Person(world, person.name, person.email, person.id, person.token)

    async def two(self) -> tuple[Person, Person, str, Ear, Ear]:
        """ada here and mila there, in one project, each with a socket."""
        ada = await self.here.person("ada")
        mila = self.at(self.there, await self.here.person("mila"))
        project = await ada.project()
        await ada.add(project, mila)
        return ada, mila, project, await ada.ear(project), await mila.ear(project)

    def ready(self) -> bool:
        buses = [world.server.live.cluster.bus for world in (self.here, self.there)]
        return all(each is not None and each.ready for each in buses) and all(
            world.server.live.cluster.others for world in (self.here, self.there)
        )


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    process = RedisProcess(tmp_path)
    process.start()
    yield process
    process.stop()


@pytest.fixture
async def pair(postgres: str, redis: RedisProcess, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    monkeypatch.setattr(bus, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(bus, "DEAF_SECONDS", 0.5)
    monkeypatch.setattr(bus, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(cluster, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(live, "SWEEP_SECONDS", 0.2)
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.3)
    settings = Settings(database=postgres, redis=redis.url, jwt_secret=SECRET)
    async with contextlib.AsyncExitStack() as nodes:
        pair = Pair(
            await nodes.enter_async_context(running(settings)),
            await nodes.enter_async_context(running(settings)),
            redis,
        )
        await until(pair.ready, what="the nodes hear each other")
        yield pair


def revs(ear: Ear) -> list[int]:
    return [data["rev"] for event, data in ear.heard if event.startswith("task:")]


async def test_what_is_committed_at_one_node_is_heard_at_the_other_once_and_in_order(pair: Pair) -> None:
    ada, mila, project, hers, milas = await pair.two()
    for number in range(20):
        writer = (ada, mila)[number % 2]
        await writer.task(project, f"Task {number}")
    head = (await ada.tasks(project))["rev"]
    for ear in (hers, milas):
        await until(lambda e=ear: revs(e)[-1:] == [head])  # type: ignore[misc]
        assert revs(ear) == list(range(head - 19, head + 1))


async def test_a_burst_at_both_nodes_reaches_both_in_order(pair: Pair) -> None:
    ada, mila, project, hers, milas = await pair.two()
    # Fewer than are told one by one from the log, which a slow machine may have to ask.
    await asyncio.gather(*(who.task(project, "x") for who in (ada, mila) for _ in range(20)))
    head = (await ada.tasks(project))["rev"]
    for ear in (hers, milas):
        await until(lambda e=ear: revs(e)[-1:] == [head])  # type: ignore[misc]
        assert revs(ear) == list(range(head - 39, head + 1))


async def test_boards_with_a_redis_database_each_do_not_hear_each_other(
    pair: Pair, settings: Settings, redis: RedisProcess
) -> None:
    other = Settings(database=settings.database, redis=f"{redis.url}/1", jwt_secret=SECRET)
    async with running(other) as stranger:
        cluster = stranger.server.live.cluster
        await until(lambda: cluster.bus is not None and cluster.bus.ready)
        (
            ada,
            _,
            _,
            hers,
            milas,
        ) = await pair.two()  # a presence that went over Redis, later than all heartbeats
        await until(lambda: hers.online() == milas.online() == {ada.name, "mila"})
        assert cluster.others == 0
        assert pair.here.server.live.cluster.others == 1


async def test_people_at_both_nodes_see_each_other_and_a_person_is_listed_once(pair: Pair) -> None:
    ada, _, project, hers, milas = await pair.two()
    both = {"ada", "mila"}
    await until(lambda: hers.online() == both and milas.online() == both)
    second = await pair.at(pair.there, ada).ear(project)
    await until(lambda: terminals(milas) == {"ada": 2, "mila": 1})
    await second.close()
    await until(lambda: terminals(milas) == {"ada": 1, "mila": 1})
    await milas.close()
    await until(lambda: hers.online() == {"ada"})


def terminals(ear: Ear) -> dict[str, int]:
    return {user["name"]: user["terminals"] for user in ear.of("presence:update")[-1]["users"]}


async def test_cursors_pass_between_nodes(pair: Pair) -> None:
    ada, _, project, hers, milas = await pair.two()
    task = await ada.task(project)
    await hers.call("cursor:update", {"projectId": project, "taskId": task["id"]})
    await until(lambda: milas.of("cursor:update"))
    assert milas.of("cursor:update")[0]["userName"] == "ada"
    assert not hers.of("cursor:update")


async def test_a_removed_member_hears_nothing_more_at_any_node(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, mila, project, hers, milas = await pair.two()
    # The message that she is out gets lost; what her own node commits after it must wait for the log.
    monkeypatch.setattr(pair.there.server.live.cluster, "_take", lambda _: None)
    await done(ada.delete(f"/api/projects/{project}/members/{mila.id}"))
    other = pair.at(pair.there, ada)
    await other.task(project, "Secret")
    await until(lambda: milas.of("project:removed") and hers.of("task:created"))
    assert not milas.of("task:created")


async def test_a_person_hears_of_their_inbox_at_any_node(pair: Pair) -> None:
    ada, mila, project, _, milas = await pair.two()
    await ada.task(project, "Yours", assignedTo=mila.id)
    await until(lambda: milas.of("inbox:updated"))


async def test_without_redis_an_edit_is_late_and_not_lost(pair: Pair) -> None:
    ada, mila, project, hers, milas = await pair.two()
    await until(lambda: hers.online() == {"ada", "mila"})
    pair.redis.stop()
    task = await ada.task(project, "Late")
    comments = f"/api/projects/{project}/tasks/{task['id']}/comments"
    await done(ada.post(comments, {"content": "and said"}))
    await until(lambda: milas.of("comment:created"), 3, "from the log")
    assert [told["task"]["title"] for told in milas.of("task:created")] == ["Late"]
    assert milas.of("comment:created")[0]["content"] == "and said"
    await until(lambda: hers.online() == {"ada"}, 5, "nobody vouches for mila")

    buses = [world.server.live.cluster.bus for world in (pair.here, pair.there)]
    await until(lambda: not any(each and each.ready for each in buses))
    assert (await pair.here.http.get("/ready")).status_code == 503
    leaving_it_out = await pair.here.http.get("/ready?redis=optional")
    assert (leaving_it_out.status_code, leaving_it_out.json()["redis"]) == (200, False)
    assert (await pair.here.http.get("/health")).status_code == 200

    pair.redis.start()
    await until(pair.ready, what="it heals by itself")
    await until(lambda: hers.online() == milas.online() == {"ada", "mila"})
    assert (await pair.here.http.get("/ready")).status_code == 200
    await mila.task(project, "Quick")
    await until(lambda: titles(hers) == ["Late", "Quick"])


def titles(ear: Ear) -> list[Any]:
    return [told["task"]["title"] for told in ear.of("task:created")]


async def test_a_node_that_falls_silent_takes_its_people_with_it(pair: Pair) -> None:
    _, _, _, hers, _ = await pair.two()
    await until(lambda: hers.online() == {"ada", "mila"})
    there = pair.there.server.live.cluster.bus
    assert there is not None
    await there.stop()
    await until(lambda: hers.online() == {"ada"}, 5)


async def test_a_session_that_ends_at_one_node_ends_at_the_other(pair: Pair) -> None:
    _, mila, _, _, milas = await pair.two()
    await done(pair.at(pair.here, mila).post("/api/auth/logout"))
    await until(lambda: milas.of("auth:expired") and milas.closed, 5)


async def test_a_process_that_comes_is_known_before_the_next_heartbeat(
    postgres: str, redis: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "HEARTBEAT_SECONDS", 60.0)
    monkeypatch.setattr(bus, "DEAF_SECONDS", 600.0)
    settings = Settings(database=postgres, redis=redis.url, jwt_secret=SECRET)
    async with running(settings) as here:
        first = here.server.live.cluster.bus
        assert first is not None
        await until(lambda: first.lag < 30, what="its own is heard, and there is nothing more to send")
        async with running(settings) as there:
            await until(Pair(here, there, redis).ready, what="each hears the other")


async def test_a_bus_ends_though_its_library_swallows_a_cancellation(redis: RedisProcess) -> None:
    made = bus.Bus(redis.url, "here", lambda *_: None, lambda _: None, lambda: None)
    made.start()
    await until(lambda: made.ready)
    sending = asyncio.Event()

    class Deaf:
        async def __aenter__(self) -> Deaf:
            return self

        async def __aexit__(self, *_: object) -> None: ...

        def publish(self, *_: object) -> None: ...

        async def execute(self) -> None:
            sending.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise TimeoutError from None

    made._redis.pipeline = lambda **_: Deaf()  # type: ignore[method-assign,assignment,return-value]
    await sending.wait()
    await asyncio.wait_for(made.stop(), 10)
