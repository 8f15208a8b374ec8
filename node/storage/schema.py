"""The tables. Alembic's migrations create them; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_AUTO = BigInteger().with_variant(Integer, "sqlite")

issuers = Table(
    "issuers",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("did", String(2048), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("document", Text, nullable=False, doc="the DID document, JSON"),
    Column("created_at", String(32), nullable=False),
    Column("cryptosuite", String(32), nullable=False, server_default="eddsa-rdfc-2022"),
)

templates = Table(
    "templates",
    metadata,
    Column("seq", _AUTO, primary_key=True, autoincrement=True),
    Column("id", String(128), nullable=False),
    Column("version", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("added_at", String(32), nullable=False),
    Column("retired_at", String(32)),
    UniqueConstraint("id", "version"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_sha256", String(64), nullable=False, unique=True),
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
    Column("roles", String(64), nullable=False, server_default="signer"),
    Column("issuers", Text, nullable=False, server_default="", doc="slugs; empty is any"),
    Column("expires_at", String(32)),
    Column("last_used_on", String(10), doc="a day in UTC"),
)

status_lists = Table(
    "status_lists",
    metadata,
    Column("url", String(2048), primary_key=True),
    Column("issuer", String(64), ForeignKey("issuers.slug"), nullable=False),
    Column("name", String(128), nullable=False, doc="as templates call it"),
    Column("sequence", Integer, nullable=False, doc="1, and one more when a list is full"),
    Column("purpose", String(16), nullable=False),
    Column("document", Text, nullable=False, doc="the signed list credential, JSON"),
    Column("version", Integer, nullable=False, server_default="1", doc="1, and one more"),
    Column("created_at", String(32), nullable=False),
    UniqueConstraint("issuer", "name", "sequence", "purpose"),
)

batches = Table(
    "batches",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("issuer", String(64), ForeignKey("issuers.slug"), nullable=False),
    Column("template", String(128), nullable=False),
    Column("template_version", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", String(64), nullable=False, doc="of what was drafted"),
    Column("drafted_at", String(32), nullable=False),
    Column("drafted_by_name", Text, nullable=False),
    Column("drafted_by_token", String(36), nullable=False, doc="empty without one"),
    Column("approval", String(16), nullable=False, doc="unneeded, waiting, and so on"),
    Column("decided_at", String(32)),
    Column("decided_by_name", Text),
    Column("decided_by_token", String(36)),
    Column("reason", Text, nullable=False, server_default="", doc="never leaves the node"),
)
Index("ix_batches_approval", batches.c.approval)
Index("ix_batches_drafted_at", batches.c.drafted_at)

uploads = Table(
    "uploads",
    metadata,
    Column("batch", String(36), ForeignKey("batches.id"), primary_key=True),
    Column("file", LargeBinary, doc="as uploaded; null once it is drafted or cancelled"),
    Column("file_sha256", String(64), nullable=False),
    Column("encoding", String(16), nullable=False),
    Column("sheet", Text, doc="of a workbook; null for the first that is shown"),
    Column("cryptosuite", String(32), doc="null leaves it to the issuer"),
    Column("rows", Integer, nullable=False),
    Column("issuable", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("earlier", Integer, nullable=False, doc="rows that were issued before"),
    Column("findings", Text, nullable=False, doc="JSON"),
    Column("uploaded_at", String(32), nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("id", String(2048), nullable=False, unique=True),
    Column("issuer", String(64), ForeignKey("issuers.slug"), nullable=False),
    Column("cryptosuite", String(32), nullable=False),
    Column("template", String(128)),
    Column("row_key", String(128), doc="what makes a registrar's row the same twice"),
    Column("draft", Text, doc="the unsigned document, until it is signed"),
    Column("draft_sha256", String(64), doc="to tell a repeated request from another one"),
    Column("document", Text, doc="the signed document, exactly as handed out"),
    Column("status_list", String(2048), ForeignKey("status_lists.url")),
    Column("status_index", Integer),
    Column("created_at", String(32), nullable=False),
    Column("signed_at", String(32)),
    Column("batch", String(36), doc="id in `batches`; null if issued by itself"),
    UniqueConstraint("issuer", "template", "row_key"),
    UniqueConstraint("status_list", "status_index"),
)
# In this order drafts are signed: without it, all that wait are sorted for each chunk.
Index(
    "ix_credentials_unsigned",
    credentials.c.signed_at,
    credentials.c.created_at,
    credentials.c.uuid,
)
Index("ix_credentials_batch", credentials.c.batch)
Index("ix_credentials_created_at", credentials.c.created_at, credentials.c.uuid)

status_events = Table(
    "status_events",
    metadata,
    Column("seq", _AUTO, primary_key=True, autoincrement=True),
    Column("credential", String(36), ForeignKey("credentials.uuid"), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("action", String(16), nullable=False, doc="revoke, suspend, reinstate"),
    Column("reason", Text, nullable=False, doc="never leaves the node"),
    Column("at", String(32), nullable=False),
    Column("status_list", String(2048), ForeignKey("status_lists.url"), nullable=False),
    Column("status_index", Integer, nullable=False),
    Column("list_version", Integer, nullable=False, doc="the list's, from this event on"),
    # Two changes made at once to one list would both be that version's: one of them fails.
    UniqueConstraint("status_list", "list_version"),
    # So no event can ever take a revocation back.
    CheckConstraint("(action = 'revoke') = (purpose = 'revocation')", name="for_ever"),
)
Index("ix_status_events_credential", status_events.c.credential)

documents = Table(
    "documents",
    metadata,
    Column("sha256", String(64), primary_key=True, doc="of the JCS bytes"),
    Column("kind", Integer, nullable=False),
    Column("body", Text, nullable=False, doc="JSON, as published"),
    Column("created_at", String(32), nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("seq", _AUTO, primary_key=True, autoincrement=True),
    Column("leaf_index", BigInteger, unique=True, doc="null while in the queue"),
    Column("kind", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, doc="SHA-256 of the JCS document"),
    Column("subject", String(2048), nullable=False, doc="credential UUID, list URL or DID"),
    Column("queued_at", String(32), nullable=False),
)
Index("ix_entries_subject", entries.c.subject)
Index("ix_entries_digest", entries.c.digest)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("record", LargeBinary, nullable=False, doc="the anchor record's exact bytes"),
    Column("record_digest", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", String(32), nullable=False),
)

transactions = Table(
    "transactions",
    metadata,
    Column("reference", String(80), primary_key=True),
    Column("tree_size", BigInteger, ForeignKey("checkpoints.tree_size"), nullable=False),
    Column("chain", String(64), nullable=False),
    Column("contract", String(160), nullable=False),
    Column("sender", String(80), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False, doc="see `node.storage.anchor_store`"),
    Column("block_number", BigInteger),
    Column("block_hash", String(80)),
    Column("log_index", Integer),
    Column("block_time", String(32)),
    Column("gas_used", BigInteger),
    Column("stored_at", String(32), nullable=False),
    Column("max_fee", BigInteger, doc="what it offers, wei per gas"),
    Column("depth", BigInteger, doc="blocks to the head, at the last look"),
    Column("waits_since", BigInteger, doc="height at the first look that did not show it"),
    Column("seen_at", String(32), doc="time of the last look"),
)
Index("ix_transactions_tree_size", transactions.c.tree_size)
# Whatever the code does: of one checkpoint, and of one nonce, a single transaction is on
# its way or in the chain.
_LIVE = text("state NOT IN ('replaced', 'lost', 'reverted')")
Index(
    "uq_transactions_live_checkpoint",
    transactions.c.chain,
    transactions.c.tree_size,
    unique=True,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)
Index(
    "uq_transactions_live_nonce",
    transactions.c.chain,
    transactions.c.sender,
    transactions.c.nonce,
    unique=True,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)

anchor_troubles = Table(
    "anchor_troubles",
    metadata,
    Column("chain", String(64), primary_key=True),
    Column("code", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("since", String(32), nullable=False),
    Column("seen_at", String(32), nullable=False),
)

challenges = Table(
    "challenges",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("created_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("used_at", String(32)),
)
Index("ix_challenges_expires_at", challenges.c.expires_at)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("url", String(2048), nullable=False),
    Column("secret", String(64), nullable=False, doc="signs what is sent; base64"),
    Column("events", String(255), nullable=False, doc="their names, separated by spaces"),
    Column("created_at", String(32), nullable=False),
    Column("removed_at", String(32)),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("seq", _AUTO, primary_key=True, autoincrement=True),
    Column("webhook", String(36), ForeignKey("webhooks.id"), nullable=False),
    Column("event", String(64), nullable=False, doc="its id, the same at each attempt"),
    Column("type", String(32), nullable=False),
    Column("body", Text, nullable=False, doc="JSON, exactly as it is sent"),
    Column("state", String(16), nullable=False, doc="waiting, delivered, given-up"),
    Column("attempts", Integer, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("due_at", String(32), nullable=False, doc="of the next attempt"),
    Column("ended_at", String(32)),
    Column("problem", Text, doc="what stood in the way last"),
    UniqueConstraint("webhook", "event"),
)
Index("ix_webhook_deliveries_due", webhook_deliveries.c.state, webhook_deliveries.c.due_at)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String(64), primary_key=True, doc="whose key: id of an access token"),
    Column("key", String(128), primary_key=True),
    Column("digest", String(64), nullable=False, doc="of the request, SHA-256 hex"),
    Column("status", Integer, doc="of the answer; null inside the transaction alone"),
    Column("location", Text),
    Column("body", Text, doc="of the answer, JSON"),
    Column("expires_at", String(32), nullable=False),
)
Index("ix_idempotency_keys_expires_at", idempotency_keys.c.expires_at)

publications = Table(
    "publications",
    metadata,
    Column("tree_size", BigInteger, ForeignKey("checkpoints.tree_size"), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("problem", Text, doc="what stood in the way last; null once published"),
    Column("tried_at", String(32), nullable=False),
    Column("published_at", String(32), doc="when Kubo had pinned the record"),
)

chain_proofs = Table(
    "chain_proofs",
    metadata,
    Column("reference", String(80), ForeignKey("transactions.reference"), primary_key=True),
    Column("header", LargeBinary, doc="RLP; null while there is no proof"),
    Column("transaction_index", Integer),
    Column("nodes", LargeBinary, doc="RLP list of the trie nodes, from the root down"),
    Column("attempts", Integer, nullable=False),
    Column("problem", Text, doc="what stood in the way last; null once there is a proof"),
    Column("tried_at", String(32), nullable=False),
)

witnessed = Table(
    "witnessed",
    metadata,
    Column("origin", String(255), primary_key=True, doc="of another log"),
    Column("tree_size", BigInteger, nullable=False, doc="the largest that was cosigned"),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("cosigned_at", String(32), nullable=False),
)

cosignatures = Table(
    "cosignatures",
    metadata,
    Column("tree_size", BigInteger, ForeignKey("checkpoints.tree_size"), primary_key=True),
    Column("witness", String(320), primary_key=True, doc="its verifier key"),
    Column("line", Text, nullable=False, doc="its line of the note, without newline"),
    Column("received_at", String(32), nullable=False),
)

stamps = Table(
    "stamps",
    metadata,
    Column("tree_size", BigInteger, ForeignKey("checkpoints.tree_size"), primary_key=True),
    Column("calendar", String(255), primary_key=True, doc="its URL, as configured"),
    Column("stamp", LargeBinary, doc="the .ots file; null before the first answer"),
    Column("height", BigInteger, doc="block of Bitcoin, unverified; null while pending"),
    Column("attempts", Integer, nullable=False, doc="failed ones since the last answer"),
    Column("problem", Text, doc="what stood in the way last"),
    Column("tried_at", String(32), nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("secret_sha256", String(64), primary_key=True),
    Column("token", String(36), ForeignKey("tokens.id"), nullable=False),
    Column("expires_at", String(32), nullable=False),
)
Index("ix_sessions_expires_at", sessions.c.expires_at)

requests = Table(
    "requests",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("requested_at", String(32), nullable=False),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False, doc="the entry, canonical JSON"),
    Column("digest", String(64), nullable=False, doc="SHA-256 of the body"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("name", String(8), primary_key=True, doc="the table has one row"),
    Column("sequence", BigInteger, nullable=False, doc="of the last entry; 0 before any"),
    Column("digest", String(64), nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(96), nullable=False, doc="machine and process"),
    Column("fence", BigInteger, nullable=False, doc="of the term: one more with each"),
    Column("expires", BigInteger, nullable=False, doc="milliseconds, database's clock"),
)

restorations = Table(
    "restorations",
    metadata,
    Column("seq", _AUTO, primary_key=True, autoincrement=True),
    Column("made_at", String(32), nullable=False, doc="when the backup was"),
    Column("restored_at", String(32), nullable=False),
    Column("reconciled_at", String(32), doc="null while nothing may be signed"),
    Column("first_sequence", Integer, nullable=False, doc="of lists with free places"),
)

inherited_marks = Table(
    "inherited_marks",
    metadata,
    Column("status_list", String(2048), ForeignKey("status_lists.url"), primary_key=True),
    Column("status_index", Integer, primary_key=True, autoincrement=False),
)
