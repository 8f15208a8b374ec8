"""An issuer whose first key was replaced or stolen: its documents and its history."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anchoring.anchored_record import AnchoredRecord
from anchoring.backend import AnchorReceipt, Sighting
from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.entry import EntryKind, entry_of
from anchoring.merkle import hash_leaf
from anchoring.receipt import Receipt
from anchoring.record import build_record, record_cid
from anchoring.tlog_proof import TlogProof
from anchoring.tree import Tree
from credentials.evidence import LogReading
from did.document import build_did_document
from did.history import build_history
from did.key_event import event_digest, sign_event
from did.service import PatunayLogService
from primitives.canonical_json import JsonObject
from primitives.ed25519 import SoftwareSigner
from tests.support.credentials_support import (
    CHAIN,
    DAY,
    ISSUER,
    LOG_KEY,
    LOG_SIGNER,
    NOW,
    SIGNER,
    had,
    signed,
    unsigned,
)

FIRST, SECOND, THIRD = NOW - 9 * DAY, NOW - 6 * DAY, NOW - 3 * DAY
NEW = SoftwareSigner(hashlib.sha256(b"the issuer's second key").digest())
NEW_METHOD = f"{ISSUER}#key-2"
SERVICE = PatunayLogService("https://school.example/log/", str(LOG_KEY))


# Made by the thief: it claims a date long before the theft, as a thief would.
THEFT = signed(unsigned(credentialStatus=...), created=NOW - 300 * DAY)


def entry(document: JsonObject) -> bytes:
    return entry_of(EntryKind.CREDENTIAL, document)


def other(number: int) -> bytes:
    return entry({"id": f"urn:uuid:{number}"})


@dataclass
class Log:
    """A log of six leaves: two more in each of three checkpoints, anchored in turn."""

    at: int | None
    """Where the credential's leaf is."""

    chain: str = CHAIN

    def __post_init__(self) -> None:
        self.entries = [other(i) for i in range(6)]
        if self.at is not None:
            self.entries[self.at] = entry(THEFT)
        self.tree = Tree([hash_leaf(e) for e in self.entries])
        self.records: list[AnchoredRecord] = []
        for size, time in ((2, FIRST), (4, SECOND), (6, THIRD)):
            record = build_record(
                checkpoint=self.note(size),
                previous=record_cid(self.records[-1].record) if self.records else None,
                did_documents={},
                status_lists={},
                tiles={},
            )
            self.records.append(AnchoredRecord(record, (self.anchor(size, time),)))

    def note(self, size: int) -> str:
        root = self.tree.root(size)
        return sign_checkpoint(Checkpoint(LOG_KEY.name, size, root), LOG_SIGNER)

    def anchor(self, size: int, time: datetime) -> AnchorReceipt:
        return AnchorReceipt(
            contract=f"{self.chain}:0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B",
            transaction=f"0x{size:064x}",
            block_number=size,
            block_hash=f"0x{size:064x}",
            log_index=0,
            timestamp=time,
        )

    def sightings(self) -> dict[str, Any]:
        anchors = [a for record in self.records for a in record.anchors]
        return {
            a.transaction: had(Sighting(a, depth=9, gas_used=0), CHAIN) for a in anchors
        }

    def receipt(self, size: int) -> Receipt:
        assert self.at is not None
        hashes = tuple(self.tree.inclusion_proof(self.at, tree_size=size))
        found = self.records[size // 2 - 1]
        proof = TlogProof(self.at, hashes, self.note(size))
        return Receipt(proof, found.record, found.anchors)

    def reading(self, *, entries: int = 6, records: slice = slice(None)) -> LogReading:
        return LogReading(tuple(self.records[records]), tuple(self.entries[:entries]))


def events(*statements: tuple[str, str, datetime | None]) -> list[JsonObject]:
    """Return signed events: type, key, and since when; the second key signs them."""
    made: list[JsonObject] = []
    for kind, key, since in statements:
        made.append(
            sign_event(
                NEW,
                kind=kind,  # type: ignore[arg-type]
                did=ISSUER,
                key=key,
                at=NOW - DAY,
                by=NEW_METHOD,
                previous=event_digest(made[-1]) if made else None,
                since=since,
            )
        )
    return made


def document(*, withdrawn: bool, bound: bool = True) -> JsonObject:
    old, new = {"key-1": SIGNER.public_key}, {"key-2": NEW.public_key}
    return build_did_document(
        ISSUER,
        assertion_keys=new if withdrawn else {**old, **new},
        withdrawn_keys=old if withdrawn else {},
        services=[SERVICE] if bound else [],
    )


def history(*made: JsonObject, withdrawn: bool = False) -> JsonObject:
    documents = [
        (document(withdrawn=False), NOW - 300 * DAY),
        (document(withdrawn=withdrawn), NOW - DAY),
    ]
    return build_history(ISSUER, documents, made)
