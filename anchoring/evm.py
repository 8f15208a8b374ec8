"""The anchor backend for Ethereum and chains like it.

It imports web3, which costs most of a second: import it where an anchor is made or checked,
and nowhere else.

The endpoint can withhold answers and lie; it never sees the private key, it cannot change
what was signed, and it cannot make the node pay more than `max_fee_per_gas`. What it says
about blocks is believed as far as it is consistent: ask several endpoints to trust none.
"""

import asyncio
import re
from typing import Any, Self, cast

from eth_typing import HexAddress, HexStr
from eth_utils.address import to_checksum_address
from web3.providers.async_base import AsyncBaseProvider
from web3.types import Nonce
from web3.utils.address import get_create_address

from anchoring.backend import (
    AnchorBackendMismatch,
    AnchorReceipt,
    AnchorRefused,
    AnchorUnreachable,
    NonceTaken,
    Sighting,
    SignedTransaction,
)
from anchoring.evm_answers import (
    AnchorRpcInconsistent,
    Log,
    Mined,
    event_topics,
    make_receipt,
)
from anchoring.evm_purse import Purse, broadcast
from anchoring.evm_rpc import Endpoint, HttpRpc
from contracts.artifact import load_artifact
from primitives.errors import Misconfigured
from primitives.hashing import Digest

REQUEST_TIMEOUT_SECONDS = 10.0

MAX_FEE_PER_GAS = 100 * 10**9
"""Wei. An anchor takes 23,151 gas, so that at most 0.003 coins are at stake in each."""

_CAIP10 = re.compile(r"(eip155:[1-9][0-9]{0,31}):(0x[0-9a-fA-F]{40})", re.ASCII)
_CAIP2 = re.compile(r"eip155:[1-9][0-9]{0,31}", re.ASCII)
_REFERENCE = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_RECEIPT_POLL_SECONDS = 0.5


class AnchorContractMalformed(Misconfigured):
    """The configured contract is not a CAIP-10 account with a checksummed address."""

    code = "anchor-contract-malformed"
    hint = (
        "write it as eip155:<chain id>:0x…, with the capitals that the deployment printed"
    )


class AnchorReadOnly(Misconfigured):
    """Something was to be anchored without an anchoring key."""

    code = "anchor-read-only"
    hint = "configure an anchoring key; checking receipts needs none"


