"""The tables. Times are ISO 8601 UTC text, which sorts as time; JSON is text.

A task's ``body`` is the task as it travels, encoded once when it is written; the columns beside it are what
queries need. The same holds for a change's ``body``.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, Text

metadata = MetaData()

# Positions sort bytewise, whatever the database's collation.
_Position = Text().with_variant(Text(collation="C"), "postgresql")

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("user_type", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("revoked_at", Text),
    Column("generation", Integer, nullable=False),
    Column("rotated_at", Text),
)

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("start_date", Text),
    Column("due_date", Text),
    Column("columns", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("archived", Integer, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("log_start", Integer, nullable=False),
    Column("task_count", Integer, nullable=False),
    Column("completed_count", Integer, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True, index=True),
    Column("role", Text, nullable=False),
    Column("joined_at", Text, nullable=False),
    Column("last_seen_at", Text),
    Column("visited_at", Text),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),
    Column("position", _Position, nullable=False),
    Column("body", Text, nullable=False),
    Column("deleted_at", Text),
    Column("deleted_by", Text),
    Column("assigned_to", Text),
    Column("due_date", Text),
)
Index("tasks_on_board", tasks.c.project_id, tasks.c.status, tasks.c.position)
Index("tasks_due", tasks.c.assigned_to, tasks.c.due_date)
_deleted = tasks.c.deleted_at.is_not(None)
Index("tasks_deleted", tasks.c.deleted_at, sqlite_where=_deleted, postgresql_where=_deleted)

changes = Table(
    "changes",
    metadata,
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("rev", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("entity_title", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("op_id", Text),
    Column("at", Text, nullable=False),
)
Index("changes_of_entity", changes.c.project_id, changes.c.entity_id, changes.c.rev)

comments = Table(
    "comments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("task_id", Text, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("content", Text, nullable=False),
    Column("mentions", Text, nullable=False),
    Column("created_by", Text, ForeignKey("users.id"), nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)

invites = Table(
    "invites",
    metadata,
    Column("code_hash", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Text, nullable=False, index=True),
)

preferences = Table(
    "preferences",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("body", Text, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("task_id", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("comment_id", Text),
    Column("at", Text, nullable=False),
    Column("done_at", Text),
)
Index("inbox_of_person", inbox.c.user_id, inbox.c.done_at, inbox.c.at)

mutes = Table(
    "mutes",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("task_id", Text, primary_key=True, index=True),
)
