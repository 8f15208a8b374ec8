"""Presentations: who sends, to whom, in answer to what, and what is in it."""

import json
from itertools import permutations
from typing import Any

import pytest

from credentials.data_integrity import make_proof, without_proof
from credentials.evidence import Evidence
from credentials.jsonld.loader import DATA_INTEGRITY_V2, OB_V3, VC_V1, VC_V2
from credentials.model import with_issuing_contexts
from credentials.policy import Policy
from credentials.presentation import (
    PresentationReport,
    judge_presentation,
    sign_presentation,
)
from credentials.presentation_checks import (
    CHECKS_OF_PRESENTATION,
    MAX_CREDENTIALS,
    PresentationTooLarge,
    document_digest,
    presented_credentials,
)
from credentials.report import Outcome, Result
from primitives.canonical_json import JsonObject
from tests.support.credentials_support import (
    ISSUER,
    METHOD,
    NOW,
    REVOCATIONS,
    SIGNER,
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    did_document,
    evidence,
    had,
    policy,
    signed,
    status_list,
    unsigned,
)

HOLDER, HOLDER_SIGNER, HOLDER_METHOD = STRANGER_DID, STRANGER, STRANGER_METHOD
CHALLENGE, DOMAIN = "1f44d55f-f161-4938-a659-f8026467f126", "ministry.example"


def credential(number: int = 1, **changes: Any) -> JsonObject:
    members = {
        "id": f"urn:uuid:{number}",
        "credentialSubject": {"id": HOLDER, "name": "Ana Peña"},
    }
    return signed(unsigned(**members | changes))


def presented(*credentials: JsonObject, **options: Any) -> JsonObject:
    asked = {"challenge": CHALLENGE, "domain": DOMAIN} | options
    return sign_presentation(
        credentials or (credential(),),
        asked.pop("signer", HOLDER_SIGNER),
        verification_method=asked.pop("method", HOLDER_METHOD),
        created=NOW,
        **asked,
    )


def judged(
    document: JsonObject,
    found: Evidence | None = None,
    demands: Policy | None = None,
    **asked: Any,
) -> PresentationReport:
    asked = {"challenge": CHALLENGE, "domain": DOMAIN} | asked
    known = evidence() if found is None else found
    return judge_presentation(document, lambda _: known, demands or policy(), NOW, **asked)


def bad(report: PresentationReport) -> dict[str, str]:
    """Return the code of every check that did not pass."""
    results = (Result.FAILED, Result.UNDETERMINED)
    return {c.name: c.code for c in report.checks if c.result in results}


def test_a_presentation_of_ours_is_valid() -> None:
    report = judged(presented(credential(1), credential(2)))
    assert bad(report) == {}
    assert report.outcome is Outcome.VALID
    assert report.holder == HOLDER
    assert [m.report.outcome for m in report.credentials] == [Outcome.VALID] * 2
    assert all(m.is_bound for m in report.credentials)
    assert report.summary == "A presentation of 2 credentials, all valid."
    assert tuple(c.name for c in report.checks) == tuple(CHECKS_OF_PRESENTATION)
    found = json.loads(json.dumps(report.to_json()))
    assert found["outcome"] == "valid"
    assert {m["id"] for m in found["credentials"]} == {"urn:uuid:1", "urn:uuid:2"}
    assert all(m["report"]["outcome"] == "valid" for m in found["credentials"])


def test_a_report_is_no_boolean() -> None:
    with pytest.raises(TypeError):
        bool(judged(presented()))


def test_evidence_can_be_given_by_digest() -> None:
    members = (credential(1), credential(2))
    document = presented(*members)
    found = {document_digest(each): evidence() for each in (*members, document)}
    asked: dict[str, Any] = {"challenge": CHALLENGE, "domain": DOMAIN}
    report = judge_presentation(document, found, policy(), NOW, **asked)
    assert report == judged(document)
    del found[document_digest(members[0])]
    report = judge_presentation(document, found, policy(), NOW, **asked)
    assert bad(report) == {"credentials": "presented-credential-undetermined"}


