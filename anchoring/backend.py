"""What every place to anchor a digest must be able to do.

The node drives a backend in small steps, because between any two of them it may die:

    prepare   sign a transaction that carries the digest; nothing is public yet
    (store)   the node writes the transaction's raw bytes down
    send      hand the same bytes to the network, as often as needed
    follow    look what became of their nonce
    outbid    sign again at the same nonce with a higher fee, when they are stuck

All transactions of one nonce are candidates of which the chain takes one at most. Only
when `follow` says that the nonce is closed may the digest be signed at another one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from anchoring.chain_proof import ChainProof
from primitives.errors import Rejected, Undetermined
from primitives.hashing import Digest


class AnchorRefused(Rejected):
    """The backend answered, and the digest was certainly not written."""

    code = "anchor-refused"


class AnchorReverted(AnchorRefused):
    """The transaction was mined, and undone: its nonce is spent, and nothing written."""

    code = "anchor-reverted"


class AnchorNotInChain(AnchorRefused):
    """The chain as it is now holds no such transaction; it may have held it before."""

    code = "anchor-not-in-chain"
    hint = (
        "a reorganisation may have taken it out: ask the issuer's node for the receipt "
        "once more"
    )


class NonceTaken(AnchorRefused):
    """Another transaction of this account already used the nonce."""

    code = "anchor-nonce-taken"
    hint = (
        "nothing is lost: the node signs anew once that other transaction is final; let "
        "no other program use this account"
    )


class FeeAboveLimit(AnchorRefused):
    """The chain wants a higher fee than the operator allows. Nothing was signed."""

    code = "anchor-fee-above-limit"
    hint = "wait until the chain is less busy, or raise the limit"


class Underpriced(AnchorRefused):
    """The chain does not take the transaction at this fee."""

    code = "anchor-underpriced"
    hint = "nothing: the node offers more, up to its limit"


class InsufficientFunds(AnchorRefused):
    """The anchoring account cannot pay for the transaction."""

    code = "anchor-insufficient-funds"
    hint = "send test coins to the account that `patunay anchor status` names"


class AnchorUnreachable(Undetermined):
    """No usable answer: the digest may or may not have been written."""

    code = "anchor-unreachable"
    hint = (
        "nothing is lost: the node sends the same transaction again when the chain answers"
    )


class AnchorBackendMismatch(Rejected):
    """The endpoint answers for another chain, or no such contract is there."""

    code = "anchor-backend-mismatch"
    hint = "check chain.url and chain.contract: they belong to different chains"


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction that is ready to be sent, in terms that survive a restart."""

    chain: str
    """CAIP-2 chain id, such as `eip155:11155111`."""

    sender: str
    """The account, 0x-prefixed and checksummed."""

    nonce: int

    reference: str
    """Transaction hash, 0x-prefixed lower-case hex; known before sending."""

    raw: bytes
    """The exact bytes to send. Sending them twice cannot anchor twice."""

    digest: Digest
    """What is anchored: the SHA-256 of the anchor record."""

    max_fee_per_gas: int = 0
    """What it offers, in wei per gas, to be shown to people; `raw` is what counts."""


@dataclass(frozen=True, slots=True)
class AnchorReceipt:
    """Where a digest was written, in terms that an auditor can follow alone."""

    contract: str
    """CAIP-10 account of the contract, such as `eip155:11155111:0xAb…`."""

    transaction: str
    """Transaction hash, 0x-prefixed lower-case hex."""

    block_number: int

    block_hash: str
    """0x-prefixed lower-case hex."""

    log_index: int
    """Position of the `Anchored` event in its block."""

    timestamp: datetime
    """Time of the block, aware and in UTC. Not the node's own clock."""

    proof: ChainProof | None = field(default=None, compare=False)
    """What shows the event to somebody who cannot ask the chain; not verified. Two
    receipts for one event are equal, with a proof or without."""


@dataclass(frozen=True, slots=True)
class AnchorEvent:
    """One `Anchored` event as a chain shows it now, whoever sent it."""

    anchor: AnchorReceipt

    account: str
    """CAIP-10 account in the event; it proves nothing about the issuer."""

    digest: Digest
    """What was anchored: the SHA-256 of an anchor record, or anything at all."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A receipt as seen just now, with how deep it lies under the chain's head."""

    receipt: AnchorReceipt

    depth: int
    """Blocks from this one to the head, this one included: 1 when just mined."""

    gas_used: int
    """Gas of the whole transaction; 0 where a backend has no such thing."""

    finalized: bool = False
    """Whether the chain itself calls the block finalized. Only `follow` asks that, and
    only with a `final_depth` of 0."""


