"""Trust packs for tests: a federation of three offices, and one issuer of everything."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.merkle import hash_leaf
from anchoring.tree import Tree
from credentials.trust_pack.manifest import Federation
from credentials.trust_pack.pack import Contents, OnePart, TrustPack, build_pack
from credentials.trust_pack.parts import (
    AnchorPart,
    CheckpointPart,
    DenyList,
    IssuerPart,
    StatusPart,
)
from did.history import build_history
from did.multikey import encode_multikey
from primitives.ed25519 import SoftwareSigner
from tests.support.credentials_support import (
    DAY,
    ISSUER,
    LOG_KEY,
    LOG_SIGNER,
    NOW,
    REVOCATIONS,
    anchored,
    did_document,
    signed,
    status_list,
)

OFFICES = tuple(
    SoftwareSigner(hashlib.sha256(f"office {n}".encode()).digest()) for n in range(3)
)
OUTSIDER = SoftwareSigner(hashlib.sha256(b"no office at all").digest())
ANCHORED = anchored(signed())
MINUTE = timedelta(minutes=1)
ISSUED = NOW - MINUTE
HAD = NOW - 2 * MINUTE


def federation(threshold: int = 2, **changes: Any) -> Federation:
    """Return the federation of the three offices."""
    keys = tuple(sorted(encode_multikey(office.public_key) for office in OFFICES))
    return Federation(**{"name": "ph", "keys": keys, "threshold": threshold, **changes})


def checkpoint_part(size: int = 3) -> CheckpointPart:
    """Return a checkpoint of the issuer's log."""
    tree = Tree([hash_leaf(bytes([n])) for n in range(size)])
    note = sign_checkpoint(Checkpoint(LOG_KEY.name, size, tree.root()), LOG_SIGNER)
    return CheckpointPart(str(LOG_KEY), NOW - DAY, note)


def issuer_part(**changes: Any) -> IssuerPart:
    """Return the issuer of the tests, as the office knows it."""
    document = did_document()
    known: dict[str, Any] = {
        "did": ISSUER,
        "name": "The Example School",
        "scope": (),
        "first_seen": NOW - 9 * DAY,
        "last_seen": HAD,
        "source": "https://school.example/.well-known/did.json",
        "document": document,
        "history": build_history(ISSUER, [(document, NOW - 90 * DAY)]),
        "vkey": str(LOG_KEY),
    }
    return IssuerPart(**known | changes)


def status_part(*revoked: int, had: datetime = HAD) -> StatusPart:
    """Return the issuer's list of revocations."""
    return StatusPart(REVOCATIONS, had, status_list(*revoked))


def parts() -> tuple[OnePart, ...]:
    """Return one part of each kind."""
    return (
        issuer_part(),
        status_part(),
        checkpoint_part(),
        AnchorPart(ANCHORED.receipt.record, HAD, 12, ANCHORED.anchor),
    )


def contents(*more: OnePart, deny: DenyList | None = None, **changes: Any) -> Contents:
    """Return what a pack about the issuer holds."""
    held = {part.file_name: part for part in (*parts(), *more)}
    return Contents(federation(**changes), deny or DenyList(), tuple(held.values()))


def pack(
    held: Contents | None = None, *, signers: int = 2, after: TrustPack | None = None
) -> TrustPack:
    """Return a pack signed by the first offices."""
    built = build_pack(
        held or contents(), after=after.manifest if after else None, issued=ISSUED
    )
    for office in OFFICES[:signers]:
        built = built.signed_by(office)
    return built
