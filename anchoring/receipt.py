"""The receipt that a holder keeps: proof, anchor record, and where the record is anchored.

    {"version": 1, "tlogProof": text, "record": base64 of its exact bytes,
     "anchors": [{"contract", "transaction", "blockNumber", "blockHash", "logIndex",
                  "timestamp", "proof"?: {"header", "transactionIndex", "nodes"}}]}

Everything but the anchors is checked here, from values alone. Whether the chain really
shows the record's digest there is for `anchoring.backend.AnchorBackend.check` to say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from anchoring.backend import AnchorReceipt
from anchoring.chain_proof import MAX_NODES, ChainProof
from anchoring.checkpoint import Checkpoint, open_checkpoint
from anchoring.note import SignedNote, VerifierKey
from anchoring.record import MAX_RECORD_BYTES, parse_record, record_digest
from anchoring.tlog_proof import MAX_PROOF_CHARACTERS, TlogProof, verify_tlog_proof
from primitives.canonical_json import Json, JsonObject
from primitives.encodings import EncodingMalformed, decode_base64, encode_base64
from primitives.errors import Malformed, Rejected
from primitives.hashing import Digest
from primitives.instants import InstantMalformed, format_instant, parse_second

MAX_ANCHORS = 16
"""Anchors read: one for each chain that a node may use, and some replaced ones."""

MAX_RECEIPT_BYTES = MAX_RECORD_BYTES * 4 // 3 + 4 * MAX_PROOF_CHARACTERS + 512 * 1024
"""Largest receipt as JSON: the record in base64, the proof, and `MAX_ANCHORS` anchors with
chain proofs of up to 32 KB each (one in a block of 136 transactions has 3 KB)."""

RECEIPT_VERSION = 1

_FIELDS = frozenset(("version", "tlogProof", "record", "anchors"))
_ANCHOR_FIELDS = frozenset(
    ("contract", "transaction", "blockNumber", "blockHash", "logIndex", "timestamp")
)
_PROOF = "proof"
_PROOF_FIELDS = frozenset(("header", "transactionIndex", "nodes"))
_CAIP10 = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}:[-.%a-zA-Z0-9]{1,128}")
_HASH = re.compile(r"0x[0-9a-f]{64}")


class ReceiptMalformed(Malformed):
    """The JSON is not a receipt in its one spelling."""

    code = "receipt-malformed"


class ReceiptMismatch(Rejected):
    """The anchored record is about another checkpoint than the proof."""

    code = "receipt-mismatch"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A claim that an entry was logged and anchored. Nothing in it is verified."""

    tlog_proof: TlogProof

    record: bytes
    """Exact bytes of the anchor record."""

    anchors: tuple[AnchorReceipt, ...]
    """Where the record's digest is said to be written; none where witnesses alone show
    the checkpoint, whose lines are in the proof."""

    def __post_init__(self) -> None:
        if len(self.record) > MAX_RECORD_BYTES:
            raise ReceiptMalformed(
                f"record has {len(self.record)} bytes, want at most {MAX_RECORD_BYTES}"
            )
        if len(self.anchors) > MAX_ANCHORS:
            raise ReceiptMalformed(
                f"found {len(self.anchors)} anchors, want at most {MAX_ANCHORS}"
            )

    @property
    def digest(self) -> Digest:
        """What every one of the anchors has to show."""
        return record_digest(self.record)

    @classmethod
    def parse(cls, raw: Mapping[str, Json]) -> "Receipt":
        """Return the receipt in `raw`, of which nothing is verified.

        Raises:
            ReceiptMalformed: A field or version that is unknown, a value of another
                spelling than ours, or over a limit.
            TlogProofMalformed: `tlogProof` is not a proof.
        """
        _refuse_fields(raw, _FIELDS, "receipt")
        version = raw["version"]
        if version != RECEIPT_VERSION or type(version) is not int:
            raise ReceiptMalformed(f"found version {version!r:.24}, want {RECEIPT_VERSION}")
        anchors = raw["anchors"]
        if not isinstance(anchors, list):
            raise ReceiptMalformed(f"anchors: found {type(anchors).__name__}, want a list")
        record = _base64(raw["record"], "record")
        proof = TlogProof.parse(_text(raw, "tlogProof"))
        return cls(proof, record, tuple(map(parse_anchor, anchors)))

    def to_json(self) -> JsonObject:
        """Return the one form that `parse` reads as this receipt."""
        return {
            "version": RECEIPT_VERSION,
            "tlogProof": str(self.tlog_proof),
            "record": encode_base64(self.record),
            "anchors": [anchor_json(anchor) for anchor in self.anchors],
        }


