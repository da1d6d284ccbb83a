"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, *args: sa.ForeignKey, **options: bool) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *args, **{"nullable": False, **options})  # type: ignore[arg-type]


def _number(name: str, **options: bool) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, **{"nullable": False, **options})  # type: ignore[arg-type]


def _project(**options: bool) -> sa.Column[str]:
    return _text("project_id", sa.ForeignKey("projects.id", ondelete="CASCADE"), **options)


def _user(name: str, **options: bool) -> sa.Column[str]:
    return _text(name, sa.ForeignKey("users.id"), **options)


def upgrade() -> None:
    """Creates every table."""
    position = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "users",
        _text("id", primary_key=True),
        _text("email", unique=True),
        *(_text(name) for name in ("name", "user_type", "password_hash", "created_at")),
    )
    op.create_table(
        "sessions",
        _text("id", primary_key=True),
        _user("user_id", index=True),
        *(_text("created_at"), _text("expires_at"), _text("revoked_at", nullable=True)),
        *(_number("generation"), _text("rotated_at", nullable=True)),
    )
    op.create_table(
        "projects",
        _text("id", primary_key=True),
        *(_text(name) for name in ("name", "description", "status", "priority")),
        *(_text(name, nullable=True) for name in ("start_date", "due_date")),
        *(_text(name) for name in ("columns", "created_by", "created_at", "updated_at")),
        *(_number(name) for name in ("archived", "rev", "log_start", "task_count", "completed_count")),
    )
    op.create_table(
        "members",
        _project(primary_key=True),
        _user("user_id", primary_key=True, index=True),
        *(_text("role"), _text("joined_at")),
    )
    op.create_table(
        "tasks",
        *(_text("id", primary_key=True), _project(), _text("status")),
        sa.Column("position", position, nullable=False),
        *(_text("body"), _text("deleted_at", nullable=True), _text("deleted_by", nullable=True)),
    )
    op.create_index("tasks_on_board", "tasks", ["project_id", "status", "position"])
    op.create_table(
        "changes",
        *(_project(primary_key=True), _number("rev", primary_key=True)),
        *(_text(name) for name in ("kind", "entity_type", "entity_id", "entity_title", "prev", "body")),
        *(_text("actor_id"), _text("op_id", nullable=True), _text("at")),
    )
    op.create_index("changes_of_entity", "changes", ["project_id", "entity_id", "rev"])
    op.create_table(
        "comments",
        *(_text("id", primary_key=True), _project()),
        _text("task_id", sa.ForeignKey("tasks.id", ondelete="CASCADE"), index=True),
        *(_text("content"), _text("mentions"), _user("created_by")),
        *(_text("created_at"), _text("updated_at")),
    )
    op.create_table(
        "invites",
        *(_text("code_hash", primary_key=True), _project(), _text("role"), _text("expires_at")),
        *(_number("uses_left"), _text("created_by")),
    )
    op.create_table(
        "answers",
        *(_text("user_id", primary_key=True), _text("key", primary_key=True), _text("request_hash")),
        *(_number("status"), _text("body"), _text("created_at", index=True)),
    )
