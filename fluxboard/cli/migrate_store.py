"""``fluxboard migrate-store``: a board moves to another database."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from fluxboard.cli.errors import CommandFailed
from fluxboard.cli.rows import Form, print_rows, printed
from fluxboard.cli.tasks import echo_json


@click.command("migrate-store")
@click.argument("source")
@click.argument("target")
@printed
def migrate_store(source: str, target: str, form: Form) -> None:
    """Move a board from SOURCE to TARGET: sqlite:///PATH or postgresql://USER@HOST/NAME, either way.

    End the servers first. TARGET must be empty. Both are compared before anything counts; what fails or is
    interrupted leaves TARGET empty, and SOURCE is only read.
    """
    from fluxboard.server.settings import BadSettings, database_url
    from fluxboard.server.storage.migrate import DatabaseTooNew, DatabaseUnreachable, file_of, place_of
    from fluxboard.server.storage.moving import CannotMove, count_rows, move

    os.umask(0o077)  # what people write is nobody else's on this computer
    try:
        source, target = (database_url(url, Path()) for url in (source, target))
        # Both sides are read once more to be compared.
        with click.progressbar(length=3 * count_rows(source), label="Moving", file=sys.stderr) as bar:
            compared = move(source, target, bar.update)
    except (BadSettings, CannotMove, DatabaseTooNew, DatabaseUnreachable) as error:
        raise CommandFailed(str(error)) from None
    except KeyboardInterrupt:
        raise CommandFailed("Interrupted; nothing was moved.", 130) from None
    if form == "json":
        echo_json(compared)
    else:
        print_rows(compared.tables, form)
        click.echo(f"{compared.projects} projects are the same on both sides, field for field.")
    file = file_of(source)
    secret = file.resolve().parent / "jwt-secret" if file is not None else None
    kept = f"what is in {secret}" if secret is not None and secret.exists() else "that of the old servers"
    click.echo(
        f"Moved to {place_of(target)}. The secret that signs tokens is not in a database: start the servers "
        f"with JWT_SECRET set to {kept}, or everybody signs in again.",
        err=True,
    )
