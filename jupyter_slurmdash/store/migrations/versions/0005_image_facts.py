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
    said = {
        row.id: row.text
        for row in connection.execute(
            sa.select(_IMAGES.c.id, sa.cast(_IMAGES.c.facts, sa.Text).label("text"))
        )
    }
    keys = {text: hashlib.sha256(text.encode()).hexdigest()[:32] for text in said.values()}
    if said:
        facts = [{"id": key, "facts": json.loads(text)} for text, key in keys.items()]
        connection.execute(sa.insert(_FACTS), facts)
        meant = sa.update(_IMAGES).where(_IMAGES.c.id == sa.bindparam("which"))
        connection.execute(meant, [{"which": id, "facts_id": keys[text]} for id, text in said.items()])
    with op.batch_alter_table("apptainer_images") as table:
        table.alter_column("facts_id", existing_type=sa.String(length=32), nullable=False)
        table.drop_column("facts")


def downgrade() -> None:
    op.add_column("apptainer_images", sa.Column("facts", sa.JSON(), nullable=True))
    said = sa.select(_FACTS.c.facts).where(_FACTS.c.id == _IMAGES.c.facts_id).scalar_subquery()
    connection = op.get_bind()
    connection.execute(sa.update(_IMAGES).values(facts=said))
    lost = sa.update(_IMAGES).where(_IMAGES.c.facts.is_(sa.null()))
    connection.execute(lost.values(facts={"labels": {}, "complete": False}))
    with op.batch_alter_table("apptainer_images") as table:
        table.alter_column("facts", existing_type=sa.JSON(), nullable=False)
        table.drop_column("facts_id")
    op.drop_table("image_facts")
