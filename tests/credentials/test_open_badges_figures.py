"""The domain's examples keep their figures."""

from collections import Counter

from credentials.open_badges.endorsement import parse_endorsement
from tests.support.open_badges import BADGES, badge, example


def test_the_als_credential_says_what_was_rated() -> None:
    found = badge("als-communication")
    subject, achievement = found.credential_subject, found.credential_subject.achievement
    (identity,) = subject.identifier
    assert identity.identity_hash == "Josefina Peñaflor Catacutan"
    levels = {
        level.level: level.name
        for described in achievement.result_description
        for level in described.rubric_criterion_level
    }
    assert levels == {
        "1": "Emerging",
        "2": "Developing",
        "3": "Proficient",
        "4": "Advanced",
    }
    names = {item.id: item.name for item in achievement.result_description}
    assert {names[r.result_description or ""]: r.value for r in subject.result} == {
        "Certified level": "Proficient",
        "Self-rating": "Developing",
        "Teacher rating": "Proficient",
        "Community rating (median of 2 raters)": "Proficient",
    }
    workload = [a for a in achievement.alignment if a.target_type == "ext:NotionalWorkload"]
    assert [a.target_code for a in workload] == ["PT40H"]
    assert "Spread: 1 level" in (found.evidence[0].narrative or "")
    assert found.credential_status is not None
    assert found.credential_status.extra["statusListIndex"] == "4021"


def test_the_stack_adds_up_to_twelve_units() -> None:
    parts = [badge(n) for n in BADGES if n.startswith("stack-") and "macro" not in n]
    earned = {p.id[-3:]: p.credential_subject.credits_earned for p in parts}
    macro = badge("stack-macro-credential")
    used = [(item.id or "")[-3:] for item in macro.evidence]
    assert sorted(used) == ["201", "202", "204", "206", "207"]
    assert sum(earned[number] or 0 for number in used) == 12
    assert macro.credential_subject.credits_earned == 12
    assert macro.credential_subject.result[0].status == "Completed"
    people = {i.identity_hash for p in parts for i in p.credential_subject.identifier}
    assert people == {"Maria Niña Dela Peña-Ybañez"}


def test_the_other_examples_keep_their_figures() -> None:
    green = badge("green-irrigation").credential_subject
    assert [r.value for r in green.result] == ["78"]
    assert {r.in_language for r in green.achievement.related} == {"kk", "ru"}
    passport = badge("unesco-qualifications-passport")
    values = Counter(r.value for r in passport.credential_subject.result)
    assert values == {"well substantiated": 3, "plausible": 2}
    assert {e.genre for e in passport.evidence} == {
        *("self-declaration", "partial document", "interview")
    }
    quality = badge("qa-provider-accreditation").credential_subject
    assert (quality.id, quality.result[0].value) == ("did:web:upou.example", "accredited")
    assert quality.achievement.achievement_type == "QualityAssuranceCredential"
    (senate,) = map(parse_endorsement, badge("suny-health-data").endorsement)
    assert senate.issuer_id == "did:web:suny-campus-senate.example"
    assert senate.credential_subject.id == "https://suny-campus.example/mc/health-data"


def test_the_endorsements_keep_their_figures() -> None:
    programme = parse_endorsement(example("qa-programme-endorsement"))
    assert programme.credential_subject.id == "https://upou.example/mc/data-privacy"
    assert "QA-2026-014" in (programme.credential_subject.endorsement_comment or "")
    partial = parse_endorsement(example("recognition-partial"))
    assert partial.credential_subject.extra["decision"] == "partial"
    assert partial.credential_subject.extra["caseNumber"] == "2026/01302"
    (pin,) = partial.related_resource
    assert pin.id == partial.credential_subject.id == badge("stack-macro-credential").id
