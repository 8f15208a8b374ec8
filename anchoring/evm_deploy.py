"""Creating AnchorRegistry on a chain that has none yet."""

import asyncio
import re
from typing import Any, cast

from eth_typing import HexAddress, HexStr
from web3.providers.async_base import AsyncBaseProvider
from web3.types import Nonce
from web3.utils.address import get_create_address

from anchoring.backend import AnchorRefused, AnchorUnreachable
from anchoring.evm import (
    MAX_FEE_PER_GAS,
    REQUEST_TIMEOUT_SECONDS,
    AnchorContractMalformed,
)
from anchoring.evm_answers import Mined
from anchoring.evm_fees import current_fees, estimated_gas
from anchoring.evm_purse import Purse, broadcast
from anchoring.evm_quorum import Quorum
from anchoring.evm_rpc import Endpoint
from contracts.artifact import load_artifact
from primitives.clock import SystemClock

_CAIP2 = re.compile(r"eip155:[1-9][0-9]{0,31}", re.ASCII)
_RECEIPT_POLL_SECONDS = 0.5


async def deploy(
    provider: AsyncBaseProvider,
    chain: str,
    private_key: bytes,
    *,
    first_nonce: int = 0,
    max_fee_per_gas: int = MAX_FEE_PER_GAS,
    receipt_timeout_seconds: float = 300.0,
) -> str:
    """Create AnchorRegistry on `chain` (CAIP-2) and return its CAIP-10 account.

    No nonce below `first_nonce` is used: transactions that wait to be sent have those.

    The caller keeps `provider` and closes it. Dying in between costs the fee of one
    deployment and nothing else.

    Raises:
        AnchorRefused: The node did not take it, or it was reverted.
        AnchorUnreachable: The chain did not answer, or not within
            `receipt_timeout_seconds`; the contract may still appear.
    """
    if _CAIP2.fullmatch(chain) is None:
        raise AnchorContractMalformed(f"found {chain[:80]!r}, want eip155:<chain id>")
    endpoint = Endpoint(provider, chain, REQUEST_TIMEOUT_SECONDS)
    purse = Purse(private_key)
    await endpoint.confirm()
    pending = endpoint.eth.get_transaction_count(cast(Any, purse.address), "pending")
    nonce = max(first_nonce, await endpoint.number(pending))
    call = {"data": load_artifact().bytecode}
    gas = await estimated_gas(endpoint, {**call, "from": purse.address})
    quorum = Quorum([endpoint])
    fees = await current_fees(quorum, SystemClock(), limit=max_fee_per_gas)
    reference, raw = purse.sign(
        call, chain_id=endpoint.id, nonce=nonce, gas=gas + gas // 4, fees=fees
    )
    await broadcast(endpoint, raw, reference)
    try:
        async with asyncio.timeout(receipt_timeout_seconds):
            mined = await _next_receipt(endpoint, reference)
    except TimeoutError as e:
        raise AnchorUnreachable(
            f"{reference} was not mined within {receipt_timeout_seconds:g} seconds"
        ) from e
    if not mined.succeeded:
        raise AnchorRefused(f"the deployment {reference} was mined and reverted")
    # Calculated rather than read from the receipt: no endpoint can name another.
    address = get_create_address(HexAddress(HexStr(purse.address)), Nonce(nonce))
    return f"{chain}:{address}"


async def _next_receipt(endpoint: Endpoint, reference: str) -> Mined:
    while True:
        mined = await endpoint.receipt(reference)
        if mined is not None:
            return mined
        await asyncio.sleep(_RECEIPT_POLL_SECONDS)
