"""What a field may hold. Each function answers the clean value or raises BadInput naming the field."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

import msgspec

from fluxboard.model.text import clean_line, clean_text
from fluxboard.model.types import (
    CHECKLIST_MAX,
    COLORS,
    COMMENT_MAX,
    DESCRIPTION_MAX,
    EMAIL_MAX,
    LABEL_MAX,
    LABELS_MAX,
    PASSWORD_MAX,
    PASSWORD_MIN,
    PERSON_NAME_MAX,
    PRIORITIES,
    PROJECT_DESCRIPTION_MAX,
    PROJECT_NAME_MAX,
    TITLE_MAX,
    USER_TYPES,
    ChecklistItem,
    Column,
    timestamp,
)
from fluxboard.server.errors import BadInput

_EMAIL: Final = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+|[^\s@<>\"]+@localhost")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_COLUMN_ID: Final = re.compile(r"[a-z0-9_-]{1,50}")
COLUMNS_MAX: Final = 20


def _line(text: str, field: str, limit: int, name: str) -> str:
    text = clean_line(text)
    if not text:
        raise BadInput(f"{name} must not be empty", field=field)
    if len(text) > limit:
        raise BadInput(f"{name} has {len(text)} characters, at most {limit} are allowed", field=field)
    return text


def _block(text: str, field: str, limit: int, name: str) -> str:
    text = clean_text(text)
    if len(text) > limit:
        raise BadInput(f"{name} has {len(text)} characters, at most {limit} are allowed", field=field)
    return text


def title(text: str) -> str:
    return _line(text, "title", TITLE_MAX, "The title")


def description(text: str) -> str:
    return _block(text, "description", DESCRIPTION_MAX, "The description")


def project_name(text: str) -> str:
    return _line(text, "name", PROJECT_NAME_MAX, "The project's name")


def project_description(text: str) -> str:
    return _block(text, "description", PROJECT_DESCRIPTION_MAX, "The description")


def comment(text: str) -> str:
    text = _block(text, "content", COMMENT_MAX, "The comment").strip()
    if not text:
        raise BadInput("The comment must not be empty", field="content")
    return text


def person_name(text: str) -> str:
    return _line(text, "name", PERSON_NAME_MAX, "The name")


def email(text: str) -> str:
    text = clean_line(text).lower()
    if len(text) > EMAIL_MAX or not _EMAIL.fullmatch(text):
        raise BadInput("This is not an email address", field="email")
    return text


def password(text: str) -> str:
    if len(text) < PASSWORD_MIN:
        raise BadInput(f"The password must have at least {PASSWORD_MIN} characters", field="password")
    if len(text) > PASSWORD_MAX:
        raise BadInput(f"The password may have at most {PASSWORD_MAX} characters", field="password")
    return text


def user_type(text: str) -> str:
    if text not in USER_TYPES:
        raise BadInput(f"The user type must be one of {', '.join(USER_TYPES)}", field="userType")
    return text


def priority(text: str) -> str:
    if text not in PRIORITIES:
        raise BadInput(f"The priority must be one of {', '.join(PRIORITIES)}", field="priority")
    return text


def status(text: str, columns: tuple[Column, ...]) -> str:
    ids = [column.id for column in columns]
    if text not in ids:
        raise BadInput(f"The status must be one of {', '.join(ids)}", field="status")
    return text


def word(text: str, field: str) -> str:
    """A short machine-readable word, such as a project's status."""
    return _line(text, field, 50, f"The {field}")


def day(text: str | None, field: str) -> str | None:
    """A date stays one; a time becomes UTC. None and the empty text are no date."""
    if not text:
        return None
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
        moment = datetime.fromisoformat(text)
        return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise BadInput(f"{field} must be a date such as 2026-12-01", field=field) from None


def moment(text: str | None, field: str) -> str | None:
    """A point in time in UTC; None and the empty text are none."""
    found = day(text, field)
    if found is not None and len(found) == 10:
        raise BadInput(f"{field} must be a time such as 2026-12-01T09:00:00Z", field=field)
    return found


def labels(given: tuple[str, ...]) -> tuple[str, ...]:
    made = tuple(dict.fromkeys(_line(label, "labels", LABEL_MAX, "A label") for label in given))
    if len(made) > LABELS_MAX:
        raise BadInput(f"At most {LABELS_MAX} labels are allowed", field="labels")
    return made


def checklist(given: tuple[ChecklistItem, ...]) -> tuple[ChecklistItem, ...]:
    if len(given) > CHECKLIST_MAX:
        raise BadInput(f"A checklist has at most {CHECKLIST_MAX} lines", field="checklist")
    if len({item.id for item in given}) != len(given):
        raise BadInput("Two lines of the checklist have the same id", field="checklist")
    return tuple(
        ChecklistItem(
            id=_line(item.id, "checklist", 64, "A checklist id"),
            text=_line(item.text, "checklist", TITLE_MAX, "A checklist line"),
            done=item.done,
        )
        for item in given
    )


def columns(given: tuple[Column, ...]) -> tuple[Column, ...]:
    if not 1 <= len(given) <= COLUMNS_MAX:
        raise BadInput(f"A board has 1 to {COLUMNS_MAX} columns", field="columns")
    if len({column.id for column in given}) != len(given):
        raise BadInput("Two columns have the same id", field="columns")
    for column in given:
        if not _COLUMN_ID.fullmatch(column.id):
            raise BadInput("A column's id has 1 to 50 of a-z, 0-9, _ and -", field="columns")
        if column.wip_limit is not None and not 1 <= column.wip_limit <= 10_000:
            raise BadInput("A column's limit is between 1 and 10000", field="columns")
        if column.color not in (None, *COLORS):
            raise BadInput(f"A column's color is one of {', '.join(COLORS)}", field="columns")
    return tuple(
        msgspec.structs.replace(column, name=_line(column.name, "columns", 50, "A column's name"))
        for column in given
    )


def uuid(text: str, field: str) -> str:
    if _UUID.fullmatch(text):
        return text
    try:
        return str(UUID(text))
    except ValueError:
        raise BadInput(f"{field} must be a UUID", field=field) from None
