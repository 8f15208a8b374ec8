"""What a transaction costs now, by the word of several endpoints."""

from typing import Any, cast

from web3.types import TxParams

from anchoring.backend import InsufficientFunds
from anchoring.evm_answers import (
    AnchorRpcInconsistent,
    Fees,
    choose_fees,
    read_refusal,
    require_number,
)
from anchoring.evm_quorum import Quorum
from anchoring.evm_rpc import Endpoint, NodeError
from primitives.clock import Clock

TRANSFER_GAS = 21_000
"""What a transaction takes that calls no contract."""

MAX_GAS = 1_000_000
"""Rollups count their cost of data in gas too; a million is far above any seen."""


async def current_fees(quorum: Quorum, clock: Clock, *, limit: int) -> Fees:
    """Return fees that are good now; `limit` in wei per gas.

    Raises:
        FeeAboveLimit: Even today's base fee is above it.
    """

    async def base_fee(endpoint: Endpoint) -> int:
        head = await endpoint.head(clock)
        return require_number(head.base_fee, "base fee of the newest block")

    return choose_fees(
        base_fee=await quorum.middle(base_fee),
        suggested_priority=await quorum.middle(lambda e: e.suggested_priority()),
        limit=limit,
    )


async def estimated_gas(endpoint: Endpoint, call: dict[str, Any]) -> int:
    """Return the gas that `call` takes, by the endpoint's word and within reason.

    Raises:
        InsufficientFunds: Some nodes look at the balance already here.
        AnchorRpcInconsistent: More than `MAX_GAS`.
    """
    try:
        gas = await endpoint.number(endpoint.eth.estimate_gas(cast(TxParams, call)))
    except NodeError as e:
        refusal = read_refusal(e.words)
        if isinstance(refusal, InsufficientFunds):
            raise refusal from e
        raise
    if gas > MAX_GAS:
        raise AnchorRpcInconsistent(
            f"found an estimate of {gas} gas, want at most {MAX_GAS}"
        )
    return gas
