"""What people do, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fluxboard.client.company import Writer
from fluxboard.model.text import clean_line
from fluxboard.model.types import Activity
from fluxboard.tui.widgets.card import UNTITLED, clip

#: The fields of a task in words; on the wire and in our own names.
FIELD_WORDS: Final = {
    "assignedTo": "assignee",
    "assigned_to": "assignee",
    "dueDate": "due date",
    "due_date": "due date",
    "status": "column",
    "position": "place",
    "archived": "archive",
}
_LONGEST: Final = 40
_DEEDS: Final = {
    "task.created": "created {what}",
    "task.deleted": "deleted {what}",
    "task.restored": "brought back {what}",
    "comment.created": "commented on {what}",
    "comment.updated": "changed a comment on {what}",
    "comment.deleted": "deleted a comment on {what}",
    "project.created": "created the project",
    "project.updated": "changed the project",
    "member.added": "added {name}",
    "member.removed": "removed {name}",
    "member.role": "changed the role of {name}",
    "member.renamed": "renamed a member to {name}",
}
#: Who does it to themselves.
_ALONE: Final = {"member.added": "joined", "member.removed": "left"}


def field_word(name: str) -> str:
    """A field's name as people say it."""
    return FIELD_WORDS.get(name, name)


def writing_text(writers: tuple[Writer, ...], names: Mapping[str, str]) -> str:
    """ "Mila is editing the title"; several as "Mila, Sara are editing this"; "" for nobody.

    ``names`` has short names by user id.
    """
    if not writers:
        return ""
    people = dict.fromkeys(names.get(writer.user_id) or writer.name or "Somebody" for writer in writers)
    if len(people) > 1:
        return f"{', '.join(people)} are writing here"
    field = clean_line(writers[-1].field)
    deed = "writing a comment" if field == "comment" else f"editing the {field_word(field)}"
    return f"{next(iter(people))} is {deed}"


def writing_brief(writers: tuple[Writer, ...], names: Mapping[str, str]) -> str:
    """As :func:`writing_text` where there is little room: "Mila: title", "2 write"."""
    if len({writer.user_id for writer in writers}) > 1:
        return f"{len({writer.user_id for writer in writers})} write"
    last = writers[-1]
    return f"{names.get(last.user_id) or last.name or 'Somebody'}: {field_word(clean_line(last.field))}"


def activity_text(activity: Activity, columns: Mapping[str, str], names: Mapping[str, str]) -> str:
    """What somebody did, without their name; ``columns`` and ``names`` are by id."""
    title = clip(clean_line(activity.entity_title) or UNTITLED, 80)
    what = f"“{title}”"
    if activity.type in _DEEDS:
        alone = activity.entity_id == activity.user_id and _ALONE.get(activity.type)
        return alone or _DEEDS[activity.type].format(what=what, name=title)
    return _change_text(activity, what, columns, names)


def _change_text(activity: Activity, what: str, columns: Mapping[str, str], names: Mapping[str, str]) -> str:
    """What became of one field of a task."""
    told = activity.metadata
    new, word = told.new_value, field_word(told.field or "")
    match told.field:
        case "status" if activity.type == "task.completed":
            text = f"finished {what}"
        case "status":
            text = f"moved {what} to {columns.get(new or '', new or '')}"
        case "position":
            text = f"moved {what}"
        case "title":
            text = f"renamed “{_short(told.old_value)}” to {what}"
        case "assignedTo":
            text = f"assigned {what} to {names.get(new, 'somebody')}" if new else f"unassigned {what}"
        case "archived":
            text = f"archived {what}" if new == "true" else f"brought {what} back from the archive"
        case "priority" | "dueDate":
            text = f"set the {word} of {what} to {_short(new)}" if new else f"removed the {word} of {what}"
        case None:
            text = f"changed {what}"
        case _:
            text = f"changed the {word} of {what}"
    return text


def _short(text: str | None) -> str:
    return clip(clean_line(text), _LONGEST) if text else "none"
