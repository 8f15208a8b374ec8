"""Lists of issuers of other networks: read, their signatures checked, and nothing more."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.jsonld.loader import VC_V2
from credentials.trust_pack.registries import MAX_ENTRIES, parse_registry
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import SoftwareSigner
from primitives.errors import PatunayError
from tests.support.credentials_support import (
    DAY,
    NOW,
    SIGNER,
    STRANGER,
    STRANGER_DID,
    signed,
    unsigned,
)

WEB = "did:web:university.example"


def registry(**entries: Any) -> bytes:
    meta = {"created": "2020-12-02T02:32:16+0000", "updated": "2026-01-01T00:00:00+0000"}
    return json.dumps({"meta": meta, "registry": entries}).encode()


def part(value: Any) -> bytes:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def statement(
    signer: SoftwareSigner = SIGNER, header: dict[str, Any] | None = None, **changes: Any
) -> bytes:
    """Return an entity statement; the JWT is put together by hand."""
    claims = {
        "iss": "https://registry.example",
        "sub": WEB,
        "iat": int((NOW - DAY).timestamp()),
        "exp": int((NOW + DAY).timestamp()),
        "metadata": {"federation_entity": {"organization_name": "The University"}},
        **changes,
    }
    head = {"typ": "entity-statement+jwt", "alg": "EdDSA", "kid": "1", **(header or {})}
    signing = part(head) + b"." + part(claims)
    return signing + b"." + part(bytes(signer.sign(signing)))


def recognition(**changes: Any) -> bytes:
    terms = {
        "RecognizedEntityCredential": "https://recognition.example/terms#RecognizedEntityCredential",
        "RecognizedEntity": "https://recognition.example/terms#RecognizedEntity",
    }
    document: JsonObject = unsigned(
        **{
            "@context": [VC_V2, terms],
            "type": ["VerifiableCredential", "RecognizedEntityCredential"],
            "credentialStatus": ...,
            "credentialSubject": [
                {"id": WEB, "type": "RecognizedEntity", "name": "The University"},
                {"id": STRANGER_DID, "type": "RecognizedEntity"},
            ],
            **changes,
        }
    )
    return canonicalize(signed(document))


def test_a_registry_of_the_dcc_names_each_issuer() -> None:
    raw = registry(
        **{
            WEB: {
                "name": "The University\u202e",
                "location": "x",
                "url": "https://x.example",
            },
            STRANGER_DID: {"name": "", "url": "https://y.example"},
            "did:ion:abc": {"name": "Elsewhere"},
            "not a DID": {"name": "Nobody"},
        }
    )
    found = parse_registry(raw, None, NOW)
    assert not found.signed
    assert [(one.did, one.name) for one in found.listed] == [
        (STRANGER_DID, STRANGER_DID),
        (WEB, "The University"),
    ]
    assert {did: error.code for did, error in found.skipped.items()} == {
        "did:ion:abc": "did-method-unsupported",
        "not a DID": "did-malformed",
    }


def test_a_registry_that_nobody_signs_fits_no_key() -> None:
    with pytest.raises(PatunayError) as caught:
        parse_registry(registry(), SIGNER.public_key, NOW)
    assert caught.value.code == "registry-unsigned"


def test_an_entity_statement_names_its_subject() -> None:
    found = parse_registry(statement() + b"\n", SIGNER.public_key, NOW)
    assert found.signed
    assert [(one.did, one.name) for one in found.listed] == [(WEB, "The University")]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (statement(STRANGER), "signature-rejected"),
        (statement(header={"alg": "ES256"}), "registry-algorithm-unsupported"),
        (statement(header={"alg": "none"}), "registry-algorithm-unsupported"),
        (statement(header={"typ": "JWT"}), "registry-malformed"),
        (statement(header={"crit": ["b64"]}), "registry-malformed"),
        (statement(exp=int(NOW.timestamp())), "expired"),
        (statement(iat=int((NOW + DAY).timestamp())), "not-yet-valid"),
        (statement(exp="tomorrow"), "registry-malformed"),
        (statement(sub=7), "registry-malformed"),
        (statement()[:-2] + b"AA", "signature-rejected"),
    ],
)
def test_a_statement_that_does_not_hold_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(PatunayError) as caught:
        parse_registry(raw, SIGNER.public_key, NOW)
    assert caught.value.code == code


def test_a_signed_list_needs_somebodys_key() -> None:
    for raw in (statement(), recognition()):
        with pytest.raises(PatunayError) as caught:
            parse_registry(raw, None, NOW)
        assert caught.value.code == "registry-key-wanted"


def test_the_other_key_of_a_statement_counts_for_nothing() -> None:
    # A statement carries keys of its subject; they say nothing about who signed it.
    raw = statement(STRANGER, jwks={"keys": [{"kty": "OKP", "crv": "Ed25519"}]})
    with pytest.raises(PatunayError) as caught:
        parse_registry(raw, SIGNER.public_key, NOW)
    assert caught.value.code == "signature-rejected"


def test_a_recognition_credential_names_each_subject() -> None:
    found = parse_registry(recognition(), SIGNER.public_key, NOW)
    assert {one.did: one.name for one in found.listed} == {
        WEB: "The University",
        STRANGER_DID: STRANGER_DID,
    }
    assert found.kind.endswith("(experimental)")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (recognition().replace(b"The University", b"The Universitz"), "signature-rejected"),
        (recognition(validUntil="2026-06-01T00:00:00Z"), "expired"),
        (recognition(validFrom="2027-01-01T00:00:00Z"), "not-yet-valid"),
        (
            canonicalize(
                {**json.loads(recognition()), "@context": [VC_V2, "https://x.example"]}
            ),
            "context-unknown",
        ),
    ],
)
def test_a_recognition_that_does_not_hold_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(PatunayError) as caught:
        parse_registry(raw, SIGNER.public_key, NOW)
    assert caught.value.code == code


def test_a_recognition_whose_proofs_nobody_here_reads_is_not_believed() -> None:
    document = json.loads(recognition())
    document["proof"]["cryptosuite"] = "ecdsa-rdfc-2019"
    unread = canonicalize(document)
    with pytest.raises(PatunayError) as caught:
        parse_registry(unread, SIGNER.public_key, NOW)
    assert caught.value.code == "registry-algorithm-unsupported"
    without = canonicalize({**document, "proof": []})
    with pytest.raises(PatunayError) as caught:
        parse_registry(without, SIGNER.public_key, NOW)
    assert caught.value.code == "proof-missing"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "json-malformed"),
        (b"[]", "registry-malformed"),
        (b"{}", "format-not-supported"),
        (b'{"registry": []}', "registry-malformed"),
        (canonicalize(signed()), "format-not-supported"),
        (b"a.b.c", "registry-malformed"),
        (b"{" * 9, "json-malformed"),
    ],
)
def test_what_is_no_list_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(PatunayError) as caught:
        parse_registry(raw, None, NOW)
    assert caught.value.code == code


def test_a_list_has_a_bound() -> None:
    many = {f"did:web:a{n}.example": {"name": "x"} for n in range(MAX_ENTRIES + 1)}
    with pytest.raises(PatunayError, match="found over 5000 entries"):
        parse_registry(registry(**many), None, NOW)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_flipped_byte_of_a_statement_is_believed(place: int, flip: int) -> None:
    raw = bytearray(statement())
    raw[place % len(raw)] ^= flip
    try:
        found = parse_registry(bytes(raw), SIGNER.public_key, NOW)
    except PatunayError:
        return
    # White space before or after is no part of it.
    assert bytes(raw).strip() == statement().strip()
    assert found.signed


def test_the_moment_counts() -> None:
    later = NOW + timedelta(days=2)
    with pytest.raises(PatunayError) as caught:
        parse_registry(statement(), SIGNER.public_key, later)
    assert caught.value.code == "expired"