def test_the_order_of_the_credentials_changes_nothing() -> None:
    members = [
        credential(1),
        credential(2),
        credential(3, validUntil="2026-02-01T00:00:00Z"),
    ]
    document = presented(*members)
    reports = [
        judged({**document, "verifiableCredential": [*order]})
        for order in permutations(members)
    ]
    assert all(report == reports[0] for report in reports)
    assert bad(reports[0]) == {"credentials": "presented-credential-rejected"}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"challenge": "another"}, {"challenge": "presentation-challenge-mismatch"}),
        ({"challenge": ""}, {"challenge": "presentation-challenge-mismatch"}),
        ({"domain": "school.example"}, {"domain": "presentation-domain-mismatch"}),
        ({"domain": ""}, {"domain": "presentation-domain-mismatch"}),
    ],
)
def test_answers_the_verifier_that_asked(asked: Any, code: dict[str, str]) -> None:
    report = judged(presented(), **asked)
    assert bad(report) == code
    assert report.outcome is Outcome.REJECTED
    assert report.summary.startswith("This presentation does not hold: found ")


def test_an_answer_to_nothing_is_no_answer() -> None:
    report = judged(presented(challenge=None, domain=None))
    assert bad(report) == {
        "challenge": "presentation-challenge-mismatch",
        "domain": "presentation-domain-mismatch",
    }


def test_without_a_challenge_given_none_is_asked_for() -> None:
    for document in (presented(), presented(challenge=None, domain=None)):
        report = judged(document, challenge=None, domain=None)
        assert report.outcome is Outcome.VALID
        assert report.check("challenge").result is Result.NOT_APPLICABLE
        assert report.check("domain").result is Result.NOT_APPLICABLE


@pytest.mark.parametrize("member", ["challenge", "domain", "created"])
def test_what_the_proof_states_is_signed(member: str) -> None:
    document = presented(challenge="old", domain="old")
    proof: Any = document["proof"]
    value = {"challenge": CHALLENGE, "domain": DOMAIN, "created": "2026-11-22T08:00:01Z"}
    changed = {**document, "proof": {**proof, member: value[member]}}
    report = judged(changed, challenge=None, domain=None)
    assert bad(report) == {"proof": "signature-rejected"}


@pytest.mark.parametrize(
    ("domain", "passes"),
    [([DOMAIN], True), ([DOMAIN, "evil.example"], False), ([], False), ([[DOMAIN]], False)],
)
def test_a_domain_is_one_name(domain: Any, *, passes: bool) -> None:
    report = judged(presented(domain=domain))
    assert (report.check("domain").result is Result.PASSED) is passes


# Who presents


def test_good_credentials_do_not_save_a_bad_presentation() -> None:
    document = presented()
    proof: Any = document["proof"]
    value = str(proof["proofValue"])
    other = value[:-1] + ("2" if value[-1] != "2" else "3")
    for changed, code in (
        ({**document, "proof": {**proof, "proofValue": other}}, "signature-rejected"),
        ({k: v for k, v in document.items() if k != "proof"}, "proof-missing"),
        ({**document, "honours": "summa cum laude"}, "unsigned-term"),
        ({**document, "verifiableCredential": []}, "signature-rejected"),
        ({**document, "verifiableCredential": [credential(2)]}, "signature-rejected"),
    ):
        report = judged(changed)
        assert bad(report)["proof"] == code
        assert report.outcome is Outcome.REJECTED
        assert all(m.report.outcome is Outcome.VALID for m in report.credentials)


def test_an_assertion_is_no_authentication() -> None:
    """A credential's proof, or its key, cannot pose as its holder's."""
    document = signed(
        {
            "@context": [VC_V2],
            "type": ["VerifiablePresentation"],
            "holder": HOLDER,
            "verifiableCredential": [credential()],
        },
        signer=HOLDER_SIGNER,
        method=HOLDER_METHOD,
    )
    assert bad(judged(document))["proof"] == "proof-purpose-mismatch"


def test_a_key_that_only_asserts_cannot_present() -> None:
    asserting = did_document()
    asserting["authentication"] = []
    document = presented(signer=SIGNER, method=METHOD)
    known = evidence(did_documents={ISSUER: had(asserting)})
    report = judged(document, known)
    assert bad(report)["holder-key"] == "verification-method-not-authorised"
    assert report.check("proof").result is Result.PASSED
    assert report.outcome is Outcome.REJECTED


def test_a_holder_that_cannot_be_looked_up_is_not_called_false() -> None:
    document = presented(signer=SIGNER, method=METHOD)
    known = evidence()
    report = judge_presentation(
        document,
        lambda asked: Evidence() if asked == document else known,
        policy(),
        NOW,
        challenge=CHALLENGE,
        domain=DOMAIN,
    )
    assert report.outcome is Outcome.UNDETERMINED
    assert (
        bad(report).items()
        >= {"proof": "not-looked-up", "holder-key": "not-looked-up"}.items()
    )
    assert "does not make it false" in report.summary


