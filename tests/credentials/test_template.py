import copy
import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from credentials.ratings import assess, lower_median, weighted_median
from credentials.registrar import Row
from credentials.template import (
    CredentialTemplate,
    RowNotIssuable,
    build_credential,
    check_row,
    parse_template,
)
from primitives.canonical_json import JsonObject
from primitives.strict_json import parse_json_object
from tests.support.als_template import RAW, changed, raw_template
from tests.support.standards import shared

ROOT = Path(__file__).parents[2]
TEMPLATE = parse_template(parse_json_object(RAW))
ISSUED_AT = datetime(2025, 10, 13, tzinfo=UTC)
ENTRY: JsonObject = {
    "id": "https://node.example/status/2025#4021",
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "4021",
    "statusListCredential": "https://node.example/status/2025",
}
JOSEFINA = {
    "learner_ref": "910000250001",
    "family_name": "Catacutan",
    "given_name": "Josefina",
    "middle_name": "Peñaflor",
    "started_on": "2025-06-16",
    "completed_on": "2025-09-26",
    "rating_self": "2",
    "rating_teacher": "3",
    "rating_community_1": "3",
    "rating_community_2": "3",
}


def row(**changes: str) -> Row:
    values = {**JOSEFINA, **changes}
    return Row(2, {column: text for column, text in values.items() if text})


def build(
    template: CredentialTemplate = TEMPLATE,
    *,
    issued_at: datetime = ISSUED_AT,
    status_entry: JsonObject | None = ENTRY,
    **changes: str,
) -> dict[str, Any]:
    return build_credential(
        template,
        row(**changes),
        credential_id="urn:uuid:00000000-0000-4000-8000-000000000101",
        issuer_did="did:web:node.example",
        issued_at=issued_at,
        status_entry=status_entry,
    )


def codes(**changes: str) -> list[str]:
    return [finding.code for finding in check_row(TEMPLATE, row(**changes))]


def domain(name: str) -> dict[str, Any]:
    found = shared("domain", "examples", name)
    value: dict[str, Any] = json.loads(found.read_bytes())
    return value


# --- the rating rule ------------------------------------------------------------------


def test_josefina_is_certified_proficient() -> None:
    subject = build()["credentialSubject"]
    base = TEMPLATE.achievement["id"]
    assert subject["result"] == [
        {
            "type": ["Result"],
            "resultDescription": f"{base}#certified",
            "achievedLevel": f"{base}#L3",
            "value": "Proficient",
        },
        *(
            {
                "type": ["Result"],
                "resultDescription": f"{base}#rater-{role}",
                "value": value,
            }
            for role, value in [
                ("self", "Developing"),
                ("teacher", "Proficient"),
                ("community", "Proficient"),
            ]
        ),
    ]


def test_a_split_community_is_held_for_moderation() -> None:
    held = assess(TEMPLATE.results, row(rating_community_1="1", rating_community_2="4"))
    assert [f.code for f in held.findings] == ["needs-moderation"]
    assert held.findings[0].detail == "found a spread of 2 between the roles, want under 2"
    assert (held.spread, held.results) == (2, ())


def test_one_level_apart_needs_no_moderation() -> None:
    assert codes(rating_self="4", rating_teacher="3") == []


def test_below_the_required_level_is_held() -> None:
    assert codes(rating_teacher="2", rating_community_1="2") == ["below-required-level"]


@pytest.mark.parametrize(
    ("values", "median"), [([4], 4), ([1, 4], 1), ([4, 2, 3], 3), ([4, 4, 1, 2], 2)]
)
def test_an_even_split_takes_the_lower_median(values: list[int], median: int) -> None:
    assert lower_median(values) == median


