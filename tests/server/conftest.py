from __future__ import annotations

import functools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import argon2
import pytest

from fluxboard.server.settings import Settings
from fluxboard.server.storage.migrate import migrate
from tests.server.world import SECRET, World, running

POSTGRES = os.environ.get("FLUXBOARD_TEST_POSTGRES")
REDIS = os.environ.get("FLUXBOARD_TEST_REDIS")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id as it is used takes a tenth of a second an account, the look for garbage one a start."""
    cheap = functools.partial(argon2.PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("fluxboard.server.auth.PasswordHasher", cheap)
    monkeypatch.setattr("fluxboard.server.app.gc", Mock())


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "fluxboard.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite(empty_sqlite: Path, tmp_path: Path) -> str:
    """The URL of a fresh SQLite database."""
    path = tmp_path / "fluxboard.db"
    shutil.copy(empty_sqlite, path)
    return f"sqlite:///{path}"


def new_postgres() -> tuple[str, str]:
    """The address of the server and the URL of a new empty database on it."""
    if not POSTGRES:
        pytest.skip("FLUXBOARD_TEST_POSTGRES is not set")
    import psycopg

    name = f"fluxboard_{uuid4().hex}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type, unused-ignore]
    return name, urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))


def drop_postgres(name: str) -> None:
    import psycopg

    with psycopg.connect(POSTGRES or "", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type, unused-ignore]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL database of this module."""
    name, url = new_postgres()
    yield url
    drop_postgres(name)


@pytest.fixture
def settings(sqlite: str) -> Settings:
    return Settings(database=sqlite, jwt_secret=SECRET)


def _settings(request: pytest.FixtureRequest, kind: str) -> Settings:
    database = request.getfixturevalue("sqlite" if kind == "sqlite" else "postgres")
    if kind != "two nodes":
        return Settings(database=database, jwt_secret=SECRET)
    if not REDIS:
        pytest.skip("FLUXBOARD_TEST_REDIS is not set")
    return Settings(database=database, redis=_redis_of(request), jwt_secret=SECRET)


def _redis_of(request: pytest.FixtureRequest) -> str:
    """The Redis of the tests, with a database number for each of the processes that run them."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    url = urlsplit(REDIS or "")
    number = (int(url.path.strip("/") or 0) + int(worker.removeprefix("gw"))) % 16
    return urlunsplit(url._replace(path=f"/{number}"))


@pytest.fixture(params=["sqlite", "postgres", "two nodes"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A board as it may be served: by one server on either database, or by two that talk over Redis."""
    async with running(_settings(request, request.param), 2 if request.param == "two nodes" else 1) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
async def lone(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """One server, for the tests that look inside it."""
    async with running(_settings(request, request.param)) as made:
        yield made
