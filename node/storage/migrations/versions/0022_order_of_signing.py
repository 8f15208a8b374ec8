"""Drafts are found in the order in which they are signed."""

from alembic import op

revision = "0022"
down_revision = "0021"

_NAME = "ix_credentials_unsigned"


def upgrade() -> None:

    op.drop_index(_NAME, "credentials")
    op.create_index(_NAME, "credentials", ["signed_at", "created_at", "uuid"])


def downgrade() -> None:

    op.drop_index(_NAME, "credentials")
    op.create_index(_NAME, "credentials", ["signed_at"])
