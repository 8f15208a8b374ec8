"""The worked examples in the documents, calculated again from their own bytes.

Digests, roots and CIDs are made here from the standard library alone, by what
docs/formats.md says in words; then the product has to read the same bytes.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from nacl.signing import SigningKey

from anchoring.checkpoint import open_checkpoint
from anchoring.entry import EntryKind, entry_of
from anchoring.note import VerifierKey
from anchoring.receipt import Receipt, verify_receipt
from anchoring.record import parse_record, record_cid
from anchoring.tlog_proof import TlogProof, verify_tlog_proof
from credentials.evidence import Evidence, Obtained
from credentials.judge import judge
from credentials.policy import DEFAULT_REQUIRED, parse_policy
from did.document import parse_did_document
from did.keystore import open_keystore
from did.service import PatunayLogService
from primitives.canonical_json import JsonObject
from primitives.instants import parse_instant
from primitives.strict_json import parse_json_object
from tests.architecture.documents import DOCS, example, read

DID = "did:web:school.example"
CREDENTIAL_SEED, STATUS_SEED, LOG_SEED = (bytes([n]) * 32 for n in (1, 2, 3))


def text(name: str) -> str:
    return example("formats.md", name)


def line(name: str) -> bytes:
    return text(name).rstrip("\n").encode()


def document(name: str) -> JsonObject:
    return parse_json_object(line(name))


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def cid(prefix: str, block: bytes) -> str:
    raw = bytes.fromhex(prefix) + sha256(block)
    return "b" + base64.b32encode(raw).decode().rstrip("=").lower()


def raw_cid(block: bytes) -> str:
    return cid("01551220", block)


def root() -> bytes:
    return sha256(b"\1", bytes.fromhex(text("leaf-0")), bytes.fromhex(text("leaf-1")))


@pytest.mark.parametrize("name", ["did-document", "credential", "record", "keystore"])
def test_one_line_documents_are_in_their_canonical_spelling(name: str) -> None:
    # Enough of RFC 8785 for what is in them: no floats, and no names beyond ASCII.
    value = json.loads(line(name))
    spelt = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert spelt.encode() == line(name)


@pytest.mark.parametrize(
    ("kind", "name", "entry", "leaf"),
    [(3, "did-document", "entry-0", "leaf-0"), (1, "credential", "entry-1", "leaf-1")],
)
def test_entries_and_leaves_are_of_the_documents_shown(
    kind: int, name: str, entry: str, leaf: str
) -> None:
    made = bytes([kind]) + sha256(line(name))
    assert text(entry) == f"{made.hex()}\n"
    assert text(leaf) == sha256(b"\0", made).hex() + "\n"
    assert entry_of(EntryKind(kind), document(name)) == made


def test_the_checkpoint_is_of_these_two_leaves_and_signed_by_the_log_key() -> None:
    note = text("checkpoint")
    signed, signature = note.split("\n\n")
    origin, size, encoded = signed.split("\n")
    assert (origin, size, base64.b64decode(encoded)) == ("school.example/log", "2", root())
    key = SigningKey(LOG_SEED)
    raw = base64.b64decode(signature.split(" ")[2])
    key_id = sha256(origin.encode(), b"\n\1", bytes(key.verify_key))[:4]
    assert raw == key_id + key.sign(f"{signed}\n".encode()).signature
    encoded_key = base64.b64encode(b"\1" + bytes(key.verify_key)).decode()
    assert text("vkey") == f"{origin}+{key_id.hex()}+{encoded_key}\n"
    assert open_checkpoint(note, VerifierKey.parse(text("vkey").strip())).tree_size == 2


def test_the_tiles_hold_the_leaves_and_the_entries() -> None:
    entries = [bytes.fromhex(text(f"entry-{n}")) for n in (0, 1)]
    leaves = [bytes.fromhex(text(f"leaf-{n}")) for n in (0, 1)]
    assert tiles() == {
        "tile/0/000.p/2": b"".join(leaves),
        "tile/entries/000.p/2": b"".join(b"\0\x21" + entry for entry in entries),
    }


def tiles() -> dict[str, bytes]:
    pairs = [row.split("  ") for row in text("tiles").splitlines()]
    return {path: bytes.fromhex(content) for path, content in pairs}


def test_the_record_links_exactly_what_is_shown() -> None:
    assert json.loads(line("record")) == {
        "version": 1,
        "log": "school.example/log",
        "checkpoint": text("checkpoint"),
        "previous": None,
        "didDocuments": {DID: {"/": raw_cid(line("did-document"))}},
        "statusLists": {},
        "suspensionLists": {},
        "tiles": {path: {"/": raw_cid(raw)} for path, raw in tiles().items()},
    }
    assert parse_record(line("record")).checkpoint == text("checkpoint")


def test_cid_and_digest_are_of_the_record_shown() -> None:
    assert text("record-cid") == f"{cid('01a9021220', line('record'))}\n"
    assert text("record-digest") == f"{sha256(line('record')).hex()}\n"
    assert record_cid(line("record")) == text("record-cid").strip()


def test_the_tlog_proof_shows_the_credential() -> None:
    first, index, sibling, blank, checkpoint = text("tlog-proof").split("\n", 4)
    assert (first, index, blank) == ("c2sp.org/tlog-proof@v1", "index 1", "")
    assert base64.b64decode(sibling).hex() == text("leaf-0").strip()
    assert checkpoint == text("checkpoint")
    entry = bytes.fromhex(text("entry-1"))
    key = VerifierKey.parse(text("vkey").strip())
    assert verify_tlog_proof(TlogProof.parse(text("tlog-proof")), entry, key).tree_size == 2


def test_the_receipt_holds_the_proof_and_the_record() -> None:
    shown = json.loads(text("receipt"))
    assert shown["tlogProof"] == text("tlog-proof")
    assert base64.b64decode(shown["record"]) == line("record")
    receipt = Receipt.parse(shown)
    key = VerifierKey.parse(text("vkey").strip())
    entry = bytes.fromhex(text("entry-1"))
    assert verify_receipt(receipt, entry, key).root == root()
    assert receipt.digest.hex() == text("record-digest").strip()


def test_the_service_is_the_one_in_the_did_document() -> None:
    shown = document("service")
    inside: Any = document("did-document")["service"]
    assert inside == [shown]
    assert PatunayLogService.parse(shown).to_json(DID) == shown
    assert PatunayLogService.parse(shown).vkey == text("vkey").strip()


def test_the_did_document_names_the_keys_of_the_published_seeds() -> None:
    methods = parse_did_document(document("did-document"), DID).methods
    named = {str(url): method.public_key() for url, method in methods.items()}
    assert named == {
        f"{DID}#credential-1": bytes(SigningKey(CREDENTIAL_SEED).verify_key),
        f"{DID}#status-1": bytes(SigningKey(STATUS_SEED).verify_key),
    }


def test_the_key_store_opens_with_the_passphrase_shown() -> None:
    assert "passphrase `not a real passphrase`" in read(DOCS / "formats.md")
    keys = open_keystore(line("keystore")).unlock(b"not a real passphrase")
    public = keys.signer("main.credential").public_key
    assert public == bytes(SigningKey(CREDENTIAL_SEED).verify_key)


def shown_in_verifying(name: str) -> JsonObject:
    return parse_json_object(example("verifying.md", name).encode())


def test_the_report_shown_is_the_report_of_the_example() -> None:
    report = shown_in_verifying("report")
    obtained = datetime(2026, 11, 22, 10, 0, 1, tzinfo=UTC)
    source = "https://school.example/.well-known/did.json"
    evidence = Evidence({DID: Obtained(document("did-document"), source, obtained)})
    policy = parse_policy(None, shown_in_verifying("trust"))
    as_of = parse_instant(str(report["as_of"]))
    made = judge(document("credential"), evidence, policy, as_of)
    assert made.to_json() == report


def test_the_policy_and_trust_files_shown_are_read() -> None:
    policy = parse_policy(shown_in_verifying("policy"), shown_in_verifying("trust"))
    assert policy.required == DEFAULT_REQUIRED | {"anchor"}
    assert policy.clock_skew.total_seconds() == 300
    assert policy.issuers == {DID: "Example School"}
    assert str(policy.logs[DID]) == text("vkey").strip()
    assert policy.contracts == {
        "eip155:11155111:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    }
