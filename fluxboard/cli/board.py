"""Opening the board: straight to the last one, or by asking at the first run."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, cast, get_args

import click

from fluxboard.cli.connect import find_project, sign_in_locally
from fluxboard.cli.errors import CommandFailed, run
from fluxboard.cli.state import LOCAL, recall, remember

if TYPE_CHECKING:
    from fluxboard.tui.config import Config
    from fluxboard.tui.widgets.card import Density

FIRST_PROJECT = "My first board"

CHOICES = """Welcome to fluxboard. Where is your board?

  1  on this computer
  2  on a team's server
  3  just show me the demo
"""


def open_board(server: str | None, project: str | None) -> None:
    """Opens the board in the terminal; asks where it is when nothing is known yet."""
    chosen = server or _environment_server() or recall().server or _ask()
    if chosen == "demo":
        from fluxboard.cli.demo import run_demo

        run_demo(None)
        return
    run(_show(chosen, project))


def _environment_server() -> str | None:
    import os

    return os.environ.get("FLUXBOARD_SERVER")


def _ask() -> str:
    click.echo(CHOICES)
    match click.prompt("Choose", type=click.Choice(["1", "2", "3"]), default="1"):
        case "1":
            return LOCAL
        case "2":
            return str(click.prompt("Server URL", default="http://127.0.0.1:5050"))
        case _:
            return "demo"


async def _show(chosen: str, wanted: str | None) -> None:
    from fluxboard.cli.memory import FileMemory
    from fluxboard.client.session import Session
    from fluxboard.tui.app import FluxboardApp

    config, problems = settings()
    if chosen == LOCAL:
        session = await sign_in_locally()
        if not await session.projects():
            await session.create_project(FIRST_PROJECT)
        project_id: str | None = (await find_project(session, wanted)).id
    else:
        session = await Session.open(chosen)
        project_id = None
        if session.user is not None:
            project_id = (await find_project(session, wanted)).id if wanted else recall().project_id
            if project_id is None and len(projects := await session.projects()) == 1:
                project_id = projects[0].id
    memory = FileMemory()
    try:
        app = FluxboardApp(
            session,
            project_id,
            config=config,
            memory=memory,
            problems=problems,
            on_open=lambda opened: remember(server=chosen, project_id=opened),
        )
        await app.run_async()
        if app.return_code:
            raise CommandFailed("The board ended with an error; nothing that was saved is lost.")
    finally:
        memory.save()
        await asyncio.shield(session.close())


def settings() -> tuple[Config, list[str]]:
    """The user's settings, completed by what was last chosen on the screen; and what is wrong with them."""
    from fluxboard.cli.config import config_path
    from fluxboard.tui.config import Config, read_config
    from fluxboard.tui.themes import SIXTEEN
    from fluxboard.tui.widgets.card import Density

    file, last = config_path(), recall()
    try:
        config, problems = read_config(file.read_text(encoding="utf-8")) if file.exists() else (Config(), ())
        told = [f"{file.name}, {problem}" for problem in problems]
    except (OSError, UnicodeDecodeError) as error:
        config, told = Config(), [f"{file} cannot be read: {error}"]
    density = last.density if last.density in get_args(Density) else None
    theme = config.theme or last.theme or (SIXTEEN.name if _has_few_colours() else None)
    return replace(config, theme=theme, density=config.density or cast("Density | None", density)), told


def _has_few_colours() -> bool:
    """Whether the terminal has its own 16 colours and no others."""
    from rich.console import Console

    return Console().color_system == "standard"
