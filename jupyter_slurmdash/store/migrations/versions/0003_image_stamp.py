"""Whether an image's row has changed is asked with each list: answered from the index alone, without the rows."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_TABLE, _NAME = "apptainer_images", "idx_images_active"


def upgrade() -> None:
    op.drop_index(_NAME, table_name=_TABLE)
    op.create_index(_NAME, _TABLE, ["is_active", "updated_at", "last_scanned"], unique=False)


def downgrade() -> None:
    op.drop_index(_NAME, table_name=_TABLE)
    op.create_index(_NAME, _TABLE, ["is_active"], unique=False)
