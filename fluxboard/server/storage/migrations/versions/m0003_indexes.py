"""Indexes for what a deleted project takes with it, and for the deleted tasks whose time is over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Without them each of these reads whole tables."""
    for table in ("comments", "inbox", "invites"):
        op.create_index(f"ix_{table}_project_id", table, ["project_id"])
    deleted = sa.text("deleted_at IS NOT NULL")
    op.create_index("tasks_deleted", "tasks", ["deleted_at"], sqlite_where=deleted, postgresql_where=deleted)
