"""``fluxboard admin``: accounts, projects, sessions and sizes of a database, while servers run on it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fluxboard.cli.errors import CommandFailed
from fluxboard.cli.rows import Form, print_rows, printed
from fluxboard.cli.state import data_folder
from fluxboard.cli.tasks import echo_json
from fluxboard.model.text import clean_line
from fluxboard.model.types import ROLES, USER_TYPES, Role

if TYPE_CHECKING:
    from fluxboard.server.admin.database import Database

limit = click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="So many at most."
)
yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the database, as for serve.")
@click.option("--database", help="Database URL, as for serve; else DATABASE_URL, else the one in the folder.")
@click.pass_context
def admin(context: click.Context, data: Path | None, database: str | None) -> None:
    """Look after a server's database. Servers may run meanwhile, and hear of what changes within seconds."""
    context.obj = (database, data or data_folder())


@contextlib.contextmanager
def opened(context: click.Context) -> Iterator[Database]:
    """The database that is meant; what is refused ends the command in a sentence."""
    from fluxboard.server.admin.database import DatabaseTooOld, open_database
    from fluxboard.server.errors import Refusal
    from fluxboard.server.settings import BadSettings, database_url
    from fluxboard.server.storage.migrate import DatabaseTooNew, DatabaseUnreachable

    try:
        with open_database(database_url(*context.obj)) as database:
            yield database
    except (BadSettings, DatabaseTooNew, DatabaseTooOld, DatabaseUnreachable) as error:
        raise CommandFailed(str(error)) from None
    except Refusal as refusal:
        raise CommandFailed(refusal.message) from None


def say(text: str) -> None:
    """A line for people, whatever was in it."""
    click.echo(clean_line(text))


