"""The account that pays for anchors: signs and broadcasts Ethereum transactions."""

from typing import Any, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3.types import TxParams

from anchoring.backend import InsufficientFunds
from anchoring.evm_answers import AnchorRpcInconsistent, read_refusal
from anchoring.evm_rpc import Endpoint, NodeError
from primitives.errors import Misconfigured

MAX_GAS = 1_000_000
"""Rollups count their cost of data in gas too; a million is far above any seen."""

_PRIVATE_KEY_BYTES = 32
_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class AnchorKeyMalformed(Misconfigured):
    """The anchoring key is not a secp256k1 private key."""

    code = "anchor-key-malformed"


class Purse:
    """The account that pays. The key never leaves this object."""

    def __init__(self, private_key: bytes) -> None:
        number = int.from_bytes(private_key)
        if len(private_key) != _PRIVATE_KEY_BYTES or not 0 < number < _SECP256K1_ORDER:
            raise AnchorKeyMalformed(
                f"found {len(private_key)} bytes, want the {_PRIVATE_KEY_BYTES} "
                "of a secp256k1 private key"
            )
        self._account: LocalAccount = Account.from_key(private_key)
        self.address = str(self._account.address)

    def __repr__(self) -> str:
        """Name the address only."""
        return f"Purse({self.address})"

    async def sign(
        self, endpoint: Endpoint, call: dict[str, Any], limit: int
    ) -> tuple[int, str, bytes]:
        """Return nonce, hash and raw bytes of a transaction that makes `call`."""
        nonce = await endpoint.number(
            endpoint.eth.get_transaction_count(cast(Any, self.address), "pending")
        )
        fees = await endpoint.fees(limit)
        gas = await self._estimate(endpoint, call)
        signed = self._account.sign_transaction(
            {
                **call,
                "type": 2,
                "chainId": endpoint.id,
                "nonce": nonce,
                "gas": gas + gas // 4,
                "maxFeePerGas": fees.maximum,
                "maxPriorityFeePerGas": fees.priority,
                "value": 0,
            }
        )
        return nonce, "0x" + bytes(signed.hash).hex(), bytes(signed.raw_transaction)

    async def _estimate(self, endpoint: Endpoint, call: dict[str, Any]) -> int:
        asked = cast(TxParams, {**call, "from": self.address})
        try:
            gas = await endpoint.number(endpoint.eth.estimate_gas(asked))
        except NodeError as e:
            # Some nodes look at the balance already here.
            refusal = read_refusal(e.words)
            if isinstance(refusal, InsufficientFunds):
                raise refusal from e
            raise
        if gas > MAX_GAS:
            raise AnchorRpcInconsistent(
                f"found an estimate of {gas} gas, want at most {MAX_GAS}"
            )
        return gas


async def broadcast(endpoint: Endpoint, raw: bytes, reference: str) -> None:
    """Send signed bytes; success if the node has them already.

    Raises:
        NonceTaken: The node says so; the caller finds out by which transaction.
        AnchorRefused: Certainly not accepted.
        AnchorUnreachable: Unknown.
    """
    try:
        answered = await endpoint.ask(endpoint.eth.send_raw_transaction(HexBytes(raw)))
    except NodeError as e:
        refusal = read_refusal(e.words)
        if refusal is None:
            return
        raise refusal from e
    if "0x" + bytes(answered).hex() != reference:
        raise AnchorRpcInconsistent(f"found the hash {answered!r}, want {reference}")
