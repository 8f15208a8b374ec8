"""Areas M and K: inclusion proofs and checkpoints, each inside of a receipt."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.entry import EntryKind, entry_of
from anchoring.merkle import MAX_PROOF_HASHES, hash_leaf, root_from_inclusion_proof
from anchoring.note import sign_note
from anchoring.tlog_proof import TlogProof
from anchoring.tree import Tree
from primitives.encodings import encode_base64
from primitives.hashing import Digest, sha256
from tests.corpus.receipt_case import (
    GOOD,
    UNDETERMINED,
    ReceiptCase,
    chain_answers,
    edited_proof,
    edited_receipt,
    receipt_case,
    signed_by_log,
    with_any_note,
    with_checkpoint_text,
    with_note,
)
from tests.support.credentials_support import (
    LOG_KEY,
    LOG_SIGNER,
    STRANGER,
    anchored,
    signed,
    unsigned,
)

PROOF = GOOD.receipt.tlog_proof
NOTE = PROOF.checkpoint
ENTRY = entry_of(EntryKind.CREDENTIAL, GOOD.document)
ROOT = NOTE.split("\n")[2]
FIRST_HASH, SECOND_HASH = map(encode_base64, PROOF.hashes)
NOT_OF_THIS = (UNDETERMINED, "leaf-not-found")
"""A wallet may have added something to the credential: no report calls that false."""


def log_rows() -> Iterator[ReceiptCase]:
    """Give the cases, in the order of the table."""
    yield receipt_case("M00-good")
    yield from _indexes()
    yield from _hashes()
    yield from _sizes()
    yield from _lengths()
    yield from _encodings()
    yield from _other_trees()
    yield edited_proof("M15-multi-proof", "proof@v1", "multiproof@v1", NO_PROOF)
    yield edited_proof("M15-two-indexes", "index 1\n", "index 1\nindex 2\n", NO_PROOF)
    yield from _origins()
    yield from _signatures()
    yield from _texts()


NO_PROOF, NO_RECEIPT, NO_FIT = (
    "tlog-proof-malformed",
    "receipt-malformed",
    "proof-malformed",
)
NO_CHECKPOINT = "checkpoint-malformed"


def _indexes() -> Iterator[ReceiptCase]:
    for name, index in (("-is-the-size", 3), ("-is-the-highest", 2**63 - 2)):
        receipt = replace(GOOD.receipt, tlog_proof=replace(PROOF, index=index))
        yield receipt_case(f"M02-index{name}", receipt, "malformed", NO_FIT, report=FIT)
    other = replace(GOOD.receipt, tlog_proof=replace(PROOF, index=0))
    yield receipt_case(
        "M02-index-of-another", other, "rejected", "root-mismatch", report=NOT_OF_THIS
    )
    for name, text in (
        ("negative", "-1"),
        ("past-all", str(2**63 - 1)),
        ("long", "9" * 40),
    ):
        yield edited_proof(f"M02-index-{name}", "index 1\n", f"index {text}\n", NO_PROOF)


FIT = (UNDETERMINED, NO_FIT)
"""The receipt could be read; only in its tree is there no such place."""


def _hashes() -> Iterator[ReceiptCase]:
    for length in (31, 33):
        short = encode_base64(PROOF.hashes[0].ljust(33, b"\0")[:length])
        yield edited_proof(f"M06-hash-of-{length}", FIRST_HASH, short, NO_PROOF)
        root = encode_base64(base64.b64decode(ROOT).ljust(33, b"\0")[:length])
        raw = with_checkpoint_text(f"{LOG_KEY.name}\n3\n{root}\n")
        yield ReceiptCase(
            f"M06-root-of-{length}", raw, "malformed", NO_CHECKPOINT, report=CHECKPOINT
        )


CHECKPOINT = (UNDETERMINED, NO_CHECKPOINT)


def _sizes() -> Iterator[ReceiptCase]:
    for name, size in (
        ("2-to-the-63", str(2**63)),
        ("2-to-the-64", str(2**64)),
        ("exponent", "1e3"),
        ("leading-zeros", "003"),
        ("plus", "+3"),
        ("negative", "-3"),
        ("arabic-digit", "\N{ARABIC-INDIC DIGIT THREE}"),
    ):
        raw = with_checkpoint_text(f"{LOG_KEY.name}\n{size}\n{ROOT}\n")
        yield ReceiptCase(
            f"M07-size-{name}", raw, "malformed", NO_CHECKPOINT, report=CHECKPOINT
        )
    empty = encode_base64(sha256(b""))
    yield receipt_case(
        "M07-size-0-empty",
        with_note(signed_by_log(f"{LOG_KEY.name}\n0\n{empty}\n")),
        "malformed",
        NO_FIT,
        report=FIT,
    )
    raw = with_checkpoint_text(f"{LOG_KEY.name}\n0\n{ROOT}\n")
    yield ReceiptCase("M07-size-0", raw, "malformed", NO_CHECKPOINT, report=CHECKPOINT)


def _lengths() -> Iterator[ReceiptCase]:
    """The deepest tree that a checkpoint may name has proofs of exactly the limit."""
    path = tuple(sha256(bytes([n])) for n in range(MAX_PROOF_HASHES))
    size = 2**63 - 1
    root = root_from_inclusion_proof(hash_leaf(ENTRY), index=0, tree_size=size, proof=path)
    note = sign_checkpoint(Checkpoint(LOG_KEY.name, size, root), LOG_SIGNER)
    longest = with_note(note, TlogProof(0, path, note))
    chains = [chain_answers(longest)]
    yield receipt_case("M08-at-the-limit", longest, chains=chains)
    text = json.dumps(longest.to_json())
    last = json.dumps(encode_base64(path[-1]))[1:-1] + "\\n"
    for name, extra in (("one-over", 1), ("10000", 10_000 - MAX_PROOF_HASHES)):
        raw = text.replace(last, last * (1 + extra)).encode()
        yield ReceiptCase(f"M08-{name}", raw, "malformed", NO_PROOF, chains=chains)
    shorter = replace(GOOD.receipt, tlog_proof=replace(PROOF, hashes=PROOF.hashes[:1]))
    yield receipt_case("M08-too-short", shorter, "malformed", NO_FIT, report=FIT)
    longer = replace(PROOF, hashes=(*PROOF.hashes, PROOF.hashes[0]))
    longer_receipt = replace(GOOD.receipt, tlog_proof=longer)
    yield receipt_case("M08-too-long", longer_receipt, "malformed", NO_FIT, report=FIT)


def _encodings() -> Iterator[ReceiptCase]:
    trailing = FIRST_HASH[:-2] + _next(FIRST_HASH[-2]) + "="
    yield edited_proof("M09-trailing-bits", FIRST_HASH, trailing, NO_PROOF)
    yield edited_proof("M09-no-padding", FIRST_HASH, FIRST_HASH.rstrip("="), NO_PROOF)
    hexed = PROOF.hashes[0].hex()
    yield edited_proof("M09-hex", FIRST_HASH, hexed, NO_PROOF)
    urlsafe = FIRST_HASH.replace("+", "-").replace("/", "_")
    if urlsafe == FIRST_HASH:
        raise ValueError("found a hash that base64 and base64url write alike")
    yield edited_proof("M09-base64url", FIRST_HASH, urlsafe, NO_PROOF)
    block = GOOD.anchor.block_hash
    yield edited_receipt("M09-hex-upper-case", block, "0x" + block[2:].upper(), NO_RECEIPT)
    record = encode_base64(GOOD.receipt.record)
    yield edited_receipt("M09-record-without-padding", record, record[:-1], NO_RECEIPT)


def _next(character: str) -> str:
    """Return the digit whose last, unused bit is set instead."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return digits[digits.index(character) ^ 1]


