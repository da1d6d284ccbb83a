"""What the form of a task says: fields as text, and what they are read as."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from fluxboard.model.text import clean_line, clean_text
from fluxboard.model.types import (
    DESCRIPTION_MAX,
    LABEL_MAX,
    LABELS_MAX,
    TASK_FIELDS,
    TITLE_MAX,
    TaskPatch,
)
from fluxboard.model.wire import TaskCreate
from fluxboard.tui.dates import parse_day
from fluxboard.tui.widgets.card import clip

Values = dict[str, str | None]
FIELDS: Final = ("title", "description", "status", "priority", "assigned_to", "due_date", "labels")


class FieldError(ValueError):
    """A field cannot be saved as it is; the text says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def read_form(typed: Mapping[str, str], today: date) -> Values:
    """What was typed, as it is saved. Raises FieldError."""
    title, description = clean_line(typed["title"]), clean_text(typed["description"])
    labels = labels_in(typed["labels"])
    try:
        due = parse_day(typed["due_date"], today)
    except ValueError as error:
        raise FieldError("due_date", f"Due date: {error}.") from None
    if not title:
        raise FieldError("title", "Title: a task needs one.")
    if len(title) > TITLE_MAX:
        raise FieldError("title", f"Title: {len(title)} characters, {TITLE_MAX} fit.")
    if len(description) > DESCRIPTION_MAX:
        raise FieldError("description", f"Description: {len(description)} characters, {DESCRIPTION_MAX} fit.")
    for label in labels:
        if len(label) > LABEL_MAX:
            reason = f"Labels: “{clip(label, 20)}” is longer than {LABEL_MAX} characters."
            raise FieldError("labels", reason)
    if len(labels) > LABELS_MAX:
        raise FieldError("labels", f"Labels: {len(labels)}, {LABELS_MAX} fit.")
    return {
        **typed,
        "title": title,
        "description": description,
        "due_date": due,
        "assigned_to": typed["assigned_to"] or None,
        "labels": ", ".join(labels),
    }


def creation(values: Values) -> TaskCreate:
    """The task that a form makes."""
    return TaskCreate(
        title=values["title"] or "",
        description=values["description"] or "",
        status=values["status"] or "",
        priority=values["priority"] or "",
        assigned_to=values["assigned_to"],
        due_date=values["due_date"],
        labels=labels_in(values["labels"] or ""),
    )


def patch(changed: Values) -> TaskPatch:
    """The edit that the changed fields of a form make."""
    fields: dict[str, object] = {TASK_FIELDS[name]: value for name, value in changed.items()}
    if "labels" in changed:
        fields["labels"] = labels_in(changed["labels"] or "")
    return msgspec.convert(fields, TaskPatch)


def labels_in(text: str) -> tuple[str, ...]:
    """The labels of a line: commas between them, a # before each or not."""
    return tuple(dict.fromkeys(label for raw in text.split(",") if (label := clean_line(raw).lstrip("#"))))


def field_text(value: object, name: str) -> str:
    """A field's value as the form shows it."""
    if name == "labels" and isinstance(value, tuple):
        return ", ".join(value)
    text = "" if value is None else str(value)
    return text[:10] if name == "due_date" else text
