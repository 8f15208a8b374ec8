"""What proves an anchor when its chain can no longer be asked."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:

    op.create_table(
        "chain_proofs",
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=True),
        sa.Column("transaction_index", sa.Integer(), nullable=True),
        sa.Column("nodes", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("tried_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["transactions.reference"],
            name=op.f("fk_chain_proofs_reference_transactions"),
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_chain_proofs")),
    )


def downgrade() -> None:

    op.drop_table("chain_proofs")