class EvmAnchor:
    """Anchors through AnchorRegistry on one chain. See `AnchorBackend` for the rules."""

    def __init__(
        self,
        provider: AsyncBaseProvider,
        contract: str,
        *,
        private_key: bytes | None = None,
        max_fee_per_gas: int = MAX_FEE_PER_GAS,
        request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> None:
        """Open nothing yet; the first call finds out whether the endpoint fits.

        Args:
            provider: Any of web3's asynchronous providers.
            contract: CAIP-10 account of the contract; its chain is the chain.
            private_key: 32 bytes of the paying account; without it, only `check` and
                `find` work.
            max_fee_per_gas: Wei per gas that no transaction will ever offer more than.
            request_timeout_seconds: For each single request.

        Raises:
            AnchorContractMalformed: `contract` has another form.
            AnchorKeyMalformed: `private_key` is no such key.
        """
        match = _CAIP10.fullmatch(contract)
        if match is None or to_checksum_address(match[2]) != match[2]:
            raise AnchorContractMalformed(f"found {contract[:80]!r}, want CAIP-10")
        self._contract = contract
        self._address = match[2]
        self._endpoint = Endpoint(provider, match[1], request_timeout_seconds)
        self._purse = None if private_key is None else Purse(private_key)
        self._max_fee_per_gas = max_fee_per_gas
        self._artifact = load_artifact()
        self._contract_confirmed = False

    @classmethod
    def connect(
        cls,
        rpc_url: str,
        contract: str,
        *,
        private_key: bytes | None = None,
        max_fee_per_gas: int = MAX_FEE_PER_GAS,
        request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> Self:
        """Return a backend for an HTTP endpoint; arguments as for the constructor."""
        return cls(
            HttpRpc(rpc_url, timeout_seconds=request_timeout_seconds),
            contract,
            private_key=private_key,
            max_fee_per_gas=max_fee_per_gas,
            request_timeout_seconds=request_timeout_seconds,
        )

    @property
    def chain(self) -> str:
        """See `AnchorBackend.chain`."""
        return self._endpoint.caip2

    @property
    def contract(self) -> str:
        """See `AnchorBackend.contract`."""
        return self._contract

    @property
    def account(self) -> str:
        """See `AnchorBackend.account`."""
        return f"{self.chain}:{self._require_purse().address}"

    async def balance(self) -> int:
        """Return what the account holds, in wei."""
        purse = self._require_purse()
        await self._endpoint.confirm()
        eth = self._endpoint.eth
        return await self._endpoint.number(eth.get_balance(cast(Any, purse.address)))

    async def prepare(self, digest: Digest) -> SignedTransaction:
        """See `AnchorBackend.prepare`.

        Raises:
            FeeAboveLimit: The chain's fee is above the operator's limit.
            AnchorReadOnly: There is no key.
        """
        purse = self._require_purse()
        await self._endpoint.confirm()
        await self._confirm_contract()
        call = {"to": self._address, "data": self._artifact.anchor_selector + digest}
        nonce, reference, raw = await purse.sign(
            self._endpoint, call, self._max_fee_per_gas
        )
        return SignedTransaction(
            chain=self.chain,
            sender=purse.address,
            nonce=nonce,
            reference=reference,
            raw=raw,
            digest=digest,
        )

    async def send(self, transaction: SignedTransaction) -> None:
        """See `AnchorBackend.send`.

        Raises:
            Underpriced: Fees have risen since it was signed.
            AnchorReadOnly: There is no key.
        """
        self._require_purse()
        self._refuse_other_chain(transaction.chain)
        await self._endpoint.confirm()
        try:
            await broadcast(self._endpoint, transaction.raw, transaction.reference)
        except NonceTaken as e:
            await self._settle_nonce(transaction, e)

    async def find(self, transaction: SignedTransaction) -> Sighting | None:
        """See `AnchorBackend.find`."""
        self._refuse_other_chain(transaction.chain)
        await self._endpoint.confirm()
        mined = await self._endpoint.receipt(transaction.reference)
        if mined is None:
            return None
        block, depth = await self._endpoint.canonical_block(mined)
        if not mined.succeeded:
            raise AnchorRefused(f"transaction {mined.reference} was mined and reverted")
        wanted = event_topics(
            self._artifact.anchored_topic,
            sender=transaction.sender,
            digest=transaction.digest,
        )
        for event in mined.logs:
            if event.address == self._address and event.topics == wanted:
                receipt = make_receipt(mined, event, block=block, contract=self._contract)
                return Sighting(receipt, depth=depth, gas_used=mined.gas_used)
        # Code and calldata are known: success without this event cannot be.
        raise AnchorRpcInconsistent(
            f"found no Anchored event of {transaction.sender} at {self._address} "
            f"in {mined.reference}"
        )

    async def check(self, receipt: AnchorReceipt, digest: Digest) -> Sighting:
        """See `AnchorBackend.check`. Whoever sent the transaction proves nothing."""
        if receipt.contract != self._contract:
            raise AnchorRefused(
                f"found a receipt of {receipt.contract[:80]}, want {self._contract}"
            )
        if _REFERENCE.fullmatch(receipt.transaction) is None:
            raise AnchorRefused(f"found {receipt.transaction[:80]!r}, want a hash")
        await self._endpoint.confirm()
        mined = await self._endpoint.receipt(receipt.transaction)
        if mined is None or not mined.succeeded:
            raise AnchorRefused(f"{receipt.transaction} was not mined, or was reverted")
        block, depth = await self._endpoint.canonical_block(mined)
        event = self._anchored_event(mined, receipt.log_index, digest)
        seen = make_receipt(mined, event, block=block, contract=self._contract)
        if seen != receipt:
            raise AnchorRefused(f"found {seen}, want {receipt}")
        return Sighting(seen, depth=depth, gas_used=mined.gas_used)

    async def close(self) -> None:
        """See `AnchorBackend.close`."""
        await self._endpoint.close()

    def _require_purse(self) -> Purse:
        if self._purse is None:
            raise AnchorReadOnly("found no anchoring key, want one")
        return self._purse

    def _refuse_other_chain(self, chain: str) -> None:
        if chain != self.chain:
            raise AnchorBackendMismatch(
                f"found a transaction of {chain}, want {self.chain}"
            )

    async def _confirm_contract(self) -> None:
        """Pay for nothing but the contract whose source is in this package."""
        if self._contract_confirmed:
            return
        eth = self._endpoint.eth
        code = await self._endpoint.ask(eth.get_code(cast(Any, self._address)))
        if bytes(code) != self._artifact.deployed_bytecode:
            raise AnchorBackendMismatch(
                f"found {len(code)} bytes of other code at {self._contract}, want the "
                f"{len(self._artifact.deployed_bytecode)} of AnchorRegistry",
                hint="deploy AnchorRegistry there, or correct the address",
            )
        self._contract_confirmed = True

    async def _settle_nonce(
        self, transaction: SignedTransaction, taken: NonceTaken
    ) -> None:
        """Return if it was this very transaction that used its nonce."""
        if await self.find(transaction) is not None:
            return
        used = await _used_nonces(self._endpoint, transaction.sender)
        if used <= transaction.nonce:
            raise AnchorRpcInconsistent(
                f"found {used} used nonces, want over {transaction.nonce}, which the node "
                "calls too low"
            ) from taken
        raise taken

    def _anchored_event(self, mined: Mined, log_index: int, digest: Digest) -> Log:
        topic = self._artifact.anchored_topic
        for event in mined.logs:
            if event.index == log_index and event.address == self._address:
                if event.topics[:1] == (topic,) and event.topics[2:] == (digest,):
                    return event
                break
        raise AnchorRefused(
            f"found no Anchored event of {self._address} for {digest.hex()} "
            f"as log {log_index} of {mined.reference}"
        )


async def deploy(
    provider: AsyncBaseProvider,
    chain: str,
    private_key: bytes,
    *,
    max_fee_per_gas: int = MAX_FEE_PER_GAS,
    request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    receipt_timeout_seconds: float = 300.0,
) -> str:
    """Create AnchorRegistry on `chain` (CAIP-2) and return its CAIP-10 account.

    The caller keeps `provider` and closes it. Dying in between costs the fee of one
    deployment and nothing else.

    Raises:
        AnchorRefused: The node did not take it, or it was reverted.
        AnchorUnreachable: The chain did not answer, or not within
            `receipt_timeout_seconds`; the contract may still appear.
    """
    if _CAIP2.fullmatch(chain) is None:
        raise AnchorContractMalformed(f"found {chain[:80]!r}, want eip155:<chain id>")
    endpoint = Endpoint(provider, chain, request_timeout_seconds)
    purse = Purse(private_key)
    await endpoint.confirm()
    nonce, reference, raw = await purse.sign(
        endpoint, {"data": load_artifact().bytecode}, max_fee_per_gas
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


async def _used_nonces(endpoint: Endpoint, sender: str) -> int:
    return await endpoint.ask(
        endpoint.eth.get_transaction_count(cast(Any, sender), "latest")
    )
