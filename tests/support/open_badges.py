"""Open Badges for tests: the domain's examples, and one that leaves nothing out."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonschema

from credentials.data_integrity import add_proof
from credentials.jsonld.quads import Engine
from credentials.open_badges.achievement import (
    Achievement,
    Alignment,
    Criteria,
    Related,
    ResultDescription,
    RubricCriterionLevel,
)
from credentials.open_badges.badge import (
    AchievementSubject,
    Evidence,
    IdentityObject,
    OpenBadge,
    Result,
    parse_open_badge,
)
from credentials.open_badges.endorsement import (
    Address,
    GeoCoordinates,
    IdentifierEntry,
    Profile,
    TypedReference,
)
from credentials.open_badges.resources import (
    Image,
    pin_bytes,
)
from primitives.ed25519 import SoftwareSigner
from tests.support.standards import shared, standards

BADGES = (
    "als-communication",
    "green-irrigation",
    "print-als-communication",
    "qa-provider-accreditation",
    "stack-agri-survey",
    "stack-data-privacy",
    "stack-data-quality",
    "stack-farm-data-collection",
    "stack-macro-credential",
    "stack-public-data-ethics",
    "stack-spreadsheet-entry",
    "stack-stewardship-capstone",
    "suny-health-data",
    "unesco-qualifications-passport",
)
ENDORSEMENTS = (
    "qa-programme-endorsement",
    "recognition-denied",
    "recognition-full",
    "recognition-partial",
)
SCHEMAS = ("educredentials", "waltid")
ENGINE = Engine()
SIGNER = SoftwareSigner(bytes(range(32)))
METHOD = "did:key:z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd#key"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n and the rest"


def example(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        shared("domain", "examples", f"{name}.json").read_bytes()
    )
    return found


def badge(name: str) -> OpenBadge:
    return parse_open_badge(example(name))


def schema(publisher: str) -> dict[str, Any]:
    path = standards("schemas", f"ob_v3p0_achievementcredential_schema.{publisher}.json")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def breaches(publisher: str, document: object, part: str = "") -> list[str]:
    rules = schema(publisher)
    if part:
        rules = {"$schema": rules["$schema"], "$ref": f"#/$defs/{part}", **_defs(rules)}
    validator = jsonschema.Draft201909Validator(
        rules, format_checker=jsonschema.FormatChecker()
    )
    return [
        f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)
    ]


def _defs(rules: dict[str, Any]) -> dict[str, Any]:
    return {"$defs": rules["$defs"]}


def text(document: object) -> str:
    """JSON in one spelling, in which 12, 12.0 and true differ."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False)


def signed(document: dict[str, Any]) -> dict[str, Any]:
    made = add_proof(document, SIGNER, verification_method=METHOD, created=NOW)
    proof = made["proof"]
    # The examples of endorsements have an array too.
    return {**made, "proof": proof if isinstance(proof, list) else [proof]}


def changed(path: str, value: object, name: str = "als-communication") -> dict[str, Any]:
    """Return an example with one member set, or removed by `...`."""
    document = example(name)
    *parents, last = path.split("/")
    place: Any = document
    for step in parents:
        place = place[int(step)] if step.isdecimal() else place[step]
    if value is ...:
        del place[last]
    else:
        place[int(last) if last.isdecimal() else last] = value
    return document


