"""``fluxboard config``: where the settings are, editing and checking them."""

from __future__ import annotations

from pathlib import Path

import click
import platformdirs


def config_path() -> Path:
    """The file of the user's settings, whether it exists or not."""
    return Path(platformdirs.user_config_dir("fluxboard", appauthor=False)) / "config.toml"


@click.group()
def config() -> None:
    """Your own keys, colours and density."""


@config.command()
def path() -> None:
    """Print where the settings are."""
    click.echo(config_path())


@config.command()
def check() -> None:
    """Say what is wrong with the settings, line by line."""
    from fluxboard.tui.config import read_config

    file = config_path()
    if not file.exists():
        click.echo(f"{file} does not exist; everything is as it comes. `fluxboard config edit` makes it.")
        return
    _, problems = read_config(_read(file))
    for problem in problems:
        click.echo(f"{file}: {problem}", err=True)
    if problems:
        raise SystemExit(1)
    click.echo(f"{file} is fine.")


@config.command()
def edit() -> None:
    """Open the settings in your editor ($VISUAL, $EDITOR); a new file says all that can be set."""
    from fluxboard.tui.config import template

    file = config_path()
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(template(), encoding="utf-8")
    click.edit(filename=str(file))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from None
