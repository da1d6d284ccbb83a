from __future__ import annotations

import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from fluxboard.client import credentials as module
from fluxboard.client.credentials import Credential, Credentials, FileRefused
from fluxboard.model.types import User

ADA = Credential(user=User(id="u", email="ada@example.com", name="Ada"), refresh_token="secret-token")
SERVER = "https://boards.example.com"


class Memory(KeyringBackend):
    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("not there")


class Locked(Memory):
    """Waits for somebody to type a password."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.answered.wait(20)
        return None


@pytest.fixture
def backend() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("backend")
async def test_the_keyring_is_used_and_no_file(tmp_path: Path) -> None:
    memory = Memory()
    keyring.set_keyring(memory)
    store = Credentials(tmp_path)
    await store.save(SERVER, ADA)
    assert await Credentials(tmp_path).load(SERVER) == ADA
    assert list(tmp_path.iterdir()) == []
    assert store.note is None
    await store.forget(SERVER)
    assert await store.load(SERVER) is None


@pytest.mark.usefixtures("backend")
async def test_without_a_keyring_a_private_file_is_named_once(tmp_path: Path) -> None:
    keyring.set_keyring(NoKeyring())
    store = Credentials(tmp_path / "state")
    await store.save(SERVER, ADA)
    path = tmp_path / "state" / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert str(path) in (store.note or "")
    again = Credentials(tmp_path / "state")
    assert await again.load(SERVER) == ADA
    await again.save(SERVER, ADA)
    assert again.note is None
    await again.forget(SERVER)
    assert b"secret-token" not in path.read_bytes()


@pytest.mark.usefixtures("backend")
async def test_a_keyring_that_waits_for_nobody_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = Locked()
    keyring.set_keyring(locked)
    monkeypatch.setattr(module, "KEYRING_SECONDS", 0.1)
    store = Credentials(tmp_path)
    assert await store.load(SERVER) is None
    locked.answered.set()
    await store.save(SERVER, ADA)
    assert await store.load(SERVER) == ADA


@pytest.mark.usefixtures("backend")
@pytest.mark.skipif(sys.platform == "win32", reason="file modes")
async def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    keyring.set_keyring(NoKeyring())
    path = tmp_path / "credentials.json"
    path.write_text("{}")
    path.chmod(0o644)
    with pytest.raises(FileRefused, match="chmod 600"):
        await Credentials(tmp_path).load(SERVER)
    path.unlink()
    (tmp_path / "elsewhere").write_text("{}")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileRefused):
        await Credentials(tmp_path).load(SERVER)


@pytest.mark.usefixtures("backend")
async def test_a_broken_file_is_no_credential(tmp_path: Path) -> None:
    keyring.set_keyring(NoKeyring())
    path = tmp_path / "credentials.json"
    path.write_text("nonsense")
    path.chmod(0o600)
    assert await Credentials(tmp_path).load(SERVER) is None
