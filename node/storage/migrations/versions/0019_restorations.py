"""Databases that were restored from a backup, and bits of lists that outlived it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:

    op.create_table(
        "restorations",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.Column("restored_at", sa.String(length=32), nullable=False),
        sa.Column("reconciled_at", sa.String(length=32), nullable=True),
        sa.Column("first_sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_restorations")),
    )
    op.create_table(
        "inherited_marks",
        sa.Column("status_list", sa.String(length=2048), nullable=False),
        sa.Column("status_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["status_list"],
            ["status_lists.url"],
            name=op.f("fk_inherited_marks_status_list_status_lists"),
        ),
        sa.PrimaryKeyConstraint(
            "status_list", "status_index", name=op.f("pk_inherited_marks")
        ),
    )


def downgrade() -> None:

    op.drop_table("inherited_marks")
    op.drop_table("restorations")
