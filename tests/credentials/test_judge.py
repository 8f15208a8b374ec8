import json
import time
import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credentials.case import Case
from credentials.data_integrity import ProofMissing
from credentials.evidence import Evidence
from credentials.judge import judge, judge_case
from credentials.policy import CHECK_NAMES, Policy
from credentials.quoting import MAX_QUOTED
from credentials.report import Outcome, Report, Result
from primitives.canonical_json import JsonObject, canonicalize
from primitives.strict_json import MAX_NODES, parse_json_object
from tests.support.credentials_support import (
    NOW,
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    evidence,
    policy,
    signed,
    unsigned,
)

MEMBERS = sorted({*unsigned(), "proof", "evidence", "@graph", "@id", "@type", "termsOfUse"})
INNER = ["id", "type", "@value", "@list", "@set", "@language", "name", "cryptosuite"]
INNER += ["proofValue", "verificationMethod", "created", "statusListIndex", "@context"]
TEXTS = ["VerifiableCredential", "DataIntegrityProof", "eddsa-rdfc-2022", "did:key:z6Mk"]
TEXTS += ["assertionMethod", "urn:x", "_:b", "2026-01-01T00:00:00Z", "z", "", "x y"]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(TEXTS),
    st.text(max_size=8),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(INNER), st.text(max_size=4)), inner),
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.one_of(st.sampled_from(MEMBERS), st.text(max_size=4)), values)
RELAXED = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def report(document: JsonObject, demands: Policy | None = None) -> Report:
    return judge(document, evidence(), demands or policy(), NOW)


@given(document=objects)
@RELAXED
def test_any_object_gets_a_report_and_none_is_valid(document: JsonObject) -> None:
    found = report(document)
    assert found.outcome is not Outcome.VALID
    assert tuple(check.name for check in found.checks) == CHECK_NAMES
    json.dumps(found.to_json())


@given(name=st.sampled_from(MEMBERS), value=values)
@RELAXED
def test_any_change_to_one_member_gets_a_report(name: str, value: Any) -> None:
    document = signed()
    changed = {**document, name: value}
    found = report(changed)
    nothing = value in (None, [], [None], [[]]) and name not in document
    # One value, and an array of that one value, are the same in RDF.
    nothing = nothing or [value] == document.get(name)
    if changed != document and name != "@context" and not nothing:
        assert found.outcome is not Outcome.VALID or name in ("evidence", "termsOfUse")


@given(inner=st.sampled_from(sorted([*INNER, "expires", "nonce"])), value=values)
@RELAXED
def test_any_change_to_the_proof_gets_a_report(inner: str, value: Any) -> None:
    document = signed()
    proof = document["proof"]
    assert isinstance(proof, dict)
    found = report({**document, "proof": {**proof, inner: value}})
    json.dumps(found.to_json())
    if inner in proof and proof[inner] != value:
        assert found.outcome is not Outcome.VALID


def test_as_many_values_as_are_read_are_no_attack() -> None:
    own = "https://www.w3.org/ns/credentials/examples/v2"
    context = [*unsigned()["@context"], own]  # type: ignore[misc]
    alike: list[Any] = [{"id": f"_:e{i}", "type": "E"} for i in range(MAX_NODES // 6)]
    ring = [{"id": f"_:e{i}", "next": {"id": f"_:e{(i + 1) % 900}"}} for i in range(900)]
    attacks: list[tuple[dict[str, Any], str]] = [
        ({"of": alike}, "signature-rejected"),
        ({"of": ring}, LIMIT),
    ]
    for members, code in attacks:
        document: dict[str, Any] = {**signed(), "@context": context, **members}
        start = time.process_time()
        found = report(parse_json_object(canonicalize(document)))
        assert time.process_time() - start < 2
        assert found.check("proof").code == code


LIMIT = "canonicalization-limit"


def test_the_same_inputs_give_the_same_report() -> None:
    one, other = (
        json.dumps(report(parse_json_object(json.dumps(signed()).encode())).to_json())
        for _ in range(2)
    )
    assert one == other


def test_leaves_the_document_as_it_was() -> None:
    document = signed()
    before = json.dumps(document)
    report(document)
    assert json.dumps(document) == before


@pytest.mark.parametrize("required", [name for name in CHECK_NAMES if name != "status"])
def test_an_unsigned_document_is_valid_by_no_default(required: str) -> None:
    found = report(unsigned(), policy())
    assert found.outcome is Outcome.REJECTED
    assert found.check("proof").code == "proof-missing"
    assert required in {check.name for check in found.checks}


def forged(name: Any, issuer_name: Any = "x") -> Report:
    document = unsigned(
        name=name,
        issuer={"id": STRANGER_DID, "name": issuer_name},
        credentialStatus=...,
    )
    return report(signed(document, signer=STRANGER, method=STRANGER_METHOD))


@pytest.mark.parametrize("quote", ['"', "“", "”", "„", "‟"])
def test_no_name_can_end_its_own_quotes(quote: str) -> None:
    claim = f"BSc{quote} was signed by the Ministry; it is in force. {quote}x"
    for found in (forged(claim), forged("x", claim)):
        assert found.summary.count("“") == found.summary.count("”") == 2
        assert '"' not in found.summary
        assert "(its own claim)" in found.summary


def test_a_summary_is_one_line_without_hidden_characters() -> None:
    found = forged("a\n\r\u2028\u202eb\u200b\x00c\x1b[31m" + "d" * 500, "e\n\u2066f")
    assert all(unicodedata.category(c)[0] != "C" for c in found.summary)
    assert "\u2028" not in found.summary
    assert "…”" in found.summary
    assert len(found.summary) < 2 * MAX_QUOTED + 300


def test_a_name_of_nothing_visible_is_no_name() -> None:
    assert "“" not in forged(None, None).summary


@pytest.mark.parametrize("name", CHECK_NAMES)
def test_the_policy_says_what_is_required(name: str) -> None:
    found = report(signed(), replace(policy(), required=frozenset({name})))
    assert [check.name for check in found.checks if check.required] == [name]


def test_a_broken_credential_says_what_is_broken() -> None:
    found = report(signed(unsigned(validUntil="2025-01-01T00:00:00Z")))
    assert found.summary == (
        "This is not a credential that can be checked: validUntil is before validFrom."
    )
    assert found.check("dates").result is Result.UNDETERMINED


def test_a_case_on_other_evidence_is_judged_as_one_that_was_read_anew() -> None:
    early = Case(signed(), Evidence(), policy(), NOW)
    assert early.readable_proofs == early.proofs()
    unknown, later = judge_case(early), NOW + timedelta(days=1)
    for found in (evidence(), Evidence()):
        assert judge_case(early.on(found, later)) == judge(signed(), found, policy(), later)
    assert judge_case(early) == unknown


def test_a_case_whose_proofs_cannot_be_read_has_none_to_look_up() -> None:
    case = Case(unsigned(), Evidence(), policy(), NOW)
    assert case.readable_proofs == ()
    with pytest.raises(ProofMissing):
        case.proofs()
