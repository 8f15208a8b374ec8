"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:

    op.create_table(
        "checkpoints",
        sa.Column("tree_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("record_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tree_size", name=op.f("pk_checkpoints")),
        sa.UniqueConstraint("record_digest", name=op.f("uq_checkpoints_record_digest")),
    )
    op.create_table(
        "documents",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_documents")),
    )
    op.create_table(
        "entries",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("leaf_index", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject", sa.String(length=2048), nullable=False),
        sa.Column("queued_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_entries")),
        sa.UniqueConstraint("leaf_index", name=op.f("uq_entries_leaf_index")),
    )
    op.create_index("ix_entries_subject", "entries", ["subject"], unique=False)
    op.create_table(
        "issuers",
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("did", sa.String(length=2048), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_issuers")),
        sa.UniqueConstraint("did", name=op.f("uq_issuers_did")),
    )
    op.create_table(
        "requests",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("requested_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_requests")),
    )
    op.create_table(
        "templates",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("added_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_templates")),
        sa.UniqueConstraint("id", "version", name=op.f("uq_templates_id_version")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("revoked_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_tokens_secret_sha256")),
    )
    op.create_table(
        "status_lists",
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer"], ["issuers.slug"], name=op.f("fk_status_lists_issuer")
        ),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_status_lists")),
        sa.UniqueConstraint(
            "issuer",
            "name",
            "sequence",
            "purpose",
            name=op.f("uq_status_lists_issuer_name_sequence_purpose"),
        ),
    )
    op.create_table(
        "transactions",
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("contract", sa.String(length=160), nullable=False),
        sa.Column("sender", sa.String(length=80), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.String(length=80), nullable=True),
        sa.Column("log_index", sa.Integer(), nullable=True),
        sa.Column("block_time", sa.String(length=32), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("stored_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["tree_size"], ["checkpoints.tree_size"], name=op.f("fk_transactions_tree_size")
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_transactions")),
    )
    op.create_index(
        "ix_transactions_tree_size", "transactions", ["tree_size"], unique=False
    )
    op.create_table(
        "credentials",
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=2048), nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("cryptosuite", sa.String(length=32), nullable=False),
        sa.Column("template", sa.String(length=128), nullable=True),
        sa.Column("row_key", sa.String(length=128), nullable=True),
        sa.Column("draft", sa.Text(), nullable=True),
        sa.Column("draft_sha256", sa.String(length=64), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("status_list", sa.String(length=2048), nullable=True),
        sa.Column("status_index", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("signed_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["issuer"], ["issuers.slug"], name=op.f("fk_credentials_issuer")
        ),
        sa.ForeignKeyConstraint(
            ["status_list"], ["status_lists.url"], name=op.f("fk_credentials_status_list")
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_credentials")),
        sa.UniqueConstraint("id", name=op.f("uq_credentials_id")),
        sa.UniqueConstraint(
            "issuer",
            "template",
            "row_key",
            name=op.f("uq_credentials_issuer_template_row_key"),
        ),
        sa.UniqueConstraint(
            "status_list",
            "status_index",
            name=op.f("uq_credentials_status_list_status_index"),
        ),
    )
    op.create_index("ix_credentials_unsigned", "credentials", ["signed_at"], unique=False)


def downgrade() -> None:

    op.drop_index("ix_credentials_unsigned", table_name="credentials")
    op.drop_table("credentials")
    op.drop_index("ix_transactions_tree_size", table_name="transactions")
    op.drop_table("transactions")
    op.drop_table("status_lists")
    op.drop_table("tokens")
    op.drop_table("templates")
    op.drop_table("requests")
    op.drop_table("issuers")
    op.drop_index("ix_entries_subject", table_name="entries")
    op.drop_table("entries")
    op.drop_table("documents")
    op.drop_table("checkpoints")
