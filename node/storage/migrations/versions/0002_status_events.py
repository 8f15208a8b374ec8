"""What was revoked, suspended and reinstated, and the version of each status list."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:

    op.add_column(
        "status_lists",
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
    )
    op.create_table(
        "status_events",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("credential", sa.String(length=36), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("status_list", sa.String(length=2048), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("list_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(action = 'revoke') = (purpose = 'revocation')", name=op.f("for_ever")
        ),
        sa.ForeignKeyConstraint(
            ["credential"], ["credentials.uuid"], name=op.f("fk_status_events_credential")
        ),
        sa.ForeignKeyConstraint(
            ["status_list"],
            ["status_lists.url"],
            name=op.f("fk_status_events_status_list"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_status_events")),
        sa.UniqueConstraint(
            "status_list",
            "list_version",
            name=op.f("uq_status_events_status_list_list_version"),
        ),
    )
    op.create_index("ix_status_events_credential", "status_events", ["credential"])


def downgrade() -> None:

    op.drop_index("ix_status_events_credential", table_name="status_events")
    op.drop_table("status_events")
    op.drop_column("status_lists", "version")
