import base64

import pytest

from anchoring.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    NoteMalformed,
    NoteSignatureInvalid,
    NoteUnsigned,
    SignedNote,
    VerifierKey,
    VerifierKeyMalformed,
    sign_note,
    verify_note,
)
from primitives.ed25519 import KeyRefused, PublicKey, SoftwareSigner
from tests.anchoring import go_vector

SIGNER = SoftwareSigner(go_vector.SEED)
KEY = VerifierKey.parse(go_vector.VERIFIER_KEY)
NOTE = go_vector.NOTE
OTHER = SoftwareSigner(bytes(32))


def other_line(name: str = "witness.example/w1") -> str:
    return sign_note(go_vector.TEXT, name, OTHER).rpartition("\n\n")[2]


def test_signs_byte_for_byte_as_go_does() -> None:
    assert sign_note(go_vector.TEXT, go_vector.NAME, SIGNER) == NOTE


def test_writes_the_verifier_key_as_go_does() -> None:
    assert str(VerifierKey(go_vector.NAME, SIGNER.public_key)) == go_vector.VERIFIER_KEY
    assert str(KEY) == go_vector.VERIFIER_KEY


def test_opens_the_note_that_go_signed() -> None:
    assert verify_note(NOTE, KEY) == go_vector.TEXT


def test_takes_the_text_up_to_the_last_empty_line() -> None:
    text = "first\n\nsecond\n"
    assert verify_note(sign_note(text, KEY.name, SIGNER), KEY) == text


@pytest.mark.parametrize("first", [True, False])
def test_ignores_signatures_by_other_keys(*, first: bool) -> None:
    text, _, mine = NOTE.rpartition("\n\n")
    lines = [mine, other_line(), other_line(KEY.name)]
    note = text + "\n\n" + "".join(lines if first else reversed(lines))
    assert verify_note(note, KEY) == go_vector.TEXT


def test_a_note_signed_by_others_alone_is_unsigned() -> None:
    note = go_vector.TEXT + "\n" + other_line() + other_line(KEY.name)
    with pytest.raises(NoteUnsigned, match=r"no signature by log\.example") as e:
        verify_note(note, KEY)
    assert e.value.code == "checkpoint-unsigned"


@pytest.mark.parametrize("length", [0, 63, 64, 65])
def test_rejects_a_signature_that_names_the_key_and_does_not_match(length: int) -> None:
    forged = base64.b64encode(KEY.key_id + bytes(max(length, 1))).decode()
    note = f"{go_vector.TEXT}\n— {KEY.name} {forged}\n"
    with pytest.raises(NoteSignatureInvalid) as e:
        verify_note(note, KEY)
    assert e.value.code == "checkpoint-signature-invalid"


def test_a_good_signature_does_not_heal_a_bad_one_by_the_same_key() -> None:
    forged = base64.b64encode(KEY.key_id + bytes(64)).decode()
    with pytest.raises(NoteSignatureInvalid):
        verify_note(f"{NOTE}— {KEY.name} {forged}\n", KEY)


def test_rejects_a_changed_text() -> None:
    with pytest.raises(NoteSignatureInvalid):
        verify_note(NOTE.replace("\n13\n", "\n14\n"), KEY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n", "\r\n"),
        ("\n\n", "\n\n\n"),
        ("\n\n", "\n"),
        ("patunay\n13", "patunay\t13"),
        ("— ", "- "),
        ("— log", "—  log"),
        ("AE=\n", "AE=\n\n"),
        ("AE=\n", "AE="),
        ("AE=\n", "AE\n"),
        ("AE=\n", "AF=\n"),
        ("AE=\n", "AE= \n"),
        ("AE=\n", "A_=\n"),
        ("— log.example/patunay", "— log.example/pa+unay"),
        ("— log.example/patunay", "— log.example/pa\u00a0unay"),
        ("— log.example/patunay", "— log.example/pa\ud800unay"),
        ("13", "\ud800"),
        ("13", "\x00"),
    ],
)
def test_refuses_another_spelling(old: str, new: str) -> None:
    note = NOTE.replace(old, new)
    assert note != NOTE
    with pytest.raises(NoteMalformed) as e:
        verify_note(note, KEY)
    assert e.value.code == "checkpoint-malformed"


@pytest.mark.parametrize("note", ["", "\n", "\n\n", "text\n", "\n\n— a AAAAAAA=\n"])
def test_refuses_what_is_no_note(note: str) -> None:
    with pytest.raises(NoteMalformed):
        SignedNote.parse(note)


def test_refuses_a_signature_line_without_a_signature() -> None:
    with pytest.raises(NoteMalformed, match="has 4 bytes, want over 4"):
        SignedNote.parse("text\n\n— witness AAAAAA==\n")


def test_reads_a_hundred_signatures_and_no_more() -> None:
    line = other_line()
    full = NOTE + line * (MAX_SIGNATURES - 1)
    assert verify_note(full, KEY) == go_vector.TEXT
    with pytest.raises(NoteMalformed, match="found 101 signatures, want at most 100"):
        verify_note(full + line, KEY)


@pytest.mark.parametrize("letter", ["a", "\N{EM DASH}"])
def test_refuses_a_note_over_the_limit(letter: str) -> None:
    with pytest.raises(NoteMalformed, match=f"want at most {MAX_NOTE_BYTES}"):
        SignedNote.parse(letter * (MAX_NOTE_BYTES // 2) + NOTE + letter * MAX_NOTE_BYTES)
    text = letter * (MAX_NOTE_BYTES // len(letter.encode()))
    with pytest.raises(NoteMalformed, match=f"want at most {MAX_NOTE_BYTES}"):
        SignedNote.parse(text + NOTE)


@pytest.mark.parametrize("text", ["", "\n", "no newline", "two\n\n", "tab\tbed\n"])
def test_signs_no_text_that_could_not_be_read_back(text: str) -> None:
    with pytest.raises(NoteMalformed):
        sign_note(text, KEY.name, SIGNER)


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\x00b", "a\ud800", "a" * 256]
)
def test_refuses_a_key_name(name: str) -> None:
    with pytest.raises(VerifierKeyMalformed, match="found name") as e:
        VerifierKey(name, SIGNER.public_key)
    assert e.value.code == "verifier-key-malformed"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("16987b71", "16987b72"),
        ("16987b71", "16987B71"),
        ("log.example", "log2.example"),
        ("+AQO", "+AgO"),
        ("VTG4", "VTG"),
        ("VTG4", ""),
        ("VTG4", "VTG4\n"),
        ("+", " "),
        ("+16987b71", ""),
    ],
)
def test_refuses_another_spelling_of_a_verifier_key(old: str, new: str) -> None:
    with pytest.raises(VerifierKeyMalformed):
        VerifierKey.parse(go_vector.VERIFIER_KEY.replace(old, new))


def test_refuses_a_key_of_small_order() -> None:
    with pytest.raises(KeyRefused):
        VerifierKey("log.example", PublicKey(bytes(32)))
