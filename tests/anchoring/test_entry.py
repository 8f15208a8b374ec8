import hashlib

import pytest

from anchoring.entry import EntryKind, EntryMalformed, decode_entry, encode_entry, entry_of
from anchoring.merkle import hash_leaf
from primitives.canonical_json import NotCanonicalizable
from primitives.hashing import Digest

DOCUMENT_DIGEST = Digest(hashlib.sha256(b'{"a":[1,true],"b":"x"}').digest())


def test_an_entry_is_the_kind_and_the_digest_of_the_canonical_document() -> None:
    entry = entry_of(EntryKind.CREDENTIAL, {"b": "x", "a": [1.0, True]})
    assert entry == b"\x01" + DOCUMENT_DIGEST
    assert hash_leaf(entry) == hashlib.sha256(b"\x00\x01" + DOCUMENT_DIGEST).digest()


@pytest.mark.parametrize(
    ("kind", "number"),
    [("CREDENTIAL", 1), ("STATUS_LIST", 2), ("DID_DOCUMENT", 3), ("KEY_EVENT", 4)],
)
def test_every_kind_keeps_its_number(kind: str, number: int) -> None:
    raw = encode_entry(EntryKind[kind], DOCUMENT_DIGEST)
    assert raw == bytes([number]) + DOCUMENT_DIGEST
    assert decode_entry(raw) == (EntryKind[kind], DOCUMENT_DIGEST)


@pytest.mark.parametrize("kind", [0, 5, 255])
def test_refuses_a_kind_that_is_not_defined(kind: int) -> None:
    with pytest.raises(EntryMalformed, match=f"found kind {kind}, want 1 to 4") as e:
        decode_entry(bytes([kind]) + DOCUMENT_DIGEST)
    assert e.value.code == "entry-malformed"


@pytest.mark.parametrize("length", [0, 1, 32, 34])
def test_refuses_an_entry_of_another_length(length: int) -> None:
    with pytest.raises(EntryMalformed, match=f"entry has {length} bytes, want 33"):
        decode_entry(b"\x01" * length)


def test_refuses_a_digest_of_another_length() -> None:
    with pytest.raises(EntryMalformed, match="digest has 31 bytes, want 32"):
        encode_entry(EntryKind.CREDENTIAL, Digest(bytes(31)))


def test_refuses_a_document_without_canonical_form() -> None:
    with pytest.raises(NotCanonicalizable):
        entry_of(EntryKind.CREDENTIAL, {"score": float("nan")})
