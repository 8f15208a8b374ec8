"""What an auditor has seen of a provider: values, none of them believed.

`node.audit_gathering` fills this from the web, the chain and IPFS; `judge_audit` decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anchoring.backend import AnchorEvent
from anchoring.cosignature import WitnessQuorum
from anchoring.note import VerifierKey
from credentials.audit.report import AuditState
from credentials.evidence import NOT_LOOKED_UP, Lookup, Missing
from primitives.canonical_json import JsonObject
from primitives.hashing import Digest


@dataclass(frozen=True, slots=True)
class LogSeen:
    """The log as it is served now."""

    checkpoint: str
    """The signed note."""

    tiles: Mapping[str, bytes]
    """Hash tiles and entry bundles by path; one that could not be had is left out."""


@dataclass(frozen=True, slots=True)
class IssuerSeen:
    """What is served about one DID of the provider."""

    document: Lookup[bytes] = NOT_LOOKED_UP
    """Exact bytes of the DID document."""

    history: Lookup[JsonObject] = NOT_LOOKED_UP
    """`did-history.json`."""


@dataclass(frozen=True, slots=True)
class AuditEvidence:
    """Everything that was seen, from wherever."""

    vkey: VerifierKey
    """Of the log; from the DID documents of the provider, or given by the auditor."""

    accounts: frozenset[str]
    """CAIP-10 accounts that the DID documents list: an event of theirs must be readable."""

    anchors: tuple[AnchorEvent, ...]
    """Events in the contracts that the DID documents list, in any order."""

    log: Lookup[LogSeen]

    unasked: Mapping[str, Missing] = field(default_factory=dict)
    """CAIP-10 contracts that the DID documents list and that could not be looked at."""

    heads: tuple[Digest, ...] = ()
    """Records that may be the newest, anchored or not, such as the root of a CAR file."""

    blocks: Mapping[Digest, bytes] = field(default_factory=dict)
    """Anchor records and linked blocks as they were delivered for a SHA-256. Whether the
    bytes have that digest is for the judge to say."""

    issuers: Mapping[str, IssuerSeen] = field(default_factory=dict)
    """By DID."""

    status_lists: Mapping[str, Lookup[bytes]] = field(default_factory=dict)
    """By URL: exact bytes that are served now."""

    checkpoints: tuple[tuple[str, str], ...] = ()
    """Signed notes that others have, such as witnesses and peers: source and note."""

    witnesses: WitnessQuorum | None = None
    """Whose cosignatures the auditor believes; None believes nobody."""

    earlier: AuditState | None = None
    """What an earlier audit ended with."""
