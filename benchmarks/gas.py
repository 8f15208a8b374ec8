"""What one anchor costs on chain, against the least that any transaction could cost."""

import asyncio
import secrets
from typing import cast

from web3 import AsyncWeb3
from web3.types import TxParams

from anchoring.dev_chain import DevChain
from benchmarks.figures import Figure
from primitives.hashing import Digest

GOAL = 1.05
"""Times the floor."""

DOCUMENT_STORE = 48_168
"""Gas of `issue` of OpenAttestation's DocumentStore 1.0: measured once, with a root that
has no zero byte. Of the same units as the figures here, and no matter of the machine."""

DOCUMENT_STORE_GOAL = 0.5

# No zero byte: those are cheaper, and would flatter both figures by chance.
_DIGEST = Digest(bytes(range(1, 33)))


def gas_rows() -> list[Figure]:
    """Measure one anchor and one plain transaction, now and in this process."""
    anchor, floor = asyncio.run(_measure())
    store = f"DocumentStore {DOCUMENT_STORE:,}, measured elsewhere"
    figure = f"{anchor:,}"
    return [
        Figure(
            "gas of anchor(digest)",
            figure,
            f"32 bytes without a contract {floor:,}",
            anchor / floor,
            goal=GOAL,
            at_most=True,
        ),
        Figure(
            "gas of anchor(digest)",
            figure,
            store,
            anchor / DOCUMENT_STORE,
            goal=DOCUMENT_STORE_GOAL,
            at_most=True,
        ),
    ]


async def _measure() -> tuple[int, int]:
    chain = await DevChain.start(secrets.token_bytes(32))
    transaction = await chain.anchor.prepare(_DIGEST)
    await chain.anchor.send(transaction)
    sighting = await chain.anchor.find(transaction)
    assert sighting is not None
    eth = AsyncWeb3(chain.rpc, middleware=[]).eth
    plain = {
        "from": (await eth.accounts)[0],
        "to": "0x" + "11" * 20,
        "data": _DIGEST,
        "gas": 100_000,
    }
    sent = await eth.send_transaction(cast(TxParams, plain))
    floor = await eth.get_transaction_receipt(sent)
    await chain.close()
    return sighting.gas_used, floor["gasUsed"]
