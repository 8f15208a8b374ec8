"""The rules OB-1 to OB-6."""

from collections import Counter
from dataclasses import replace

import pytest

from credentials.open_badges.badge import (
    parse_open_badge,
)
from credentials.open_badges.rules import Finding, Severity, check_open_badge
from tests.support.open_badges import BADGES, badge, changed, complete, example


def test_the_examples_break_no_rule() -> None:
    found = {name: check_open_badge(badge(name)) for name in BADGES}
    card = found.pop("print-als-communication")
    assert {name for name, findings in found.items() if findings} == set()
    # The card leaves out the descriptions of its results, for want of space.
    assert [(f.code, f.severity) for f in card] == [("OB-2", Severity.INFO)]


BROKEN = [
    ("OB-2", "result/1/resultDescription", "urn:x:none", "result[1].resultDescription"),
    ("OB-2", "result/1/resultDescription", ..., "result[1]"),
    ("OB-3", "result/0/achievedLevel", "urn:x:L9", "result[0].achievedLevel"),
    ("OB-3", "result/1/achievedLevel", "urn:x:L3", "result[1].achievedLevel"),
    ("OB-3", "result/1/value", "Superb", "result[1].value"),
    ("OB-4", "achievement/resultDescription/1/resultType", "Status", "result[1]"),
]


@pytest.mark.parametrize(("code", "path", "value", "place"), BROKEN)
def test_a_broken_rule_is_found_at_its_place(
    code: str, path: str, value: object, place: str
) -> None:
    document = changed(f"credentialSubject/{path}", value)
    (finding,) = check_open_badge(parse_open_badge(document))
    assert (finding.code, finding.severity) == (code, Severity.ERROR)
    assert finding.path == f"$.credentialSubject.{place}"


def test_a_subject_without_any_name_is_found() -> None:
    document = changed("credentialSubject/identifier", ..., "print-als-communication")
    subject, card = check_open_badge(parse_open_badge(document))
    assert (subject.code, subject.path, card.code) == (
        "OB-1",
        "$.credentialSubject",
        "OB-2",
    )


def test_a_level_of_no_rubric_is_found_where_nothing_is_described() -> None:
    document = changed(
        "credentialSubject/result/0/achievedLevel", "urn:x:L3", "print-als-communication"
    )
    (finding,) = check_open_badge(parse_open_badge(document))
    assert (finding.code, finding.severity) == ("OB-2", Severity.ERROR)


@pytest.mark.parametrize(
    ("value", "low", "high", "found"),
    [
        ("78", "0", "100", []),
        ("100", "0", "100", []),
        ("9", "10", "100", ["found 9, want '10' to '100'"]),
        ("100.5", "0", "100", ["found 100.5, want '0' to '100'"]),
        ("-1", "0", None, ["found -1, want '0' to None"]),
        ("101", None, "100", ["found 101, want None to '100'"]),
        ("7e1", "0", "100", ["found '7e1' in '0' to '100', want plain numbers"]),
        ("A", "0", "100", ["found 'A' in '0' to '100', want plain numbers"]),
        ("3", "", "5", ["found '3' in '' to '5', want plain numbers"]),
        ("3", "1", "V", ["found '3' in '1' to 'V', want plain numbers"]),
        ("2.00", "5.00", "1.00", ["found 2.00, want '5.00' to '1.00'"]),
        ("anything", None, None, []),
    ],
)
def test_a_value_lies_in_its_range(
    value: str, low: str | None, high: str | None, found: list[str]
) -> None:
    subject = badge("green-irrigation").credential_subject
    described = replace(
        subject.achievement.result_description[0], value_min=low, value_max=high
    )
    moved = replace(
        subject,
        achievement=replace(subject.achievement, result_description=(described,)),
        result=(replace(subject.result[0], value=value),),
    )
    findings = check_open_badge(replace(complete(), credential_subject=moved))
    assert [finding.detail for finding in findings] == found
    assert {finding.code for finding in findings} <= {"OB-3"}


@pytest.mark.parametrize(
    ("until", "awarded", "places"),
    [
        ("2025-10-13T08:00:00+08:00", "2025-10-13T00:00:00Z", ["$.validUntil"]),
        ("2025-10-13T00:00:01Z", "2025-10-13T08:00:00+08:00", []),
        ("2025-10-12T00:00:00Z", "2025-10-13T00:00:01Z", ["$.validUntil", "$.awardedDate"]),
        (None, None, []),
    ],
)
def test_the_dates_are_in_order(
    until: str | None, awarded: str | None, places: list[str]
) -> None:
    dated = replace(badge("als-communication"), valid_until=until, awarded_date=awarded)
    findings = check_open_badge(dated)
    assert [(f.code, f.path) for f in findings] == [("OB-5", place) for place in places]


@pytest.mark.parametrize(("earned", "count"), [(2, 0), (2.5, 1), (3, 1), (None, 0)])
def test_more_credits_than_there_are_get_a_warning(
    earned: float | None, count: int
) -> None:
    found = badge("green-irrigation")
    subject = replace(found.credential_subject, credits_earned=earned)
    findings = check_open_badge(replace(found, credential_subject=subject))
    assert findings == count * (
        Finding(
            "OB-6",
            Severity.WARNING,
            "$.credentialSubject.creditsEarned",
            f"found {earned}, want at most the 2 that creditsAvailable offers",
        ),
    )


@pytest.mark.parametrize("name", ["als-communication", "stack-spreadsheet-entry"])
def test_no_rule_reads_anything_from_the_order_of_a_set(name: str) -> None:
    document = example(name)
    subject = document["credentialSubject"]
    subject["result"][0]["value"] = "none of them"
    before = Counter(f.code for f in check_open_badge(parse_open_badge(document)))
    subject["result"].reverse()
    subject["achievement"]["resultDescription"].reverse()
    for described in subject["achievement"]["resultDescription"]:
        described.get("rubricCriterionLevel", []).reverse()
    after = Counter(f.code for f in check_open_badge(parse_open_badge(document)))
    assert before == after
