"""Alembic runs this; the connection comes from :mod:`fluxboard.server.storage.migrate`."""

from __future__ import annotations

from alembic import context

from fluxboard.server.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
