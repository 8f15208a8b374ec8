"""Which sheet of an uploaded workbook is read."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:

    op.add_column("uploads", sa.Column("sheet", sa.Text(), nullable=True))


def downgrade() -> None:

    op.drop_column("uploads", "sheet")