def _other_trees() -> Iterator[ReceiptCase]:
    left, right = PROOF.hashes
    plain = sha256(sha256(left + sha256(ENTRY)) + right)
    without = Checkpoint(LOG_KEY.name, 3, plain)
    leaf_alone = Checkpoint(
        LOG_KEY.name, 3, sha256(sha256(left + hash_leaf(ENTRY)) + right)
    )
    another = Checkpoint(LOG_KEY.name, 3, Digest(bytes(32)))
    for name, checkpoint in (
        ("M10-no-prefixes", without),
        ("M10-no-node-prefix", leaf_alone),
        ("M11-another-root", another),
    ):
        receipt = with_note(sign_checkpoint(checkpoint, LOG_SIGNER))
        yield receipt_case(name, receipt, "rejected", "root-mismatch", report=NOT_OF_THIS)
    stranger = anchored(signed(unsigned(id="urn:uuid:another")))
    yield receipt_case(
        "M11-another-credential",
        stranger.receipt,
        "rejected",
        "root-mismatch",
        report=NOT_OF_THIS,
    )
    tree = Tree([hash_leaf(ENTRY), hash_leaf(b"\1" + bytes(32))])
    newer = sign_checkpoint(Checkpoint(LOG_KEY.name, 2, tree.root()), LOG_SIGNER)
    proof = TlogProof(0, tuple(tree.inclusion_proof(0)), newer)
    yield receipt_case("M11-the-right-root", with_note(newer, proof), chains=_for(newer))
    mixed = replace(GOOD.receipt, tlog_proof=proof)
    yield receipt_case("M11-record-of-another-tree", mixed, "rejected", "receipt-mismatch")


