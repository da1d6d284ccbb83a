"""Commands on the account and its projects: login, logout, whoami, projects, invite, join."""

from __future__ import annotations

import sys

import click

from fluxboard.cli.connect import chosen_server, find_project, signed_in
from fluxboard.cli.errors import CommandFailed, run
from fluxboard.cli.state import recall, remember
from fluxboard.cli.tasks import echo_json
from fluxboard.model.types import ROLES, Role


@click.command()
@click.option("--server", help="Server URL (default: the last one).")
@click.option("--email", prompt=True)
@click.option("--signup", is_flag=True, help="Make a new account.")
@click.option("--name", help="Your name, for a new account.")
def login(server: str | None, email: str, signup: bool, name: str | None) -> None:
    """Sign in to a server and remember it. The password is asked for, or read from stdin in a script."""
    from fluxboard.client.api import ApiError
    from fluxboard.client.session import Session

    chosen = chosen_server(server)
    # Never an option: a command line is there for everybody on this computer to read.
    asked = sys.stdin.isatty()
    password = (
        click.prompt("Password", hide_input=True, confirmation_prompt=signup)
        if asked
        else sys.stdin.readline().rstrip("\n")
    )

    async def work() -> None:
        session = await Session.open(chosen)
        try:
            try:
                if signup:
                    await session.sign_up(email, password, name or email.split("@", maxsplit=1)[0])
                else:
                    await session.sign_in(email, password)
            except ApiError as error:
                raise CommandFailed(
                    f"{error}. A new account? Add --signup." if not signup else str(error)
                ) from None
            if recall().server != session.server:
                remember(server=session.server, project_id=None)
            click.echo(f"Signed in to {session.server} as {session.user.name if session.user else email}.")
            if session.store_note:
                click.echo(session.store_note, err=True)
        finally:
            await session.close()

    run(work())


@click.command()
@click.option("--server", help="Server URL (default: the last one).")
def logout(server: str | None) -> None:
    """Sign out and forget the token."""

    async def work() -> None:
        async with signed_in(server) as session:
            unsent = session.unsent()
            await session.sign_out()
            click.echo(f"Signed out of {session.place}.")
            if unsent:
                click.echo(f"{unsent} edits were not sent; they are kept for your next sign-in here.")

    run(work())


@click.command()
@click.option("--server", help="Server URL (default: the last one).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def whoami(server: str | None, as_json: bool) -> None:
    """Say who is signed in, and where."""

    async def work() -> None:
        async with signed_in(server) as session:
            if as_json:
                echo_json({"server": session.server, "user": session.user})
            elif session.user is not None:
                click.echo(f"{session.user.name} <{session.user.email}> on {session.place}")

    run(work())


@click.command()
@click.option("--server", help="Server URL (default: the last one).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--plain", is_flag=True, help="Sentences without columns, for screen readers.")
def projects(server: str | None, as_json: bool, plain: bool) -> None:
    """List your projects."""

    async def work() -> None:
        async with signed_in(server) as session:
            found = await session.projects()
        if as_json:
            echo_json(found)
            return
        for project in found:
            if plain:
                click.echo(f"{project.name}, {project.progress} percent finished")
            else:
                click.echo(f"{project.id}  {project.progress:>3}%  {project.name}")

    run(work())


@click.command()
@click.argument("name")
@click.option("--server", help="Server URL (default: the last one).")
@click.option("--description", default="")
def create(name: str, server: str | None, description: str) -> None:
    """Create a project."""

    async def work() -> None:
        async with signed_in(server) as session:
            project = await session.create_project(name, description)
        click.echo(f"{project.id}  {project.name}")

    run(work())


@click.command()
@click.option("--server", help="Server URL (default: the last one).")
@click.option("--project", help="Project id or name (default: the last one).")
@click.option("--role", type=click.Choice([role for role in ROLES if role != "owner"]), default="member")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 365))
@click.option("--uses", default=1, show_default=True, type=click.IntRange(1, 1000))
def invite(server: str | None, project: str | None, role: Role, days: int, uses: int) -> None:
    """Make a code that lets somebody join a project."""

    async def work() -> None:
        async with signed_in(server) as session:
            if session.is_home:
                raise CommandFailed(
                    "The board on this computer is yours alone; `fluxboard serve` is for a team."
                )
            found = await find_project(session, project)
            answer = await session.api.create_invite(
                found.id, role=role, expires_in=days * 86400, max_uses=uses
            )
        click.echo(answer.code)
        click.echo(f"They run: fluxboard join {answer.code} --server {session.server}", err=True)

    run(work())


@click.command()
@click.argument("code")
@click.option("--server", help="Server URL (default: the last one).")
def join(code: str, server: str | None) -> None:
    """Join a project with an invite: its code, or its address, which ends in #CODE."""
    address, _, code = code.rpartition("#")
    server = server or address or None

    async def work() -> None:
        async with signed_in(server) as session:
            project = await session.api.accept_invite(code)
            remember(server=recall().server or session.server, project_id=project.id)
            click.echo(f"You are a member of {project.name}. Run `fluxboard` to open it.")

    run(work())
