"""Data Integrity proofs against the figures of the standard's own test vectors."""

import base64
import json
import time
from itertools import permutations
from random import Random
from typing import Any

import pytest

from credentials import data_integrity
from credentials.data_integrity import (
    MAX_HELD,
    MAX_PROOFS,
    Proof,
    ProofInvalid,
    Recurring,
    add_proof,
    parse_proofs,
    verify_proof,
    verify_recurring_proof,
)
from credentials.jsonld.loader import OB_EXTENSIONS, OB_V3, VC_V2
from credentials.judge import judge
from credentials.report import Check, Outcome, Result
from did.multikey import decode_multikey
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.ed25519 import PublicKey, Signature, SignatureRejected, SoftwareSigner
from primitives.encodings import decode_base58btc, encode_base58btc
from primitives.errors import PatunayError
from primitives.instants import parse_instant
from primitives.strict_json import parse_json_object
from tests.support.credentials_support import (
    ISSUER,
    METHOD,
    NOW,
    SIGNER,
    evidence,
    policy,
    signed,
    unsigned,
)
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


# Cases of our own making, through the judge.


def document_with(**proof: Any) -> JsonObject:
    """Return a signed credential with members of its proof changed, or removed by `...`."""
    document = signed()
    members = {**member(document, "proof"), **proof}
    return {**document, "proof": {k: v for k, v in members.items() if v is not ...}}


def member(document: JsonObject, name: str) -> JsonObject:
    found = document[name]
    assert isinstance(found, dict)
    return found


def check(document: JsonObject, name: str = "proof") -> Check:
    return judge(document, evidence(), policy(), NOW).check(name)


def value_of(document: JsonObject) -> str:
    return str(member(document, "proof")["proofValue"])


def base58(raw: bytes) -> str:
    return "z" + encode_base58btc(raw)


VALUE = value_of(signed())
RAW = decode_base58btc(VALUE[1:])


@pytest.mark.parametrize(
    "value",
    [
        f"u{base64.urlsafe_b64encode(RAW).decode().rstrip('=')}",
        f"m{base64.b64encode(RAW).decode()}",
        f"Z{VALUE[1:]}",
        VALUE[1:],
        base58(RAW[:63]),
        base58(RAW + b"\x00"),
        base58(b"\x00" + RAW),
        f"{VALUE}\n",
        f"{VALUE} ",
        f" {VALUE}",
        f"z {VALUE[1:]}",
        f"{VALUE[:-1]}0",
        f"z1{VALUE[1:]}",
        "z",
        "",
        None,
        64,
        [VALUE],
        ...,
    ],
    ids=lambda value: repr(value)[:24],
)
def test_refuses_another_spelling_of_the_signature(value: object) -> None:
    found = check(document_with(proofValue=value))
    assert (found.result, found.code) == (Result.FAILED, "proof-value-malformed")


def test_answers_at_once_to_50_000_characters() -> None:
    document = document_with(proofValue="z" + "2" * 50_000)
    check(signed())  # reads the contexts
    start = time.process_time()
    found = check(document)
    assert time.process_time() - start < 0.05
    assert found.code == "proof-value-malformed"


