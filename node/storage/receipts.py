"""Which checkpoint shows a credential: one query, because every verification asks it."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Integer, String, bindparam, func, literal_column, or_, select

from anchoring.entry import EntryKind
from node.storage.anchor_store import EFFECTIVE, StoredTransaction
from node.storage.schema import cosignatures, entries, transactions
from node.storage.store import Reader, is_storable
from primitives.hashing import Digest

# In the text of the statement: parameters that are a list are filled in anew each time,
# which takes longer than the query itself.
_EFFECTIVE: Final = or_(
    *(
        transactions.c.state == literal_column(f"'{state}'", String)
        for state in sorted(EFFECTIVE)
    )
)

_COVERING: Final = select(func.min(transactions.c.tree_size)).where(
    _EFFECTIVE, transactions.c.tree_size > entries.c.leaf_index
)

_STANDING: Final = (
    select(
        entries.c.leaf_index,
        _COVERING.scalar_subquery().label("anchored"),
        _COVERING.where(transactions.c.chain == bindparam("chain"))
        .scalar_subquery()
        .label("there"),
        select(func.min(cosignatures.c.tree_size))
        .where(cosignatures.c.tree_size > entries.c.leaf_index)
        .scalar_subquery()
        .label("witnessed"),
    )
    .where(
        entries.c.subject == bindparam("subject"),
        entries.c.kind == literal_column(str(int(EntryKind.CREDENTIAL)), Integer),
    )
    .order_by(entries.c.seq.desc())
    .limit(1)
)

_ANCHORS: Final = (
    select(transactions)
    .where(_EFFECTIVE, transactions.c.tree_size == bindparam("size"))
    .order_by(transactions.c.stored_at, transactions.c.nonce)
)


_LEAF_OF_DOCUMENT: Final = select(func.min(entries.c.leaf_index)).where(
    entries.c.subject == bindparam("subject"),
    entries.c.kind == literal_column(str(int(EntryKind.DID_DOCUMENT)), Integer),
    entries.c.digest == bindparam("digest"),
)


@dataclass(frozen=True, slots=True)
class LeafStanding:
    """Where a credential stands in the log."""

    index: int | None
    """Of its newest leaf; None while it waits in the queue."""

    size: int | None
    """Of the first checkpoint that covers the leaf and is anchored on the chain that was
    named; else on any; else of the first that a witness has cosigned; else None."""

    is_anchored: bool


async def find_standing(
    c: Reader, uuid: str, chain: str | None, *, nowhere_else: bool = False
) -> LeafStanding | None:
    """Return where a credential stands in the log; None if it was never queued for it.

    Args:
        c: A snapshot.
        uuid: Of the credential.
        chain: CAIP-2 id of the chain whose anchors come first; None treats all alike.
        nowhere_else: Whether no other anchors, and no witnesses, count.
    """
    if not is_storable(uuid):
        return None
    row = (await c.execute(_STANDING, {"subject": uuid, "chain": chain})).first()
    if row is None:
        return None
    anchored = row.there if row.there is not None or nowhere_else else row.anchored
    size = row.witnessed if anchored is None and not nowhere_else else anchored
    return LeafStanding(row.leaf_index, size, anchored is not None)


async def anchors_of(c: Reader, tree_size: int) -> list[StoredTransaction]:
    """Return the transactions that anchor a checkpoint and stand in the chain."""
    rows = await c.execute(_ANCHORS, {"size": tree_size})
    return [StoredTransaction(**row._mapping) for row in rows]  # noqa: SLF001


async def leaf_of_document(c: Reader, did: str, digest: Digest) -> int | None:
    """Return the first leaf of a version of a DID document; None if it has none yet."""
    asked = {"subject": did, "digest": digest}
    row = (await c.execute(_LEAF_OF_DOCUMENT, asked)).first()
    return None if row is None else row[0]
