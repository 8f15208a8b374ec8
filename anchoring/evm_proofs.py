"""Fetching what proves an anchor to somebody who cannot ask the chain.

Nothing that the endpoint says is believed: see `anchoring.chain_proof_making`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from anchoring.backend import AnchorReceipt, AnchorUnreachable
from anchoring.chain_proof import ChainProof
from anchoring.chain_proof_making import (
    ChainProofUnavailable,
    encode_header,
    encode_receipt,
    make_chain_proof,
)
from anchoring.evm_rpc import Endpoint

MAX_TRANSACTIONS = 20_000
"""Of one block; 60 million gas hold 2,857."""


async def fetch_chain_proof(endpoint: Endpoint, receipt: AnchorReceipt) -> ChainProof:
    """Return the proof for the transaction of `receipt` in its block.

    Raises:
        ChainProofUnavailable: The answers do not give the block's own hashes.
        AnchorUnreachable: No usable answer.
    """
    block_hash = bytes.fromhex(receipt.block_hash[2:])
    block = await endpoint.raw("eth_getBlockByHash", receipt.block_hash, False)
    if not isinstance(block, Mapping):
        raise ChainProofUnavailable(f"found no block {receipt.block_hash}")
    header = encode_header(block, block_hash)
    references = block.get("transactions")
    if not isinstance(references, list) or receipt.transaction not in references:
        raise ChainProofUnavailable(f"{receipt.block_hash} lacks {receipt.transaction}")
    if len(references) > MAX_TRANSACTIONS:
        raise ChainProofUnavailable(f"found {len(references)} transactions in the block")
    receipts = await _receipts(endpoint, receipt.block_hash, references)
    # Checked by `encode_header`: these bytes have the block's hash.
    root = bytes.fromhex(str(block["receiptsRoot"])[2:])
    index = references.index(receipt.transaction)
    return make_chain_proof(header, root, receipts, index)


async def _receipts(
    endpoint: Endpoint, block_hash: str, references: Sequence[Any]
) -> list[bytes]:
    """Return all receipts of a block, at once where the endpoint does that."""
    try:
        answer = await endpoint.raw("eth_getBlockReceipts", block_hash)
    except AnchorUnreachable:
        answer = [await endpoint.raw("eth_getTransactionReceipt", r) for r in references]
    if not isinstance(answer, list) or not all(isinstance(r, Mapping) for r in answer):
        raise ChainProofUnavailable("found no list of receipts")
    return [encode_receipt(each) for each in answer]
