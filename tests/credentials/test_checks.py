"""Each check through the judge: what it answers, with which code, from which evidence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from anchoring.backend import Sighting
from anchoring.note import VerifierKey
from credentials.checks import CHECKS
from credentials.evidence import Evidence, Missing
from credentials.judge import judge
from credentials.policy import DEVELOPMENT_CHAINS, Policy
from credentials.report import Check, Outcome, Report, Result, Standing
from credentials.status_list import build_entry
from did.document import build_did_document
from did.service import PatunayLogService
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError
from tests.credentials.test_status_list import UNUSABLE
from tests.support.credentials_support import (
    CHAIN,
    DAY,
    INDEX,
    ISSUER,
    LOG_KEY,
    NOW,
    REVOCATIONS,
    SIGNER,
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    SUITES,
    SUSPENSIONS,
    anchored,
    did_document,
    evidence,
    had,
    policy,
    signed,
    status_list,
    unsigned,
)

SECOND = timedelta(seconds=1)
SKEW = timedelta(minutes=5)
ALL = frozenset(CHECKS)


def report(
    document: JsonObject,
    found: Evidence | None = None,
    demands: Policy | None = None,
    **moved: timedelta,
) -> Report:
    as_of = NOW + moved.get("by", timedelta(0))
    return judge(document, found or evidence(), demands or policy(), as_of)


def answer(found: Check) -> tuple[Result, str]:
    return found.result, found.code


def check(name: str, *args: Any, **kwargs: Any) -> tuple[Result, str]:
    return answer(report(*args, **kwargs).check(name))


def failed(code: str) -> tuple[Result, str]:
    return Result.FAILED, code


def undetermined(code: str) -> tuple[Result, str]:
    return Result.UNDETERMINED, code


PASSED = (Result.PASSED, "")


@pytest.mark.parametrize("suite", SUITES)
def test_a_good_credential_is_valid_and_in_force(suite: str) -> None:
    found = report(signed(suite=suite))
    assert (found.outcome, found.standing) == (Outcome.VALID, Standing.IN_FORCE)
    results = {check.name: answer(check) for check in found.checks}
    assert results.pop("anchor") == undetermined("anchor-not-shown")
    assert set(results.values()) == {PASSED}


def at(by: timedelta) -> str:
    return f"{(NOW + by).replace(tzinfo=None).isoformat()}Z"


# One case for each check, which it alone turns from valid to not valid.


def by_dates(case: Any) -> None:
    one = anchored(signed(unsigned(validUntil=at(-SKEW - SECOND))))
    case.document, case.evidence = one.document, one.evidence()


def by_structure(case: Any) -> None:
    case.document = signed(unsigned(termsOfUse={"id": "urn:x"}, validUntil=...))


def by_proof(case: Any) -> None:
    case.document = {**case.document, "name": "Summa cum laude"}


def by_issuer_key(case: Any) -> None:
    case.document = signed(
        unsigned(credentialStatus=...), signer=STRANGER, method=STRANGER_METHOD
    )


def by_status(case: Any) -> None:
    lists = {REVOCATIONS: had(status_list(INDEX))}
    case.evidence = replace(case.evidence, status_lists=lists)


def by_issuer_listed(case: Any) -> None:
    case.policy = replace(case.policy, issuers={})


def by_anchor(case: Any) -> None:
    case.evidence = replace(case.evidence, sightings={})


ALONE: dict[str, Callable[[Any], None]] = {
    "structure": by_structure,
    "proof": by_proof,
    "issuer-key": by_issuer_key,
    "dates": by_dates,
    "status": by_status,
    "issuer-listed": by_issuer_listed,
    "anchor": by_anchor,
}


class _Inputs:
    def __init__(self, required: frozenset[str]) -> None:
        one = anchored(signed())
        self.document = one.document
        self.evidence = one.evidence()
        self.policy = policy(required=required)
        self.as_of = NOW

    def judge(self) -> Report:
        return judge(self.document, self.evidence, self.policy, self.as_of)


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_decides(name: str) -> None:
    """Whoever deletes a check, or lets it always pass, sees this fail."""
    inputs = _Inputs(frozenset({name}))
    assert inputs.judge().outcome is Outcome.VALID
    ALONE[name](inputs)
    found = inputs.judge()
    assert found.outcome is not Outcome.VALID
    assert [check.name for check in found.checks if check.required] == [name]


@pytest.mark.parametrize("name", ["proof", "dates", "status", "issuer-listed", "anchor"])
def test_each_check_alone_makes_the_difference(name: str) -> None:
    inputs = _Inputs(ALL)
    ALONE[name](inputs)
    if name == "proof":  # another document is another leaf
        inputs.policy = replace(inputs.policy, required=ALL - {"anchor"})
    checks = [check for check in inputs.judge().checks if check.required]
    bad = {check.name for check in checks if check.result is not Result.PASSED}
    assert bad == {name}


def test_structure_is_reported_once() -> None:
    """What breaks the data model fails `structure`; the others were not made."""
    found = report(signed(unsigned(validUntil="2025-01-01T00:00:00Z")))
    assert answer(found.check("structure")) == failed("period-invalid")
    assert answer(found.check("proof")) == PASSED
    for name in ("issuer-key", "dates", "status", "issuer-listed", "anchor"):
        assert answer(found.check(name)) == undetermined("period-invalid")
    assert (found.outcome, found.standing) == (Outcome.REJECTED, Standing.UNKNOWN)


# Keys


def test_without_the_did_document_nothing_is_known() -> None:
    gone = Missing("did-unreachable", "no answer from school.example", "try again")
    for found in (evidence(did_documents={}), evidence(did_documents={ISSUER: gone})):
        code = "did-unreachable" if found.did_documents else "not-looked-up"
        result = report(signed(), found)
        assert answer(result.check("proof")) == undetermined(code)
        assert answer(result.check("issuer-key")) == undetermined(code)
        assert result.outcome is Outcome.UNDETERMINED
        assert "does not make it false" in result.summary


def test_a_did_key_needs_no_evidence() -> None:
    document = signed(
        unsigned(issuer=STRANGER_DID, credentialStatus=...),
        signer=STRANGER,
        method=STRANGER_METHOD,
    )
    assert report(document, Evidence()).outcome is Outcome.VALID


def test_a_key_of_another_did_fails() -> None:
    document = signed(signer=STRANGER, method=STRANGER_METHOD)
    found = report(document)
    assert answer(found.check("proof")) == PASSED
    assert answer(found.check("issuer-key")) == failed("issuer-key-mismatch")
    assert found.outcome is Outcome.REJECTED
    assert "is not what did:web:school.example signed" in found.summary


def test_a_second_signature_by_somebody_else_fails() -> None:
    document = signed()
    other = signed(signer=STRANGER, method=STRANGER_METHOD)
    both: JsonObject = {**document, "proof": [document["proof"], other["proof"]]}
    assert check("proof", both) == PASSED
    assert check("issuer-key", both) == failed("issuer-key-mismatch")


def test_a_withdrawn_key_may_not_sign() -> None:
    found = evidence(did_documents={ISSUER: had(did_document(withdrawn=True))})
    assert check("proof", signed(), found) == PASSED
    assert check("issuer-key", signed(), found) == failed(
        "verification-method-not-authorised"
    )


def test_a_key_that_the_document_does_not_name_fails() -> None:
    document = signed(method=f"{ISSUER}#key-2")
    assert check("proof", document) == failed("issuer-key-mismatch")
    assert check("issuer-key", document) == failed("verification-method-not-found")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({}, "did-document-malformed"),
        (did_document(did="did:web:other.example"), "did-document-id-mismatch"),
    ],
)
def test_what_is_no_did_document_says_nothing(value: JsonObject, code: str) -> None:
    found = evidence(did_documents={ISSUER: had(value)})
    assert check("proof", signed(), found) == undetermined(code)
    assert check("issuer-key", signed(), found) == undetermined(code)


def test_the_key_is_another_than_the_one_that_signed() -> None:
    found = evidence(did_documents={ISSUER: had(did_document(STRANGER))})
    assert check("proof", signed(), found) == failed("signature-rejected")


def test_the_source_of_the_key_is_named() -> None:
    found = report(signed()).check("issuer-key")
    assert (found.source, found.obtained_at) == ("web", NOW)


# Dates


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (SKEW, ..., PASSED),
        (SKEW + SECOND, ..., failed("not-yet-valid")),
        (-DAY, -SKEW, PASSED),
        (-DAY, -SKEW - SECOND, failed("expired")),
        (..., ..., PASSED),
    ],
)
def test_dates_allow_for_a_clock_that_is_off(start: Any, end: Any, expected: Any) -> None:
    moments = {"validFrom": start, "validUntil": end}
    changes = {name: by if by is ... else at(by) for name, by in moments.items()}
    found = report(signed(unsigned(**changes)))
    assert answer(found.check("dates")) == expected
    standing = {"expired": Standing.EXPIRED, "not-yet-valid": Standing.NOT_YET_VALID}
    assert found.standing is standing.get(expected[1], Standing.IN_FORCE)


# Status


def entries(*kinds: str) -> JsonObject:
    urls = {"revocation": REVOCATIONS, "suspension": SUSPENSIONS}
    built = {kind: build_entry(url, INDEX, kind) for kind, url in urls.items()}
    built["refresh"] = {**built["revocation"], "id": "urn:m", "statusPurpose": "refresh"}
    built["broken"] = {**built["revocation"], "id": "urn:b", "statusListIndex": "007"}
    built["gone"] = build_entry("https://school.example/gone", 1, "revocation")
    return signed(unsigned(credentialStatus=[built[kind] for kind in kinds]))


def lists(*, revoked: bool = False, suspended: bool = False) -> Evidence:
    return evidence(
        status_lists={
            REVOCATIONS: had(status_list(*[INDEX] * revoked)),
            SUSPENSIONS: had(
                status_list(*[INDEX] * suspended, url=SUSPENSIONS, purpose="suspension")
            ),
        }
    )


@pytest.mark.parametrize(
    ("kinds", "set_bits", "expected", "standing"),
    [
        (("revocation",), {}, PASSED, Standing.IN_FORCE),
        (("revocation", "suspension"), {}, PASSED, Standing.IN_FORCE),
        (
            ("revocation", "suspension"),
            {"revoked": True, "suspended": True},
            failed("revoked"),
            Standing.REVOKED,
        ),
        (
            ("revocation", "suspension", "gone"),
            {"suspended": True},
            failed("suspended"),
            Standing.SUSPENDED,
        ),
        (
            ("revocation", "broken", "refresh", "gone"),
            {"revoked": True},
            failed("revoked"),
            Standing.REVOKED,
        ),
        (
            ("revocation", "broken", "gone"),
            {},
            failed("status-entry-malformed"),
            Standing.UNKNOWN,
        ),
        (
            ("refresh", "revocation", "gone"),
            {},
            undetermined("not-looked-up"),
            Standing.UNKNOWN,
        ),
        (
            ("refresh", "suspension"),
            {},
            undetermined("status-type-unsupported"),
            Standing.UNKNOWN,
        ),
    ],
)
def test_the_worst_entry_decides_in_every_order(
    kinds: Any, set_bits: Any, expected: Any, standing: Standing
) -> None:
    for order in permutations(kinds):
        found = report(entries(*order), lists(**set_bits))
        assert answer(found.check("status")) == expected
        assert found.standing is standing
        assert found.authenticity is Outcome.VALID


def test_no_status_is_not_applicable() -> None:
    found = report(
        signed(unsigned(credentialStatus=...)),
        Evidence(did_documents=evidence().did_documents),
    )
    assert answer(found.check("status")) == (Result.NOT_APPLICABLE, "")
    assert (found.outcome, found.standing) == (Outcome.VALID, Standing.IN_FORCE)


@pytest.mark.parametrize("name", UNUSABLE)
def test_every_unusable_list_leaves_the_question_open(name: str) -> None:
    document, _ = UNUSABLE[name]
    subject = document.get("credentialSubject", ...)
    try:
        listed = status_list(credentialSubject=subject)
    except PatunayError:  # not even fit to be signed
        listed = {**status_list(), "credentialSubject": {}}
    found = report(signed(), evidence(status_lists={REVOCATIONS: had(listed)}))
    assert found.check("status").result is Result.UNDETERMINED
    assert found.outcome is Outcome.UNDETERMINED
    assert found.standing is Standing.UNKNOWN


def by_stranger(**changes: Any) -> JsonObject:
    return status_list(signer=STRANGER, method=STRANGER_METHOD, **changes)


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        ({}, "status-list-unusable"),
        (unsigned(id=REVOCATIONS), "status-list-unusable"),
        (status_list(type=["VerifiableCredential"]), "status-list-unusable"),
        (
            status_list(credentialStatus=build_entry(SUSPENSIONS, 1, "suspension")),
            "status-list-unusable",
        ),
        (status_list(url=SUSPENSIONS), "status-list-id-mismatch"),
        (by_stranger(issuer=STRANGER_DID), "status-issuer-mismatch"),
        (by_stranger(), "status-list-proof-invalid"),
        ({**status_list(), "proof": []}, "status-list-proof-invalid"),
        ({**status_list(), "name": "x"}, "status-list-proof-invalid"),
        (status_list(validUntil=at(-SKEW - SECOND)), "status-list-stale"),
        (status_list(validFrom=at(SKEW + SECOND)), "status-list-stale"),
    ],
)
def test_a_list_that_is_not_the_issuers_own_says_nothing(
    listed: JsonObject, code: str
) -> None:
    found = report(signed(), evidence(status_lists={REVOCATIONS: had(listed)}))
    assert answer(found.check("status")) == undetermined(code)
    assert found.outcome is Outcome.UNDETERMINED


def test_a_list_that_cannot_be_had_says_nothing() -> None:
    gone = Missing("status-unreachable", "503", "try again")
    result = report(signed(), evidence(status_lists={REVOCATIONS: gone}))
    found = result.check("status")
    assert answer(found) == undetermined("status-unreachable")
    assert found.hint == "try again"


# Issuer


def test_a_listed_issuer_is_called_by_the_name_on_the_list() -> None:
    found = report(signed())
    assert found.check("issuer-listed").detail == "listed as The Example School"
    assert found.summary == (
        "“Farm Data Collection” was signed by The Example School "
        "(did:web:school.example); it is in force."
    )


def test_an_unlisted_issuer_is_not_believed_its_name() -> None:
    found = report(signed(), demands=Policy())
    assert answer(found.check("issuer-listed")) == undetermined("issuer-not-listed")
    assert found.outcome is Outcome.VALID
    assert "calls itself “Example School” (its own claim)" in found.summary
    found = report(signed(), demands=Policy(has_trust_list=True))
    assert found.outcome is Outcome.UNDETERMINED


# Anchor


def anchor_report(
    found: Evidence | None = None, demands: Policy | None = None, **kwargs: Any
) -> Report:
    one = anchored(signed(), **kwargs)
    required = policy(required=ALL) if demands is None else demands
    return judge(one.document, found or one.evidence(), required, NOW)


def test_an_anchored_credential_is_dated() -> None:
    found = anchor_report()
    assert found.outcome is Outcome.VALID
    assert found.check("anchor").source == CHAIN
    assert "since 2026-11-21T08:00:00Z or before, 12 blocks deep" in (
        found.check("anchor").detail
    )


@pytest.mark.parametrize("chain", sorted(DEVELOPMENT_CHAINS))
def test_a_development_chain_dates_nothing(chain: str) -> None:
    found = anchor_report(chain=chain)
    assert answer(found.check("anchor")) == undetermined("no-time-evidence")


def test_another_document_is_not_found_in_the_log() -> None:
    one = anchored(signed())
    other = signed(created=NOW - 2 * DAY)
    found = judge(other, one.evidence(), policy(), NOW)
    assert answer(found.check("anchor")) == undetermined("leaf-not-found")
    assert found.outcome is Outcome.VALID


def test_a_log_has_to_be_the_issuers() -> None:
    demands = policy(logs={}, required=ALL)
    assert answer(anchor_report(demands=demands).check("anchor")) == undetermined(
        "log-not-bound"
    )
    other = VerifierKey(LOG_KEY.name, STRANGER.public_key)
    demands = policy(logs={ISSUER: other}, required=ALL)
    found = anchor_report(demands=demands).check("anchor")
    assert answer(found) == undetermined("checkpoint-unsigned")


def test_the_did_document_can_bind_the_log() -> None:
    one = anchored(signed())
    service = PatunayLogService.parse(
        {
            "id": f"{ISSUER}#log",
            "type": "PatunayLog",
            "serviceEndpoint": {
                "log": "https://school.example/log/",
                "vkey": str(LOG_KEY),
                "anchors": [{"contract": one.anchor.contract, "accounts": []}],
            },
        }
    )
    document = build_did_document(
        ISSUER, assertion_keys={"key-1": SIGNER.public_key}, services=[service]
    )
    found = replace(one.evidence(), did_documents={ISSUER: had(document)})
    result = judge(one.document, found, policy(logs={}, required=ALL), NOW)
    assert result.outcome is Outcome.VALID


def test_only_accepted_contracts_are_believed() -> None:
    one = anchored(signed())
    accepted = policy(contracts=frozenset({one.anchor.contract}), required=ALL)
    assert anchor_report(demands=accepted).outcome is Outcome.VALID
    other = policy(contracts=frozenset({f"{CHAIN}:0x00"}), required=ALL)
    found = anchor_report(demands=other).check("anchor")
    assert answer(found) == undetermined("contract-not-accepted")


@pytest.mark.parametrize(("wanted", "code"), [(12, ""), (13, "anchor-unconfirmed")])
def test_an_anchor_lies_as_deep_as_the_policy_wants(wanted: int, code: str) -> None:
    found = anchor_report(demands=policy(confirmations=wanted)).check("anchor")
    assert answer(found) == (undetermined(code) if code else PASSED)


def test_the_chain_itself_has_to_show_the_event() -> None:
    one = anchored(signed())
    lost = judge(one.document, one.evidence(seen=False), policy(), NOW)
    assert answer(lost.check("anchor")) == undetermined("anchor-unreachable")
    unseen = replace(one.evidence(), sightings={})
    found = judge(one.document, unseen, policy(), NOW).check("anchor")
    assert answer(found) == undetermined("anchor-not-looked-up")
    another = replace(one.anchor, timestamp=NOW - 300 * DAY)
    sighting = had(Sighting(another, depth=12, gas_used=0))
    found = judge(
        one.document,
        replace(one.evidence(), sightings={one.anchor.transaction: sighting}),
        policy(),
        NOW,
    ).check("anchor")
    assert answer(found) == undetermined("anchor-not-shown")


def test_an_anchor_never_makes_a_credential_false() -> None:
    one = anchored(signed())
    broken = replace(one.receipt, record=b"{}")
    found = replace(one.evidence(), receipt=had(broken))
    result = judge(one.document, found, policy(required=ALL), NOW)
    assert result.check("anchor").result is Result.UNDETERMINED
    assert result.outcome is Outcome.UNDETERMINED


@pytest.mark.parametrize(
    ("did", "code"),
    [
        ("did:web:127.0.0.1", "did-ip-literal"),
        ("did:web:school.example%2Fx", "did-path-invalid"),
        ("did:web:bücher.example", "did-idn-not-ascii"),
    ],
)
def test_a_did_web_that_is_none_is_false_and_not_out_of_reach(did: str, code: str) -> None:
    document = signed(unsigned(issuer=did), method=f"{did}#key-1")
    report = judge(document, Evidence(), Policy(), NOW)
    for name in ("proof", "issuer-key"):
        assert (report.check(name).result, report.check(name).code) == (Result.FAILED, code)
