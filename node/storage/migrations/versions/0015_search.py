"""What finding credentials needs: in the order of time, and by digest."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:

    op.create_index("ix_credentials_created_at", "credentials", ["created_at", "uuid"])
    op.create_index("ix_entries_digest", "entries", ["digest"])


def downgrade() -> None:

    op.drop_index("ix_entries_digest", "entries")
    op.drop_index("ix_credentials_created_at", "credentials")
