"""What a server says to settings that it cannot use: which one, and never a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxboard.server.settings import BadSettings, Settings
from fluxboard.server.storage.migrate import DatabaseUnreachable, migrate
from fluxboard.server.storage.moving import count_rows


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"DATABASE_URL": "sqlite:///"}, "The database must be sqlite:///PATH"),
        ({"DATABASE_URL": "sqlite:///:memory:"}, "The database must be sqlite:///PATH"),
        ({"DATABASE_URL": "postgresql://ada:s3cret@db:port/board"}, "write @ as %40"),
        ({"DATABASE_URL": "postgresql://ada:s3@cret@db/board"}, "write @ as %40"),
        ({"DATABASE_URL": "postgresql://ada:[s3cret@db/board"}, "write @ as %40"),
        ({"DATABASE_URL": "postgresql://ada:#s3cret@db/board"}, "write @ as %40"),
        ({"REDIS_URL": "redis://:s3cret@redis/board"}, "Redis must be redis://HOST:PORT/NUMBER"),
        ({"REDIS_URL": "redis://:s3cret@redis:port/1"}, "Redis must be redis://HOST:PORT/NUMBER"),
    ],
)
def test_a_url_that_says_no_place_is_refused(
    given: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"JWT_SECRET": "a-secret-that-is-long-enough-for-it", **given}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as refused:
        Settings.load(data=tmp_path)
    assert said in str(refused.value)
    assert "s3" not in str(refused.value)


def test_an_origin_is_as_browsers_spell_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://Board.example.com/, http://localhost:8080,")
    assert Settings.load(data=tmp_path).cors_origins == ("https://board.example.com", "http://localhost:8080")
    for none in (
        "*",
        "board.example.com",
        "https://",
        "https://board.example.com/app",
        "https://*.example.com",
    ):
        monkeypatch.setenv("CORS_ORIGINS", none)
        with pytest.raises(BadSettings, match="CORS_ORIGINS has "):
            Settings.load(data=tmp_path)


def test_a_folder_or_a_secret_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(BadSettings, match=f"The data folder {file} cannot be written: File exists"):
        Settings.load(data=file)
    (tmp_path / "jwt-secret").mkdir()
    with pytest.raises(BadSettings, match="jwt-secret cannot be read: Is a directory"):
        Settings.load(data=tmp_path)


def test_a_file_that_is_no_database_or_not_ours_is_told(tmp_path: Path) -> None:
    file = tmp_path / "board.db"
    file.write_bytes(b"not a database, and long enough to be read as one" * 100)
    with pytest.raises(DatabaseUnreachable, match="file is not a database"):
        migrate(f"sqlite:///{file}")
    with pytest.raises(DatabaseUnreachable, match="file is not a database"):
        count_rows(f"sqlite:///{file}")
    (tmp_path / "other.db-turn").mkdir()
    with pytest.raises(DatabaseUnreachable, match=r"other\.db-turn"):
        migrate(f"sqlite:///{tmp_path}/other.db")


def test_a_postgres_that_lets_nobody_make_tables_is_told(postgres: str) -> None:
    standby = f"{postgres}?options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(DatabaseUnreachable, match="read-only transaction"):
        migrate(standby)
    with pytest.raises(DatabaseUnreachable, match='invalid connection option "nonsense"'):
        migrate(f"{postgres}?nonsense=1")


def test_a_path_means_the_same_to_all_who_open_the_file(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/100%25 ours?.db")
    assert {path.name for path in tmp_path.iterdir()} == {"100%25 ours?.db", "100%25 ours?.db-turn"}
