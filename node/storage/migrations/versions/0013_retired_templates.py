"""When a version of a template was retired."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:

    op.add_column("templates", sa.Column("retired_at", sa.String(length=32), nullable=True))


def downgrade() -> None:

    with op.batch_alter_table("templates") as table:
        table.drop_column("retired_at")
