"""Where a token is kept between runs: the system's keyring, else a file that only its owner can read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol, TypeVar

import msgspec
import platformdirs

from fluxboard.model.types import User

SERVICE: Final = "fluxboard"
#: A locked keyring may wait for somebody who is not there.
KEYRING_SECONDS: Final = 2.0

T = TypeVar("T")


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What signs a user in again: a refresh token, or on a Core server the token itself."""

    user: User
    refresh_token: str | None = None
    token: str | None = None


class FileRefused(Exception):
    """The credentials' file is readable by others, or is not a file of ours."""


def state_folder() -> Path:
    """Where a client keeps what it remembers."""
    return Path(platformdirs.user_state_dir("fluxboard", appauthor=False))


class Credentials:
    """Credentials by server. ``note`` says once when they go to a file, for the user to know."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or state_folder()
        self._keyring_works = True
        self.note: str | None = None

    @property
    def lock_path(self) -> Path:
        """The lock that terminals take before they refresh a shared token."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._folder / "credentials.lock"

    async def load(self, server: str) -> Credential | None:
        """The credential for a server. Raises FileRefused."""
        text = await self._keyring(lambda: _keyring().get_password(SERVICE, server))
        if text is None:
            text = self._file().get(server)
        try:
            return msgspec.json.decode(text, type=Credential) if text else None
        except msgspec.DecodeError:
            return None

    async def save(self, server: str, credential: Credential) -> None:
        """Keeps a credential. Raises FileRefused."""
        text = msgspec.json.encode(credential).decode()
        saved = await self._keyring(lambda: _store(server, text))
        if saved:
            return
        known = self._file()
        if not known and not self._path.exists():
            self.note = f"No keyring is available: the token is kept in {self._path} (only you can read it)."
        self._write(known | {server: text})

    async def forget(self, server: str) -> None:
        """Deletes a credential."""
        await self._keyring(lambda: _delete(server))
        known = self._file()
        if known.pop(server, None) is not None:
            self._write(known)

    @property
    def _path(self) -> Path:
        return self._folder / "credentials.json"

    async def _keyring(self, work: Callable[[], T]) -> T | None:
        """Runs ``work`` in a thread of its own; None when there is no keyring or it does not answer."""
        if not self._keyring_works:
            return None
        thread = ThreadPoolExecutor(1, thread_name_prefix="keyring")
        try:
            found = asyncio.get_running_loop().run_in_executor(thread, work)
            return await asyncio.wait_for(asyncio.shield(found), KEYRING_SECONDS)
        except Exception:  # backends raise what they like; each means: not here
            self._keyring_works = False
            return None
        finally:
            thread.shutdown(wait=False, cancel_futures=True)

    def _file(self) -> dict[str, str]:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise FileRefused(f"{self._path} cannot be read: {error.strerror}") from None
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise FileRefused(f"{self._path} can be read by others. Run: chmod 600 {self._path}")
            with contextlib.suppress(msgspec.DecodeError):
                return msgspec.json.decode(file.read(), type=dict[str, str])
        return {}

    def _write(self, known: dict[str, str]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._path.with_name(f"credentials.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(known))
        temporary.replace(self._path)


class _NoKeyring(Exception):
    pass


class _Keyring(Protocol):
    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


def _keyring() -> _Keyring:
    import keyring

    backend: _Keyring = keyring.get_keyring()
    module = type(backend).__module__
    # keyrings.alt writes plain text where nobody expects it; our own file at least says so.
    if module.startswith(("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")):
        raise _NoKeyring
    return backend


def _store(server: str, text: str) -> bool:
    _keyring().set_password(SERVICE, server, text)
    return True


def _delete(server: str) -> None:
    import keyring.errors

    with contextlib.suppress(keyring.errors.PasswordDeleteError):
        _keyring().delete_password(SERVICE, server)
