"""How the work of a project flows, in words or as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from fluxboard.cli.connect import find_project, signed_in
from fluxboard.cli.errors import CommandFailed, run
from fluxboard.cli.tasks import echo_json, where
from fluxboard.cli.waiting import waiting


@click.command()
@where
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write the plots to this file.")
def stats(server: str | None, project: str | None, as_json: bool, svg: Path | None) -> None:
    """Say how the work flows, in words or as a picture of plots."""

    async def work() -> None:
        from datetime import UTC, datetime

        from fluxboard.tui.plots import PLOTS, Past
        from fluxboard.tui.plots import svg as picture

        async with signed_in(server) as session:
            found = await find_project(session, project)
            board = await session.board(found.id)
            with waiting("Reading the log") as tell:
                await board.start()
                changes = await board.status_changes(tell)
            await board.close()
            names = {member.user_id: member.name or member.email for member in board.members}
            tasks = list(board.tasks.values())
            past = Past(board.project, tasks, changes, names, datetime.now(UTC).astimezone().date())
        told = {plot.title: plot.told(past) for plot in PLOTS}
        if svg is not None:
            write_text(svg, picture(past))
            click.echo(f"{svg} is written.")
        elif as_json:
            echo_json(told)
        else:
            for title, words in told.items():
                click.echo(f"{title}: {words}")

    run(work())


def write_text(path: Path, text: str) -> None:
    """Writes a file. Raises CommandFailed."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror or error}") from None
