"""The anchor backend for Ethereum and chains like it.

It imports web3, which costs most of a second: import it where an anchor is made or checked,
and nowhere else.

The endpoint can withhold answers and lie; it never sees the private key, it cannot change
what was signed, and it cannot make the node pay more than `max_fee_per_gas`. What it says
about blocks is believed as far as it is consistent: ask several endpoints to trust none.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Self, cast

from eth_utils.address import to_checksum_address
from web3.providers.async_base import AsyncBaseProvider

from anchoring.backend import (
    AnchorBackendMismatch,
    AnchorReceipt,
    AnchorRefused,
    NonceTaken,
    Outlook,
    Sighting,
    SignedTransaction,
)
from anchoring.chain_proof import ChainProof
from anchoring.evm_answers import (
    AnchorRpcInconsistent,
    Fees,
    outbidding_fees,
)
from anchoring.evm_events import RegistryEvents
from anchoring.evm_fees import TRANSFER_GAS, current_fees, estimated_gas
from anchoring.evm_proofs import fetch_chain_proof
from anchoring.evm_purse import Purse, broadcast, offered_fees, offered_gas
from anchoring.evm_quorum import Quorum
from anchoring.evm_rpc import Endpoint, HttpRpc
from contracts.artifact import load_artifact
from primitives.clock import Clock, SystemClock
from primitives.errors import Misconfigured, PatunayError, Rejected
from primitives.hashing import Digest

REQUEST_TIMEOUT_SECONDS = 10.0

MAX_FEE_PER_GAS = 100 * 10**9
"""Wei. An anchor takes 23,151 gas, so that at most 0.003 coins are at stake in each."""

_CAIP10 = re.compile(r"(eip155:[1-9][0-9]{0,31}):(0x[0-9a-fA-F]{40})", re.ASCII)


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

    def __init__(  # noqa: PLR0913  # settings with names and defaults
        self,
        providers: AsyncBaseProvider | Sequence[AsyncBaseProvider],
        contract: str,
        *,
        quorum: int = 0,
        private_key: bytes | None = None,
        max_fee_per_gas: int = MAX_FEE_PER_GAS,
        request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
        clock: Clock | None = None,
    ) -> None:
        """Open nothing yet; the first call finds out whether the endpoints fit.

        Args:
            providers: One endpoint of the chain or several: any of web3's asynchronous
                providers.
            contract: CAIP-10 account of the contract; its chain is the chain.
            quorum: How many endpoints must agree; 0 stands for all of them.
            private_key: 32 bytes of the paying account; without it, nothing is signed or
                sent.
            max_fee_per_gas: Wei per gas that no transaction will ever offer more than.
            request_timeout_seconds: For each single request.
            clock: To refuse blocks of the future; the machine's if None.

        Raises:
            AnchorContractMalformed: `contract` has another form.
            AnchorKeyMalformed: `private_key` is no such key.
        """
        match = _CAIP10.fullmatch(contract)
        if match is None or to_checksum_address(match[2]) != match[2]:
            raise AnchorContractMalformed(f"found {contract[:80]!r}, want CAIP-10")
        self._contract = contract
        self._address = match[2]
        if isinstance(providers, AsyncBaseProvider):
            providers = [providers]
        endpoints = [Endpoint(p, match[1], request_timeout_seconds) for p in providers]
        self._quorum = Quorum(endpoints, quorum)
        self._clock = clock or SystemClock()
        self._events = RegistryEvents(contract, self._clock)
        self._purse = None if private_key is None else Purse(private_key)
        self._max_fee_per_gas = max_fee_per_gas
        self._contract_confirmed = False

    @classmethod
    def connect(
        cls,
        rpc_url: str,
        contract: str,
        *,
        other_urls: Sequence[str] = (),
        request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
        **options: Any,
    ) -> Self:
        """Return a backend for HTTP endpoints; arguments as for the constructor."""
        return cls(
            [
                HttpRpc(url, timeout_seconds=request_timeout_seconds)
                for url in (rpc_url, *other_urls)
            ],
            contract,
            request_timeout_seconds=request_timeout_seconds,
            **options,
        )

    @property
    def chain(self) -> str:
        """See `AnchorBackend.chain`."""
        return self._quorum.caip2

    @property
    def contract(self) -> str:
        """See `AnchorBackend.contract`."""
        return self._contract

    @property
    def account(self) -> str:
        """See `AnchorBackend.account`."""
        return f"{self.chain}:{self._require_purse().address}"

    async def balance(self, account: str | None = None) -> int:
        """Return what `account` holds, in wei; the paying account's where it is None."""
        address = cast(Any, account or self._require_purse().address)
        (found, *_) = await self._quorum.agreed(
            lambda endpoint: endpoint.number(endpoint.eth.get_balance(address))
        )
        return found

    async def estimate(self, account: str | None = None) -> tuple[int, Fees]:
        """Return what one anchor of `account` takes now: gas, and fees in wei per gas.

        Raises:
            FeeAboveLimit: The chain's fee is above the operator's limit.
            InsufficientFunds: Some chains do not estimate for an empty account.
        """
        await self.confirm_contract()
        return await self._gas(Digest(bytes(32)), account), await self._fees()

    async def prepare(self, digest: Digest, *, first_nonce: int = 0) -> SignedTransaction:
        """See `AnchorBackend.prepare`.

        Raises:
            AnchorReadOnly: There is no key.
        """
        purse = self._require_purse()
        await self.confirm_contract()
        (used, *_) = await self._quorum.agreed(self._used_now)
        gas = await self._gas(digest)
        # A quarter more: some rollups estimate closely, and what is not used is not paid.
        return self._sign(
            purse,
            digest,
            nonce=max(used, first_nonce),
            gas=gas + gas // 4,
            fees=await self._fees(),
        )

    async def outbid(self, candidates: Sequence[SignedTransaction]) -> SignedTransaction:
        """See `AnchorBackend.outbid`.

        Raises:
            AnchorReadOnly: There is no key.
        """
        purse = self._require_purse()
        self._refuse_other_chain(candidates[0].chain)
        bids = [offered_fees(candidate.raw) for candidate in candidates]
        past = Fees(
            maximum=max(bid.maximum for bid in bids),
            priority=max(bid.priority for bid in bids),
        )
        fees = outbidding_fees(past, await self._fees(), limit=self._max_fee_per_gas)
        first = candidates[0]
        gas = offered_gas(first.raw)
        return self._sign(purse, first.digest, nonce=first.nonce, gas=gas, fees=fees)

    async def bridge(self, nonce: int, ours: Collection[int]) -> int:
        """See `AnchorBackend.bridge`.

        Raises:
            AnchorReadOnly: There is no key.
        """
        purse = self._require_purse()
        # Of a nonce that waits in a pool nothing is known to be missing.
        first = await self._quorum.middle(
            lambda endpoint: endpoint.pending_nonces(purse.address)
        )
        missing = [n for n in range(first, nonce) if n not in ours]
        # The limit as bid: what is paid is the price of the block, and it must not get
        # stuck, for nothing would replace it.
        fees = replace(await self._fees(), maximum=self._max_fee_per_gas)
        for each in missing:
            call: dict[str, Any] = {"to": purse.address, "data": b""}
            reference, raw = purse.sign(
                call, chain_id=self._quorum.id, nonce=each, gas=TRANSFER_GAS, fees=fees
            )
            await self._broadcast(raw, reference)
        return len(missing)

    async def send(self, transaction: SignedTransaction) -> None:
        """See `AnchorBackend.send`. Goes to every endpoint; one that takes it is enough.

        Raises:
            AnchorReadOnly: There is no key.
        """
        self._require_purse()
        self._refuse_other_chain(transaction.chain)
        try:
            await self._broadcast(transaction.raw, transaction.reference)
        except NonceTaken as e:
            await self._settle_nonce(transaction, e)

    async def find(self, transaction: SignedTransaction) -> Sighting | None:
        """See `AnchorBackend.find`."""
        self._refuse_other_chain(transaction.chain)
        seen = await self._quorum.agreed(
            lambda endpoint: self._events.find(endpoint, transaction), _place
        )
        return _shallowest(seen)

    async def follow(
        self, candidates: Sequence[SignedTransaction], *, final_depth: int
    ) -> Outlook:
        """See `AnchorBackend.follow`."""
        self._refuse_other_chain(candidates[0].chain)
        seen = await self._quorum.agreed(
            lambda endpoint: self._events.follow(endpoint, candidates, final_depth),
            lambda outlook: (_place(outlook.sighting), outlook.nonce, outlook.reverted),
        )
        return replace(
            seen[0],
            sighting=_shallowest([outlook.sighting for outlook in seen]),
            height=min(outlook.height for outlook in seen),
            used_nonces=min(outlook.used_nonces for outlook in seen),
            underpriced=all(outlook.underpriced for outlook in seen),
        )

    async def check(self, receipt: AnchorReceipt, digest: Digest) -> Sighting:
        """See `AnchorBackend.check`. Whoever sent the transaction proves nothing."""
        if receipt.contract != self._contract:
            raise AnchorRefused(
                f"found a receipt of {receipt.contract[:80]}, want {self._contract}"
            )
        seen = await self._quorum.agreed(
            lambda endpoint: self._events.check(endpoint, receipt, digest), _place
        )
        return min(seen, key=lambda sighting: sighting.depth)

    async def prove(self, receipt: AnchorReceipt) -> ChainProof:
        """See `AnchorBackend.prove`. One endpoint is enough: a proof proves itself."""
        self._refuse_other_chain(receipt.contract.rpartition(":")[0])
        answers = await self._quorum.all(
            lambda endpoint: fetch_chain_proof(endpoint, receipt)
        )
        for answer in answers:
            if isinstance(answer, ChainProof):
                return answer
        problem = answers[0]
        assert isinstance(problem, PatunayError)  # noqa: S101 - every other answer is one
        raise problem

    async def confirm_contract(self) -> None:
        """Return if the code is there whose source is in this package; asked once.

        Raises:
            AnchorBackendMismatch: It is not: nothing is paid to any other contract.
        """
        if self._contract_confirmed:
            return
        (code, *_) = await self._quorum.agreed(
            lambda endpoint: endpoint.ask(endpoint.eth.get_code(cast(Any, self._address)))
        )
        wanted = load_artifact().deployed_bytecode
        if bytes(code) != wanted:
            raise AnchorBackendMismatch(
                f"found {len(code)} bytes of other code at {self._contract}, want the "
                f"{len(wanted)} of AnchorRegistry",
                hint="deploy AnchorRegistry there, or correct the address",
            )
        self._contract_confirmed = True

    async def close(self) -> None:
        """See `AnchorBackend.close`."""
        await self._quorum.close()

    def _require_purse(self) -> Purse:
        if self._purse is None:
            raise AnchorReadOnly("found no anchoring key, want one")
        return self._purse

    def _refuse_other_chain(self, chain: str) -> None:
        if chain != self.chain:
            raise AnchorBackendMismatch(
                f"found a transaction of {chain}, want {self.chain}"
            )

    def _call(self, digest: Digest) -> dict[str, Any]:
        return {"to": self._address, "data": load_artifact().anchor_selector + digest}

    def _sign(
        self, purse: Purse, digest: Digest, *, nonce: int, gas: int, fees: Fees
    ) -> SignedTransaction:
        reference, raw = purse.sign(
            self._call(digest), chain_id=self._quorum.id, nonce=nonce, gas=gas, fees=fees
        )
        return SignedTransaction(
            chain=self.chain,
            sender=purse.address,
            nonce=nonce,
            reference=reference,
            raw=raw,
            digest=digest,
            max_fee_per_gas=fees.maximum,
        )

    async def _broadcast(self, raw: bytes, reference: str) -> None:
        answers = await self._quorum.all(
            lambda endpoint: broadcast(endpoint, raw, reference)
        )
        errors = [answer for answer in answers if isinstance(answer, PatunayError)]
        if len(errors) < len(answers):
            return
        refusals = [error for error in errors if isinstance(error, Rejected)]
        taken = [error for error in refusals if isinstance(error, NonceTaken)]
        raise (taken or refusals or errors)[0]

    async def _used_now(self, endpoint: Endpoint) -> int:
        # Not the pool's count: what waits there is this node's own, and it knows better.
        head = await endpoint.head(self._clock)
        return await endpoint.used_nonces(self._require_purse().address, head.number)

    async def _fees(self) -> Fees:
        return await current_fees(self._quorum, self._clock, limit=self._max_fee_per_gas)

    async def _gas(self, digest: Digest, account: str | None = None) -> int:
        payer = account or self._require_purse().address
        call = {**self._call(digest), "from": payer}
        return await self._quorum.middle(lambda endpoint: estimated_gas(endpoint, call))

    async def _settle_nonce(
        self, transaction: SignedTransaction, taken: NonceTaken
    ) -> None:
        """Return if it was this very transaction that used its nonce."""
        if await self.find(transaction) is not None:
            return
        (used, *_) = await self._quorum.agreed(self._used_now)
        if used <= transaction.nonce:
            raise AnchorRpcInconsistent(
                f"found {used} used nonces, want over {transaction.nonce}, which the node "
                "calls too low"
            ) from taken
        raise taken


def _place(sighting: Sighting | None) -> AnchorReceipt | None:
    """Return what endpoints must agree on; heads may differ by a block or two."""
    return None if sighting is None else sighting.receipt


def _shallowest(seen: Sequence[Sighting | None]) -> Sighting | None:
    found = [sighting for sighting in seen if sighting is not None]
    if not found:
        return None
    return replace(
        min(found, key=lambda sighting: sighting.depth),
        finalized=all(sighting.finalized for sighting in found),
    )
