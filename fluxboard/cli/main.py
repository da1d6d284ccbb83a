"""The ``fluxboard`` command."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fluxboard.cli import account, tasks
from fluxboard.cli.admin import admin
from fluxboard.cli.board import open_board
from fluxboard.cli.config import config
from fluxboard.cli.migrate_store import migrate_store
from fluxboard.cli.state import data_folder
from fluxboard.cli.stats import stats

if TYPE_CHECKING:
    from fluxboard.server.settings import Settings

#: A server waits so long, in seconds, for one before it that is ending.
ENDING_SECONDS = 10.0


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fluxboard")
@click.option("--server", help="Server URL (default: the last one).")
@click.option("--project", help="Project id or name (default: the last one).")
@click.pass_context
def cli(context: click.Context, server: str | None, project: str | None) -> None:
    """A collaborative task board for the terminal. Without a command it opens the board."""
    if context.invoked_subcommand is None:
        open_board(server, project)


@cli.command()
@click.option("--seconds", type=float, hidden=True, help="End by itself.")
def demo(seconds: float | None) -> None:
    """Watch a living board: a seeded project with two teammates, nothing to set up."""
    from fluxboard.cli.demo import run_demo

    run_demo(seconds)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=5050, show_default=True, help="0 takes a free one."
)
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the database and the secret.")
@click.option("--database", help="Database URL (default: SQLite in the data folder).")
@click.option("--redis", help="Redis URL, where several servers share a PostgreSQL database.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes; several need PostgreSQL and Redis.",
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
@click.option("--otel", is_flag=True, help="Send traces to OTEL_EXPORTER_OTLP_ENDPOINT.")
@click.option("--attached", is_flag=True, hidden=True, help="End when standard input ends.")
def serve(
    host: str,
    port: int,
    data: Path | None,
    database: str | None,
    redis: str | None,
    workers: int,
    log_level: str,
    otel: bool,
    attached: bool,
) -> None:
    """Run a server for a team."""
    from filelock import Timeout

    from fluxboard.cli.local_server import announce
    from fluxboard.server.settings import BadSettings, Settings
    from fluxboard.server.storage.migrate import DatabaseTooNew, DatabaseUnreachable
    from fluxboard.server.workers import WorkersFailed

    os.umask(0o077)  # what people write is nobody else's on this computer
    folder = data or data_folder()

    def ready(url: str) -> None:
        announce(folder, url)
        click.echo(f"fluxboard serves {url}  (API: {url}/api/docs)", err=True)

    try:
        settings = Settings.load(
            host=host,
            port=port,
            data=folder,
            database=database,
            redis=redis,
            log_level=log_level,
            workers=workers,
            otel=otel,
        )
        _serve(settings, folder, ready, attached)
    except Timeout:
        raise click.ClickException(f"another server runs on the data in {folder}") from None
    except (BadSettings, DatabaseTooNew, DatabaseUnreachable, WorkersFailed) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def _serve(settings: Settings, folder: Path, ready: Callable[[str], None], attached: bool) -> None:
    from fluxboard.cli.local_server import holding

    # Two processes must not write one SQLite file; one that is ending gets the time to end.
    alone = holding(folder, ENDING_SECONDS) if settings.database.startswith("sqlite:") else nullcontext()
    with alone:
        if settings.workers > 1:
            from fluxboard.server.workers import supervise

            supervise(settings, ready, attached=attached)
        else:
            from fluxboard.server.process import run

            run(settings, ready, attached=attached)


for command in (
    account.login,
    account.logout,
    account.whoami,
    account.projects,
    account.create,
    account.invite,
    account.join,
    tasks.list_tasks,
    tasks.add,
    tasks.show,
    tasks.edit,
    tasks.move,
    tasks.done,
    tasks.comment,
    tasks.delete,
    tasks.watch,
    stats,
    config,
    admin,
    migrate_store,
):
    cli.add_command(command)


def main() -> None:
    """Entry point; an unexpected failure is told in one line unless FLUXBOARD_DEBUG is set."""
    try:
        cli()
    except Exception as error:
        if os.environ.get("FLUXBOARD_DEBUG"):
            raise
        click.echo(f"fluxboard: unexpected error: {type(error).__name__}: {error}", err=True)
        click.echo("Set FLUXBOARD_DEBUG=1 to see where it comes from.", err=True)
        raise SystemExit(70) from None