def test_the_key_is_the_holders_own() -> None:
    stolen = {**presented(signer=SIGNER, method=METHOD), "holder": HOLDER}
    report = judged(stolen)
    assert bad(report) == {
        "proof": "signature-rejected",
        "holder-key": "holder-key-mismatch",
    }


def own_credential(**members: Any) -> JsonObject:
    return signed(
        unsigned(issuer=HOLDER, credentialStatus=..., **members),
        signer=HOLDER_SIGNER,
        method=HOLDER_METHOD,
    )


def test_what_the_presenter_signed_as_issuer_needs_no_holder() -> None:
    """4.13: as `presentation-multiple-vc-ok` of the suite for the data model has it."""
    others = own_credential(credentialSubject={"id": "did:example:other-subject"})
    document = presented(own_credential(), others)
    for holder in (HOLDER, None):
        report = judged(_held_by(document, holder))
        assert report.outcome is Outcome.VALID
        assert bad(report) == {"holder-binding": "holder-not-bound"}  # not required
        assert [m.report.outcome for m in report.credentials] == [Outcome.VALID] * 2
    for other in ("did:example:acme", ISSUER):
        report = judged(_held_by(document, other))
        assert bad(report)["holder-key"] == "holder-key-mismatch"


def test_what_only_the_presentation_signs_needs_a_holder_and_is_no_credential() -> None:
    """4.13.4: a self-asserted credential without a proof of its own."""
    document = presented(without_proof(own_credential()))
    found = bad(judged(_held_by(document, None)))
    assert found["holder-key"] == "presentation-invalid"
    found = bad(judged(document))
    assert "holder-key" not in found
    assert found["credentials"] == "presented-credential-rejected"


def _held_by(document: JsonObject, holder: str | None) -> JsonObject:
    """Return the presentation with that holder, or without one, signed anew."""
    bare = {k: v for k, v in document.items() if k not in ("holder", "proof")}
    if holder is not None:
        bare["holder"] = holder
    proof: Any = document["proof"]
    options = {k: v for k, v in proof.items() if k != "proofValue"}
    return {**bare, "proof": make_proof(bare, HOLDER_SIGNER, options)}


def test_a_holder_need_not_be_named() -> None:
    report = judged(_held_by(presented(), None))
    assert bad(report) == {}
    assert report.holder == HOLDER


# Whom the credentials are about


@pytest.mark.parametrize(
    ("subject", "bound"),
    [
        ({"id": HOLDER}, True),
        ([{"id": "did:example:other"}, {"id": HOLDER}], True),
        ({"id": "did:example:other"}, False),
        ({"name": "Ana"}, False),
        ({"id": HOLDER.upper()}, False),
    ],
)
def test_says_whether_the_holder_is_the_subject(subject: Any, *, bound: bool) -> None:
    report = judged(presented(credential(1), credential(2, credentialSubject=subject)))
    assert [m.is_bound for m in report.credentials if m.id == "urn:uuid:2"] == [bound]
    assert bad(report) == ({} if bound else {"holder-binding": "holder-not-bound"})
    check = report.check("holder-binding")
    assert check.required is False
    assert check.result is (Result.PASSED if bound else Result.UNDETERMINED)
    assert report.outcome is Outcome.VALID
    assert ("not about the holder" in report.summary) is not bound


# What is in it


def test_a_revoked_credential_rejects_the_presentation_and_not_its_neighbour() -> None:
    other = credential(2, credentialStatus=...)
    document = presented(credential(1), other)
    revoked = evidence(status_lists={REVOCATIONS: had(status_list(94_567))})
    report = judged(document, revoked)
    outcomes = {m.id: m.report.outcome for m in report.credentials}
    assert outcomes == {"urn:uuid:1": Outcome.REJECTED, "urn:uuid:2": Outcome.VALID}
    assert bad(report) == {"credentials": "presented-credential-rejected"}
    assert report.outcome is Outcome.REJECTED


def test_a_credential_that_was_changed_under_a_new_presentation_is_found() -> None:
    forged = {**credential(), "name": "Doctor of Medicine"}
    report = judged(presented(forged))
    assert report.check("proof").result is Result.PASSED
    assert bad(report) == {"credentials": "presented-credential-rejected"}
    (member,) = report.credentials
    assert member.report.check("proof").code == "signature-rejected"


def test_the_policy_is_for_the_credentials() -> None:
    report = judged(presented(), demands=policy(has_trust_list=True, issuers={}))
    assert bad(report) == {"credentials": "presented-credential-undetermined"}
    assert report.outcome is Outcome.UNDETERMINED