class NonceState(Enum):
    """What the chain says of a nonce."""

    OPEN = "open"
    """Not used: every candidate may still be mined."""

    USED = "used"
    """Used, by one of the candidates or by something else; a reorganisation may undo it."""

    CLOSED = "closed"
    """Used for ever, and by none of the candidates: none of them can ever be mined."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What became of the candidates of one nonce, as one look at the chain shows it."""

    sighting: Sighting | None
    """The candidate that was mined and wrote its event, if one was."""

    nonce: NonceState

    height: int
    """Number of the newest block."""

    used_nonces: int
    """How many nonces the account has used: the next one that the chain takes."""

    underpriced: bool = False
    """Whether no candidate offers what the chain asks for now."""

    reverted: bool = False
    """Whether a candidate was mined and undone."""


class AnchorBackend(Protocol):
    """A public, append-only place.

    tests/protocol/test_anchor_backend.py states these rules as tests, and every
    implementation has to pass them.
    """

    @property
    def chain(self) -> str:
        """CAIP-2 chain id."""
        ...

    @property
    def contract(self) -> str:
        """CAIP-10 account of the contract that emits the events."""
        ...

    @property
    def account(self) -> str:
        """CAIP-10 account that pays; it proves nothing about the issuer."""
        ...

    async def prepare(self, digest: Digest, *, first_nonce: int = 0) -> SignedTransaction:
        """Sign a transaction that would anchor `digest`. Sends nothing.

        Args:
            digest: What is to be written.
            first_nonce: Lowest nonce that no stored transaction of this account has. The
                chain may not know of those before it.

        Raises:
            AnchorRefused: As things stand the chain would not take it: no funds, or a fee
                above the operator's limit. Nothing was signed.
            AnchorUnreachable: The chain did not tell nonce or fees.
            AnchorBackendMismatch: Another chain id, or no contract at the address.
        """
        ...

    async def outbid(self, candidates: Sequence[SignedTransaction]) -> SignedTransaction:
        """Sign the same once more, at the same nonce, with fees 12.5 % higher or more.

        A pool takes nothing less in place of what it holds. Sends nothing.

        Args:
            candidates: All transactions of the nonce so far, one or more.

        Raises:
            FeeAboveLimit: That would be above the operator's limit. Nothing was signed.
            AnchorUnreachable: The chain did not tell its fees.
        """
        ...

    async def bridge(self, nonce: int, ours: Collection[int]) -> int:
        """Use up nonces that lie before `nonce` and that nobody uses.

        A reorganisation can forget a stranger's transaction; what has a later nonce would
        then wait for ever. What is sent in its place does nothing, so it cannot anchor
        anything twice, and need not be remembered.

        Args:
            nonce: The one that waits for its turn.
            ours: Nonces of stored transactions, which are left alone.

        Returns:
            How many transactions were sent.

        Raises:
            AnchorUnreachable: The chain did not tell which nonces are used.
            AnchorRefused: It did not take the transaction.
        """
        ...

    async def send(self, transaction: SignedTransaction) -> None:
        """Hand `transaction` to the network; sending it again changes nothing.

        Raises:
            NonceTaken: Another transaction has its nonce, as things stand; `follow`.
            Underpriced: Certainly not accepted at this fee; `outbid`.
            InsufficientFunds: Certainly not accepted.
            AnchorRefused: Certainly not accepted, for another reason.
            AnchorUnreachable: Unknown. `follow` before anything else.
        """
        ...

    async def find(self, transaction: SignedTransaction) -> Sighting | None:
        """Return where `transaction` was mined, or None if certainly not mined now.

        Raises:
            AnchorReverted: It was mined and reverted.
            AnchorUnreachable: Unknown; None never stands for "could not look".
        """
        ...

    async def follow(
        self, candidates: Sequence[SignedTransaction], *, final_depth: int
    ) -> Outlook:
        """Return what became of a nonce.

        Args:
            candidates: All transactions that were ever signed with it, one or more.
            final_depth: Blocks, the event's own included, that no reorganisation will
                replace; 0 leaves that to the chain's own word.

        Raises:
            AnchorUnreachable: Unknown.
        """
        ...

    async def check(self, receipt: AnchorReceipt, digest: Digest) -> Sighting:
        """Confirm a receipt that came from elsewhere against the chain itself.

        Raises:
            AnchorNotInChain: It does not hold the transaction now.
            AnchorReverted: It holds it, and the transaction failed.
            AnchorRefused: It does not show this event for `digest` there.
            AnchorUnreachable: It did not answer.
        """
        ...

    async def prove(self, receipt: AnchorReceipt) -> ChainProof:
        """Return what shows `receipt` to somebody who cannot ask the chain.

        Raises:
            AnchorUnreachable: It could not be had, or not made of what the chain tells.
        """
        ...

    async def close(self) -> None:
        """Give back sockets. Nothing else may be called afterwards."""
        ...
