"""Commands on tasks: list, add, show, edit, move, done, delete, watch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click
import msgspec
from msgspec import UNSET
from wcwidth import wcswidth

from fluxboard.cli.connect import find_project, find_task, short_id, signed_in
from fluxboard.cli.errors import USAGE, CommandFailed, run
from fluxboard.model.types import (
    COMPLETED,
    PRIORITIES,
    Column,
    Comment,
    Member,
    Project,
    Task,
    TaskPatch,
    User,
)
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
        raise CommandFailed(f"--filter: {'; '.join(found.problems)}", USAGE)
    return tuple(task for task in tasks if found.matches(task))


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
@click.argument("title")
@click.option("--description", default="", help="Its text; - reads it from stdin.")
@click.option("--status", help="Column id or name.")
@click.option("--priority", type=click.Choice(PRIORITIES), default="medium")
@click.option("--assign", help="A member's name or email, or `me`.")
@click.option("--due", help="A day: 2026-12-01, fri, tomorrow, in 2 weeks, …")
@click.option("--label", "labels", multiple=True, help="A label; may be given several times.")
def add(server: str | None, project: str | None, as_json: bool, title: str, **options: Any) -> None:
    """Add a task."""

    async def work() -> None:
        async with signed_in(server) as session:
            board = await find_project(session, project)
            body = TaskCreate(
                title=title,
                description=text_or_stdin(options["description"]),
                status=column_id(board, options["status"]) if options["status"] else board.columns[0].id,
                priority=options["priority"],
                assigned_to=member_id(board, options["assign"], session.user.id if session.user else ""),
                due_date=day(options["due"]),
                labels=options["labels"],
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
            said = await session.api.comments(board.id, found.id) if found.comment_count else ()
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
            for comment in said:
                click.echo(f"{_author(comment)} wrote: {comment.content}")
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
        for comment in said:
            click.echo(f"\n{_author(comment)}, {comment.created_at}\n{comment.content}")

    run(work())


@click.command()
@where
@click.argument("task")
@click.option("--title")
@click.option("--description", help="Its text; - reads it from stdin.")
@click.option("--priority", type=click.Choice(PRIORITIES))
@click.option("--assign", help="A member's name or email, `me`, or `none`.")
@click.option("--due", help="A day: 2026-12-01, fri, tomorrow, in 2 weeks, …, or `none`.")
@click.option("--label", "labels", multiple=True, help="A label that it gets, too.")
@click.option("--unlabel", "unlabels", multiple=True, help="A label that it loses.")
def edit(server: str | None, project: str | None, as_json: bool, task: str, **options: Any) -> None:
    """Change fields of a task."""

    def patch(board: Project, me: str, before: Task) -> TaskPatch:
        title, text, priority = options["title"], options["description"], options["priority"]
        due, assign = options["due"], options["assign"]
        kept = (label for label in before.labels if label not in options["unlabels"])
        labels = tuple(dict.fromkeys((*kept, *options["labels"])))
        return TaskPatch(
            title=UNSET if title is None else title,
            description=UNSET if text is None else text_or_stdin(text),
            priority=UNSET if priority is None else priority,
            assigned_to=UNSET if assign is None else member_id(board, assign, me),
            due_date=UNSET if due is None else None if due == "none" else day(due),
            labels=UNSET if labels == before.labels else labels,
        )

    if not any(value or value == "" for value in options.values()):
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
        patch=lambda b, *_: TaskPatch(status=column_id(b, column)),
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
@click.argument("text")
def comment(server: str | None, project: str | None, as_json: bool, task: str, text: str) -> None:
    """Write a comment on a task; the text - is read from stdin."""

    async def work() -> None:
        async with signed_in(server) as session:
            board = await find_project(session, project)
            found = find_task((await session.api.tasks(board.id)).tasks, task)
            made = await session.api.add_comment(board.id, found.id, text_or_stdin(text))
        if as_json:
            echo_json(made.comment)
        else:
            say(found, as_json, "Commented on")

    run(work())


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
    patch: Callable[[Project, str, Task], TaskPatch],
    verb: str,
) -> None:
    """Finds one task, changes it and says so."""

    async def work() -> None:
        async with signed_in(server) as session:
            board = await find_project(session, project)
            found = find_task((await session.api.tasks(board.id)).tasks, task)
            me = session.user.id if session.user else ""
            changed = await session.api.update_task(board.id, found, patch(board, me, found))
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


def _author(comment: Comment) -> str:
    return (comment.author.name if comment.author else "") or "Somebody"


def day(words: str | None) -> str | None:
    """The wire's date of a day in words; None for none. Raises CommandFailed for what is no day."""
    from datetime import UTC, datetime

    from fluxboard.model.days import read_day

    if words is None:
        return None
    try:
        return read_day(words, datetime.now(UTC).astimezone().date()).isoformat()
    except ValueError:
        message = f"--due: {words!r} is not a day; try fri, tomorrow, in 2 weeks or 2026-12-01"
        raise CommandFailed(message, USAGE) from None


def text_or_stdin(text: str) -> str:
    """``text``, or what stands on stdin for a dash."""
    return sys.stdin.read() if text == "-" else text


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
