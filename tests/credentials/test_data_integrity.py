"""Data Integrity proofs against the figures of the standard's own test vectors."""

import json
from typing import Any

import pytest

from credentials.data_integrity import Proof, add_proof, parse_proofs, verify_proof
from did.multikey import decode_multikey
from primitives.ed25519 import SignatureRejected, SoftwareSigner
from primitives.encodings import decode_base58btc
from primitives.instants import parse_instant
from tests.support.standards import standards

SUITES = {"eddsa-rdfc-2022": "DataInt", "eddsa-jcs-2022": "JCS"}


def vectors(suite: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    folder = standards("vc-di-eddsa") / "TestVectors"
    ending = SUITES[suite]
    return (
        json.loads((folder / "unsigned.json").read_text()),
        json.loads((folder / suite / f"signed{ending}.json").read_text()),
        json.loads((folder / "keyPair.json").read_text()),
    )


@pytest.mark.parametrize("suite", SUITES)
def test_reproduces_the_official_signature_to_the_byte(suite: str) -> None:
    unsigned, signed, keys = vectors(suite)
    seed = decode_base58btc(keys["privateKeyMultibase"][1:])[2:]
    made = add_proof(
        unsigned,
        SoftwareSigner(seed),
        verification_method=signed["proof"]["verificationMethod"],
        created=parse_instant(signed["proof"]["created"]),
        cryptosuite=suite,
    )
    assert made == signed


@pytest.mark.parametrize("suite", SUITES)
def test_verifies_the_official_document_and_no_other(suite: str) -> None:
    _, signed, keys = vectors(suite)
    key = decode_multikey(keys["publicKeyMultibase"])
    (proof,) = parse_proofs(signed)
    assert isinstance(proof, Proof)
    verify_proof(signed, proof, key)
    for change in ({"name": "x"}, {"validFrom": "2026-01-01T00:00:00Z"}):
        tampered = {**signed, **change}
        with pytest.raises(SignatureRejected):
            verify_proof(tampered, proof, key)
