"""What an image says of itself is kept once, though it lies on a hundred nodes: a tenth is written and read."""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_IMAGES = sa.table(
    "apptainer_images",
    sa.column("facts", sa.JSON),
    sa.column("facts_id", sa.String),
    sa.column("id", sa.String),
)
_FACTS = sa.table("image_facts", sa.column("id", sa.String), sa.column("facts", sa.JSON))


def upgrade() -> None:
    op.create_table(
        "image_facts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("apptainer_images", sa.Column("facts_id", sa.String(length=32), nullable=True))
    connection = op.get_bind()
    text = sa.cast(_IMAGES.c.facts, sa.Text)
    for said in connection.execute(sa.select(text).distinct()).scalars().all():
        key = hashlib.sha256(said.encode()).hexdigest()[:32]
        connection.execute(sa.insert(_FACTS).values(id=key, facts=json.loads(said)))
        connection.execute(sa.update(_IMAGES).where(text == said).values(facts_id=key))
    with op.batch_alter_table("apptainer_images") as table:
        table.alter_column("facts_id", existing_type=sa.String(length=32), nullable=False)
        table.drop_column("facts")


def downgrade() -> None:
    op.add_column("apptainer_images", sa.Column("facts", sa.JSON(), nullable=True))
    said = sa.select(_FACTS.c.facts).where(_FACTS.c.id == _IMAGES.c.facts_id).scalar_subquery()
    op.get_bind().execute(sa.update(_IMAGES).values(facts=said))
    with op.batch_alter_table("apptainer_images") as table:
        table.alter_column("facts", existing_type=sa.JSON(), nullable=False)
        table.drop_column("facts_id")
    op.drop_table("image_facts")
