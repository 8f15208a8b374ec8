"""What was looked up about a credential: values, each with where and when it was had.

Online, `node.gather` fills this from the web and the chain; offline it is read from a
file. `credentials.judge` never looks anything up. Evidence is never a source of trust:
what it says about itself counts only as far as the policy, or a signature, backs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, TypeVar

from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError, Undetermined

if TYPE_CHECKING:  # most credentials come without a receipt
    from anchoring.anchored_record import AnchoredRecord
    from anchoring.backend import Sighting
    from anchoring.receipt import Receipt
    from anchoring.tlog_proof import TlogProof
    from credentials.data_integrity import Recurring

T = TypeVar("T")

OWN_NODE = "own-node"
"""Source of what the verifying node itself publishes."""


class Origin(Enum):
    """By whose word a value was had where and when it says."""

    LOOKED_UP = "looked-up"
    """The verifier's: it asked just now, or its own node did."""

    PACK = "pack"
    """That of the offices that signed a trust pack: believed, and of the day it was had."""

    BUNDLE = "bundle"
    """That of whoever made the bundle: not believed. See `credentials.bundle`."""


@dataclass(frozen=True, slots=True)
class Obtained(Generic[T]):
    """A value that was had."""

    value: T

    source: str
    """`own-node`, a URL, a file's name, or a CAIP-2 chain."""

    obtained_at: datetime
    """Aware; when it was had, not when it was made."""

    origin: Origin = Origin.LOOKED_UP
    """Whether the verifier's own side looked it up, or somebody handed it over."""

    recurring: "Recurring | None" = field(default=None, repr=False, compare=False)
    """The value with its digest, from whoever keeps it for the next credential. Asked only
    where its document is `value` itself, so that no other value can borrow its digest."""


class Missing(NamedTuple):
    """A value that could not be had, and why: never the same as "not there"."""

    code: str
    detail: str
    hint: str = ""

    @classmethod
    def because(cls, error: PatunayError) -> "Missing":
        """Return what `error` says, as evidence of having looked in vain."""
        return cls(error.code, str(error), error.hint)


Lookup: TypeAlias = Obtained[T] | Missing

NOT_LOOKED_UP = Missing(
    "not-looked-up", "nothing was looked up", "allow look-ups, or add evidence"
)


NO_RECEIPT = Missing(
    "anchor-not-shown",
    "no receipt was given or found",
    "ask the issuer's node for the receipt",
)


class EvidenceMissing(Undetermined):
    """Something that a check needs could not be had; its own code says what."""

    code = "evidence-missing"

    def __init__(self, missing: Missing) -> None:
        super().__init__(missing.detail, hint=missing.hint)
        self.code = missing.code


class LogReading(NamedTuple):
    """What was read of a log: its anchor records, and perhaps every entry."""

    records: "tuple[AnchoredRecord, ...]"
    """Oldest first; each names the one before it."""

    entries: tuple[bytes, ...] = ()
    """Every entry from the first on, 33 bytes each; empty if they were not read."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was looked up for one credential."""

    did_documents: Mapping[str, Lookup[JsonObject]] = field(default_factory=dict)
    """By DID. A did:key needs none: the identifier is the document."""

    status_lists: Mapping[str, Lookup[JsonObject]] = field(default_factory=dict)
    """By the URL in the credential's status entry; the list credential, proof included."""

    further_lists: Mapping[str, tuple[Obtained[JsonObject], ...]] = field(
        default_factory=dict
    )
    """By the same URL: copies of the list as it was at other times."""

    receipt: "Lookup[Receipt]" = NO_RECEIPT

    sightings: "Mapping[str, Lookup[Sighting]]" = field(default_factory=dict)
    """By transaction hash: what a chain that the verifier trusts shows there."""

    histories: Mapping[str, Lookup[JsonObject]] = field(default_factory=dict)
    """By DID: `did-history.json`, not verified. Only issuers that run a log have one."""

    did_proofs: "Mapping[str, TlogProof]" = field(default_factory=dict)
    """By DID: that a log has its document as an entry. Asked of what came in a bundle."""

    history_proofs: "Mapping[str, tuple[TlogProof | None, ...]]" = field(
        default_factory=dict
    )
    """By DID: the same of its history, for each version's document and then each event."""

    log: Lookup[LogReading] = NOT_LOOKED_UP
    """The issuer's log, as far as it was read. Only asked where a key is compromised."""

    def did_document(self, did: str) -> Lookup[JsonObject]:
        """Return what is known of the DID document."""
        return self.did_documents.get(did, NOT_LOOKED_UP)

    def status_list(self, url: str) -> Lookup[JsonObject]:
        """Return what is known of the status list."""
        return self.status_lists.get(url, NOT_LOOKED_UP)

    def copies_of(self, url: str) -> tuple[Lookup[JsonObject], ...]:
        """Return every copy of the status list that is known, the preferred one first."""
        return (self.status_list(url), *self.further_lists.get(url, ()))
