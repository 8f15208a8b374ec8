import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from anchoring.backend import AnchorReceipt
from anchoring.chain_proof import MAX_NODES, ChainProof
from anchoring.checkpoint import Checkpoint, CheckpointUnknownOrigin, sign_checkpoint
from anchoring.merkle import RootMismatch
from anchoring.note import NoteSignatureInvalid, NoteUnsigned, VerifierKey, sign_note
from anchoring.receipt import (
    MAX_ANCHORS,
    MAX_RECEIPT_BYTES,
    Receipt,
    ReceiptMalformed,
    ReceiptMismatch,
    verify_receipt,
)
from anchoring.record import (
    MAX_RECORD_BYTES,
    RecordMalformed,
    build_record,
    record_digest,
)
from anchoring.tlog_proof import TlogProof, TlogProofMalformed
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import SoftwareSigner
from primitives.strict_json import parse_json_object
from tests.anchoring import go_vector

SIGNER = SoftwareSigner(go_vector.SEED)
KEY = VerifierKey.parse(go_vector.VERIFIER_KEY)
ENTRY = go_vector.ENTRIES[5]
PROOF = TlogProof(5, go_vector.hashes(go_vector.INCLUSION_5_OF_13), go_vector.NOTE)
ANCHOR = AnchorReceipt(
    contract="eip155:11155111:0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B",
    transaction="0x" + "1a" * 32,
    block_number=7_000_000,
    block_hash="0x" + "2b" * 32,
    log_index=3,
    timestamp=datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
)
ANCHOR_JSON = {
    "contract": "eip155:11155111:0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B",
    "transaction": "0x" + "1a" * 32,
    "blockNumber": 7_000_000,
    "blockHash": "0x" + "2b" * 32,
    "logIndex": 3,
    "timestamp": "2026-11-22T08:00:00Z",
}
PROVEN = replace(ANCHOR, proof=ChainProof(b"header", 7, (b"root", b"leaf")))
PROOF_JSON: JsonObject = {
    "header": base64.b64encode(b"header").decode(),
    "transactionIndex": 7,
    "nodes": [base64.b64encode(b"root").decode(), base64.b64encode(b"leaf").decode()],
}


def record(note: str = go_vector.NOTE) -> bytes:
    return build_record(
        checkpoint=note, previous=None, did_documents={}, status_lists={}, tiles={}
    )


RECEIPT = Receipt(PROOF, record(), (ANCHOR,))


def changed(**changes: Any) -> JsonObject:
    value: dict[str, Any] = RECEIPT.to_json() | changes
    return {field: item for field, item in value.items() if item is not ...}


def with_anchor(**changes: Any) -> JsonObject:
    anchor = {k: v for k, v in (ANCHOR_JSON | changes).items() if v is not ...}
    return changed(anchors=[anchor])


def test_has_the_fields_of_the_design() -> None:
    assert RECEIPT.to_json() == {
        "version": 1,
        "tlogProof": str(PROOF),
        "record": base64.b64encode(record()).decode(),
        "anchors": [ANCHOR_JSON],
    }


def test_reads_what_it_wrote() -> None:
    raw = json.dumps(RECEIPT.to_json()).encode()
    assert Receipt.parse(parse_json_object(raw)) == RECEIPT


def test_an_anchor_may_carry_a_proof_of_its_block() -> None:
    receipt = Receipt(PROOF, record(), (PROVEN,))
    assert receipt.to_json()["anchors"] == [{**ANCHOR_JSON, "proof": PROOF_JSON}]
    raw = json.dumps(receipt.to_json()).encode()
    assert Receipt.parse(parse_json_object(raw)).anchors[0].proof == PROVEN.proof
    assert PROVEN == ANCHOR


def test_shows_the_entry_in_the_checkpoint_that_the_record_commits_to() -> None:
    assert verify_receipt(RECEIPT, ENTRY, KEY) == Checkpoint(
        KEY.name, 13, go_vector.ROOT_13
    )
    assert RECEIPT.digest == record_digest(record())


def test_a_witness_may_have_signed_the_proof_since() -> None:
    witness = sign_note(go_vector.TEXT, "witness.example", SoftwareSigner(bytes(32)))
    cosigned = go_vector.NOTE + witness.rpartition("\n\n")[2]
    verify_receipt(
        replace(RECEIPT, tlog_proof=replace(PROOF, checkpoint=cosigned)), ENTRY, KEY
    )


