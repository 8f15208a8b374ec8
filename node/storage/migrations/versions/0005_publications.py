"""What was handed to IPFS."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:

    op.create_table(
        "publications",
        sa.Column("tree_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("tried_at", sa.String(length=32), nullable=False),
        sa.Column("published_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["tree_size"],
            ["checkpoints.tree_size"],
            name=op.f("fk_publications_tree_size_checkpoints"),
        ),
        sa.PrimaryKeyConstraint("tree_size", name=op.f("pk_publications")),
    )


def downgrade() -> None:

    op.drop_table("publications")
