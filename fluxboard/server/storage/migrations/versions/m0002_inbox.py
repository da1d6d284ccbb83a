"""Inboxes, preferences, when members were last here, and what of a task is asked by person and day."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the tables and columns, and fills the columns from the tasks that are there."""
    for name in ("last_seen_at", "visited_at"):
        op.add_column("members", sa.Column(name, sa.Text))
    for name in ("assigned_to", "due_date"):
        op.add_column("tasks", sa.Column(name, sa.Text))
    _fill_tasks()
    op.create_index("tasks_due", "tasks", ["assigned_to", "due_date"])
    op.create_table(
        "preferences",
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
        sa.Column("task_id", sa.Text, nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("comment_id", sa.Text),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("done_at", sa.Text),
    )
    op.create_index("inbox_of_person", "inbox", ["user_id", "done_at", "at"])
    op.create_table(
        "mutes",
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("task_id", sa.Text, primary_key=True, index=True),
    )


def _fill_tasks() -> None:
    connection = op.get_bind()
    write = sa.text("UPDATE tasks SET assigned_to = :assigned_to, due_date = :due_date WHERE id = :id")
    rows = connection.execute(sa.text("SELECT id, body FROM tasks"))
    while found := rows.fetchmany(1000):
        values = [
            {"id": task_id, "assigned_to": body.get("assignedTo"), "due_date": body.get("dueDate")}
            for task_id, body in ((task_id, json.loads(text)) for task_id, text in found)
        ]
        connection.execute(write, values)