@pytest.mark.parametrize(
    ("change", "result", "code"),
    [
        ({"proofPurpose": "authentication"}, Result.FAILED, "proof-purpose-mismatch"),
        ({"proofPurpose": ...}, Result.FAILED, "proof-invalid"),
        ({"verificationMethod": ...}, Result.FAILED, "proof-invalid"),
        ({"verificationMethod": [METHOD]}, Result.FAILED, "proof-invalid"),
        ({"verificationMethod": ISSUER}, Result.FAILED, "did-url-malformed"),
        ({"verificationMethod": "urn:x#y"}, Result.FAILED, "did-malformed"),
        ({"verificationMethod": f"{ISSUER}#key-2"}, Result.FAILED, "issuer-key-mismatch"),
        ({"type": ...}, Result.FAILED, "proof-invalid"),
        ({"type": "Ed25519Signature2018"}, Result.UNDETERMINED, "proof-suite-unsupported"),
        ({"type": "Ed25519Signature2020"}, Result.FAILED, "unsigned-term"),
        ({"cryptosuite": "none"}, Result.UNDETERMINED, "proof-suite-unsupported"),
        ({"cryptosuite": "eddsa-2022"}, Result.UNDETERMINED, "proof-suite-unsupported"),
        ({"cryptosuite": ...}, Result.UNDETERMINED, "proof-suite-unsupported"),
        ({"cryptosuite": ["x"]}, Result.UNDETERMINED, "proof-suite-unsupported"),
        ({"cryptosuite": {}}, Result.UNDETERMINED, "proof-suite-unsupported"),
        ({"previousProof": "urn:p"}, Result.FAILED, "proof-chain-broken"),
        ({"previousProof": None}, Result.FAILED, "proof-chain-broken"),
        ({"created": "2026-11-22"}, Result.FAILED, "proof-invalid"),
        ({"created": 1}, Result.FAILED, "proof-invalid"),
        ({"created": "2026-11-22T08:05:01Z"}, Result.FAILED, "proof-created-in-future"),
        ({"expires": "2026-11-22T07:54:59Z"}, Result.FAILED, "proof-expired"),
        ({"cryptosuite": "eddsa-jcs-2022"}, Result.FAILED, "signature-rejected"),
        ({"created": "2026-11-22T08:05:00Z"}, Result.FAILED, "signature-rejected"),
        ({"expires": "2026-11-22T07:55:00Z"}, Result.FAILED, "signature-rejected"),
        ({"created": ...}, Result.FAILED, "signature-rejected"),
        ({"nonce": "x"}, Result.FAILED, "signature-rejected"),
    ],
)
def test_each_rule_of_a_proof(change: Any, result: Result, code: str) -> None:
    found = check(document_with(**change))
    assert (found.result, found.code) == (result, code)


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (..., "proof-missing"),
        (None, "proof-missing"),
        ([], "proof-missing"),
        ({}, "proof-invalid"),
        ("x", "proof-invalid"),
        ([[]], "proof-invalid"),
        ([None], "proof-invalid"),
        ([{}] * (MAX_PROOFS + 1), "proof-invalid"),
    ],
)
def test_nothing_passes_for_a_proof(proof: Any, code: str) -> None:
    document = {**signed(), "proof": proof}
    if proof is ...:
        del document["proof"]
    found = check(document)
    assert (found.result, found.code) == (Result.FAILED, code)
    assert judge(document, evidence(), policy(), NOW).outcome is Outcome.REJECTED


def test_a_jcs_signature_is_no_rdfc_signature() -> None:
    document = signed(suite="eddsa-jcs-2022")
    proof = {**member(document, "proof"), "cryptosuite": "eddsa-rdfc-2022"}
    assert check({**document, "proof": proof}).code == "signature-rejected"


@pytest.mark.parametrize("suite", SUITES)
def test_a_set_with_one_false_member_fails_in_every_order(suite: str) -> None:
    document = signed(suite=suite)
    good = member(document, "proof")
    false = {**good, "proofValue": base58(bytes(64))}
    unread = {**good, "cryptosuite": "unknown-2030"}
    unreachable = {**good, "verificationMethod": "did:web:gone.example#key"}
    for proofs in permutations((good, false, unread, unreachable)):
        found = check({**document, "proof": list(proofs)})
        assert (found.result, found.code) == (Result.FAILED, "signature-rejected")


def test_a_set_of_good_ones_passes_and_names_what_was_not_read() -> None:
    document = signed()
    good = member(document, "proof")
    unread = {**good, "cryptosuite": "unknown-2030"}
    assert check({**document, "proof": [good, good]}).result is Result.PASSED
    for proofs in ([good, unread], [unread, good]):
        found = check({**document, "proof": list[Json](proofs)})
        assert (found.result, found.code) == (Result.PASSED, "proof-suite-unsupported")
        key = check({**document, "proof": list[Json](proofs)}, "issuer-key")
        assert key.result is Result.PASSED


@pytest.mark.parametrize("suite", ["signedProofSet1", "signedProofSet2"])
def test_verifies_the_official_proof_set(suite: str) -> None:
    folder = standards("vc-di-eddsa") / "TestVectors" / "proof-set-chain"
    document = json.loads((folder / f"{suite}.json").read_text())
    keys = json.loads((folder / "multiKeyPairs.json").read_text())
    public = {pair["publicKeyMultibase"] for pair in keys.values()}
    for proof in parse_proofs(document):
        assert isinstance(proof, Proof)
        multibase = proof.verification_method.rpartition("#")[2]
        assert multibase in public
        verify_proof(document, proof, decode_multikey(multibase))


def jcs_with_contexts(proof_context: Any, document_context: Any) -> JsonObject:
    document = unsigned(**{"@context": proof_context})
    made = signed(document, suite="eddsa-jcs-2022")
    return {**made, "@context": document_context}


def test_a_jcs_proof_names_the_first_contexts_of_its_document() -> None:
    assert check(jcs_with_contexts([VC_V2], [VC_V2, OB_V3])).result is Result.PASSED
    assert check(jcs_with_contexts(VC_V2, VC_V2)).result is Result.PASSED
    for theirs, ours in (
        ([VC_V2, OB_V3], [VC_V2]),
        ([VC_V2, OB_V3], [VC_V2, OB_EXTENSIONS, OB_V3]),
        ([VC_V2, OB_V3], VC_V2),
    ):
        found = check(jcs_with_contexts(theirs, ours))
        assert (found.result, found.code) == (Result.FAILED, "proof-context-mismatch")


