"""What a token may do, for whom, until when, and when it was used last.

Tokens of before could issue and nothing else: they become those of a signer.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:

    op.add_column(
        "tokens",
        sa.Column("roles", sa.String(length=64), server_default="signer", nullable=False),
    )
    op.add_column(
        "tokens", sa.Column("issuers", sa.Text(), server_default="", nullable=False)
    )
    op.add_column("tokens", sa.Column("expires_at", sa.String(length=32), nullable=True))
    op.add_column("tokens", sa.Column("last_used_on", sa.String(length=10), nullable=True))


def downgrade() -> None:

    for name in ("last_used_on", "expires_at", "issuers", "roles"):
        op.drop_column("tokens", name)
