"""What came of each template's last check, and the index that the history of all templates is read from alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_INDEX = "idx_jobs_history"
_HISTORY = [
    "user",
    "cluster",
    "created_at",
    "template_id",
    "state",
    "submitted_at",
    "started_at",
    "elapsed",
]


def upgrade() -> None:
    op.create_table(
        "template_checks",
        sa.Column("user", sa.String(length=255), nullable=False),
        sa.Column("cluster", sa.String(length=255), nullable=False),
        sa.Column("template_id", sa.String(length=200), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("checked_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("user", "cluster", "template_id"),
    )
    op.create_index(_INDEX, "jobs", _HISTORY, unique=False)


def downgrade() -> None:
    op.drop_index(_INDEX, table_name="jobs")
    op.drop_table("template_checks")
