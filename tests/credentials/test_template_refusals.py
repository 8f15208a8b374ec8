import pytest

from credentials.template import parse_template
from credentials.template_fields import TemplateMalformed
from tests.support.als_template import changed, raw_template

LEVEL = "achievement.resultDescription.0.rubricCriterionLevel.0"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("extra", 1, r"\$\.extra: found an unknown member, want one of templateId"),
        ("policy", ..., r'\$: found no such member, want "policy"'),
        ("templateId", "ALS Life", r'\$\.templateId: found "ALS Life", want a slug'),
        ("templateId", "../x", r"\$\.templateId: found .* want a slug"),
        ("templateId", "a" * 65, r"\$\.templateId: found .* want a slug"),
        ("templateId", 7, r"\$\.templateId: found the number 7, want text"),
        ("version", "", r'\$\.version: found "", want text'),
        ("version", "2026.1", r'\$\.achievement\.version: found "2025\.1", want "2026\.1"'),
        ("issuer", "https://deped.example", r"\$\.issuer: found .* want a DID"),
        ("achievement", [], r"\$\.achievement: found an array, want an object"),
        (
            "achievement.criteria",
            ...,
            r'\$\.achievement: found no such member, want "criteria"',
        ),
        ("achievement.type", ["Thing"], r"\$\.achievement\.type: found other types"),
        (
            "achievement.name",
            "Pen\u0303a",
            r"\$\.achievement\.name: found text that is not",
        ),
        (
            "achievement.name",
            "a\u202eb",
            r"\$\.achievement\.name: found a control or invis",
        ),
        (
            f"{LEVEL}.level",
            ...,
            r'rubricCriterionLevel\[0\]: found no such member, want "level"',
        ),
        (f"{LEVEL}.level", "one", r'\[0\]\.level: found "one", want a number'),
        (f"{LEVEL}.level", "2", r"rubricCriterionLevel: found two levels of one number"),
        (f"{LEVEL}.name", "Expert", r'resultFrom: found other levels for "rating_self"'),
        (
            "achievement.resultDescription.0.requiredLevel",
            "urn:x:L9",
            r"\.requiredLevel: found urn:x:L9, want one of",
        ),
        (
            "achievement.resultDescription.1.id",
            "https://deped.example/als/lifeskills/communication#certified",
            r"\[1\]\.id: found an id that is taken",
        ),
        (
            "issuerProfile.id",
            "did:web:x",
            r"\$\.issuerProfile\.id: found an unknown member",
        ),
        (
            "subjectFrom.name",
            "{learner_ref}",
            r"\$\.subjectFrom\.name: found {learner_ref}",
        ),
        (
            "subjectFrom.name",
            "{shoe}",
            r"\$\.subjectFrom\.name: found {shoe}, want a column",
        ),
        (
            "subjectFrom.name",
            "{given_name",
            r"\$\.subjectFrom\.name: found a brace outside",
        ),
        ("subjectFrom.name", "{raters}", r"\$\.subjectFrom\.name: found {raters}"),
        ("subjectFrom.id", "learner_ref", r"\$\.subjectFrom\.id: found"),
        ("subjectFrom.activityEndDate", "email", r"\.activityEndDate: found"),
        ("evidence.narrative", "{email}", r"\$\.evidence\.narrative: found {email}"),
        ("resultFrom.0.column", "shoe", r'\$\.resultFrom\[0\]\.column: found "shoe"'),
        (
            "resultFrom.0.resultDescription",
            "urn:x",
            r'\[0\]\.resultDescription: found "urn:x"',
        ),
        (
            "resultFrom.0.combine",
            "mean",
            r'\[0\]\.combine: found "mean", want pass-through',
        ),
        ("resultFrom.0.moderateIfSpread", 2, r"\[0\]\.moderateIfSpread: found a limit"),
        ("resultFrom.2.combine", "pass-through", r"\[2\]\.column: found"),
        ("resultFrom.3.weights", ..., r"\[3\]: found the wrong sources"),
        ("resultFrom.3.weights", {}, r"\[3\]\.weights: found no weights"),
        ("resultFrom.3.weights.rating_self", 0, r"\.rating_self: found 0, want 1 to 1000"),
        (
            "resultFrom.3.weights.rating_self",
            True,
            r"\.rating_self: found true, want a whole",
        ),
        ("resultFrom.3.weights.rating_peer", 1, r'found a weight for "rating_peer"'),
        ("resultFrom.3.moderateIfSpread", 0, r"moderateIfSpread: found 0, want 1 to 99"),
        ("resultFrom.3.as", "level", r'\[3\]\.as: found "level", want achievedLevel'),
        (
            "resultFrom.1.column",
            "rating_self",
            r"\$\.resultFrom: found two rules that read",
        ),
        ("policy.statusList", ..., r'\$\.policy: found no such member, want "statusList"'),
        (
            "policy.statusPurpose",
            "message",
            r'\$\.policy\.statusPurpose: found "message", want revocation or suspension',
        ),
        ("policy.approvals.0.count", "1", r'\$\.policy\.approvals\[0\]\.count: found "1"'),
        ("policy.print", "yes", r'\$\.policy\.print: found "yes", want true or false'),
        ("policy.secret", 1, r"\$\.policy\.secret: found an unknown member"),
        ("policy.validFor", "P", r'\$\.policy\.validFor: found "P", want days'),
        ("policy.validFor", "PT5H", r'\$\.policy\.validFor: found "PT5H", want days'),
        ("policy.validFor", "P0D", r'\$\.policy\.validFor: found "P0D", want over nothing'),
        ("policy.validFor", "P101Y", r"\$\.policy\.validFor: found .* under a century"),
        ("policy.validFor", 0, r"\$\.policy\.validFor: found 0, want 1 to"),
        ("policy.validFor", True, r"\$\.policy\.validFor: found true"),
    ],
)
def test_refuses_a_template_and_names_the_place(
    path: str, value: object, reason: str
) -> None:
    with pytest.raises(TemplateMalformed, match=reason) as caught:
        parse_template(changed(path, value))
    assert caught.value.code == "template-malformed"


def test_a_pass_mark_that_would_not_be_applied_is_refused() -> None:
    value = raw_template()
    value["achievement"]["resultDescription"].append(
        {"id": "urn:x", "resultType": "Percent", "valueMax": "100", "requiredValue": "75"}
    )
    with pytest.raises(TemplateMalformed, match="pass mark without allowedValue"):
        parse_template(value)