def verify_receipt(receipt: Receipt, entry: bytes, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint that `entry` is in and that the record commits to.

    This leaves the chain unasked: until each anchor is checked for `receipt.digest`, the
    receipt shows that the log holds `entry`, and not since when.

    Args:
        receipt: From whoever asks to be believed.
        entry: Worked out from the document under test.
        key: From the verifier's policy or an anchored DID document.

    Raises:
        PatunayError: As `verify_tlog_proof`, `parse_record` and `open_checkpoint`.
        ReceiptMismatch: The record holds another checkpoint than the proof.
    """
    checkpoint = verify_tlog_proof(receipt.tlog_proof, entry, key)
    note = _note_in(receipt.record)
    anchored = open_checkpoint(note, key)
    # The signed texts, not the notes: a witness may have signed one of them since.
    if _signed_text(note) != _signed_text(receipt.tlog_proof.checkpoint):
        raise ReceiptMismatch(
            f"found a record of size {anchored.tree_size}, root {anchored.root.hex()},"
            f" want size {checkpoint.tree_size}, root {checkpoint.root.hex()}"
        )
    return checkpoint


@lru_cache(maxsize=8)  # a refusal is not kept; a record has 1 MiB at most
def _note_in(record: bytes) -> str:
    return parse_record(record).checkpoint


@lru_cache(maxsize=64)
def _signed_text(note: str) -> str:
    return SignedNote.parse(note).text


def parse_anchor(raw: Json) -> AnchorReceipt:
    """Return one of the `anchors` of a receipt.

    Raises:
        ReceiptMalformed: Not of the form that `anchor_json` gives.
    """
    if not isinstance(raw, dict):
        raise ReceiptMalformed(f"found an anchor that is {type(raw).__name__}, want object")
    _refuse_fields(raw, _ANCHOR_FIELDS | (raw.keys() & {_PROOF}), "anchor")
    try:
        instant = parse_second(_text(raw, "timestamp"))
    except InstantMalformed as e:
        raise ReceiptMalformed(f"timestamp: {e}") from e
    return AnchorReceipt(
        contract=_match(raw, "contract", _CAIP10),
        transaction=_match(raw, "transaction", _HASH),
        block_number=_count(raw, "blockNumber"),
        block_hash=_match(raw, "blockHash", _HASH),
        log_index=_count(raw, "logIndex"),
        timestamp=instant,
        proof=_parse_proof(raw[_PROOF]) if _PROOF in raw else None,
    )


def _parse_proof(raw: Json) -> ChainProof:
    if not isinstance(raw, dict):
        raise ReceiptMalformed(f"proof: found {type(raw).__name__}, want an object")
    _refuse_fields(raw, _PROOF_FIELDS, _PROOF)
    nodes = raw["nodes"]
    if not isinstance(nodes, list) or len(nodes) > MAX_NODES:
        raise ReceiptMalformed(f"proof: want a list of at most {MAX_NODES} nodes")
    return ChainProof(
        header=_base64(raw["header"], "header"),
        transaction_index=_count(raw, "transactionIndex"),
        nodes=tuple(_base64(node, "node") for node in nodes),
    )


def anchor_json(anchor: AnchorReceipt) -> JsonObject:
    """Return the one form that `parse_anchor` reads as this anchor."""
    raw: JsonObject = {
        "contract": anchor.contract,
        "transaction": anchor.transaction,
        "blockNumber": anchor.block_number,
        "blockHash": anchor.block_hash,
        "logIndex": anchor.log_index,
        "timestamp": format_instant(anchor.timestamp),
    }
    if anchor.proof is not None:
        raw[_PROOF] = {
            "header": encode_base64(anchor.proof.header),
            "transactionIndex": anchor.proof.transaction_index,
            "nodes": [encode_base64(node) for node in anchor.proof.nodes],
        }
    return raw


def _refuse_fields(raw: Mapping[str, Json], wanted: frozenset[str], what: str) -> None:
    if raw.keys() != wanted:
        odd = ", ".join(sorted(raw.keys() ^ wanted))
        raise ReceiptMalformed(f"{what}: fields missing or unknown: {odd[:200]}")


def _text(raw: Mapping[str, Json], field: str) -> str:
    value = raw[field]
    if not isinstance(value, str):
        raise ReceiptMalformed(f"{field}: found {type(value).__name__}, want text")
    return value


def _base64(value: Json, what: str) -> bytes:
    if not isinstance(value, str):
        raise ReceiptMalformed(f"{what}: found {type(value).__name__}, want base64")
    try:
        return decode_base64(value)
    except EncodingMalformed as e:
        raise ReceiptMalformed(f"{what}: {e}") from e


def _match(raw: Mapping[str, Json], field: str, form: re.Pattern[str]) -> str:
    value = _text(raw, field)
    if not form.fullmatch(value):
        raise ReceiptMalformed(f"{field}: found {value[:80]!r}, want {form.pattern}")
    return value


def _count(raw: Mapping[str, Json], field: str) -> int:
    value = raw[field]
    if type(value) is not int or value < 0:
        raise ReceiptMalformed(f"{field}: found {value!r:.24}, want a whole number from 0")
    return value
