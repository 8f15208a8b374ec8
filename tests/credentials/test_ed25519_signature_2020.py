"""Ed25519Signature2020, which is read and never issued, against the official vectors."""

import json
from typing import Any

import pytest

from credentials.data_integrity import (
    READ_SUITES,
    SUITES,
    Proof,
    add_proof,
    parse_proofs,
    verify_proof,
)
from credentials.jsonld.canon import canonicalize_quads
from credentials.jsonld.loader import VC_V1, VC_V2
from credentials.jsonld.quads import Engine
from credentials.judge import judge
from credentials.report import Check, Outcome, Result
from credentials.suites.ed25519_signature_2020 import CONTEXT, NAME, hash_data
from did.multikey import decode_multikey
from primitives.canonical_json import Json, JsonObject
from primitives.ed25519 import SignatureRejected
from primitives.encodings import encode_base58btc
from tests.support.credentials_support import (
    METHOD,
    NOW,
    SIGNER,
    evidence,
    policy,
    unsigned,
)
from tests.support.standards import standards


def text(name: str) -> str:
    return (standards("vc-di-eddsa") / "TestVectors" / NAME / name).read_text()


def official() -> tuple[dict[str, Any], Proof]:
    document = json.loads(text("signedEdSig.json"))
    (proof,) = parse_proofs(document)
    assert isinstance(proof, Proof)
    return document, proof


def key_of(proof: Proof) -> Any:
    return decode_multikey(proof.verification_method.rpartition("#")[2])


def test_verifies_the_official_document() -> None:
    document, proof = official()
    assert proof.cryptosuite == NAME
    assert proof.signature.hex() == text("sigHexEdSig.txt")
    verify_proof(document, proof, key_of(proof))


def test_each_step_has_the_official_figures() -> None:
    document, proof = official()
    del document["proof"]
    engine = Engine()
    assert canonicalize_quads(engine.quads(document)) == text("canonDocEdSig.txt")
    config = json.loads(text("proofConfigEdSig.json"))
    assert canonicalize_quads(engine.quads(config)) == text("proofCanonEdSig.txt")
    found = hash_data(document, proof.options, engine)
    assert found.hex() == text("combinedHashEdSig.txt")
    assert found[:32].hex() == text("proofHashEdSig.txt")
    assert found[32:].hex() == text("docHashEdSig.txt")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "x"},
        {"validFrom": "2023-01-01T00:00:01Z"},
        {"issuer": "https://vc.example/issuers/5679"},
        {"credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "x"}},
        {"type": ["VerifiableCredential"]},
    ],
)
def test_verifies_no_other_document(change: dict[str, Any]) -> None:
    document, proof = official()
    with pytest.raises(SignatureRejected):
        verify_proof({**document, **change}, proof, key_of(proof))


@pytest.mark.parametrize(
    "change",
    [
        {"created": "2023-02-24T23:36:39Z"},
        {"domain": "school.example"},
        {"challenge": "x"},
        {"expires": "2099-01-01T00:00:00Z"},
    ],
)
def test_verifies_no_other_options(change: dict[str, Any]) -> None:
    document, _ = official()
    document["proof"] |= change
    (proof,) = parse_proofs(document)
    assert isinstance(proof, Proof)
    with pytest.raises(SignatureRejected):
        verify_proof(document, proof, key_of(proof))


def test_is_never_issued() -> None:
    assert NAME in READ_SUITES
    assert NAME not in SUITES
    with pytest.raises(KeyError):
        add_proof(
            unsigned(),
            SIGNER,
            verification_method=METHOD,
            created=NOW,
            cryptosuite=NAME,
        )


# As wallets and issuers of version 1.1 write it.

VERSION_1 = {"issuanceDate": "2026-01-01T00:00:00Z", "name": ..., "validFrom": ...}
VERSION_1 |= {
    "validUntil": ...,
    "credentialStatus": ...,
    "issuer": "did:web:school.example",
}
SUBJECT = {"credentialSubject": {"id": "did:example:learner"}}


def signed(contexts: list[str], **changes: Any) -> JsonObject:
    document = unsigned(**{"@context": contexts} | changes)
    options: JsonObject = {
        "type": NAME,
        "created": "2026-11-21T08:00:00Z",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
    }
    signature = SIGNER.sign(hash_data(document, options, Engine()))
    value = "z" + encode_base58btc(signature)
    return {**document, "proof": {**options, "proofValue": value}}


def check(document: JsonObject) -> Check:
    return judge(document, evidence(), policy(), NOW).check("proof")


@pytest.mark.parametrize("contexts", [[VC_V1, CONTEXT], [VC_V1]], ids=["named", "not"])
def test_a_credential_of_version_1_is_valid(contexts: list[str]) -> None:
    document = signed(contexts, **VERSION_1, **SUBJECT)
    report = judge(document, evidence(), policy(), NOW)
    assert report.outcome is Outcome.VALID
    assert report.check("proof").detail == f"signature holds ({NAME})"


def test_a_term_that_no_context_defines_is_refused() -> None:
    document = signed([VC_V2, CONTEXT])
    proof = document["proof"]
    assert isinstance(proof, dict)
    for changed in (
        {**document, "honours": "summa cum laude"},
        {**document, "proof": {**proof, "honours": "summa cum laude"}},
    ):
        assert check(changed).code == "unsigned-term"


def test_no_other_suite_may_take_its_signature() -> None:
    document = signed([VC_V2, CONTEXT])
    assert check(document).result is Result.PASSED
    proof = document["proof"]
    assert isinstance(proof, dict)
    for change in (
        {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"},
        {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022"},
    ):
        relabelled: dict[str, Json] = {**proof, **change}
        assert check({**document, "proof": relabelled}).code == "signature-rejected"
    as_suite: dict[str, Json] = {**proof, "type": "DataIntegrityProof", "cryptosuite": NAME}
    found = check({**document, "proof": as_suite})
    assert (found.result, found.code) == (Result.UNDETERMINED, "proof-suite-unsupported")


@pytest.mark.parametrize("prefix", ["u", "m", "Z", ""])
def test_the_signature_is_base58btc(prefix: str) -> None:
    document = signed([VC_V2, CONTEXT])
    proof = document["proof"]
    assert isinstance(proof, dict)
    value = prefix + str(proof["proofValue"])[1:]
    found = check({**document, "proof": {**proof, "proofValue": value}})
    assert (found.result, found.code) == (Result.FAILED, "proof-value-malformed")
