from typing import Any

import pytest

from did.key import DidKey, did_key_document
from primitives.ed25519 import SoftwareSigner
from primitives.errors import PatunayError
from primitives.strict_json import parse_json_object
from tests.support.standards import standards

# From https://w3c-ccg.github.io/did-key-spec/ (Ed25519 example).
SPEC_EXAMPLE = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"


def read_vector(name: str) -> dict[str, Any]:
    return parse_json_object(standards("did-key", name).read_bytes())


def test_round_trips_the_example_of_the_specification() -> None:
    assert str(DidKey.parse(SPEC_EXAMPLE)) == SPEC_EXAMPLE


def test_matches_the_published_identifiers() -> None:
    vectors = read_vector("ed25519-x25519.json")
    assert len(vectors) == 5
    for did, vector in vectors.items():
        key = SoftwareSigner(bytes.fromhex(vector["seed"])).public_key
        assert str(DidKey(key)) == did
        assert DidKey.parse(did).public_key == key
        # The published documents are of an older form; names and purposes are the same.
        theirs, ours = vector["didDocument"], did_key_document(DidKey(key))
        for purpose in (
            "assertionMethod",
            "authentication",
            "capabilityInvocation",
            "capabilityDelegation",
        ):
            assert ours[purpose] == theirs[purpose]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("x25519.json", "did-key-malformed"),
        ("secp256k1.json", "key-type-unsupported"),
        ("nist-curves.json", "key-type-unsupported"),
        ("rsa.json", "key-type-unsupported"),
    ],
)
def test_no_published_identifier_of_another_type_is_read(file: str, code: str) -> None:
    vectors = read_vector(file)
    dids = [
        did for did in vectors.get("didDocument", vectors) if did.startswith("did:key:")
    ]
    assert dids
    for did in dids:
        with pytest.raises(PatunayError) as caught:
            DidKey.parse(did)
        assert caught.value.code == code


def test_the_document_names_its_key_as_a_multikey() -> None:
    method = f"{SPEC_EXAMPLE}#{SPEC_EXAMPLE.removeprefix('did:key:')}"
    did = DidKey.parse(SPEC_EXAMPLE)
    assert did.verification_method == method
    assert did_key_document(did) == {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
        ],
        "id": SPEC_EXAMPLE,
        "verificationMethod": [
            {
                "id": method,
                "type": "Multikey",
                "controller": SPEC_EXAMPLE,
                "publicKeyMultibase": SPEC_EXAMPLE.removeprefix("did:key:"),
            }
        ],
        "authentication": [method],
        "assertionMethod": [method],
        "capabilityInvocation": [method],
        "capabilityDelegation": [method],
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("did:web:example.edu", "want did:key:z"),
        ("did:key:", "found 0 characters"),
        ("did:key:u7QEAAAA", "found 8 characters"),
        ("did:key:z" + "0" * 47, "not base58btc"),
        ("did:key:z" + "6" * 5_000_000, "found 5000001 characters"),
        ("did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc", "X25519"),
        ("did:key:z6MkeTG3", "found 8 characters"),
        (SPEC_EXAMPLE + "\n", "found 49 characters"),
        (SPEC_EXAMPLE + "#key-1", "found 54 characters"),
        ("did:key:did:key:" + SPEC_EXAMPLE.removeprefix("did:key:"), "found 56 characters"),
    ],
)
def test_refuses(text: str, reason: str) -> None:
    with pytest.raises(PatunayError, match=reason) as caught:
        DidKey.parse(text)
    assert caught.value.code == "did-key-malformed"