@pytest.mark.parametrize("size", [12, 14])
def test_rejects_a_record_of_another_checkpoint(size: int) -> None:
    other = sign_checkpoint(Checkpoint(KEY.name, size, go_vector.ROOT_13), SIGNER)
    with pytest.raises(ReceiptMismatch, match=f"found a record of size {size}") as e:
        verify_receipt(replace(RECEIPT, record=record(other)), ENTRY, KEY)
    assert e.value.code == "receipt-mismatch"


def test_rejects_a_record_that_adds_to_the_signed_text() -> None:
    other = sign_note(go_vector.TEXT + "extension\n", KEY.name, SIGNER)
    with pytest.raises(ReceiptMismatch):
        verify_receipt(replace(RECEIPT, record=record(other)), ENTRY, KEY)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("— log.example/patunay Fph7", "— log.example/patunay Fph8", NoteUnsigned),
        ("Pqan", "Pqam", NoteSignatureInvalid),
        ("log.example/patunay\n13", "log.example/other\n13", CheckpointUnknownOrigin),
    ],
)
def test_rejects_a_record_that_the_log_did_not_sign(
    old: str, new: str, error: type[Exception]
) -> None:
    note = go_vector.NOTE.replace(old, new)
    assert note != go_vector.NOTE
    with pytest.raises(error):
        verify_receipt(replace(RECEIPT, record=record(note)), ENTRY, KEY)


def test_rejects_another_entry() -> None:
    with pytest.raises(RootMismatch):
        verify_receipt(RECEIPT, go_vector.ENTRIES[4], KEY)


def test_refuses_a_record_that_is_none() -> None:
    for _ in range(2):
        verify_receipt(RECEIPT, ENTRY, KEY)
        with pytest.raises(RecordMalformed):
            verify_receipt(replace(RECEIPT, record=record() + b"\n"), ENTRY, KEY)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        changed(version=2),
        changed(version=True),
        changed(version=1.0),
        changed(version=...),
        changed(anchors=...),
        changed(surprise=1),
        changed(tlogProof=1),
        changed(record=None),
        changed(record="e30"),
        changed(record="e31="),
        changed(record=base64.b64encode(bytes(MAX_RECORD_BYTES + 1)).decode()),
        changed(anchors={}),
        changed(anchors=[ANCHOR_JSON] * (MAX_ANCHORS + 1)),
        changed(anchors=["0x"]),
        with_anchor(surprise=1),
        with_anchor(contract=...),
        with_anchor(contract="0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B"),
        with_anchor(contract=1),
        with_anchor(transaction="0x" + "1A" * 32),
        with_anchor(transaction="1a" * 32),
        with_anchor(blockHash="0x" + "1a" * 31),
        with_anchor(blockHash="0x" + "1a" * 32 + "\n"),
        with_anchor(blockNumber=-1),
        with_anchor(blockNumber="7"),
        with_anchor(blockNumber=True),
        with_anchor(logIndex=1.0),
        with_anchor(timestamp="2026-11-22"),
        with_anchor(timestamp="2026-11-22T09:00:00+01:00"),
        with_anchor(timestamp="2026-11-22T08:00:00.000Z"),
        with_anchor(timestamp=1763798400),
        with_anchor(proof=None),
        with_anchor(proof={}),
        with_anchor(proof={**PROOF_JSON, "surprise": 1}),
        with_anchor(proof={**PROOF_JSON, "header": 1}),
        with_anchor(proof={**PROOF_JSON, "header": "a"}),
        with_anchor(proof={**PROOF_JSON, "transactionIndex": -1}),
        with_anchor(proof={**PROOF_JSON, "nodes": "YQ=="}),
        with_anchor(proof={**PROOF_JSON, "nodes": {}}),
        with_anchor(proof={**PROOF_JSON, "nodes": None}),
        with_anchor(proof={**PROOF_JSON, "nodes": ["YQ=="] * (MAX_NODES + 1)}),
    ],
)
def test_refuses_another_spelling(raw: JsonObject) -> None:
    with pytest.raises(ReceiptMalformed) as e:
        Receipt.parse(raw)
    assert e.value.code == "receipt-malformed"


def test_refuses_a_proof_that_is_none() -> None:
    with pytest.raises(TlogProofMalformed):
        Receipt.parse(changed(tlogProof=""))


def test_the_largest_receipt_fits_its_limit() -> None:
    largest = Receipt(PROOF, bytes(MAX_RECORD_BYTES), (ANCHOR,) * MAX_ANCHORS)
    raw = canonicalize(largest.to_json())
    assert len(raw) + 3 * len(str(PROOF)) < MAX_RECEIPT_BYTES
    assert Receipt.parse(parse_json_object(raw, MAX_RECEIPT_BYTES)) == largest
