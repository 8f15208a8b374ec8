import random

import pytest

from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.merkle import hash_leaf
from anchoring.note import VerifierKey
from anchoring.tree import Tree
from anchoring.witness import (
    MAX_REQUEST_BYTES,
    AddCheckpoint,
    WitnessConflict,
    WitnessProofInvalid,
    WitnessRequestMalformed,
    WitnessSignatureRefused,
    judge_request,
)
from primitives.ed25519 import SoftwareSigner
from primitives.encodings import encode_base64

ORIGIN = "log.example/log"
LOG = SoftwareSigner(bytes(32))
KEY = VerifierKey(ORIGIN, LOG.public_key)
TREE = Tree(hash_leaf(bytes([n])) for n in range(100))
OTHER = Tree(hash_leaf(bytes([n, 0])) for n in range(100))


def checkpoint(size: int, tree: Tree = TREE) -> Checkpoint:
    return Checkpoint(ORIGIN, size, tree.root(size))


def request(old: int, new: int, tree: Tree = TREE, signer: SoftwareSigner = LOG) -> bytes:
    """Written by hand, as the standard has it."""
    proof = TREE.consistency_proof(old, new) if 0 < old <= new else ()
    lines = [f"old {old}", *map(encode_base64, proof)]
    note = sign_checkpoint(checkpoint(new, tree), signer)
    return ("\n".join(lines) + "\n\n" + note).encode()


def judge(raw: bytes, latest: Checkpoint | None) -> Checkpoint:
    return judge_request(AddCheckpoint.parse(raw), KEY, latest)


def test_what_is_read_is_written_the_same() -> None:
    for old, new in ((0, 7), (7, 7), (7, 64), (64, 100)):
        raw = request(old, new)
        assert bytes(AddCheckpoint.parse(raw)) == raw
        assert AddCheckpoint.parse(raw).origin() == ORIGIN


def test_a_log_that_only_grows_is_followed() -> None:
    chance = random.Random(7)
    latest: Checkpoint | None = None
    size = 0
    for _ in range(30):
        following = chance.randint(size, 100)
        latest = judge(request(size, following), latest)
        assert latest == checkpoint(following)
        size = following


def test_the_log_has_to_have_signed_it() -> None:
    for raw in (
        request(0, 7, signer=SoftwareSigner(b"\x01" * 32)),
        request(0, 7).replace(b"\n7\n", b"\n8\n"),
    ):
        with pytest.raises(WitnessSignatureRefused) as caught:
            judge(raw, None)
        assert caught.value.code == "witness-signature-refused"


def test_another_old_size_is_a_conflict_that_tells_the_size() -> None:
    for latest, size in ((None, 0), (checkpoint(20), 20)):
        with pytest.raises(WitnessConflict) as caught:
            judge(request(10, 30), latest)
        assert (caught.value.code, caught.value.size) == ("witness-conflict", size)


def test_a_smaller_checkpoint_is_never_cosigned() -> None:
    with pytest.raises(WitnessRequestMalformed, match="found old size 20, want at most 10"):
        judge(request(20, 10), checkpoint(20))
    with pytest.raises(WitnessConflict):
        judge(request(0, 10), checkpoint(20))


def test_another_history_is_never_cosigned() -> None:
    with pytest.raises(WitnessProofInvalid) as caught:
        judge(request(20, 30, OTHER), checkpoint(20))
    assert caught.value.code == "witness-proof-invalid"
    # The same size and another root: both were signed by the log.
    with pytest.raises(WitnessProofInvalid):
        judge(request(20, 20, OTHER), checkpoint(20))
    # From the other history on.
    with pytest.raises(WitnessProofInvalid):
        judge(request(20, 30), checkpoint(20, OTHER))


def test_a_proof_of_the_wrong_length_is_refused() -> None:
    hash_line = encode_base64(bytes(32)).encode() + b"\n"
    whole = request(20, 30)
    head, _, note = whole.partition(b"\n\n")
    for raw in (
        head + b"\n" + hash_line + b"\n" + note,
        head.rpartition(b"\n")[0] + b"\n\n" + note,
    ):
        with pytest.raises(WitnessProofInvalid):
            judge(raw, checkpoint(20))
    with pytest.raises(WitnessProofInvalid, match="found a proof from size 0"):
        judge(b"old 0\n" + hash_line + b"\n" + request(0, 7).partition(b"\n\n")[2], None)


NOTE = request(0, 7).partition(b"\n\n")[2]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        NOTE,
        b"old 00\n\n" + NOTE,
        b"old +1\n\n" + NOTE,
        b"old -1\n\n" + NOTE,
        b"old 1\r\n\r\n" + NOTE,
        b"Old 0\n\n" + NOTE,
        b"old 0 \n\n" + NOTE,
        b"old 99999999999999999999\n\n" + NOTE,
        b"old 1\nAAAA\n\n" + NOTE,
        b"old 1\nnot base64\n\n" + NOTE,
        b"old 1\n" + encode_base64(bytes(32)).encode() * 2 + b"\n\n" + NOTE,
        b"old 1\n" + (encode_base64(bytes(32)).encode() + b"\n") * 64 + b"\n" + NOTE,
        b"old 0\n\nnot a checkpoint\n",
        b"old 0\n\n" + NOTE + b"trailing",
        b"\xffold 0\n\n" + NOTE,
        b"old 0\n\n" + b"x" * MAX_REQUEST_BYTES,
    ],
)
def test_another_form_is_refused(raw: bytes) -> None:
    with pytest.raises(WitnessRequestMalformed) as caught:
        AddCheckpoint.parse(raw).origin()
    assert caught.value.code == "witness-request-malformed"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"old 0\n\n" + b"x" * MAX_REQUEST_BYTES, f"found over {MAX_REQUEST_BYTES} bytes"),
        (b"old 0", "found 'old 0', want old, a size, a note"),
        (b"old 0\n", "found 'old 0', want old, a size, a note"),
    ],
)
def test_what_cannot_be_read_is_told_before_its_note_is_opened(
    raw: bytes, words: str
) -> None:
    with pytest.raises(WitnessRequestMalformed, match=f"^{words}"):
        AddCheckpoint.parse(raw)
