"""Batches, and who drafted and approved them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:

    op.create_table(
        "batches",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("template", sa.String(length=128), nullable=False),
        sa.Column("template_version", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("drafted_at", sa.String(length=32), nullable=False),
        sa.Column("drafted_by_name", sa.Text(), nullable=False),
        sa.Column("drafted_by_token", sa.String(length=36), nullable=False),
        sa.Column("approval", sa.String(length=16), nullable=False),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decided_by_token", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer"], ["issuers.slug"], name=op.f("fk_batches_issuer_issuers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index("ix_batches_approval", "batches", ["approval"])
    op.create_index("ix_batches_drafted_at", "batches", ["drafted_at"])
    # No foreign key: SQLite would have to write every credential anew for it.
    op.add_column("credentials", sa.Column("batch", sa.String(length=36), nullable=True))
    op.create_index("ix_credentials_batch", "credentials", ["batch"])


def downgrade() -> None:

    op.drop_index("ix_credentials_batch", "credentials")
    op.drop_column("credentials", "batch")
    op.drop_table("batches")
