"""Open Badges as values: examples, the official schema, and what is refused."""

import copy
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from credentials.jsonld.scope import UnsignedTerm
from credentials.open_badges.achievement import (
    Achievement,
    Criteria,
    parse_achievement,
)
from credentials.open_badges.badge import (
    AchievementSubject,
    OpenBadge,
    build_open_badge,
    parse_open_badge,
)
from credentials.open_badges.endorsement import (
    EndorsementSubject,
    OpenBadgeMalformed,
    Profile,
    build_endorsement,
    parse_endorsement,
    parse_profile,
)
from credentials.open_badges.vocabulary import (
    ACHIEVEMENT_TYPES,
    IDENTIFIER_TYPES,
    RESULT_TYPES,
    TARGET_TYPES,
)
from tests.support.open_badges import (
    BADGES,
    ENDORSEMENTS,
    ENGINE,
    SCHEMAS,
    badge,
    breaches,
    changed,
    complete,
    example,
    schema,
    signed,
    text,
)


def objects(value: Any) -> Iterator[Any]:
    """Yield every dataclass in a value, the value itself included."""
    if is_dataclass(value):
        yield value
        for field in fields(value):
            yield from objects(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from objects(item)


# Reading and building


@pytest.mark.parametrize("name", BADGES)
def test_every_example_badge_is_rebuilt_as_it_was(name: str) -> None:
    document = example(name)
    built = build_open_badge(parse_open_badge(document))
    assert text(built) == text(document)
    for publisher in SCHEMAS:
        assert breaches(publisher, signed(built)) == []


@pytest.mark.parametrize("name", ENDORSEMENTS)
def test_every_example_endorsement_is_rebuilt_as_it_was(name: str) -> None:
    document = example(name)
    built = build_endorsement(parse_endorsement(document))
    assert text(built) == text(document)
    for publisher in SCHEMAS:
        assert breaches(publisher, signed(built), "EndorsementCredential") == []


def test_the_complete_badge_leaves_no_field_out() -> None:
    filled = {
        (type(item).__name__, field.name)
        for item in objects(complete())
        for field in fields(item)
        if getattr(item, field.name) not in (None, (), {})
    }
    wanted = {
        (type(item).__name__, field.name)
        for item in objects(complete())
        for field in fields(item)
    }
    assert wanted - filled == set()
    assert len({name for name, _ in wanted}) == 18


@pytest.mark.parametrize("publisher", SCHEMAS)
def test_the_complete_badge_is_valid_against_the_official_schema(publisher: str) -> None:
    document = signed(build_open_badge(complete()))
    assert breaches(publisher, document) == []
    # The schema is no rubber stamp.
    document["credentialSubject"]["result"][0]["status"] = "Done"
    assert len(breaches(publisher, document)) == 1


def test_the_complete_badge_is_read_back_as_it_was_built() -> None:
    built = build_open_badge(complete())
    assert parse_open_badge(json.loads(text(built))) == complete()
    assert text(build_open_badge(parse_open_badge(built))) == text(built)


def test_every_text_of_the_complete_badge_is_signed() -> None:
    document = build_open_badge(complete())
    quads = "\n".join(" ".join(quad) for quad in ENGINE.quads(document))
    texts = set(leaves(document))
    assert len(texts) > 60
    assert {text for text in texts if text not in quads} == set()


def leaves(value: Any) -> Iterator[str]:
    """Yield every text, but for contexts and types, which are expanded."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("@context", "type"):
                yield from leaves(inner)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value


def test_only_a_badge_that_says_nothing_else_is_written_short() -> None:
    short = OpenBadge(
        id="urn:uuid:7b1c2f4e-3a5d-4c6b-8e9f-0a1b2c3d4e5f",
        issuer="did:web:school.example",
        valid_from="2026-02-06T00:00:00Z",
        credential_subject=AchievementSubject(
            id="did:web:learner.example",
            achievement=Achievement(
                id="urn:example:achievement",
                name="Map reading",
                description="Reads maps",
                criteria=Criteria(narrative="An examination"),
            ),
        ),
    )
    built = build_open_badge(short)
    assert list(built) == [
        "@context",
        "id",
        "type",
        "issuer",
        "validFrom",
        "credentialSubject",
    ]
    assert parse_open_badge(built) == short
    assert short.issuer_id == "did:web:school.example"
    assert breaches("educredentials", signed(built)) == []


def test_what_no_field_is_for_is_kept_and_given_back() -> None:
    document = changed("credentialSubject/achievement/badgeColour", {"name": "red"})
    document["evidence"] = []
    found = parse_open_badge(document)
    assert found.credential_subject.achievement.extra == {"badgeColour": {"name": "red"}}
    assert (found.extra, found.evidence) == ({"evidence": []}, ())
    assert text(build_open_badge(found)) == text(document)


def test_a_member_that_no_context_defines_is_built_and_never_signed() -> None:
    built = build_open_badge(replace(complete(), extra={"honours": "summa cum laude"}))
    with pytest.raises(UnsignedTerm, match="honours"):
        signed(built)


@pytest.mark.parametrize("extra", [{"name": "Other"}, {"proof": []}, {"description": "x"}])
def test_extra_cannot_stand_in_for_a_field_or_a_proof(extra: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="extra holds a member that has a field"):
        build_open_badge(replace(badge("als-communication"), description=None, extra=extra))


def test_reading_looks_at_no_proof_and_keeps_none() -> None:
    document = example("als-communication")
    assert parse_open_badge(signed(document)) == parse_open_badge(document)


def test_the_synonym_of_the_type_is_read_and_kept() -> None:
    document = changed("type", ["VerifiableCredential", "AchievementCredential"])
    assert text(build_open_badge(parse_open_badge(document))) == text(document)


def test_parts_are_read_by_themselves() -> None:
    document = example("als-communication")
    subject = document["credentialSubject"]
    assert parse_achievement(subject["achievement"]).name == "Life Skills: Communication"
    assert parse_profile(document["issuer"]).parent_org == Profile(
        id="did:web:deped.example",
        name="Department of Education, Bureau of Alternative Education (sample)",
    )


def test_the_vocabularies_are_those_of_the_official_schema() -> None:
    for publisher in SCHEMAS:
        found = schema(publisher)["$defs"]

        def terms(part: str, member: str, found: Any = found) -> set[str]:
            return set(found[part]["properties"][member]["oneOf"][0]["enum"])

        assert terms("Achievement", "achievementType") == ACHIEVEMENT_TYPES.terms
        assert terms("Alignment", "targetType") == TARGET_TYPES.terms
        assert terms("ResultDescription", "resultType") == RESULT_TYPES.terms
        assert terms("IdentityObject", "identityType") == IDENTIFIER_TYPES.terms
        assert terms("IdentifierEntry", "identifierType") == IDENTIFIER_TYPES.terms


def test_every_member_of_the_official_schema_has_a_field_or_a_reason() -> None:
    built = [build_open_badge(complete())]
    shown: dict[str, set[str]] = {}
    while built:
        item: Any = built.pop()
        if isinstance(item, list):
            built += item
        elif isinstance(item, dict):
            built += item.values()
            types = item.get("type", [])
            for name in [types] if isinstance(types, str) else types:
                shown.setdefault(name, set()).update(item)
    shown["Root"] = shown["OpenBadgeCredential"]
    official = schema("educredentials")
    parts = {"Root": official, **official["$defs"]}
    missing = {
        (part, member)
        for part, rules in parts.items()
        if part in shown
        for member in rules.get("properties", {})
        if member not in shown[part]
    }
    assert {member for _, member in missing} <= {"endorsementJwt", "proof"} | {
        # Of embedded endorsements, which share these with the badge.
        *("awardedDate", "credentialStatus", "refreshService", "termsOfUse", "description")
    }
    assert {
        part for part, member in missing if member in ("awardedDate", "description")
    } == {"EndorsementCredential"}


# What is refused

REFUSED = [
    ("@context/0", "https://www.w3.org/2018/credentials/v1", "$.@context[0]"),
    ("@context/1", "https://school.example/context.json", "$.@context[1]"),
    ("@context", ["https://www.w3.org/ns/credentials/v2"], "$.@context[1]"),
    ("@context/2", 3, "$.@context[2]"),
    ("id", ..., "$"),
    ("id", "101", "$.id"),
    ("type", ["VerifiableCredential"], "$.type"),
    ("type", ["OpenBadgeCredential"], "$.type"),
    ("type", "VerifiableCredential", "$.type"),
    ("name", {"en": "Communication"}, "$.name"),
    ("name", None, "$.name"),
    ("issuer", ["did:web:a.example"], "$.issuer"),
    ("issuer", "a school", "$.issuer"),
    ("issuer/id", ..., "$.issuer"),
    ("issuer/type", ..., "$.issuer"),
    ("issuer/parentOrg/parentOrg", "x", "$.issuer.parentOrg.parentOrg"),
    ("issuer/dateOfBirth", "1970-02-30", "$.issuer.dateOfBirth"),
    ("issuer/endorsement", [{"id": "urn:x:1"}], "$.issuer.endorsement[0]"),
    ("validFrom", "2025-10-13", "$.validFrom"),
    ("awardedDate", 20251013, "$.awardedDate"),
    ("credentialStatus", [], "$.credentialStatus"),
    ("evidence/0", "a record", "$.evidence[0]"),
    ("evidence", {"type": ["Evidence"]}, "$.evidence"),
    ("image", "https://school.example/badge.png", "$.image"),
    ("credentialSubject", [], "$.credentialSubject"),
    ("credentialSubject/type", [], "$.credentialSubject.type"),
    ("credentialSubject/creditsEarned", "3", "$.credentialSubject.creditsEarned"),
    ("credentialSubject/creditsEarned", True, "$.credentialSubject.creditsEarned"),
    (
        "credentialSubject/identifier/0/hashed",
        0,
        "$.credentialSubject.identifier[0].hashed",
    ),
    ("credentialSubject/identifier/0/x", "y", "$.credentialSubject.identifier[0].x"),
    (
        "credentialSubject/identifier/0/identityType",
        "ext:",
        "$.credentialSubject.identifier[0].identityType",
    ),
    ("credentialSubject/result/0/status", "Done", "$.credentialSubject.result[0].status"),
    ("credentialSubject/achievement/name", ..., "$.credentialSubject.achievement"),
    (
        "credentialSubject/achievement/inLanguage",
        "en-ph",
        "$.credentialSubject.achievement.inLanguage",
    ),
    (
        "credentialSubject/achievement/achievementType",
        "Nanodegree",
        "$.credentialSubject.achievement.achievementType",
    ),
    (
        "credentialSubject/achievement/alignment/1/targetUrl",
        "#outcome",
        "$.credentialSubject.achievement.alignment[1].targetUrl",
    ),
]


@pytest.mark.parametrize(("path", "value", "place"), REFUSED)
def test_what_is_malformed_is_refused_at_its_place(
    path: str, value: object, place: str
) -> None:
    with pytest.raises(OpenBadgeMalformed) as caught:
        parse_open_badge(changed(path, value))
    assert (caught.value.path, caught.value.code) == (place, "open-badge-malformed")
    assert (
        str(caught.value)
        == f"{place}: found {caught.value.found}, want {caught.value.want}"
    )


def test_what_is_malformed_is_not_built_either() -> None:
    with pytest.raises(OpenBadgeMalformed, match=r"\$\.validFrom: found 'yesterday'"):
        build_open_badge(replace(complete(), valid_from="yesterday"))
    with pytest.raises(OpenBadgeMalformed, match=r"\$\.credentialSubject\.id: "):
        build_endorsement(
            replace(
                parse_endorsement(example("qa-programme-endorsement")),
                credential_subject=EndorsementSubject(id="data-privacy"),
            )
        )


@pytest.mark.parametrize("name", ["endorsementJwt", "jti"])
@pytest.mark.parametrize("place", ["", "issuer/", "credentialSubject/achievement/"])
def test_terms_that_only_some_contexts_define_are_refused(place: str, name: str) -> None:
    with pytest.raises(OpenBadgeMalformed, match=f"{name}: found a term that only some"):
        parse_open_badge(changed(place + name, ["e.e.e"]))


@pytest.mark.parametrize("value", [{"@list": [{"name": "a"}]}, [{"name": "a"}]])
def test_a_list_of_objects_is_refused(value: object) -> None:
    document = changed("credentialSubject/steps", value)
    term = {"@id": "https://vocabulary.example/steps", "@container": "@list"}
    document["@context"].append({"steps": term})
    with pytest.raises(OpenBadgeMalformed, match="found a list of objects"):
        parse_open_badge(document)
    document["credentialSubject"]["steps"] = ["first", "second"]
    assert ENGINE.quads(build_open_badge(parse_open_badge(document)))


def test_a_hostile_name_fills_no_message() -> None:
    document = changed("credentialSubject/\x1b[2J" + "x" * 5000, {"jti": "1"})
    with pytest.raises(OpenBadgeMalformed) as caught:
        parse_open_badge(document)
    assert caught.value.path.endswith("x'.jti")
    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()


def test_two_levels_of_one_id_are_refused_because_their_names_could_be_exchanged() -> None:
    document = example("als-communication")
    described = document["credentialSubject"]["achievement"]["resultDescription"][0]
    levels = described["rubricCriterionLevel"]
    levels[3]["id"] = levels[2]["id"]
    exchanged = copy.deepcopy(document)
    achievement = exchanged["credentialSubject"]["achievement"]
    others = achievement["resultDescription"][0]["rubricCriterionLevel"]
    others[2]["name"], others[3]["name"] = others[3]["name"], others[2]["name"]
    assert ENGINE.quads(document) == ENGINE.quads(exchanged)
    for version in (document, exchanged):
        with pytest.raises(OpenBadgeMalformed, match="found two items with the id"):
            parse_open_badge(version)
