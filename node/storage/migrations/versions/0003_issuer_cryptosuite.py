"""The cryptosuite that each issuer signs with where a request names none."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:

    op.add_column(
        "issuers",
        sa.Column(
            "cryptosuite",
            sa.String(length=32),
            server_default="eddsa-rdfc-2022",
            nullable=False,
        ),
    )


def downgrade() -> None:

    op.drop_column("issuers", "cryptosuite")
