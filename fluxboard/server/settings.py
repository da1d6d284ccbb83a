"""What a server is told from outside: options, environment, and the secret that it makes for itself."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from fluxboard.server.traces import asked_for, installed

SECRET_MIN = 32
TOKEN_MIN = 16


class BadSettings(Exception):
    """A setting that cannot be used; the message says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where to listen, where the data is, and how tokens are signed. ``port`` 0 takes a free one.

    With several ``workers`` only WebSockets are served: a poll could come to another process than the last.
    Without a ``metrics_token`` the figures are for this computer alone.
    """

    host: str = "127.0.0.1"
    port: int = 5050
    database: str = field(repr=False)
    redis: str | None = field(default=None, repr=False)
    jwt_secret: str = field(repr=False)
    cors_origins: tuple[str, ...] = ()
    log_level: str = "info"
    workers: int = 1
    metrics_token: str | None = field(default=None, repr=False)
    otel: bool = False

    @classmethod
    def load(
        cls,
        *,
        data: Path,
        host: str = "127.0.0.1",
        port: int = 5050,
        database: str | None = None,
        redis: str | None = None,
        log_level: str = "info",
        workers: int = 1,
        otel: bool = False,
    ) -> Settings:
        """Settings from options and the environment.

        Read are JWT_SECRET, CORS_ORIGINS, DATABASE_URL, REDIS_URL and METRICS_TOKEN, or the files that
        JWT_SECRET_FILE and so on name. Raises BadSettings for a folder that cannot be written, a file that
        cannot be read, a URL or an origin that is none, a database that is shared without a JWT_SECRET, a
        secret that is too short, what needs a package that is not installed, and several workers without
        PostgreSQL and Redis. Traces are sent with ``otel``, or where OpenTelemetry's variables name a
        collector and its packages are installed.
        """
        _make_writable(data)
        url = database_url(database, data)
        bus = redis or from_environment("REDIS_URL")
        if bus and not _is_redis(bus):
            raise BadSettings("Redis must be redis://HOST:PORT/NUMBER, or rediss:// with TLS.")
        if bus and find_spec("redis") is None:
            raise BadSettings("Redis needs one more package: pip install 'fluxboard[scale]'.")
        if workers > 1 and not (bus and url.startswith("postgres")):
            raise BadSettings("Several workers need --database postgresql://… and --redis redis://….")
        metrics_token = from_environment("METRICS_TOKEN")
        if metrics_token and len(metrics_token) < TOKEN_MIN:
            raise BadSettings(f"METRICS_TOKEN must have at least {TOKEN_MIN} characters.")
        if otel and not installed():
            raise BadSettings("Traces need more packages: pip install 'fluxboard[otel]'.")
        origins = from_environment("CORS_ORIGINS") or ""
        return cls(
            host=host,
            port=port,
            database=url,
            redis=bus,
            jwt_secret=_secret(data, single_machine=url.startswith("sqlite:")),
            cors_origins=tuple(_origin(given.strip()) for given in origins.split(",") if given.strip()),
            log_level=log_level,
            workers=workers,
            metrics_token=metrics_token,
            otel=otel or (asked_for() and installed()),
        )


def from_environment(name: str) -> str | None:
    """A setting from NAME, or from the file that NAME_FILE names, as secrets are given to containers.

    Raises BadSettings.
    """
    file = os.environ.get(f"{name}_FILE")
    if os.environ.get(name) or not file:
        return os.environ.get(name) or None
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{name}_FILE names {file}, which cannot be read: {error}") from None


def database_url(given: str | None, data: Path) -> str:
    """The database that is meant: given, from DATABASE_URL, or the file in ``data``. Raises BadSettings."""
    url = given or from_environment("DATABASE_URL") or f"sqlite:///{data.resolve() / 'fluxboard.db'}"
    file = url.startswith("sqlite:///") and url.removeprefix("sqlite:///") not in {"", ":memory:"}
    if not file and not url.startswith(("postgresql://", "postgres://")):
        raise BadSettings("The database must be sqlite:///PATH or postgresql://USER@HOST/NAME.")
    if not file and not _has_place(url):
        raise BadSettings(
            "The database URL is not postgresql://USER:PASSWORD@HOST:PORT/NAME with one host. In a user or a "
            "password write @ as %40, / as %2F, # as %23, and so on."
        )
    if url.startswith("postgres") and find_spec("psycopg") is None:
        raise BadSettings("PostgreSQL needs one more package: pip install 'fluxboard[postgres]'.")
    return url


def _has_place(url: str) -> bool:
    """Whether a URL can be taken apart, and no character of a password was taken for one of its signs."""
    try:
        parts = urlsplit(url)
        return parts.port != 0 and parts.netloc.count("@") < 2 and not parts.fragment
    except ValueError:
        return False


def _origin(given: str) -> str:
    """An origin as browsers spell it. Raises BadSettings for what none of them would ever send."""
    origin = given.lower().removesuffix("/")
    scheme, _, host = origin.partition("://")
    if not scheme or not host or "/" in host or "*" in host:
        raise BadSettings(f"CORS_ORIGINS has {given}, and needs origins such as https://board.example.com.")
    return origin


def _is_redis(url: str) -> bool:
    """Whether a URL names a Redis; its client would take a number that is none for 0, another board's."""
    if not url.startswith(("redis://", "rediss://")) or not _has_place(url):
        return False
    number = urlsplit(url).path.strip("/")
    return not number or number.isdecimal()


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise BadSettings(f"The data folder {folder} cannot be written: {error.strerror}.") from None


def _secret(data: Path, *, single_machine: bool) -> str:
    given = from_environment("JWT_SECRET")
    if given:
        if len(given) < SECRET_MIN:
            raise BadSettings(f"JWT_SECRET must have at least {SECRET_MIN} characters.")
        return given
    if not single_machine:
        raise BadSettings("Set JWT_SECRET: every server on this database must sign with the same one.")
    path = data / "jwt-secret"
    if not path.exists():
        # Whole before it has its name: another server may start at this moment, and this one may be killed.
        descriptor, made = tempfile.mkstemp(dir=data, prefix="jwt-secret.")  # readable by its owner only
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
        os.unlink(made)
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSettings(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        secret = ""
    if len(secret) < SECRET_MIN:
        raise BadSettings(f"{path} is damaged. Delete it; everybody then signs in again.")
    return secret