def certain(question: str, yes: bool) -> None:
    """Asks before something that cannot be taken back; in a script without --yes it is refused."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandFailed(f"{question} Say --yes.")
    if not click.confirm(clean_line(question)):
        raise CommandFailed("Nothing was changed.")


def new_password() -> str:
    """The hash of a password that is asked for, or read from stdin in a script. Raises Refusal."""
    from fluxboard.server.auth import Passwords
    from fluxboard.server.commands import fields

    # Never an option: a command line is there for everybody on this computer to read.
    if sys.stdin.isatty():
        password = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    return asyncio.run(Passwords().hash(fields.password(password)))


@admin.group()
def users() -> None:
    """Accounts. USER is an email address or an id."""


@users.command("list")
@click.option("--search", default="", help="Only those with this in their address or name.")
@limit
@printed
@click.pass_context
def list_users(context: click.Context, search: str, limit: int, form: Form) -> None:
    """List accounts."""
    from fluxboard.server.admin import accounts

    with opened(context) as database:
        print_rows(database.read(lambda tx: accounts.listed(tx, search, limit)), form, "No account.")


@users.command("show")
@click.argument("user")
@printed
@click.pass_context
def show_user(context: click.Context, user: str, form: Form) -> None:
    """Show an account with its projects and open sessions."""
    from fluxboard.server.admin import accounts

    with opened(context) as database:
        found = database.read(lambda tx: accounts.detail(tx, user))
    if form == "json":
        echo_json(found)
        return
    print_rows([found.account], form)
    click.echo("\nProjects")
    print_rows(found.projects, form, "None.")
    click.echo("\nOpen sessions")
    print_rows(found.sessions, form, "None.")


@users.command("create")
@click.argument("email")
@click.option("--name", help="Default: what is before the @.")
@click.option("--type", "user_type", type=click.Choice(USER_TYPES), default="client", show_default=True)
@click.pass_context
def create_user(context: click.Context, email: str, name: str | None, user_type: str) -> None:
    """Make an account. The password is asked for, or read from stdin."""
    from fluxboard.server.admin import accounts

    with opened(context) as database:
        hashed = new_password()
        called = name or email.split("@", maxsplit=1)[0]
        made = database.write(lambda tx: accounts.create(tx, email, called, user_type, hashed))
    say(f"{made.id} {made.email} {made.name}")


@users.command("password")
@click.argument("user")
@click.pass_context
def set_password(context: click.Context, user: str) -> None:
    """Set another password and end all sessions. It is asked for, or read from stdin."""
    from fluxboard.server.admin import accounts

    with opened(context) as database:
        account = database.read(lambda tx: accounts.find(tx, user))
        hashed = new_password()
        ended = database.write(lambda tx: accounts.set_password(tx, account.id, hashed))
    say(f"{account.email} has another password; {ended} sessions were ended.")


@users.command("rename")
@click.argument("user")
@click.argument("name")
@click.pass_context
def rename_user(context: click.Context, user: str, name: str) -> None:
    """Give somebody another name."""
    from fluxboard.server.admin import accounts

    with opened(context) as database:
        told = accounts.rename(database, user, name)
    say(f"Renamed to {name}, and told in {told} projects.")


@users.command("email")
@click.argument("user")
@click.argument("email")
@click.pass_context
def readdress_user(context: click.Context, user: str, email: str) -> None:
    """Give somebody another email address to sign in with."""
    from fluxboard.server.admin import accounts

    with opened(context) as database:
        told = accounts.readdress(database, user, email)
    say(f"Signs in as {email}, and told in {told} projects.")


@users.command("deactivate")
@click.argument("user")
@yes
@click.pass_context
def deactivate_user(context: click.Context, user: str, yes: bool) -> None:
    """Close an account and end its sessions; another password opens it again. What they wrote stays."""
    from fluxboard.server.admin import accounts

    with opened(context) as database:
        account = database.read(lambda tx: accounts.find(tx, user))
        certain(f"Close the account of {account.name} <{account.email}>?", yes)
        ended = database.write(lambda tx: accounts.deactivate(tx, account.id))
    say(f"{account.email} is closed; {ended} sessions were ended.")


@admin.group()
def sessions() -> None:
    """Who is signed in."""


@sessions.command("list")
@click.option("--user", help="Only those of this account.")
@limit
@printed
@click.pass_context
def list_sessions(context: click.Context, user: str | None, limit: int, form: Form) -> None:
    """List open sessions, newest first."""
    from fluxboard.server.admin import accounts

    with opened(context) as database:
        print_rows(database.read(lambda tx: accounts.open_sessions(tx, user, limit)), form, "No session.")


@sessions.command("revoke")
@click.argument("session", required=False)
@click.option("--user", help="All of this account.")
@yes
@click.pass_context
def revoke_sessions(context: click.Context, session: str | None, user: str | None, yes: bool) -> None:
    """End a session by its id, or all of an account. Their sockets are closed within seconds."""
    from fluxboard.server.admin import accounts

    if (session is None) == (user is None):
        raise click.UsageError("Name one session, or --user.")
    with opened(context) as database:
        if session is not None:
            database.write(lambda tx: accounts.revoke(tx, session))
            say("1 session was ended.")
            return
        account = database.read(lambda tx: accounts.find(tx, user or ""))
        certain(f"End all sessions of {account.name} <{account.email}>?", yes)
        ended = database.write(lambda tx: accounts.revoke_all(tx, account.id))
    say(f"{ended} sessions were ended.")


@admin.group()
def projects() -> None:
    """Projects. PROJECT is an id, or the whole name."""


@projects.command("list")
@click.option("--search", default="", help="Only those with this in their name.")
@limit
@printed
@click.pass_context
def list_projects(context: click.Context, search: str, limit: int, form: Form) -> None:
    """List projects, the largest first."""
    from fluxboard.server.admin import accounts, boards

    with opened(context) as database:
        found = database.read(lambda tx: boards.listed(tx, accounts.containing(search), limit))
        print_rows(found, form, "No project.")


@projects.command("show")
@click.argument("project")
@printed
@click.pass_context
def show_project(context: click.Context, project: str, form: Form) -> None:
    """Show a project with its members."""
    from fluxboard.server.admin import boards

    with opened(context) as database:
        found = database.read(lambda tx: boards.detail(tx, project))
    if form == "json":
        echo_json(found)
        return
    print_rows([found.project], form)
    click.echo("\nMembers")
    print_rows(found.members, form, "None.")


@projects.command("archive")
@click.argument("project")
@click.option("--undo", is_flag=True, help="Bring it back.")
@click.pass_context
def archive_project(context: click.Context, project: str, undo: bool) -> None:
    """Put a project away, or bring it back."""
    from fluxboard.server.admin import boards

    with opened(context) as database:
        row = database.write(lambda tx: boards.archive(tx, project, archived=not undo))
    say(f"{row.name} is {'archived' if row.archived else 'back'}.")


@projects.command("delete")
@click.argument("project")
@yes
@click.pass_context
def delete_project(context: click.Context, project: str, yes: bool) -> None:
    """Delete a project with all that is in it."""
    from fluxboard.server.admin import boards

    with opened(context) as database:
        row = database.read(lambda tx: boards.find(tx, project))
        certain(f"Delete {row.name} with {row.tasks} tasks? It cannot be brought back.", yes)
        database.write(lambda tx: boards.delete(tx, row.id))
    say(f"{row.name} is deleted.")


@projects.command("add-member")
@click.argument("project")
@click.argument("user")
@click.option("--role", type=click.Choice(ROLES), help="Who is new is a member without it.")
@click.pass_context
def add_member(context: click.Context, project: str, user: str, role: Role | None) -> None:
    """Let somebody into a project, or change their role."""
    from fluxboard.server.admin import accounts, boards

    with opened(context) as database:
        member = database.write(
            lambda tx: boards.add_member(tx, boards.find(tx, project).id, accounts.find(tx, user).id, role)
        )
    say(f"{member.name} is {member.role}.")


@projects.command("remove-member")
@click.argument("project")
@click.argument("user")
@click.pass_context
def remove_member(context: click.Context, project: str, user: str) -> None:
    """End somebody's membership."""
    from fluxboard.server.admin import accounts, boards

    with opened(context) as database:
        database.write(
            lambda tx: boards.remove_member(tx, boards.find(tx, project).id, accounts.find(tx, user).id)
        )
    say(f"{user} is no longer a member.")


