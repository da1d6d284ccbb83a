"""The comments of a project's tasks: what the server said, with one's own unsent ones folded over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fluxboard.client.edits import AddComment, ChangeComment, Edit, RemoveComment
from fluxboard.model.types import Comment
from fluxboard.model.wire import COMMENT_DELETED, Change


class Comments:
    """Knows the tasks whose comments were asked for. Pure; no I/O."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Comment]] = {}

    def load(self, task_id: str, comments: Iterable[Comment]) -> None:
        """What the server said of one task."""
        self._known[task_id] = {comment.id: comment for comment in comments}

    def take(self, change: Change) -> str | None:
        """Takes one committed change; the id of the task whose comments changed, if any did."""
        if not change.type.startswith("comment:") or change.task_id is None:
            return None
        known = self._known.get(change.task_id)
        if known is not None:
            if change.type == COMMENT_DELETED:
                known.pop(change.comment_id or "", None)
            elif change.comment is not None:
                known[change.comment.id] = change.comment
        return change.task_id

    def confirm(self, edit: Edit, comment: Comment | None) -> None:
        """The server did an own edit; ``comment`` is its answer."""
        known = self._known.get(edit.task_id)
        if known is None:
            return
        if comment is not None:
            known[comment.id] = comment
        elif isinstance(edit, RemoveComment):
            known.pop(edit.comment_id, None)

    def find(self, task_id: str, comment_id: str) -> Comment | None:
        """One comment as the server has it."""
        return self._known.get(task_id, {}).get(comment_id)

    def shown(self, task_id: str, pending: Sequence[Edit]) -> tuple[Comment, ...]:
        """The comments of a task, oldest first."""
        found = dict(self._known.get(task_id, {}))
        for edit in pending:
            if edit.task_id != task_id:
                continue
            match edit:
                case AddComment(comment=comment):
                    found.setdefault(comment.id, comment)
                case ChangeComment(comment=comment):
                    found[comment.id] = comment
                case RemoveComment(comment_id=comment_id):
                    found.pop(comment_id, None)
        return tuple(sorted(found.values(), key=lambda comment: (comment.created_at, comment.id)))