def test_a_jcs_proof_without_contexts_signs_them_with_the_document() -> None:
    document = signed(suite="eddsa-jcs-2022")
    options = {k: v for k, v in member(document, "proof").items() if k != "@context"}
    assert check({**document, "proof": options}).code == "signature-rejected"


ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize("suite", SUITES)
def test_rejects_a_malleated_signature(suite: str) -> None:
    document = signed(suite=suite)
    raw = decode_base58btc(value_of(document)[1:])
    scalar = int.from_bytes(raw[32:], "little") + ORDER
    proof = {**member(document, "proof")}
    proof["proofValue"] = base58(raw[:32] + scalar.to_bytes(32, "little"))
    assert check({**document, "proof": proof}).code == "signature-rejected"


@pytest.mark.parametrize("suite", SUITES)
def test_no_single_bit_can_change(suite: str) -> None:
    """600 of them, in document, proof and key."""
    random = Random(suite)
    document = signed(suite=suite)
    raw = bytearray(canonicalize(document))
    (proof,) = parse_proofs(document)
    assert isinstance(proof, Proof)
    read = 0
    for _ in range(500):
        where = random.randrange(len(raw) * 8)
        changed = bytearray(raw)
        changed[where // 8] ^= 1 << where % 8
        try:
            parsed = parse_json_object(bytes(changed))
        except PatunayError:
            continue
        if parsed == document:
            continue
        read += 1
        report = judge(parsed, evidence(), policy(), NOW)
        assert report.outcome is not Outcome.VALID, bytes(changed)
    assert read > 300
    for _ in range(100):
        key = bytearray(SIGNER.public_key)
        key[random.randrange(32)] ^= 1 << random.randrange(8)
        with pytest.raises(PatunayError):
            verify_proof(document, proof, PublicKey(bytes(key)))


def test_does_not_sign_what_has_a_proof_already() -> None:
    with pytest.raises(ProofInvalid, match="has a proof already"):
        signed(signed())


def test_the_proof_can_stand_in_an_array() -> None:
    made = {**signed(), "proof": [signed()["proof"]]}
    assert check(made).result is Result.PASSED


def test_an_open_badge_gets_its_proof_in_an_array_as_its_schema_wants() -> None:
    badge = {
        "@context": [VC_V2, OB_V3],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
    }
    made = add_proof(badge, SIGNER, verification_method=METHOD, created=NOW)
    assert isinstance(made["proof"], list)
    assert len(made["proof"]) == 1


def _recurring(suite: str) -> tuple[JsonObject, Proof]:
    document = signed(unsigned(), suite=suite)
    (proof,) = parse_proofs(document)
    assert isinstance(proof, Proof)
    verify_recurring_proof(Recurring(document), proof, SIGNER.public_key)
    return document, proof


@pytest.mark.parametrize("suite", SUITES)
def test_what_held_once_holds_for_nothing_else(suite: str) -> None:
    document, proof = _recurring(suite)
    other = SoftwareSigner(bytes(32)).public_key
    with pytest.raises(SignatureRejected):
        verify_recurring_proof(Recurring(document), proof, other)
    with pytest.raises(SignatureRejected):
        verify_recurring_proof(
            Recurring({**document, "name": "Another"}), proof, SIGNER.public_key
        )
    later = proof._replace(options={**proof.options, "created": "2026-11-21T00:00:00Z"})
    with pytest.raises(SignatureRejected):
        verify_recurring_proof(Recurring(document), later, SIGNER.public_key)
    forged = proof._replace(signature=Signature(bytes(64)))
    for _ in range(2):  # what did not hold is not remembered
        with pytest.raises(SignatureRejected):
            verify_recurring_proof(Recurring(document), forged, SIGNER.public_key)


def test_values_that_python_calls_equal_are_not_the_same_document() -> None:
    document = signed(unsigned(**{"https://example.edu/hours": {"@value": 0}}))
    (proof,) = parse_proofs(document)
    assert isinstance(proof, Proof)
    verify_recurring_proof(Recurring(document), proof, SIGNER.public_key)
    changed = {**document, "https://example.edu/hours": {"@value": False}}
    assert changed == document
    with pytest.raises(SignatureRejected):
        verify_recurring_proof(Recurring(changed), proof, SIGNER.public_key)


def test_no_more_than_so_many_proofs_are_remembered() -> None:
    for number in range(MAX_HELD + 2):
        document = signed(unsigned(name=f"Course {number}"), suite="eddsa-jcs-2022")
        (proof,) = parse_proofs(document)
        assert isinstance(proof, Proof)
        verify_recurring_proof(Recurring(document), proof, SIGNER.public_key)
    assert len(data_integrity._held) == MAX_HELD