def _for(note: str) -> list[dict[str, object]]:
    return [chain_answers(with_note(note))]


def _origins() -> Iterator[ReceiptCase]:
    text = GOOD.receipt.tlog_proof.checkpoint.partition("\n")[2].partition("\n\n")[0] + "\n"
    other = sign_note(f"other.example/log\n{text}", "other.example/log", LOG_SIGNER)
    receipt = with_note(other)
    code = "checkpoint-unknown-origin"
    yield receipt_case("K01-unknown-origin", receipt, UNDETERMINED, code)


def _signatures() -> Iterator[ReceiptCase]:
    """Lines for other keys count for nothing; one for the log's has to hold."""
    text = NOTE.partition("\n\n")[0] + "\n"
    stranger = sign_note(text, "stranger.example", STRANGER)
    namesake = sign_note(text, LOG_KEY.name, STRANGER)
    for name, note in (("by-a-stranger", stranger), ("by-a-namesake", namesake)):
        yield receipt_case(
            f"K02-{name}", with_note(note), "rejected", "checkpoint-unsigned"
        )
    raw = with_any_note(text + "\n")
    yield ReceiptCase("K02-no-line", raw, "malformed", NO_CHECKPOINT, report=CHECKPOINT)
    signature = bytearray(base64.b64decode(NOTE.split()[-1]))
    for name, at in (("first-bit", 4), ("last-bit", 67)):
        bad = bytes(b ^ (n == at) for n, b in enumerate(signature))
        note = NOTE.replace(NOTE.split()[-1], encode_base64(bad))
        code = "checkpoint-signature-invalid"
        yield receipt_case(f"K03-{name}", with_note(note), "rejected", code)
    changed = NOTE.replace("\n3\n", "\n4\n")
    yield receipt_case(
        "K03-of-another-size",
        with_note(changed),
        "rejected",
        "checkpoint-signature-invalid",
    )
    grease = "\N{EM DASH} grease.example " + encode_base64(bytes(range(40))) + "\n"
    for name, note in (
        ("after", NOTE + _line(stranger)),
        ("before", NOTE.replace("\n\n", "\n\n" + _line(stranger))),
        ("of-another-algorithm", NOTE + grease),
        ("by-a-namesake", NOTE + _line(namesake)),
    ):
        yield receipt_case(f"K11-{name}", with_note(note), chains=_for(note))


def _line(note: str) -> str:
    return note.rpartition("\n\n")[2]


def _texts() -> Iterator[ReceiptCase]:
    origin, size, root = NOTE.split("\n")[:3]
    plain = f"{origin}\n{size}\n{root}\n"
    for name, text in (
        ("leading-zeros", f"{origin}\n007\n{root}\n"),
        ("crlf", plain.replace("\n", "\r\n")),
        ("two-lines", f"{origin}\n{size}\n"),
        ("empty-line", f"{origin}\n{size}\n{root}\n\n"),
        ("empty-origin", f"\n{size}\n{root}\n"),
        ("tab", f"{origin}\n{size}\n{root}\nsome\tmore\n"),
    ):
        raw = with_checkpoint_text(text)
        yield ReceiptCase(f"K08-{name}", raw, "malformed", NO_CHECKPOINT, report=CHECKPOINT)
    raw = json.dumps(GOOD.receipt.to_json()).encode()
    cut = raw.replace(
        json.dumps(_line(NOTE))[1:-1].encode(), json.dumps(_line(NOTE))[1:-3].encode()
    )
    yield ReceiptCase(
        "K08-no-final-newline", cut, "malformed", NO_CHECKPOINT, report=CHECKPOINT
    )
    extension = signed_by_log(plain + "an extension line\n")
    yield receipt_case("K08-extension-line", with_note(extension), chains=_for(extension))
