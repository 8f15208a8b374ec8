"""Area I: records that a gateway delivers, in the place of a provider that is gone."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.entry import EntryKind, encode_entry
from anchoring.merkle import hash_leaves
from anchoring.record import build_record, raw_cid, record_cid
from anchoring.tiles import entry_bundles
from anchoring.tree import Tree
from primitives.canonical_json import canonicalize
from primitives.encodings import encode_base58btc
from primitives.hashing import sha256
from primitives.instants import format_instant
from tests.corpus.case import pretty
from tests.corpus.receipt_case import GOOD, TRUST, UNDETERMINED
from tests.support.credentials_support import (
    ISSUER,
    LOG_KEY,
    LOG_SIGNER,
    NOW,
    did_document,
)

DOCUMENT = canonicalize(did_document())
LINKED = raw_cid(DOCUMENT)
ENTRIES = [encode_entry(EntryKind.DID_DOCUMENT, sha256(DOCUMENT))]
TREE = Tree(hash_leaves(ENTRIES))
TILES = dict(entry_bundles(ENTRIES, old_size=0, new_size=1))
RECORD = build_record(
    checkpoint=sign_checkpoint(Checkpoint(LOG_KEY.name, 1, TREE.root()), LOG_SIGNER),
    previous=None,
    did_documents={ISSUER: DOCUMENT},
    status_lists={},
    tiles=TILES,
)
UNLOGGED = canonicalize({**did_document(), "alsoKnownAs": ["https://thief.example"]})
FORGED = RECORD.replace(LINKED.encode(), raw_cid(UNLOGGED).encode())
"""Around the genuine checkpoint: nothing but the link is another."""
POLICY = {"version": 1, "required": ["structure", "proof", "issuer-key", "dates"]}
DIGEST = sha256(DOCUMENT).hex()
NO_CID = "cid-malformed"


@dataclass(frozen=True)
class RecordCase:
    """An anchor record, and how a gateway delivers it and what it links."""

    name: str
    record: bytes = RECORD
    code: str = ""
    head: str = ""
    """What the verifier asks for; empty for the record's own CID."""

    blocks: dict[str, Any] = field(default_factory=dict)
    """Pages that the gateway shows instead of the true blocks."""

    def files(self) -> dict[str, bytes]:
        """Return what stands in the folder."""
        head = self.head or record_cid(self.record)
        context = {
            "kind": "record",
            "asOf": format_instant(NOW),
            "didDocuments": {},
            "statusLists": {},
            "credential": GOOD.document,
            "policy": POLICY,
            "trust": TRUST,
            "head": head,
            "blocks": {
                head: _page(self.record),
                LINKED: _page(DOCUMENT),
                **{raw_cid(tile): _page(tile) for tile in TILES.values()},
                **self.blocks,
            },
        }
        outcome = UNDETERMINED if self.code else "valid"
        return {
            "input": self.record,
            "context.json": pretty(context),
            "expect.json": pretty({"outcome": outcome, "code": self.code}),
        }


def ipfs_rows() -> Iterator[RecordCase]:
    """Give the cases, in the order of the table."""
    yield RecordCase("I00-good")
    yield RecordCase(
        "I07-document-not-logged",
        FORGED,
        "record-document-unlogged",
        blocks={raw_cid(UNLOGGED): _page(UNLOGGED)},
    )
    for name, binary in (
        ("I02-identity", "01550005626c6f636b"),
        ("I02-sha-1", "01551114" + DIGEST[:40]),
        ("I02-murmur", "01552210" + DIGEST[:32]),
        ("I02-sha-512", "01551340" + DIGEST + DIGEST),
        ("I02-sha-256-cut-short", "01551210" + DIGEST[:32]),
        ("I03-dag-pb", "01701220" + DIGEST),
        ("I03-dag-cbor", "01711220" + DIGEST),
    ):
        yield from _spelt(name, base32(binary))
    for name, cid in (
        ("I04-upper-case", LINKED.upper()),
        ("I04-padding", LINKED + "="),
        ("I04-longer", LINKED + "a"),
        ("I04-base58", "z" + encode_base58btc(bytes.fromhex("01551220" + DIGEST))),
        ("I04-version-0", encode_base58btc(bytes.fromhex("1220" + DIGEST))),
        ("I04-base16", "f01551220" + DIGEST),
    ):
        yield from _spelt(name, cid)
    for what, cid in (("record", record_cid(RECORD)), ("document", LINKED)):
        yield from _delivered(what, cid)


def _spelt(name: str, cid: str) -> Iterator[RecordCase]:
    """Give a record that links `cid`, and a verifier that is sent to it."""
    linking = RECORD.replace(LINKED.encode(), cid.encode())
    yield RecordCase(f"{name}-linked", linking, NO_CID)
    yield RecordCase(f"{name}-asked-for", RECORD, NO_CID, head=cid)


def _delivered(what: str, cid: str) -> Iterator[RecordCase]:
    for name, page, code in (
        ("I05-gateway-timeout", {"status": 504}, "fetch-failed"),
        ("I05-not-found", {"status": 404}, "fetch-not-found"),
        ("I05-cut-short", {"base64": _page(RECORD)["base64"], "pace": "cut-short"}, CUT),
        ("I05-endless", {"pace": "endless"}, "fetch-too-large"),
        ("I05-empty", {"body": ""}, "cid-mismatch"),
        ("I07-error-as-success", {"body": '{"Message":"not found"}'}, "cid-mismatch"),
        ("I07-web-page", {"body": "<html>blocked</html>"}, "cid-mismatch"),
        ("I07-another-block", _page(b"{}"), "cid-mismatch"),
    ):
        yield RecordCase(f"{name}-{what}", code=code, blocks={cid: page})


CUT = "fetch-failed"


def _page(block: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(block).decode()}


def base32(binary: str) -> str:
    """Return the text of a binary CID in hex, whatever it says."""
    digits = base64.b32encode(bytes.fromhex(binary)).decode()
    return "b" + digits.rstrip("=").lower()
