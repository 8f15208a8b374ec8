"""OpenTimestamps stamps of checkpoints, one for each calendar."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:

    op.create_table(
        "stamps",
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("calendar", sa.String(length=255), nullable=False),
        sa.Column("stamp", sa.LargeBinary(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("tried_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["tree_size"],
            ["checkpoints.tree_size"],
            name=op.f("fk_stamps_tree_size_checkpoints"),
        ),
        sa.PrimaryKeyConstraint("tree_size", "calendar", name=op.f("pk_stamps")),
    )


def downgrade() -> None:

    op.drop_table("stamps")
