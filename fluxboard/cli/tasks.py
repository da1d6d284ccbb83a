"""Commands on tasks: list, add, show, edit, move, done, delete, watch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import UNSET
from wcwidth import wcswidth

from fluxboard.cli.connect import find_project, find_task, short_id, signed_in
from fluxboard.cli.errors import CommandFailed, run
from fluxboard.cli.waiting import waiting
from fluxboard.model.types import COMPLETED, PRIORITIES, Column, Member, Project, Task, TaskPatch, User
from fluxboard.model.wire import TaskCreate

Command = Callable[..., None]


def where(command: Command) -> Command:
    """The options that every task command shares."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--project", help="Project id or name (default: the last one)."),
        click.option("--server", help="Server URL (default: the last one)."),
    ):
        command = option(command)
    return command


plainly = click.option("--plain", is_flag=True, help="Sentences without columns, for screen readers.")


@click.command("list")
@where
@click.option("--status", help="Only this column.")
@click.option("--filter", "query", default="", help='Only what this finds: "is:mine due<7d -label:ux".')
@plainly
def list_tasks(
    server: str | None, project: str | None, as_json: bool, status: str | None, query: str, plain: bool
) -> None:
    """List the tasks of a project; archived ones only with a filter such as is:archived."""

    async def work() -> None:
        async with signed_in(server) as session:
            board = await find_project(session, project)
            tasks = (await session.api.tasks(board.id)).tasks
            tasks = _found(tasks, query, board, session.user)
        if status is not None:
            wanted = column_id(board, status)
            tasks = tuple(task for task in tasks if task.status == wanted)
        if as_json:
            echo_json(tasks)
            return
        for column in board.columns:
            for task in sorted((t for t in tasks if t.status == column.id), key=lambda t: (t.position, t.id)):
                if plain:
                    click.echo(_sentence(task, column, board))
                    continue
                due = f"  due {task.due_date[:10]}" if task.due_date else ""
                click.echo(f"{short_id(task)}  {pad(column.name, 12)} {task.priority:<9}{task.title}{due}")

    run(work())


def _found(tasks: tuple[Task, ...], query: str, board: Project, user: User | None) -> tuple[Task, ...]:
    """The tasks that a query finds. Raises CommandFailed for one that is not understood."""
    from datetime import UTC, datetime

    from fluxboard.model.query import Scope, parse

    people = {member.user_id: f"{member.name} {member.email}" for member in board.members}
    today = datetime.now(UTC).astimezone().date()
    found = parse(query, Scope(today, user.id if user is not None else "", people, board.columns))
    if found.problems:
        raise CommandFailed(f"--filter: {'; '.join(found.problems)}")
    return tuple(task for task in tasks if found.matches(task))


