"""A bundle whose provider is gone: a credential, its log, its anchor and all evidence."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from anchoring.backend import AnchorReceipt
from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.entry import EntryKind, entry_of
from anchoring.merkle import hash_leaf
from anchoring.receipt import Receipt
from anchoring.record import build_record
from anchoring.tlog_proof import TlogProof
from anchoring.tree import Tree
from credentials.bundle import Bundle, make_bundle
from credentials.evidence import Evidence
from credentials.policy import Policy
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.hashing import sha256
from tests.support.credentials_support import (
    CHAIN,
    DAY,
    ISSUER,
    LOG_KEY,
    LOG_SIGNER,
    NOW,
    REVOCATIONS,
    did_document,
    had,
    policy,
    signed,
    status_list,
)
from tests.support.proven_blocks import proven

CONTRACT = f"{CHAIN}:0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B"
ANCHORED = NOW - DAY

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a JSON document."""


@dataclass(frozen=True)
class Kit:
    """A bundle, and what an office has to believe in order to judge it alone."""

    bundle: Bundle
    anchor: AnchorReceipt

    def policy(self, **changes: Any) -> Policy:
        """Return the office's policy: issuer, log, contract and the block."""
        known = {
            "contracts": frozenset({CONTRACT}),
            "attested_blocks": {(CHAIN, self.anchor.block_hash): "policy file"},
        }
        return policy(**known | changes)

    def policy_file(self) -> JsonObject:
        """Return the same policy as its file has it, the anchor required."""
        checks = ["structure", "proof", "issuer-key", "dates", "status", "anchor"]
        block: JsonObject = {"chain": CHAIN, "hash": self.anchor.block_hash}
        return {
            "version": 1,
            "required": [*checks],
            "contracts": [CONTRACT],
            "blocks": [block],
        }


def trust_file() -> JsonObject:
    """Return the office's trust file: the issuer and its log."""
    return {
        "version": 1,
        "issuers": [{"did": ISSUER, "name": "The Example School"}],
        "logs": [{"issuer": ISSUER, "vkey": str(LOG_KEY)}],
    }


def kit(
    credential: JsonObject | None = None,
    *,
    did: JsonObject | None = None,
    lists: JsonObject | None = None,
    history: JsonObject | None = None,
    anchored: datetime = ANCHORED,
    **changes: Any,
) -> Kit:
    """Return a bundle of `credential`, logged beside its issuer's document and history."""
    credential = signed() if credential is None else credential
    document = did_document() if did is None else did
    kinds = (EntryKind.DID_DOCUMENT, document), (EntryKind.CREDENTIAL, credential)
    entries = [entry_of(kind, each) for kind, each in kinds]
    entries += [] if history is None else _entries(history)
    tree = Tree([hash_leaf(entry) for entry in entries])
    note = sign_checkpoint(Checkpoint(LOG_KEY.name, len(entries), tree.root()), LOG_SIGNER)
    record = build_record(
        checkpoint=note, previous=None, did_documents={}, status_lists={}, tiles={}
    )
    anchor = proven(
        AnchorReceipt(CONTRACT, "0x" + "1a" * 32, 0, "", 3, anchored),
        sha256(record),
        anchored,
    )
    proofs = [
        TlogProof(n, tuple(tree.inclusion_proof(n)), note) for n in range(len(entries))
    ]
    receipt = Receipt(proofs[1], record, (anchor,))
    found = Evidence(
        did_documents={ISSUER: had(document, "https://school.example/did.json")},
        status_lists={REVOCATIONS: had(lists or status_list(), REVOCATIONS)},
        receipt=had(receipt, "https://school.example/receipt"),
        did_proofs={ISSUER: proofs[0]},
        histories={} if history is None else {ISSUER: had(history)},
        history_proofs={} if history is None else {ISSUER: tuple(proofs[2:])},
    )
    return Kit(make_bundle(credential, replace(found, **changes)), anchor)


def _entries(history: Any) -> list[bytes]:
    """Return what a log has of a history: its documents, then its events."""
    documents = [
        entry_of(EntryKind.DID_DOCUMENT, one["document"]) for one in history["versions"]
    ]
    return documents + [entry_of(EntryKind.KEY_EVENT, one) for one in history["events"]]


def resealed(parts: JsonObject) -> bytes:
    """Return a bundle of `parts` with the digest that a forger would put there."""
    rest = {name: value for name, value in parts.items() if name != "digest"}
    return canonicalize({**rest, "digest": sha256(canonicalize(rest)).hex()})


def fields(
    value: Json, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value in `value` that holds no others."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from fields(inner, (*path, name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from fields(inner, (*path, index))
    else:
        yield path


def altered(value: JsonObject, path: Path) -> JsonObject:
    """Return a copy of `value` in which the one value at `path` is another of its kind."""
    copy: JsonObject = json.loads(json.dumps(value))
    holder: Any = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = _other(holder[path[-1]])
    return copy


def _other(value: Any) -> Any:
    if isinstance(value, str):
        return _other_text(value)
    if isinstance(value, int):
        return value + 1
    return "something else"


def _other_text(text: str) -> str:
    if not text:
        return "x"
    at = len(text) // 2
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
