"""Alembic's entry: runs on the connection that ``Database`` hands over."""

from __future__ import annotations

from alembic import context

from jupyter_slurmdash.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
