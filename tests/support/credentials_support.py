"""Credentials, evidence and anchors to verify, made by the engine's own issuing side."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from anchoring.backend import AnchorReceipt, Sighting
from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.entry import EntryKind, entry_of
from anchoring.merkle import hash_leaf
from anchoring.note import VerifierKey
from anchoring.receipt import Receipt
from anchoring.record import build_record
from anchoring.tlog_proof import TlogProof
from anchoring.tree import Tree
from credentials.data_integrity import add_proof
from credentials.evidence import Evidence, Missing, Obtained
from credentials.jsonld.loader import VC_V2
from credentials.policy import Policy
from credentials.status_list import build_entry, build_list_credential
from did.document import build_did_document
from did.key import DidKey
from primitives.canonical_json import JsonObject
from primitives.ed25519 import SoftwareSigner

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)

ISSUER = "did:web:school.example"
METHOD = f"{ISSUER}#key-1"
SIGNER = SoftwareSigner(hashlib.sha256(b"the issuer of the tests").digest())
STRANGER = SoftwareSigner(hashlib.sha256(b"a stranger in the tests").digest())
STRANGER_DID = str(DidKey(STRANGER.public_key))
STRANGER_METHOD = DidKey(STRANGER.public_key).verification_method

REVOCATIONS = "https://school.example/status/revocation"
SUSPENSIONS = "https://school.example/status/suspension"
INDEX = 94_567

SUITES = ("eddsa-rdfc-2022", "eddsa-jcs-2022")
CHAIN = "eip155:11155111"
LOG_SIGNER = SoftwareSigner(hashlib.sha256(b"the log of the tests").digest())
LOG_KEY = VerifierKey("log.school.example", LOG_SIGNER.public_key)


def unsigned(**changes: Any) -> JsonObject:
    """Return a credential without proof; `...` as a value removes a member."""
    document: dict[str, Any] = {
        "@context": [VC_V2],
        "id": "urn:uuid:6f2b1d1c-7f0e-4f0a-9d3a-5b7f2c1e8a90",
        "type": ["VerifiableCredential"],
        "name": "Farm Data Collection",
        "issuer": {"id": ISSUER, "name": "Example School"},
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2030-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:learner", "name": "Ana Peña"},
        "credentialStatus": build_entry(REVOCATIONS, INDEX, "revocation"),
    }
    document |= changes
    return {name: value for name, value in document.items() if value is not ...}


def signed(
    document: JsonObject | None = None,
    *,
    suite: str = "eddsa-rdfc-2022",
    signer: SoftwareSigner = SIGNER,
    method: str = METHOD,
    created: datetime = NOW - DAY,
) -> JsonObject:
    """Return `document`, or the credential of `unsigned`, with a proof."""
    return add_proof(
        unsigned() if document is None else document,
        signer,
        verification_method=method,
        created=created,
        cryptosuite=suite,
    )


def did_document(
    signer: SoftwareSigner = SIGNER, *, did: str = ISSUER, withdrawn: bool = False
) -> JsonObject:
    """Return the issuer's DID document, its key usable or withdrawn."""
    keys = {"key-1": signer.public_key}
    return build_did_document(
        did,
        assertion_keys={} if withdrawn else keys,
        withdrawn_keys=keys if withdrawn else {},
    )


def status_list(
    *revoked: int,
    url: str = REVOCATIONS,
    purpose: str = "revocation",
    issuer: str = ISSUER,
    signer: SoftwareSigner = SIGNER,
    method: str = METHOD,
    **changes: Any,
) -> JsonObject:
    """Return a signed status list with the bits `revoked` set."""
    document: dict[str, Any] = build_list_credential(
        url=url, issuer=issuer, purpose=purpose, revoked=revoked, valid_from=NOW - DAY
    )
    document |= changes
    return signed(document, signer=signer, method=method)


def had(value: Any, source: str = "file") -> Obtained[Any]:
    """Return `value` as evidence."""
    return Obtained(value, source, NOW)


def evidence(**changes: Any) -> Evidence:
    """Return what makes the credential of `signed` valid."""
    found = Evidence(
        did_documents={ISSUER: had(did_document(), "web")},
        status_lists={
            REVOCATIONS: had(status_list()),
            SUSPENSIONS: had(status_list(url=SUSPENSIONS, purpose="suspension")),
        },
    )
    return replace(found, **changes)


@dataclass(frozen=True)
class Anchored:
    """A credential in a log of three, anchored in one event."""

    document: JsonObject
    receipt: Receipt
    anchor: AnchorReceipt

    def evidence(self, *, seen: bool = True) -> Evidence:
        """Return all evidence, the chain's own word included where `seen`."""
        sighting = had(Sighting(self.anchor, depth=12, gas_used=0), CHAIN)
        lost = Missing("anchor-unreachable", "no answer", "try again")
        return evidence(
            receipt=had(self.receipt),
            sightings={self.anchor.transaction: sighting if seen else lost},
        )


def anchored(document: JsonObject, *, chain: str = CHAIN) -> Anchored:
    """Log and anchor `document` between two others."""
    others = (signed(unsigned(id="urn:uuid:1")), signed(unsigned(id="urn:uuid:2")))
    entries = [
        entry_of(EntryKind.CREDENTIAL, each) for each in (others[0], document, others[1])
    ]
    tree = Tree([hash_leaf(entry) for entry in entries])
    note = sign_checkpoint(Checkpoint(LOG_KEY.name, 3, tree.root()), LOG_SIGNER)
    anchor = AnchorReceipt(
        contract=f"{chain}:0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B",
        transaction="0x" + "1a" * 32,
        block_number=7_000_000,
        block_hash="0x" + "2b" * 32,
        log_index=3,
        timestamp=NOW - DAY,
    )
    record = build_record(
        checkpoint=note, previous=None, did_documents={}, status_lists={}, tiles={}
    )
    proof = TlogProof(1, tuple(tree.inclusion_proof(1)), note)
    return Anchored(document, Receipt(proof, record, (anchor,)), anchor)


def policy(**changes: Any) -> Policy:
    """Return a policy that knows the issuer, its log and no contract in particular."""
    return replace(
        Policy(issuers={ISSUER: "The Example School"}, logs={ISSUER: LOG_KEY}), **changes
    )
