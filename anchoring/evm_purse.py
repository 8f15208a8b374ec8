"""The account that pays for anchors: signs and broadcasts Ethereum transactions."""

from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from anchoring.evm_answers import AnchorRpcInconsistent, Fees, read_refusal
from anchoring.evm_rpc import Endpoint, NodeError
from primitives.errors import Misconfigured

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

    def sign(
        self, call: dict[str, Any], *, chain_id: int, nonce: int, gas: int, fees: Fees
    ) -> tuple[str, bytes]:
        """Return hash and raw bytes of a transaction that makes `call`."""
        signed = self._account.sign_transaction(
            {
                **call,
                "type": 2,
                "chainId": chain_id,
                "nonce": nonce,
                "gas": gas,
                "maxFeePerGas": fees.maximum,
                "maxPriorityFeePerGas": fees.priority,
                "value": 0,
            }
        )
        return "0x" + bytes(signed.hash).hex(), bytes(signed.raw_transaction)


def offered_fees(raw: bytes) -> Fees:
    """Return what a transaction that `Purse.sign` made offers.

    Read from its bytes, which are what the network holds it to.
    """
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    return Fees(
        maximum=int(fields["maxFeePerGas"]), priority=int(fields["maxPriorityFeePerGas"])
    )


def offered_gas(raw: bytes) -> int:
    """Return the gas limit of a transaction that `Purse.sign` made."""
    return int(TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["gas"])


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
