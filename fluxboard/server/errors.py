"""What the server says when it does not do what was asked.

Each refusal is an HTTP status, a sentence for the user, and the name of the bad field where there is one.
"""

from __future__ import annotations

from typing import ClassVar

from fluxboard.model import wire
from fluxboard.model.types import Task


class Refusal(Exception):
    """A request that is answered with an error; nothing of it was applied."""

    status: ClassVar[int] = 400

    def __init__(self, message: str, *, field: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after = retry_after


class BadInput(Refusal):
    """400: a field that cannot be what it is; ``field`` names it."""


class Unauthorized(Refusal):
    """401: no token, or wrong credentials."""

    status = 401


class Forbidden(Refusal):
    """403: a token that is no longer good, or no right to this."""

    status = 403


class NotFound(Refusal):
    """404: it does not exist, or not in this project."""

    status = 404


class Conflict(Refusal):
    """409: the state of things does not allow it."""

    status = 409


class Overwrites(Conflict):
    """409: the change was made from an older revision, and would undo what somebody else did since."""

    def __init__(self, message: str, conflict: wire.Conflict) -> None:
        super().__init__(message, field=next(iter(conflict.fields), None))
        self.conflict = conflict


class Gone(Refusal):
    """410: the log no longer reaches back so far."""

    status = 410


class TaskGone(Gone):
    """410: the task was deleted; carries what is left of it, by whom and when."""

    def __init__(self, task: Task, deleted_by: str, at: str) -> None:
        super().__init__("This task was deleted")
        self.task = task
        self.deleted_by = deleted_by
        self.at = at


class TooLarge(Refusal):
    """413: a body longer than any that makes sense."""

    status = 413


class Unprocessable(Refusal):
    """422: an Idempotency-Key that was used for something else."""

    status = 422


class TooMany(Refusal):
    """429: wait ``retry_after`` seconds."""

    status = 429


class Unavailable(Refusal):
    """503: the database cannot be written now; nothing was applied."""

    status = 503
