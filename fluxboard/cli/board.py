"""Opening the board: straight to the last one, or by asking at the first run."""

from __future__ import annotations

import asyncio
import gc
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast, get_args

import click

from fluxboard.cli.connect import find_project, fitting, open_session
from fluxboard.cli.errors import CommandFailed, run
from fluxboard.cli.state import LOCAL, recall, remember

if TYPE_CHECKING:
    from fluxboard.client.session import Session
    from fluxboard.tui.config import Config
    from fluxboard.tui.widgets.card import Density

FIRST_PROJECT: Final = "My first board"
#: By then the program has started, in seconds.
_STARTED: Final = 3.0

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
    from fluxboard.client.importing import imported

    # What is made while the program starts stays: to look for garbage in it only takes time.
    gc.disable()
    asyncio.get_running_loop().call_later(_STARTED, _collect_garbage)
    opening = asyncio.create_task(open_session(chosen))
    # Half as long to the next frame; the library reads it when it is imported.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    # What was seen before is read from the disk while the screen's library is imported.
    await imported("fluxboard.tui.app")
    from fluxboard.cli.memory import FileMemory
    from fluxboard.tui.app import FluxboardApp

    config, problems = settings()
    session, memory = await opening, FileMemory()
    try:
        app = FluxboardApp(
            session,
            await _project_id(session, chosen, wanted),
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


def _collect_garbage() -> None:
    gc.freeze()
    gc.enable()


async def _project_id(session: Session, chosen: str, wanted: str | None) -> str | None:
    """The project to open, without the network where it was seen before; None lets the user choose."""
    if session.user is None:
        return None
    last = recall()
    if wanted is None and last.server == chosen and last.project_id is not None:
        seen = [project for project in session.seen if project.id == last.project_id]
    else:
        seen = fitting(session.seen, wanted) if wanted is not None else []
    if len(seen) == 1:
        return seen[0].id
    projects = await session.projects()
    if chosen == LOCAL and not projects:
        return (await session.create_project(FIRST_PROJECT)).id
    if chosen == LOCAL or wanted is not None:
        return (await find_project(session, wanted)).id
    return projects[0].id if len(projects) == 1 else None


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
