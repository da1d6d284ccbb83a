"""A task's history as lines: who changed what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.content import Content

from fluxboard.model.text import clean_line
from fluxboard.model.wire import FieldChange, HistoryEntry
from fluxboard.tui.widgets.card import clip

_DEEDS: Final = {
    "task.created": "created it",
    "task.deleted": "deleted it",
    "task.restored": "brought it back",
    "comment.created": "wrote a comment",
    "comment.updated": "changed a comment",
    "comment.deleted": "deleted a comment",
}
_WORDS: Final = {"assignedTo": "assignee", "dueDate": "due date", "status": "column"}
#: Where a card stands in its column is nothing that anybody reads about.
_SILENT: Final = frozenset({"position"})
_LONGEST: Final = 40


def history_text(entries: Sequence[HistoryEntry]) -> Content:
    """The history, newest first."""
    lines = [Content.styled("History (UTC)", "bold")]
    for entry in entries:
        told = [change for change in entry.changes if change.field not in _SILENT]
        deed = _DEEDS.get(entry.type) or ", ".join(_change(change) for change in told) or "moved it"
        when = f"{entry.timestamp[:10]} {entry.timestamp[11:16]}"
        lines.append(
            Content.assemble(
                (f"{when}  ", "$flux-muted"), (entry.user_name or "Somebody", "bold"), f"  {deed}"
            )
        )
    return Content("\n").join(lines)


def _change(change: FieldChange) -> str:
    word = _WORDS.get(change.field, change.field)
    if change.field in {"assignedTo", "description", "checklist"}:
        return f"{word} changed" if change.new else f"{word} removed"
    return f"{word} {_short(change.old)} → {_short(change.new)}"


def _short(text: str | None) -> str:
    return clip(clean_line(text), _LONGEST) if text else "none"
