import pytest

from anchoring.checkpoint import CheckpointUnknownOrigin
from anchoring.merkle import ProofMalformed, RootMismatch
from anchoring.note import NoteMalformed, NoteSignatureInvalid, NoteUnsigned, VerifierKey
from anchoring.tlog_proof import (
    MAX_PROOF_CHARACTERS,
    TlogProof,
    TlogProofMalformed,
    verify_tlog_proof,
)
from primitives.ed25519 import SoftwareSigner
from primitives.hashing import Digest
from tests.anchoring import go_vector

KEY = VerifierKey.parse(go_vector.VERIFIER_KEY)
ENTRY = go_vector.ENTRIES[5]
HASH_LINES = "\n".join(go_vector.INCLUSION_5_OF_13)
TEXT = f"c2sp.org/tlog-proof@v1\nindex 5\n{HASH_LINES}\n\n{go_vector.NOTE}"
PROOF = TlogProof(5, go_vector.hashes(go_vector.INCLUSION_5_OF_13), go_vector.NOTE)


def test_writes_and_reads_the_lines_of_the_specification() -> None:
    assert str(PROOF) == TEXT
    assert TlogProof.parse(TEXT) == PROOF


def test_shows_an_entry_in_the_log_that_go_signed() -> None:
    checkpoint = verify_tlog_proof(TlogProof.parse(TEXT), ENTRY, KEY)
    assert (checkpoint.tree_size, checkpoint.root) == (13, go_vector.ROOT_13)


def test_reads_extra_data_and_believes_none_of_it() -> None:
    text = TEXT.replace("index", "extra aW5kZXggNg==\nindex")
    proof = TlogProof.parse(text)
    assert (proof.extra, proof.index, str(proof)) == (b"index 6", 5, text)
    verify_tlog_proof(proof, ENTRY, KEY)


def test_a_log_of_one_entry_needs_no_hashes() -> None:
    proof = TlogProof(0, (), go_vector.NOTE)
    assert str(proof) == f"c2sp.org/tlog-proof@v1\nindex 0\n\n{go_vector.NOTE}"
    assert TlogProof.parse(str(proof)) == proof


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("proof@v1", "proof@v2"),
        ("c2sp", "\ufeffc2sp"),
        ("index 5\n", ""),
        ("index 5", "index 05"),
        ("index 5", "index +5"),
        ("index 5", "index -5"),
        ("index 5", "index \u0665"),
        ("index 5", "index  5"),
        ("index 5", "index 5 "),
        ("index 5", f"index {2**63 - 1}"),
        ("index 5", "index " + "9" * 5000),
        ("index 5", "Index 5"),
        ("index 5", "extra \nindex 5"),
        ("index 5", "extra aQ\nindex 5"),
        ("index 5", "extra aQ==\nextra aQ==\nindex 5"),
        ("index 5", "index 5\nextra aQ=="),
        ("sidU=", "sidU"),
        ("sidU=", "sidV="),
        ("sidU=", "sidUA"),
        ("sidU=", "sg=="),
        ("sidU=", "sidU=\r"),
        (HASH_LINES, "\n".join(go_vector.INCLUSION_5_OF_13 * 16)),
        (f"\n\n{go_vector.NOTE}", "\n"),
        (go_vector.NOTE, "x" * MAX_PROOF_CHARACTERS),
    ],
)
def test_refuses_another_spelling(old: str, new: str) -> None:
    assert TEXT.replace(old, new, 1) != TEXT
    with pytest.raises(TlogProofMalformed) as e:
        TlogProof.parse(TEXT.replace(old, new, 1))
    assert e.value.code == "tlog-proof-malformed"


@pytest.mark.parametrize("index", [0, 4, 6, 12])
def test_rejects_every_other_index(index: int) -> None:
    with pytest.raises((RootMismatch, ProofMalformed)):
        verify_tlog_proof(TlogProof(index, PROOF.hashes, PROOF.checkpoint), ENTRY, KEY)


def test_rejects_another_entry() -> None:
    with pytest.raises(RootMismatch):
        verify_tlog_proof(PROOF, go_vector.ENTRIES[6], KEY)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("\n13\n", "\n14\n", NoteSignatureInvalid),
        ("log.example/patunay\n13", "log.example/other\n13", CheckpointUnknownOrigin),
        ("— log.example/patunay", "— log.example/other", NoteUnsigned),
        ("AE=\n", "AE=", NoteMalformed),
    ],
)
def test_rejects_another_checkpoint(old: str, new: str, error: type[Exception]) -> None:
    note = PROOF.checkpoint.replace(old, new)
    with pytest.raises(error):
        verify_tlog_proof(TlogProof(5, PROOF.hashes, note), ENTRY, KEY)


def test_rejects_a_checkpoint_under_another_key() -> None:
    other = VerifierKey(KEY.name, SoftwareSigner(bytes(32)).public_key)
    with pytest.raises(NoteUnsigned):
        verify_tlog_proof(PROOF, ENTRY, other)


@pytest.mark.parametrize(
    ("index", "hashes", "extra"),
    [(-1, (), None), (2**63, (), None), (0, (Digest(b""),), None), (0, (), b"")],
)
def test_no_such_proof_can_be_made(
    index: int, hashes: tuple[Digest, ...], extra: bytes | None
) -> None:
    with pytest.raises(TlogProofMalformed):
        TlogProof(index, hashes, go_vector.NOTE, extra)