@projects.command("transfer")
@click.argument("project")
@click.argument("user")
@yes
@click.pass_context
def transfer_project(context: click.Context, project: str, user: str, yes: bool) -> None:
    """Make somebody the one owner; who owned it becomes an admin of it."""
    from fluxboard.server.admin import accounts, boards

    with opened(context) as database:
        row = database.read(lambda tx: boards.find(tx, project))
        account = database.read(lambda tx: accounts.find(tx, user))
        certain(f"Make {account.name} <{account.email}> the one owner of {row.name}?", yes)
        database.write(lambda tx: boards.transfer(tx, row.id, account.id))
    say(f"{account.name} owns {row.name}.")


@admin.command()
@click.option("--top", type=click.IntRange(0, 1000), default=10, show_default=True, help="So many projects.")
@printed
@click.pass_context
def sizes(context: click.Context, top: int, form: Form) -> None:
    """Say how much is in each table, and in the largest projects."""
    from fluxboard.server.admin.sizes import sizes as measured

    with opened(context) as database:
        found = database.read(lambda tx: measured(tx, database.dialect, top))
    if form == "json":
        echo_json(found)
        return
    print_rows(found.tables, form)
    click.echo("\nThe largest projects")
    print_rows(found.projects, form, "None.")


@admin.command()
@click.option("--vacuum", is_flag=True, help="Also give the room back; SQLite's servers wait meanwhile.")
@printed
@click.pass_context
def compact(context: click.Context, vacuum: bool, form: Form) -> None:
    """Remove what is older than its time, as servers do each hour; logs keep 7 days and 10,000 rows."""
    from fluxboard.server.admin.sizes import compact as remove

    with opened(context) as database:
        removed = remove(database)
        if vacuum:
            database.vacuum()
    print_rows(removed, form)


@admin.command()
@click.argument("project")
@click.pass_context
def reindex(context: click.Context, project: str) -> None:
    """Spread the positions of a project's tasks evenly; their order stays."""
    from fluxboard.server.admin import boards

    with opened(context) as database:
        count = database.write(lambda tx: boards.reindex(tx, project))
    say(f"{count} tasks have another position.")
