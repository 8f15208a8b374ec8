import pytest

from anchoring.checkpoint import (
    Checkpoint,
    CheckpointMalformed,
    CheckpointUnknownOrigin,
    open_checkpoint,
    parse_checkpoint_text,
    sign_checkpoint,
)
from anchoring.note import (
    NoteSignatureInvalid,
    NoteUnsigned,
    VerifierKey,
    VerifierKeyMalformed,
    sign_note,
)
from primitives.ed25519 import SoftwareSigner
from primitives.errors import Undetermined
from primitives.hashing import Digest
from tests.anchoring import go_vector

SIGNER = SoftwareSigner(go_vector.SEED)
KEY = VerifierKey.parse(go_vector.VERIFIER_KEY)
CHECKPOINT = Checkpoint(go_vector.NAME, 13, go_vector.ROOT_13)
EMPTY = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def test_signs_and_opens_what_go_signed() -> None:
    assert CHECKPOINT.text == go_vector.TEXT
    assert sign_checkpoint(CHECKPOINT, SIGNER) == go_vector.NOTE
    assert open_checkpoint(go_vector.NOTE, KEY) == CHECKPOINT


def test_reads_the_checkpoint_that_the_specification_shows() -> None:
    """https://c2sp.org/tlog-checkpoint gives these three lines as its example."""
    text = (
        "example.com/behind-the-sofa\n20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )
    checkpoint = parse_checkpoint_text(text)
    assert (checkpoint.tree_size, checkpoint.text) == (20852163, text)


def test_passes_over_extension_lines_and_writes_none() -> None:
    note = sign_note(go_vector.TEXT + "timestamp 7\nmore\n", KEY.name, SIGNER)
    assert open_checkpoint(note, KEY) == CHECKPOINT
    assert open_checkpoint(note, KEY).text == go_vector.TEXT


def test_reads_an_origin_that_could_not_be_a_key_name_and_signs_none() -> None:
    checkpoint = parse_checkpoint_text(EMPTY.replace("log.example", "go.sum database tree"))
    assert checkpoint.origin == "go.sum database tree"
    with pytest.raises(VerifierKeyMalformed):
        sign_checkpoint(checkpoint, SIGNER)


def test_the_empty_log_has_a_checkpoint() -> None:
    assert parse_checkpoint_text(EMPTY).tree_size == 0


@pytest.mark.parametrize(
    "size",
    [
        *("007", "00", "+1", "-1", "1e3", "1.0", " 1", "1 ", "", "\u0663", "1_0", "0x1"),
        *(str(2**63), str(2**64), "9" * 5000),
    ],
)
def test_refuses_another_spelling_of_the_size(size: str) -> None:
    with pytest.raises(CheckpointMalformed) as e:
        parse_checkpoint_text(go_vector.TEXT.replace("\n13\n", f"\n{size}\n"))
    assert e.value.code == "checkpoint-malformed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "log.example\n1\n",
        go_vector.TEXT[:-1],
        go_vector.TEXT + "\n",
        go_vector.TEXT + "extension\n\nextension\n",
        go_vector.TEXT.removeprefix(go_vector.NAME),
        go_vector.TEXT.replace("=", ""),
        go_vector.TEXT.replace("BsQ=", "BsR="),
        go_vector.TEXT.replace("BsQ=", "BsQA"),
        go_vector.TEXT.replace("BsQ=", ""),
        EMPTY.replace("47DE", "47DF"),
    ],
)
def test_refuses_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(CheckpointMalformed):
        parse_checkpoint_text(text)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 1, bytes(32)),
        ("a\nb", 1, bytes(32)),
        ("log", -1, bytes(32)),
        ("log", 2**63, bytes(32)),
        ("log", 1, bytes(31)),
        ("log", 0, bytes(32)),
    ],
)
def test_no_such_checkpoint_can_be_made(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(CheckpointMalformed):
        Checkpoint(origin, size, Digest(root))


def test_another_logs_checkpoint_leaves_the_question_open() -> None:
    other = Checkpoint("log.example/other", 13, go_vector.ROOT_13)
    for note in (sign_checkpoint(other, SIGNER), sign_note(other.text, KEY.name, SIGNER)):
        with pytest.raises(CheckpointUnknownOrigin, match="found origin") as e:
            open_checkpoint(note, KEY)
        assert e.value.code == "checkpoint-unknown-origin"
        assert isinstance(e.value, Undetermined)


def test_rejects_a_checkpoint_that_only_another_key_signed() -> None:
    with pytest.raises(NoteUnsigned):
        open_checkpoint(sign_checkpoint(CHECKPOINT, SoftwareSigner(bytes(32))), KEY)


def test_rejects_a_checkpoint_of_another_size_under_the_same_signature() -> None:
    with pytest.raises(NoteSignatureInvalid):
        open_checkpoint(go_vector.NOTE.replace("\n13\n", "\n14\n"), KEY)


def test_what_one_key_has_signed_is_not_believed_of_another_afterwards() -> None:
    """What held is remembered with the key that it held for."""
    other = VerifierKey(KEY.name, SoftwareSigner(bytes(32)).public_key)
    for _ in range(2):
        assert open_checkpoint(go_vector.NOTE, KEY) == CHECKPOINT
        with pytest.raises(NoteUnsigned):
            open_checkpoint(go_vector.NOTE, other)