def test_nothing_may_be_presented_to_show_a_key() -> None:
    report = judged(
        sign_presentation(
            [],
            HOLDER_SIGNER,
            verification_method=HOLDER_METHOD,
            created=NOW,
            challenge=CHALLENGE,
            domain=DOMAIN,
        )
    )
    assert report.outcome is Outcome.VALID
    assert report.check("credentials").result is Result.NOT_APPLICABLE
    assert report.summary == "A presentation of 0 credentials, all valid."


def test_an_envelope_is_not_read_and_not_called_false() -> None:
    envelope: JsonObject = {
        "@context": VC_V2,
        "id": "data:application/vc+jwt,eyJhbGciOiJFZERTQSJ9.e30.x",
        "type": "EnvelopedVerifiableCredential",
    }
    report = judged(presented(credential(), envelope))
    assert bad(report) == {"structure": "credential-enveloped"}
    assert report.outcome is Outcome.UNDETERMINED
    assert len(report.credentials) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"@context": [OB_V3]}, "presentation-invalid"),
        ({"@context": []}, "presentation-invalid"),
        ({"@context": ...}, "presentation-invalid"),
        ({"type": ["VerifiableCredential"]}, "presentation-invalid"),
        ({"type": ...}, "presentation-invalid"),
        ({"id": "x"}, "presentation-invalid"),
        ({"id": 1}, "presentation-invalid"),
        ({"holder": 1}, "presentation-invalid"),
        ({"holder": ["did:example:x"]}, "presentation-invalid"),
        ({"holder": {"name": "x"}}, "presentation-invalid"),
        ({"verifiableCredential": [1]}, "presentation-invalid"),
        ({"verifiableCredential": [[]]}, "presentation-invalid"),
        ({"verifiableCredential": "eyJhbGciOiJFZERTQSJ9"}, "credential-enveloped"),
        ({"type": "EnvelopedVerifiablePresentation"}, "credential-enveloped"),
    ],
)
def test_each_rule_of_the_structure(change: Any, code: str) -> None:
    members = {k: v for k, v in {**presented(), **change}.items() if v is not ...}
    report = judged(members)
    assert report.check("structure").code == code
    assert report.outcome is not Outcome.VALID
    json.dumps(report.to_json())


def test_a_presentation_of_version_1_is_read() -> None:
    document: JsonObject = {
        "@context": [VC_V1, DATA_INTEGRITY_V2],
        "type": "VerifiablePresentation",
        "holder": HOLDER,
        "verifiableCredential": credential_of_version_1(),
    }
    proof: Any = presented()["proof"]
    options = {k: v for k, v in proof.items() if k != "proofValue"}
    report = judged({**document, "proof": make_proof(document, HOLDER_SIGNER, options)})
    assert bad(report) == {}


def credential_of_version_1() -> JsonObject:
    document = unsigned(
        **{
            "@context": [VC_V1],
            "name": ...,
            "issuer": ISSUER,
            "validFrom": ...,
            "validUntil": ...,
            "issuanceDate": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": HOLDER},
        }
    )
    return signed(with_issuing_contexts(document))


def test_holds_up_to_32_credentials() -> None:
    many = [replace_id(credential(), n) for n in range(MAX_CREDENTIALS + 1)]
    document = presented()
    full = {**document, "verifiableCredential": many[:MAX_CREDENTIALS]}
    assert len(presented_credentials(full)) == MAX_CREDENTIALS
    over = {**document, "verifiableCredential": many}
    with pytest.raises(PresentationTooLarge, match="found 33 credentials, want at most 32"):
        judged(over)
    with pytest.raises(PresentationTooLarge):
        presented(*many)
    with pytest.raises(PresentationTooLarge):
        judged({**document, "verifiableCredential": ["x"] * 33})


def replace_id(document: JsonObject, number: int) -> JsonObject:
    return {**document, "id": f"urn:uuid:{number}"}


def test_the_policys_moment_is_that_of_the_proof_too() -> None:
    report = judge_presentation(
        presented(),
        lambda _: evidence(),
        policy(),
        NOW.replace(year=2025),
        challenge=CHALLENGE,
        domain=DOMAIN,
    )
    assert bad(report)["proof"] == "proof-created-in-future"


def test_two_contents_under_one_id_are_told() -> None:
    for shown, code in (
        ((credential(1), credential(1, name="Farm Work")), "credential-id-conflict"),
        ((credential(1), credential(1)), ""),
        ((credential(1, id=...), credential(1, id=..., name="Farm Work")), ""),
    ):
        found = judged(presented(*shown)).check("credentials")
        assert (found.result, found.code) == (Result.PASSED, code)
