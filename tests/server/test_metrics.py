"""What /metrics and /ready say, and to whom."""

from __future__ import annotations

import dataclasses

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fluxboard.server.settings import BadSettings, Settings
from fluxboard.server.storage.migrate import HEAD
from tests.server.world import World, done, running
from tests.support.waiting import until


async def figures(http: httpx.AsyncClient, **headers: str) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels, sorted."""
    answer = await http.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.parametrize("world", ["sqlite", "postgres"], indirect=True)
async def test_the_figures_say_what_happened(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    project = await ada.project()
    await ada.add(project, bob)
    hers, his = await ada.ear(project), await bob.ear(project)
    await ada.task(project, "One", X_Socket_ID=hers.id)
    await hers.sio.emit("no-such-event", {})
    wrong = {"email": ada.email, "password": "not the right one"}
    assert (await world.http.post("/api/auth/login", json=wrong)).status_code == 401
    await until(lambda: his.of("task:created"))
    seen = await figures(world.http)
    assert seen["fluxboard_sockets",] == 2
    assert seen["fluxboard_rooms", "10"] == 1
    assert seen["fluxboard_largest_room_sockets",] == 2
    assert seen["fluxboard_events_total", "in", "join:project"] == 2
    assert seen["fluxboard_events_total", "in", "other"] == 1
    assert seen["fluxboard_events_total", "out", "task:created"] >= 1
    assert seen["fluxboard_login_failures_total",] == 1
    assert seen["fluxboard_publish_seconds_count",] >= 1
    assert 0 <= seen["fluxboard_publish_seconds_sum",] < 5
    assert seen["fluxboard_commit_seconds_count",] >= 4
    assert seen["fluxboard_commit_jobs_sum",] >= seen["fluxboard_commit_jobs_count",]
    route = "/api/projects/{project_id}/tasks"
    assert seen["fluxboard_request_seconds_count", "/api/auth/login", "401", "POST"] == 1
    assert any(key[0] == "fluxboard_request_seconds_count" and route in key for key in seen), seen
    assert seen["fluxboard_resident_bytes",] > 10_000_000
    text = (await world.http.get("/metrics")).text
    assert "no-such-event" not in text
    assert ada.email not in text


async def test_they_are_for_this_computer_or_for_who_has_the_token(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(settings) as world:
        passed_on = await world.http.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
        assert passed_on.status_code == 403
    guarded = dataclasses.replace(settings, metrics_token="a-token-for-prometheus")
    async with running(guarded) as world:
        assert (await world.http.get("/metrics")).status_code == 403
        assert (await world.http.get("/metrics", headers={"Authorization": "Bearer x"})).status_code == 403
        headers = {"Authorization": "Bearer a-token-for-prometheus", "X-Forwarded-For": "203.0.113.9"}
        assert (await world.http.get("/metrics", headers=headers)).status_code == 200
    assert "a-token" not in repr(guarded)


def test_a_token_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from pathlib import Path

    monkeypatch.setenv("METRICS_TOKEN", "short")
    with pytest.raises(BadSettings, match="METRICS_TOKEN"):
        Settings.load(data=Path(str(tmp_path)))


async def test_ready_looks_at_the_schema(postgres: str) -> None:
    async with running(Settings(database=postgres, jwt_secret="x" * 32)) as world:
        assert (await done(world.http.get("/ready")))["migrations"]
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0001'")
            answer = await world.http.get("/ready")
            assert answer.status_code == 503
            assert answer.json()["database"]
            assert not answer.json()["migrations"]
            # While a newer program comes, server by server, the older ones serve on.
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            assert (await done(world.http.get("/ready")))["migrations"]
            connection.execute("UPDATE alembic_version SET version_num = %s", (HEAD,))
