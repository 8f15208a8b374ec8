"""What one anchor costs on chain, against the least that any transaction could cost."""

import asyncio
import secrets
from typing import cast

from web3 import AsyncWeb3
from web3.types import TxParams

from anchoring.dev_chain import DevChain
from primitives.hashing import Digest

LIMIT = 1.05
"""Goal: at most this many times the floor."""

# No zero byte: those are cheaper, and would flatter both figures by chance.
_DIGEST = Digest(bytes(range(1, 33)))


def gas_rows() -> list[tuple[str, str, str, str]]:
    """Return rows of what, figure, limit and ratio, measured now in this process."""
    anchor, floor = asyncio.run(_measure())
    limit = int(LIMIT * floor)
    return [
        ("gas of anchor(digest)", f"{anchor:,}", f"<= {limit:,}", f"{anchor / floor:.3f}"),
        ("gas of 32 bytes without a contract", f"{floor:,}", "the floor", "1.000"),
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


if __name__ == "__main__":
    for row in gas_rows():
        print(*row, sep="\t")