def write_text(path: Path, text: str) -> None:
    """Writes a file. Raises CommandFailed."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror or error}") from None


def _sentence(task: Task, column: Column, board: Project) -> str:
    """A task in words: "To Do: Fix login, high priority, due 2026-12-01, assigned to Ada, labels ux"."""
    names = {member.user_id: member.name or member.email for member in board.members}
    parts = [f"{column.name}: {task.title}", f"{task.priority} priority"]
    if task.due_date:
        parts.append(f"due {task.due_date[:10]}")
    if task.assigned_to:
        parts.append(f"assigned to {names.get(task.assigned_to) or 'somebody'}")
    if task.labels:
        parts.append(f"labels {' and '.join(task.labels)}")
    return ", ".join(parts)


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


@click.command()
@where
@click.argument("title")
@click.option("--description", default="")
@click.option("--status", help="Column id or name.")
@click.option("--priority", type=click.Choice(PRIORITIES), default="medium")
@click.option("--assign", help="A member's name or email, or `me`.")
@click.option("--due", help="A date, YYYY-MM-DD.")
def add(server: str | None, project: str | None, as_json: bool, title: str, **options: Any) -> None:
    """Add a task."""

    async def work() -> None:
        async with signed_in(server) as session:
            board = await find_project(session, project)
            body = TaskCreate(
                title=title,
                description=options["description"],
                status=column_id(board, options["status"]) if options["status"] else board.columns[0].id,
                priority=options["priority"],
                assigned_to=member_id(board, options["assign"], session.user.id if session.user else ""),
                due_date=options["due"],
            )
            task = await session.api.create_task(board.id, body)
        say(task, as_json, "Added")

    run(work())


@click.command()
@where
@click.argument("task")
@plainly
def show(server: str | None, project: str | None, as_json: bool, task: str, plain: bool) -> None:
    """Show one task with everything in it."""

    async def work() -> None:
        async with signed_in(server) as session:
            board = await find_project(session, project)
            found = find_task((await session.api.tasks(board.id)).tasks, task)
        if as_json:
            echo_json(found)
            return
        if plain:
            column = next((each for each in board.columns if each.id == found.status), board.columns[0])
            click.echo(_sentence(found, column, board))
            for item in found.checklist:
                click.echo(f"{'Done' if item.done else 'To do'}: {item.text}")
            if found.description:
                click.echo(found.description)
            return
        names = {member.user_id: member.name or member.user_id for member in board.members}
        click.echo(found.title)
        click.echo(f"  id        {found.id}")
        click.echo(f"  column    {column_name(board, found.status)}")
        click.echo(f"  priority  {found.priority}")
        click.echo(f"  assigned  {names.get(found.assigned_to or '', found.assigned_to or '-')}")
        click.echo(f"  due       {(found.due_date or '-')[:10]}")
        click.echo(f"  changed   {found.updated_at}")
        click.echo(f"  labels    {', '.join(found.labels) or '-'}")
        for item in found.checklist:
            click.echo(f"  {'[x]' if item.done else '[ ]'} {item.text}")
        if found.description:
            click.echo(f"\n{found.description}")

    run(work())


@click.command()
@where
@click.argument("task")
@click.option("--title")
@click.option("--description")
@click.option("--priority", type=click.Choice(PRIORITIES))
@click.option("--assign", help="A member's name or email, `me`, or `none`.")
@click.option("--due", help="A date, YYYY-MM-DD, or `none`.")
def edit(server: str | None, project: str | None, as_json: bool, task: str, **options: Any) -> None:
    """Change fields of a task."""

    def patch(board: Project, me: str) -> TaskPatch:
        def given(name: str) -> Any:
            return UNSET if options[name] is None else options[name]

        due = None if options["due"] == "none" else given("due")
        assigned = UNSET if options["assign"] is None else member_id(board, options["assign"], me)
        return TaskPatch(
            title=given("title"),
            description=given("description"),
            priority=given("priority"),
            assigned_to=assigned,
            due_date=due,
        )

    if all(value is None for value in options.values()):
        raise click.UsageError("Nothing to change: give at least one of --title, --description, …")
    change(server, project, as_json, task, patch=patch, verb="Changed")


@click.command()
@where
@click.argument("task")
@click.argument("column")
def move(server: str | None, project: str | None, as_json: bool, task: str, column: str) -> None:
    """Move a task to another column."""
    change(
        server,
        project,
        as_json,
        task,
        patch=lambda b, _: TaskPatch(status=column_id(b, column)),
        verb="Moved",
    )


@click.command()
@where
@click.argument("task")
def done(server: str | None, project: str | None, as_json: bool, task: str) -> None:
    """Complete a task."""
    change(server, project, as_json, task, patch=lambda *_: TaskPatch(status=COMPLETED), verb="Completed")


@click.command()
@where
@click.argument("task")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(server: str | None, project: str | None, as_json: bool, task: str, yes: bool) -> None:
    """Delete a task."""

    async def work() -> None:
        async with signed_in(server) as session:
            board = await find_project(session, project)
            found = find_task((await session.api.tasks(board.id)).tasks, task)
            if not yes and not click.confirm(f"Delete {found.title!r}?", err=True):
                raise CommandFailed("Nothing was deleted.")
            await session.api.delete_task(board.id, found.id)
        say(found, as_json, "Deleted")

    run(work())


@click.command()
@where
def watch(server: str | None, project: str | None, as_json: bool) -> None:
    """Print a line for each live event until interrupted."""

    from fluxboard.cli.watching import watch_board

    async def work() -> None:
        async with signed_in(server) as session:
            found = await find_project(session, project)
            raise CommandFailed(await watch_board(session, found.id, as_json))

    run(work())


def change(
    server: str | None,
    project: str | None,
    as_json: bool,
    task: str,
    *,
    patch: Callable[[Project, str], TaskPatch],
    verb: str,
) -> None:
    """Finds one task, changes it and says so."""

    async def work() -> None:
        async with signed_in(server) as session:
            board = await find_project(session, project)
            found = find_task((await session.api.tasks(board.id)).tasks, task)
            me = session.user.id if session.user else ""
            changed = await session.api.update_task(board.id, found, patch(board, me))
        say(changed, as_json, verb)

    run(work())


def column_id(board: Project, wanted: str) -> str:
    """A column by id or name."""
    key = wanted.lower().replace(" ", "_").replace("-", "_")
    for column in board.columns:
        if key in {column.id.lower(), column.name.lower().replace(" ", "_")}:
            return column.id
    raise CommandFailed(f"No column {wanted!r}. There are: {', '.join(_names(board.columns))}")


def column_name(board: Project, status: str) -> str:
    """A column's name; its id where the project does not know it."""
    return next((column.name for column in board.columns if column.id == status), status)


def _names(columns: tuple[Column, ...]) -> list[str]:
    return [column.id for column in columns]


def member_id(board: Project, wanted: str | None, me: str) -> str | None:
    """A member by name, email or `me`; None for nobody."""
    if wanted is None or wanted == "none":
        return None
    if wanted == "me":
        return me

    def fits(member: Member) -> bool:
        return wanted.lower() in {member.user_id, member.name.lower(), member.email.lower()}

    found = [member for member in board.members if fits(member)]
    if len(found) != 1:
        names = ", ".join(member.name or member.user_id for member in board.members)
        raise CommandFailed(f"No single member is called {wanted!r}. There are: {names}")
    return found[0].user_id


def pad(text: str, cells: int) -> str:
    """``text`` filled up to a width in cells."""
    return text + " " * max(0, cells - max(0, wcswidth(text)))


def say(task: Task, as_json: bool, verb: str) -> None:
    """The outcome of a change."""
    if as_json:
        echo_json(task)
    else:
        click.echo(f"{verb} {short_id(task)}  {task.title}")


def echo_json(value: object) -> None:
    """One line of JSON."""
    click.echo(msgspec.json.encode(value).decode())
