"""Which image a job really used (digest, size, mtime), and what came of verifying an image's signatures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("apptainer_images", sa.Column("verdict", sa.JSON(), nullable=True))
    op.add_column("jobs", sa.Column("image_digest", sa.String(length=80), nullable=True))
    op.add_column("jobs", sa.Column("image_size", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("image_mtime_ns", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as table:
        for name in ("image_mtime_ns", "image_size", "image_digest"):
            table.drop_column(name)
    with op.batch_alter_table("apptainer_images") as table:
        table.drop_column("verdict")
