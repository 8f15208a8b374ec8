"""What proves anchors offline, and what stood in the way of having it."""

from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.chain_proof import ChainProof
from anchoring.rlp import decode_rlp, encode_rlp
from node.storage.anchor_store import StoredTransaction
from node.storage.attempts import save_attempt
from node.storage.schema import chain_proofs, transactions
from node.storage.store import Reader

_OF_SIZE: Final = (
    select(
        chain_proofs.c.reference,
        chain_proofs.c.header,
        chain_proofs.c.transaction_index,
        chain_proofs.c.nodes,
        transactions.c.block_hash,
    )
    .join_from(
        chain_proofs, transactions, chain_proofs.c.reference == transactions.c.reference
    )
    .where(
        transactions.c.tree_size == bindparam("size"), chain_proofs.c.header.is_not(None)
    )
)


async def unproven(
    c: AsyncConnection, chain: str, limit: int
) -> list[tuple[StoredTransaction, int, str | None]]:
    """Return final transactions without a proof: attempts so far, and the last one's time.

    Those that were tried longest ago, or never, come first.
    """
    joined = transactions.outerjoin(
        chain_proofs, chain_proofs.c.reference == transactions.c.reference
    )
    rows = await c.execute(
        select(transactions, chain_proofs.c.attempts, chain_proofs.c.tried_at)
        .select_from(joined)
        .where(
            transactions.c.state == "final",
            transactions.c.chain == chain,
            chain_proofs.c.header.is_(None),
        )
        .order_by(chain_proofs.c.tried_at.is_not(None), chain_proofs.c.tried_at)
        .limit(limit)
    )
    found = []
    for row in rows:
        values = dict(row._mapping)  # noqa: SLF001 - the documented way to a mapping
        attempts, tried_at = values.pop("attempts"), values.pop("tried_at")
        found.append((StoredTransaction(**values), attempts or 0, tried_at))
    return found


async def save_proof(
    c: AsyncConnection, reference: str, proof: ChainProof, at: str
) -> None:
    """Keep a proof that was checked."""
    await save_attempt(
        c,
        chain_proofs.c.reference,
        reference,
        header=proof.header,
        transaction_index=proof.transaction_index,
        nodes=encode_rlp(proof.nodes),
        problem=None,
        tried_at=at,
    )


async def save_failed(c: AsyncConnection, reference: str, problem: str, at: str) -> None:
    """Write down what stood in the way."""
    await save_attempt(c, chain_proofs.c.reference, reference, problem=problem, tried_at=at)


async def proofs_of(c: Reader, tree_size: int) -> dict[str, ChainProof]:
    """Return the proofs of a checkpoint's transactions, as far as there are any.

    By reference. One of a block that a reorganisation has removed is not returned.
    """
    rows = await c.execute(_OF_SIZE, {"size": tree_size})
    found: dict[str, ChainProof] = {}
    for row in rows:
        nodes = decode_rlp(row.nodes)
        proof = ChainProof(
            row.header,
            row.transaction_index,
            tuple(node for node in nodes if isinstance(node, bytes)),
        )
        if proof.block_hash == row.block_hash:
            found[row.reference] = proof
    return found
