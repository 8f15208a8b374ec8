from datetime import UTC, datetime, timedelta

import pytest
from nacl.signing import SigningKey, VerifyKey

from anchoring.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from anchoring.cosignature import (
    CosignatureInvalid,
    WitnessesTooFew,
    WitnessKey,
    WitnessQuorum,
    WitnessQuorumInvalid,
    cosign,
    require_witnesses,
    verify_cosignature,
    with_cosignatures,
)
from anchoring.note import (
    NoteSignature,
    VerifierKey,
    VerifierKeyMalformed,
    parse_signature,
)
from primitives.ed25519 import PublicKey, SoftwareSigner
from primitives.encodings import decode_base64
from primitives.hashing import sha256
from tests.anchoring import go_vector

TEXT = go_vector.NOTE.partition("\n\n")[0] + "\n"
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
LOG = SoftwareSigner(bytes(32))
ORIGIN = "log.example/log"
NOTE = sign_checkpoint(Checkpoint(ORIGIN, 13, go_vector.ROOT_13), LOG)


def witness(number: int) -> tuple[SoftwareSigner, WitnessKey]:
    signer = SoftwareSigner(bytes([number]) * 32)
    return signer, WitnessKey(f"w{number}.example/witness", signer.public_key)


def cosigned(*lines: tuple[int, datetime]) -> str:
    text = NOTE.partition("\n\n")[0] + "\n"
    made = []
    for number, at in lines:
        signer, key = witness(number)
        made.append(str(cosign(text, key.name, signer, at)))
    return with_cosignatures(NOTE, made)


def quorum(count: int, threshold: int) -> WitnessQuorum:
    return WitnessQuorum(tuple(witness(n)[1] for n in range(1, count + 1)), threshold)


def test_the_bytes_are_those_of_the_standard() -> None:
    seed = SigningKey(b"\x01" * 32)
    line = str(cosign(TEXT, "w1.example/witness", SoftwareSigner(b"\x01" * 32), AT))
    dash, name, encoded = line.split(" ")
    raw = decode_base64(encoded)
    public = bytes(seed.verify_key)
    assert (dash, name) == ("\u2014", "w1.example/witness")
    assert raw[:4] == sha256(b"w1.example/witness\n\x04" + public)[:4]
    assert int.from_bytes(raw[4:12], "big") == 1772438400
    message = f"cosignature/v1\ntime 1772438400\n{TEXT}".encode()
    VerifyKey(public).verify(message, raw[12:])
    assert len(raw) == 76


