"""Errors as a person at a prompt should read them: one line on stderr, an exit code, never a traceback."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import click

from fluxboard.model.text import clean_line

REFUSED = 1
USAGE = 2
SIGN_IN_NEEDED = 3
UNREACHABLE = 4

T = TypeVar("T")


class CommandFailed(click.ClickException):
    """A failure with its exit code; ``message`` says what to do."""

    def __init__(self, message: str, code: int = REFUSED) -> None:
        super().__init__(clean_line(message))
        self.exit_code = code  # type: ignore[misc]

    def show(self, file: Any = None) -> None:
        click.echo(f"fluxboard: {self.message}", err=True)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's work and turns what went wrong into a :class:`CommandFailed`."""
    from fluxboard.client.api import ApiError, ApiUnreachable

    try:
        return asyncio.run(work)
    except ApiUnreachable as error:
        raise CommandFailed(f"The server cannot be reached: {error}", UNREACHABLE) from None
    except ApiError as error:
        if error.status == 401:
            sign_in_needed()
        raise CommandFailed(str(error)) from None
    except KeyboardInterrupt:
        raise CommandFailed("Interrupted.", 130) from None


def sign_in_needed() -> NoReturn:
    """Says how to sign in."""
    raise CommandFailed("Not signed in. Run: fluxboard login", SIGN_IN_NEEDED)
