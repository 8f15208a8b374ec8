import gzip
import zlib
from random import Random
from typing import Any

import pytest

from credentials.status_list import (
    MAX_ENTRIES,
    MIN_ENTRIES,
    Entry,
    StatusEntryMalformed,
    StatusIndexOutOfRange,
    StatusListEncoding,
    StatusListTooLong,
    StatusListTooShort,
    StatusListUnusable,
    StatusPurposeMismatch,
    StatusTypeUnsupported,
    build_entry,
    build_list_credential,
    parse_entry,
    read_bit,
)
from primitives.canonical_json import JsonObject
from primitives.encodings import decode_base64url, encode_base64url
from tests.support.credentials_support import (
    INDEX,
    ISSUER,
    NOW,
    REVOCATIONS,
    status_list,
)

BYTES = MIN_ENTRIES // 8


def entry(index: int = INDEX, purpose: str = "revocation") -> Entry:
    return Entry(REVOCATIONS, index, purpose)


def listed(*revoked: int) -> JsonObject:
    return build_list_credential(
        url=REVOCATIONS,
        issuer=ISSUER,
        purpose="revocation",
        revoked=revoked,
        valid_from=NOW,
    )


def with_subject(**changes: Any) -> JsonObject:
    document = listed()
    subject = document["credentialSubject"]
    assert isinstance(subject, dict)
    return {**document, "credentialSubject": {**subject, **changes}}


def packed(raw: bytes) -> JsonObject:
    return with_subject(encodedList="u" + encode_base64url(raw))


def test_reads_the_entry_that_it_built() -> None:
    assert parse_entry(build_entry(REVOCATIONS, INDEX, "revocation")) == entry()


def test_the_list_is_that_of_the_standard() -> None:
    """Bitstring Status List 1.0 section 3.1: index 0 is the first bit from the left."""
    subject = listed(0, 9)["credentialSubject"]
    assert isinstance(subject, dict)
    encoded = subject["encodedList"]
    assert isinstance(encoded, str)
    assert encoded.startswith("u")
    bits = gzip.decompress(decode_base64url(encoded[1:]))
    assert bits == b"\x80\x40" + bytes(BYTES - 2)
    assert listed(0, 9) == listed(9, 0)


def test_reads_each_bit_and_no_other() -> None:
    random = Random(1)
    revoked = {0, 1, 7, 8, MIN_ENTRIES - 1, *random.sample(range(MIN_ENTRIES), 200)}
    document = listed(*revoked)
    asked = revoked | {i + 1 for i in revoked} | {i - 1 for i in revoked}
    for index in sorted(asked & set(range(MIN_ENTRIES))):
        assert read_bit(document, entry(index)) is (index in revoked)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        *(
            ({"statusListIndex": i}, StatusEntryMalformed)
            for i in (
                "-1",
                "abc",
                "1e3",
                "007",
                3.5,
                3,
                "",
                " 1",
                "1 ",
                "\u0661",
                "9" * 17,
                None,
            )
        ),
        ({"statusListCredential": None}, StatusEntryMalformed),
        ({"statusListCredential": [REVOCATIONS]}, StatusEntryMalformed),
        ({"type": "StatusList2021Entry"}, StatusTypeUnsupported),
        ({"type": ["BitstringStatusListEntry"]}, StatusTypeUnsupported),
        ({"statusPurpose": "refresh"}, StatusTypeUnsupported),
        ({"statusPurpose": ["revocation"]}, StatusTypeUnsupported),
        ({"statusPurpose": None}, StatusTypeUnsupported),
        ({"statusSize": 2}, StatusTypeUnsupported),
    ],
)
def test_refuses_an_entry(change: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_entry({**build_entry(REVOCATIONS, INDEX, "revocation"), **change})


BITS = bytes(BYTES)

UNUSABLE: dict[str, tuple[JsonObject, type[StatusListUnusable]]] = {
    "no subject": ({}, StatusListUnusable),
    "subjects": ({"credentialSubject": []}, StatusListUnusable),
    "another type": (with_subject(type="X"), StatusListUnusable),
    "another purpose": (with_subject(statusPurpose="message"), StatusPurposeMismatch),
    "other purposes": (with_subject(statusPurpose=["message"]), StatusPurposeMismatch),
    "no purpose": (with_subject(statusPurpose=None), StatusPurposeMismatch),
    "no list": (with_subject(encodedList=None), StatusListEncoding),
    "another multibase": (with_subject(encodedList="mAAAA"), StatusListEncoding),
    "padding": (with_subject(encodedList="uAA=="), StatusListEncoding),
    "not base64url": (with_subject(encodedList="u+/"), StatusListEncoding),
    "not compressed": (packed(BITS), StatusListEncoding),
    "zlib": (packed(zlib.compress(BITS)), StatusListEncoding),
    "raw deflate": (packed(zlib.compress(BITS, wbits=-15)), StatusListEncoding),
    "truncated": (packed(gzip.compress(BITS)[:-1]), StatusListEncoding),
    "trailing": (packed(gzip.compress(BITS) + b"\x00"), StatusListEncoding),
    "two streams": (packed(gzip.compress(BITS) * 2), StatusListEncoding),
    "nothing": (packed(b""), StatusListEncoding),
    "short": (packed(gzip.compress(BITS[:-1])), StatusListTooShort),
    "empty": (packed(gzip.compress(b"")), StatusListTooShort),
    "long": (packed(gzip.compress(bytes(MAX_ENTRIES // 8 + 1))), StatusListTooLong),
    "bomb": (packed(gzip.compress(bytes(64 * 1024 * 1024))), StatusListTooLong),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_list_never_means_not_revoked(name: str) -> None:
    document, error = UNUSABLE[name]
    with pytest.raises(error) as e:
        read_bit(document, entry())
    assert type(e.value) is error


def test_the_entry_must_lie_in_the_list() -> None:
    assert not read_bit(listed(), entry(MIN_ENTRIES - 1))
    with pytest.raises(StatusIndexOutOfRange, match=f"found index {MIN_ENTRIES}, want"):
        read_bit(listed(), entry(MIN_ENTRIES))


def test_a_longer_list_and_several_purposes_are_read() -> None:
    document = packed(gzip.compress(BITS + b"\x80"))
    subject = document["credentialSubject"]
    assert isinstance(subject, dict)
    subject["statusPurpose"] = ["suspension", "revocation"]
    assert read_bit(document, entry(MIN_ENTRIES))
    assert not read_bit(document, entry(MIN_ENTRIES + 1, "suspension"))


def test_the_longest_list_is_read() -> None:
    document = packed(gzip.compress(bytes(MAX_ENTRIES // 8)))
    assert not read_bit(document, entry(MAX_ENTRIES - 1))


def test_each_form_of_unusable_has_its_own_code() -> None:
    def below(kind: type[StatusListUnusable]) -> set[type[StatusListUnusable]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    kinds = below(StatusListUnusable)
    assert len({kind.code for kind in kinds}) == len(kinds) >= 9
    assert all(kind.hint for kind in kinds)


def test_a_signed_list_holds_the_bit() -> None:
    assert read_bit(status_list(INDEX), entry())