def test_the_weighted_median_is_the_lower_median_of_repeated_values() -> None:
    for values in itertools.product(range(1, 5), repeat=3):
        for weights in itertools.product(range(1, 5), repeat=3):
            pairs = list(zip(values, weights, strict=True))
            repeated = sorted(value for value, weight in pairs for _ in range(weight))
            assert weighted_median(pairs) == repeated[(len(repeated) - 1) // 2]


@pytest.mark.parametrize("teacher", ["3", "Proficient", "PROFICIENT", "proficient"])
def test_a_rating_is_a_number_or_a_name(teacher: str) -> None:
    assert build(rating_teacher=teacher) == build()


@pytest.mark.parametrize("teacher", ["0", "5", "3.0", "03", "good", "Proficient "])
def test_refuses_a_rating_that_is_no_level(teacher: str) -> None:
    assert codes(rating_teacher=teacher) == ["rating-not-on-scale"]


def test_a_rating_may_not_be_missing() -> None:
    assert codes(rating_self="") == ["ratings-too-few"]
    assert codes(rating_community_2="") == ["ratings-too-few"]


def test_a_third_rater_counts() -> None:
    credential = build(rating_community_1="2", rating_community_3="4")
    assert credential["evidence"][0]["narrative"].startswith(
        "Raters: 1 self, 1 teacher, 3 community. Spread: 1 level. Moderation: not needed."
    )
    assert credential["credentialSubject"]["result"][3]["value"] == "Proficient"


def test_rubric_order_in_the_file_means_nothing() -> None:
    value = raw_template()
    value["achievement"]["resultDescription"][0]["rubricCriterionLevel"].reverse()
    rules = parse_template(value).results
    assert assess(rules, row()).results == assess(TEMPLATE.results, row()).results


# --- the credential -------------------------------------------------------------------


def shape(value: object) -> object:
    """Return the keys and kinds of a value, without its words."""
    if isinstance(value, Mapping):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


def test_builds_the_domain_example() -> None:
    example = domain("als-communication.json")
    template = parse_template(domain("template-als-communication.json"))
    built = build_credential(
        template,
        row(given_name="Josefina Peñaflor", did=example["credentialSubject"]["id"]),
        credential_id=example["id"],
        issuer_did=example["issuer"]["id"],
        issued_at=ISSUED_AT,
        status_entry=example["credentialStatus"],
    )
    subject, wanted = built["credentialSubject"], example["credentialSubject"]
    assert isinstance(subject, dict)
    # The domain template names no profile, and its example states a later award.
    assert subject.pop("source") == {"id": example["issuer"]["id"], "type": ["Profile"]}
    del wanted["source"]
    assert subject == wanted
    same = ("@context", "id", "type", "name", "validFrom", "credentialStatus")
    assert {key: built[key] for key in same} == {key: example[key] for key in same}
    assert built["credentialSchema"] == example["credentialSchema"]


def test_has_the_shape_of_the_domain_example() -> None:
    assert shape(
        build(did="did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH")
    ) == shape(domain("als-communication.json"))


def test_the_name_is_the_first_and_only_identifier() -> None:
    assert build(name_suffix="Jr.")["credentialSubject"]["identifier"] == [
        {
            "type": "IdentityObject",
            "hashed": False,
            "identityHash": "Josefina Peñaflor Catacutan Jr.",
            "identityType": "name",
        }
    ]


def test_an_absent_middle_name_leaves_no_gap() -> None:
    identifier = build(middle_name="")["credentialSubject"]["identifier"]
    assert identifier[0]["identityHash"] == "Josefina Catacutan"


def test_the_learner_number_is_nowhere() -> None:
    assert JOSEFINA["learner_ref"] not in json.dumps(build())


@pytest.mark.parametrize(
    ("column", "text"),
    [("did", "did:web:a.example:910000250001"), ("given_name", "Josefina 910000250001")],
)
def test_a_cell_that_would_show_the_learner_number_is_held(column: str, text: str) -> None:
    assert codes(**{column: text}) == ["learner-number-shown"]


def test_the_wallet_is_the_subject_where_there_is_one() -> None:
    assert build(did="did:key:z6Mk")["credentialSubject"]["id"] == "did:key:z6Mk"
    assert "id" not in build()["credentialSubject"]


def test_the_issuing_node_stands_in_for_the_template() -> None:
    credential = build()
    assert credential["issuer"]["id"] == "did:web:node.example"
    assert credential["credentialSubject"]["source"]["id"] == "did:web:node.example"
    assert TEMPLATE.issuer not in json.dumps(credential)


def test_another_assessor_stays_the_assessor() -> None:
    template = parse_template(changed("source", "did:web:assessor.example"))
    assert build(template)["credentialSubject"]["source"] == {
        "id": "did:web:assessor.example",
        "type": ["Profile"],
    }


def test_dates_come_from_the_row() -> None:
    credential = build()
    subject = credential["credentialSubject"]
    assert credential["validFrom"] == "2025-10-13T00:00:00Z"
    assert credential["awardedDate"] == "2025-09-26T00:00:00Z"
    assert subject["activityStartDate"] == "2025-06-16T00:00:00Z"
    assert subject["activityEndDate"] == "2025-09-26T00:00:00Z"
    assert build(awarded_on="2025-10-01")["awardedDate"] == "2025-10-01T00:00:00Z"
    assert "activityStartDate" not in build(started_on="")["credentialSubject"]


def test_nothing_is_awarded_after_it_is_issued() -> None:
    at_award = datetime(2025, 9, 26, tzinfo=UTC)
    assert build(issued_at=at_award)["validFrom"] == "2025-09-26T00:00:00Z"
    with pytest.raises(RowNotIssuable, match="found award-after-issue") as caught:
        build(issued_at=at_award, awarded_on="2025-09-27")
    assert caught.value.findings[0].column == "awarded_on"


def test_a_row_with_a_finding_builds_nothing() -> None:
    with pytest.raises(RowNotIssuable, match="row 2: found needs-moderation") as caught:
        build(rating_self="1")
    assert caught.value.code == "row-not-issuable"
    assert [f.code for f in caught.value.findings] == ["needs-moderation"]


@pytest.mark.parametrize("given", ["910000250001", "urn:uuid:910000250001", "urn:uuid:X"])
def test_an_id_that_is_no_uuid_is_a_bug(given: str) -> None:
    with pytest.raises(ValueError, match="urn:uuid"):
        build_credential(
            TEMPLATE,
            row(),
            credential_id=given,
            issuer_did="did:web:node.example",
            issued_at=ISSUED_AT,
            status_entry=None,
        )


def test_no_status_is_no_member() -> None:
    assert "credentialStatus" not in build(status_entry=None)
    assert build()["credentialStatus"] == ENTRY


@pytest.mark.parametrize(
    ("valid_for", "start", "until"),
    [
        (30, datetime(2025, 10, 13, 8, 30, 1, tzinfo=UTC), "2025-11-12T08:30:01Z"),
        ("P5Y", ISSUED_AT, "2030-10-13T00:00:00Z"),
        ("P1M", datetime(2026, 1, 31, tzinfo=UTC), "2026-02-28T00:00:00Z"),
        ("P1Y", datetime(2028, 2, 29, tzinfo=UTC), "2029-02-28T00:00:00Z"),
        ("P1Y2M3W4D", ISSUED_AT, "2027-01-07T00:00:00Z"),
        ("P3M", datetime(2025, 12, 1, tzinfo=UTC), "2026-03-01T00:00:00Z"),
    ],
)
def test_valid_for_counts_from_valid_from(
    valid_for: str | int, start: datetime, until: str
) -> None:
    template = parse_template(changed("policy.validFor", valid_for))
    assert build(template, issued_at=start)["validUntil"] == until


def test_no_period_is_no_end() -> None:
    assert "validUntil" not in build()
    assert "validUntil" not in build(parse_template(changed("policy.validFor", ...)))


def test_a_result_may_pass_through() -> None:
    value = raw_template()
    described = value["achievement"]["resultDescription"]
    described.append(
        {
            "id": "urn:x:grade",
            "type": ["ResultDescription"],
            "name": "Grade",
            "resultType": "LetterGrade",
            "allowedValue": ["5.00", "3.00", "1.00"],
            "requiredValue": "3.00",
        }
    )
    value["resultFrom"].append({"resultDescription": "urn:x:grade", "column": "result"})
    template = parse_template(value)
    assert build(template, result="1.00")["credentialSubject"]["result"][-1] == {
        "type": ["Result"],
        "resultDescription": "urn:x:grade",
        "value": "1.00",
    }
    failed = check_row(template, row(result="5.00"))
    assert [f.code for f in failed] == ["below-required-level"]


def test_building_changes_neither_row_nor_template() -> None:
    before = copy.deepcopy(TEMPLATE)
    build()
    assert before == TEMPLATE


def test_a_template_without_ratings_needs_none() -> None:
    value = raw_template()
    del value["resultFrom"], value["evidence"]
    credential = build(parse_template(value), rating_self="")
    assert "evidence" not in credential
    assert "result" not in credential["credentialSubject"]