def test_the_example_of_the_standard_is_read() -> None:
    line = parse_signature(
        "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWX"
        "EhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    )
    assert line.name == "witness.example.com/w1"
    assert line.key_id.hex() == "8d66cf3f"
    assert int.from_bytes(line.signature[:8], "big") == 1679315147
    assert len(line.signature) == 72


def test_a_key_is_written_with_its_own_algorithm() -> None:
    _, key = witness(1)
    assert WitnessKey.parse(str(key)) == key
    _, key_id, encoded = str(key).split("+")
    assert decode_base64(encoded) == b"\x04" + key.public_key
    assert key_id == key.key_id.hex()


def test_a_logs_key_is_no_witness_and_the_other_way_round() -> None:
    _, key = witness(1)
    with pytest.raises(VerifierKeyMalformed, match="found 33 bytes of algorithm 04"):
        VerifierKey.parse(str(key))
    with pytest.raises(VerifierKeyMalformed, match="found 33 bytes of algorithm 01"):
        WitnessKey.parse(str(VerifierKey(key.name, key.public_key)))


def test_a_cosignature_says_when() -> None:
    signer, key = witness(1)
    line = cosign(TEXT, key.name, signer, AT)
    assert verify_cosignature(TEXT, line, key) == AT


def altered(line: NoteSignature, place: int) -> NoteSignature:
    raw = bytearray(line.signature)
    raw[place] ^= 1
    return NoteSignature(line.name, line.key_id, bytes(raw))


@pytest.mark.parametrize("place", [7, 8, 40, 71])
def test_time_and_signature_are_both_signed(place: int) -> None:
    signer, key = witness(1)
    line = altered(cosign(TEXT, key.name, signer, AT), place)
    with pytest.raises(CosignatureInvalid, match="does not match") as caught:
        verify_cosignature(TEXT, line, key)
    assert caught.value.code == "cosignature-invalid"


def test_another_text_key_length_or_time_is_refused() -> None:
    signer, key = witness(1)
    line = cosign(TEXT, key.name, signer, AT)
    with pytest.raises(CosignatureInvalid, match="does not match"):
        verify_cosignature(TEXT.replace("13", "14"), line, key)
    with pytest.raises(CosignatureInvalid, match="found a line by w1"):
        verify_cosignature(TEXT, line, witness(2)[1])
    short = NoteSignature(line.name, line.key_id, line.signature[8:])
    with pytest.raises(CosignatureInvalid, match="has 64 bytes, want 72"):
        verify_cosignature(TEXT, short, key)
    for seconds in (0, 2**63):
        raw = seconds.to_bytes(8, "big") + line.signature[8:]
        with pytest.raises(CosignatureInvalid, match=f"found time {seconds}"):
            verify_cosignature(TEXT, NoteSignature(line.name, line.key_id, raw), key)


def test_a_plain_signature_of_the_text_is_no_cosignature() -> None:
    signer, key = witness(1)
    raw = (1).to_bytes(8, "big") + signer.sign(TEXT.encode())
    with pytest.raises(CosignatureInvalid, match="does not match"):
        verify_cosignature(TEXT, NoteSignature(key.name, key.key_id, raw), key)


def test_the_log_can_still_be_opened() -> None:
    note = cosigned((1, AT), (2, AT))
    key = VerifierKey(ORIGIN, LOG.public_key)
    assert open_checkpoint(note, key) == open_checkpoint(NOTE, key)


@pytest.mark.parametrize(
    ("threshold", "seconds"), [(1, 10), (2, 20), (3, 30)], ids=["one", "two", "three"]
)
def test_the_time_is_the_last_of_the_first_so_many(threshold: int, seconds: int) -> None:
    times = [AT + timedelta(seconds=s) for s in (30, 10, 20)]
    note = cosigned(*enumerate(times, start=1))
    found = require_witnesses(note, quorum(3, threshold))
    assert (found.count, found.time) == (3, AT + timedelta(seconds=seconds))


def test_one_witness_twice_counts_once() -> None:
    note = cosigned((1, AT), (1, AT + timedelta(seconds=9)))
    with pytest.raises(WitnessesTooFew, match="of 1 witnesses, want 2 of 3") as caught:
        require_witnesses(note, quorum(3, 2))
    assert caught.value.code == "witnesses-too-few"
    assert require_witnesses(note, quorum(3, 1)).time == AT


def test_witnesses_that_are_not_named_do_not_count() -> None:
    note = cosigned((1, AT), (8, AT), (9, AT))
    with pytest.raises(WitnessesTooFew, match="of 1 witnesses"):
        require_witnesses(note, quorum(2, 2))


def test_the_logs_own_signature_is_no_witness() -> None:
    with pytest.raises(WitnessesTooFew, match="of 0 witnesses"):
        require_witnesses(NOTE, quorum(1, 1))


def test_a_false_line_of_a_named_witness_is_refused() -> None:
    text = NOTE.partition("\n\n")[0] + "\n"
    signer, key = witness(1)
    false = altered(cosign(text, key.name, signer, AT), 70)
    note = with_cosignatures(cosigned((2, AT)), [str(false)])
    with pytest.raises(CosignatureInvalid):
        require_witnesses(note, quorum(2, 1))


def test_one_key_is_one_witness_whatever_its_names() -> None:
    _, key = witness(1)
    twin = WitnessKey("other.example/witness", PublicKey(key.public_key))
    with pytest.raises(WitnessQuorumInvalid, match="found 2 witnesses with 1 keys"):
        WitnessQuorum((key, twin), 2)


@pytest.mark.parametrize(("count", "threshold"), [(0, 0), (2, 0), (2, 3), (17, 1)])
def test_a_quorum_that_makes_no_sense_is_refused(count: int, threshold: int) -> None:
    with pytest.raises(WitnessQuorumInvalid) as caught:
        quorum(count, threshold)
    assert caught.value.code == "witness-quorum-invalid"