def complete() -> OpenBadge:
    """Return a badge in which no field of any class is left out."""
    image = Image(id="https://school.example/badge.png", caption="A tree")
    endorsement = example("qa-programme-endorsement")
    other = IdentifierEntry(identifier="300101", identifier_type="sourcedId")
    alignment = Alignment(
        target_type="ext:LearningOutcome",
        target_name="Reads maps",
        target_url="https://school.example/outcomes#1",
        target_code="O-1",
        target_framework="Outcomes",
        target_description="Reads maps of any scale",
        extra={"id": "urn:example:alignment"},
    )
    address = Address(
        address_country="Philippines",
        address_country_code="PH",
        address_region="CALABARZON",
        address_locality="Batangas",
        street_address="1 Rizal Street",
        post_office_box_number="12",
        postal_code="4200",
        geo=GeoCoordinates(
            latitude=13.75, longitude=121, extra={"id": "urn:example:point"}
        ),
        extra={"id": "urn:example:address"},
    )
    person = Profile(
        id="did:web:school.example",
        name="School",
        url="https://school.example/",
        phone="+63 43 000 0000",
        description="A school",
        endorsement=(endorsement,),
        image=image,
        email="office@school.example",
        address=address,
        other_identifier=(other,),
        official="Josefa Peña",
        parent_org=Profile(id="did:web:ministry.example"),
        family_name="Peña",
        given_name="Josefa",
        additional_name="Cruz",
        patronymic_name="Ivanovna",
        honorific_prefix="Dr.",
        honorific_suffix="PhD",
        family_name_prefix="dela",
        date_of_birth="1970-01-31",
        extra={"https://vocabulary.example/founded": "1901"},
    )
    level = RubricCriterionLevel(
        id="urn:example:level-3",
        name="Proficient",
        level="3",
        points="3",
        description="Reads any map",
        alignment=(alignment,),
        extra={"https://vocabulary.example/colour": "green"},
    )
    described = ResultDescription(
        id="urn:example:result",
        name="Level",
        result_type="RubricCriterionLevel",
        allowed_value=("1", "2", "3"),
        required_level=level.id,
        required_value="3",
        rubric_criterion_level=(level,),
        value_min="1",
        value_max="3",
        alignment=(alignment,),
        extra={"https://vocabulary.example/scale": "local"},
    )
    achievement = Achievement(
        id="urn:example:achievement",
        achievement_type="MicroCredential",
        name="Map reading",
        version="1",
        in_language="fil-PH",
        description="Reads maps",
        criteria=Criteria(
            id="https://school.example/criteria",
            narrative="An examination",
            extra={"name": "Rules"},
        ),
        creator=person,
        credits_available=3,
        field_of_study="Geography",
        human_code="GEO-1",
        specialization="Maps",
        image=image,
        alignment=(alignment,),
        result_description=(described,),
        related=(
            Related(
                id="urn:example:achievement-en",
                in_language="en",
                version="1",
                extra={"name": "In English"},
            ),
        ),
        other_identifier=(other,),
        tag=("maps", "geography"),
        endorsement=(endorsement,),
        extra={"https://vocabulary.example/hours": 40},
    )
    subject = AchievementSubject(
        id="did:web:learner.example",
        identifier=(
            IdentityObject(
                hashed=False, identity_hash="María Cruz", identity_type="name", salt="none"
            ),
        ),
        activity_start_date="2026-01-05T08:00:00+08:00",
        activity_end_date="2026-02-05T08:00:00+08:00",
        credits_earned=2.5,
        role="learner",
        term="2026-1",
        license_number="L-1",
        narrative="Reads every map",
        source=person,
        image=image,
        achievement=achievement,
        result=(
            Result(
                result_description=described.id,
                achieved_level=level.id,
                value="3",
                status="Completed",
                alignment=(alignment,),
                extra={"id": "urn:example:reached"},
            ),
        ),
        extra={"https://vocabulary.example/seat": 7},
    )
    return OpenBadge(
        id="urn:uuid:7b1c2f4e-3a5d-4c6b-8e9f-0a1b2c3d4e5f",
        name="Map reading",
        description="A micro-credential",
        issuer=person,
        valid_from="2026-02-06T00:00:00Z",
        valid_until="2036-02-06T00:00:00.5Z",
        awarded_date="2026-02-05T00:00:00Z",
        image=image,
        credential_subject=subject,
        evidence=(
            Evidence(
                id="https://school.example/evidence/1",
                name="Examination",
                genre="examination",
                narrative="Two hours",
                description="On paper",
                audience="public",
                extra={"https://vocabulary.example/pages": 4},
            ),
        ),
        endorsement=(endorsement,),
        related_resource=(
            replace(
                pin_bytes(image.id, PNG, media_type="image/png"), extra={"name": "Tree"}
            ),
        ),
        credential_status=TypedReference(
            id="https://school.example/status/1#7",
            type="BitstringStatusListEntry",
            extra={
                "statusPurpose": "revocation",
                "statusListIndex": "7",
                "statusListCredential": "https://school.example/status/1",
            },
        ),
        credential_schema=(
            TypedReference(
                id="https://school.example/schema.json",
                type="1EdTechJsonSchemaValidator2019",
            ),
        ),
        refresh_service=TypedReference(
            id="https://school.example/refresh", type="1EdTechCredentialRefresh"
        ),
        terms_of_use=(
            TypedReference(
                id="https://school.example/terms", type="https://school.example/Terms"
            ),
        ),
        extra={"https://vocabulary.example/batch": {"id": "urn:example:batch"}},
    )
