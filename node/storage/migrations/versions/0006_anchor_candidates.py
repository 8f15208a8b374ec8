"""Several transactions for one nonce, and what keeps an anchor from the chain."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_LIVE = sa.text("state NOT IN ('replaced', 'lost', 'reverted')")


def upgrade() -> None:

    for name, kind in (
        ("max_fee", sa.BigInteger()),
        ("depth", sa.BigInteger()),
        ("waits_since", sa.BigInteger()),
        ("seen_at", sa.String(length=32)),
    ):
        op.add_column("transactions", sa.Column(name, kind, nullable=True))
    op.create_index(
        "uq_transactions_live_checkpoint",
        "transactions",
        ["chain", "tree_size"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index(
        "uq_transactions_live_nonce",
        "transactions",
        ["chain", "sender", "nonce"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_table(
        "anchor_troubles",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("since", sa.String(length=32), nullable=False),
        sa.Column("seen_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_anchor_troubles")),
    )


def downgrade() -> None:

    op.drop_table("anchor_troubles")
    op.drop_index("uq_transactions_live_nonce", table_name="transactions")
    op.drop_index("uq_transactions_live_checkpoint", table_name="transactions")
    # The release before knows no others: it looks for the anchor again, or prepares it.
    op.execute("UPDATE transactions SET state = 'mined' WHERE state = 'confirmed'")
    op.execute("UPDATE transactions SET state = 'sent' WHERE state = 'taken'")
    op.execute(
        "UPDATE transactions SET state = 'lost' WHERE state IN ('replaced', 'reverted')"
    )
    for name in ("seen_at", "waits_since", "depth", "max_fee"):
        op.drop_column("transactions", name)
