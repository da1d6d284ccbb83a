"""How lists of things are printed: as a table, in words, or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import click
import msgspec
from wcwidth import wcswidth

from fluxboard.cli.tasks import echo_json, pad
from fluxboard.model.text import clean_line

Form = Literal["table", "plain", "json"]
Command = Callable[..., None]


def printed(command: Command) -> Command:
    """The options that say how a command prints; it gets a ``form``."""
    for option in (
        click.option("--json", "form", flag_value="json", help="Print JSON."),
        click.option(
            "--plain", "form", flag_value="plain", help="Words without columns, for screen readers."
        ),
        click.option("--table", "form", flag_value="table", default="table", hidden=True),
    ):
        command = option(command)
    return command


def print_rows(rows: Sequence[msgspec.Struct], form: Form, nothing: str = "Nothing.") -> None:
    """Prints one row a line, or one JSON list."""
    if form == "json":
        echo_json(rows)
    elif not rows:
        click.echo(nothing)
    elif form == "plain":
        for row in rows:
            words = ((name, _said(getattr(row, name))) for name in row.__struct_fields__)
            click.echo(", ".join(f"{_heading(name)} {value}" for name, value in words))
    else:
        _table(rows)


def _table(rows: Sequence[msgspec.Struct]) -> None:
    names = rows[0].__struct_fields__
    lines = [[_said(getattr(row, name)) for name in names] for row in rows]
    heads = [_heading(name) for name in names]
    widths = [max(max(0, wcswidth(text)) for text in column) for column in zip(heads, *lines, strict=True)]
    numbers = [isinstance(getattr(rows[0], name), int) for name in names]
    for line in (heads, *lines):
        cells = (
            _filled(text, width, right=number)
            for text, width, number in zip(line, widths, numbers, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def _filled(text: str, width: int, *, right: bool) -> str:
    return " " * (width - max(0, wcswidth(text))) + text if right else pad(text, width)


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _said(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return clean_line(str(value))
