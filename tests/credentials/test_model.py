from typing import Any

import pytest

from credentials.jsonld.loader import (
    DATA_INTEGRITY_V2,
    OB_V3,
    STATUS_V1,
    VC_V1,
    VC_V2,
)
from credentials.model import StructureInvalid, parse_credential, with_issuing_contexts
from primitives.instants import parse_instant
from tests.support.credentials_support import ISSUER, unsigned


def test_reads_what_the_checks_need() -> None:
    credential = parse_credential(unsigned())
    assert credential.id == "urn:uuid:6f2b1d1c-7f0e-4f0a-9d3a-5b7f2c1e8a90"
    assert credential.types == ("VerifiableCredential",)
    assert (credential.issuer, credential.issuer_name) == (ISSUER, "Example School")
    assert credential.name == "Farm Data Collection"
    assert credential.valid_from == parse_instant("2026-01-01T00:00:00Z")
    assert credential.valid_until == parse_instant("2030-01-01T00:00:00Z")
    assert [entry.type for entry in credential.statuses] == ["BitstringStatusListEntry"]


def test_needs_no_more_than_the_data_model() -> None:
    credential = parse_credential(
        {
            "@context": VC_V2,
            "type": "VerifiableCredential",
            "issuer": ISSUER,
            "credentialSubject": [{"name": "x"}, {"name": "y"}],
        }
    )
    assert credential.id is None
    assert (credential.issuer_name, credential.name) == (None, None)
    assert (credential.valid_from, credential.valid_until) == (None, None)
    assert credential.statuses == ()


def version_1(**changes: Any) -> dict[str, Any]:
    return unsigned(
        **{"@context": [VC_V1], "issuanceDate": "2026-01-01T00:00:00Z"}
        | {"expirationDate": "2027-01-01T00:00:00Z"}
        | changes
    )


def test_version_1_names_the_period_otherwise() -> None:
    credential = parse_credential(version_1())
    assert credential.valid_until == parse_instant("2027-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (unsigned(name=["Zeta", {"@value": "Alpha", "@language": "en"}]), "Alpha"),
        (unsigned(name={"@value": "X", "@direction": "rtl"}), "X"),
        (unsigned(name=..., credentialSubject={"achievement": {"name": "A"}}), "A"),
        (unsigned(name=..., credentialSubject=[{"achievement": {"name": "A"}}]), "A"),
        # Whichever subject were the first, it could be swapped for the other.
        (
            unsigned(
                name=..., credentialSubject=[{"achievement": {"name": n}} for n in "AB"]
            ),
            None,
        ),
        (unsigned(name=[]), None),
    ],
)
def test_the_name_does_not_depend_on_an_order(document: Any, name: str | None) -> None:
    assert parse_credential(document).name == name


DATES = ["2026-11-22", "2026-11-22T08:00:00", "10000-01-01T00:00:00Z", "", 1, [], {}]
DATES += ["2026-11-22T08:00:60Z", "2026-11-22T08:00:00+25:00", "0000-01-01T00:00:00Z"]
DATES += ["2026-11-22t08:00:00z", "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z"]

ANY: dict[str, list[Any]] = {
    "@context": [..., None, [], "", 1, {}, OB_V3],
    "type": [..., None, [], "Degree", {}, 1],
    "issuer": [..., None, 1, "", [], ["did:example:x"], {}, {"id": 1}, {"@id": "urn:x"}],
    "credentialSubject": [..., None, [], {}, "x", [1]],
    "id": ["x", "", 1, ["urn:x"], {}, "javascript:alert(1)", "urn:a b", "file:/x"],
    "name": [1, {}, {"@value": 1}, {"@value": "x", "x": "y"}, [["x"]], {"en": "x"}],
    "credentialStatus": ["x", {}, [1], {"type": 1}, {"type": ["X"]}, [[{"type": "X"}]]],
}

BROKEN: list[tuple[dict[str, Any], str]] = [
    *(({"@context": v}, "context-missing") for v in ANY["@context"]),
    ({"@context": [OB_V3, VC_V2]}, "context-missing"),
    ({"@context": [{}, VC_V2]}, "context-missing"),
    *(({"type": v}, "type-missing") for v in ANY["type"]),
    ({"type": ["VerifiableCredential", ""]}, "type-missing"),
    ({"type": ["VerifiableCredential", 1]}, "type-missing"),
    *(({"id": v}, "id-malformed") for v in ANY["id"]),
    *(({"issuer": v}, "issuer-malformed") for v in ANY["issuer"]),
    ({"issuer": "https://school.example/a b"}, "issuer-malformed"),
    ({"issuer": {"id": "javascript:alert(1)"}}, "issuer-malformed"),
    ({"issuer": {"id": ISSUER, "name": 1}}, "text-malformed"),
    *(({"credentialSubject": v}, "subject-missing") for v in ANY["credentialSubject"]),
    ({"credentialSubject": [{"name": "x"}, {}]}, "subject-missing"),
    ({"credentialSubject": {"id": "x"}}, "id-malformed"),
    *(({"name": v}, "text-malformed") for v in ANY["name"]),
    ({"description": 1}, "text-malformed"),
    *(({"validFrom": date}, "datetime-malformed") for date in DATES),
    *(({"validUntil": date}, "datetime-malformed") for date in DATES),
    ({"validUntil": "2025-12-31T23:59:59Z"}, "period-invalid"),
    *(({"credentialStatus": v}, "status-malformed") for v in ANY["credentialStatus"]),
    ({"credentialStatus": {"type": "X", "id": "x"}}, "id-malformed"),
    ({"credentialStatus": [{"type": "X", "id": "urn:x"}] * 2}, "status-malformed"),
    ({"credentialSchema": {"type": "JsonSchema"}}, "id-malformed"),
    ({"credentialSchema": {"id": "urn:x"}}, "typed-object-malformed"),
    ({"evidence": {"id": "urn:x"}}, "typed-object-malformed"),
    ({"evidence": ["x"]}, "typed-object-malformed"),
    ({"evidence": {"type": 1}}, "typed-object-malformed"),
    ({"evidence": {"type": []}}, "typed-object-malformed"),
    ({"termsOfUse": {"type": ["X", ""]}}, "typed-object-malformed"),
    ({"termsOfUse": {}}, "typed-object-malformed"),
    ({"refreshService": {"type": "X", "id": "x"}}, "id-malformed"),
    ({"relatedResource": {"id": "urn:x"}}, "related-resource-malformed"),
    (
        {"relatedResource": {"id": VC_V2, "digestSRI": f"sha256-{'A' * 43}="}},
        "related-resource-mismatch",
    ),
]


@pytest.mark.parametrize(("change", "code"), BROKEN)
def test_each_rule_has_its_code(change: dict[str, Any], code: str) -> None:
    with pytest.raises(StructureInvalid) as e:
        parse_credential(unsigned(**change))
    assert e.value.code == code


def test_every_code_is_tested() -> None:
    assert {code for _, code in BROKEN} == set(StructureInvalid.CODES)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issuanceDate": ...}, "datetime-malformed"),
        ({"issuanceDate": "x"}, "datetime-malformed"),
        ({"expirationDate": "x"}, "datetime-malformed"),
        ({"expirationDate": "2025-01-01T00:00:00Z"}, "period-invalid"),
    ],
)
def test_the_rules_of_version_1(change: dict[str, Any], code: str) -> None:
    document = {k: v for k, v in version_1(**change).items() if v is not ...}
    with pytest.raises(StructureInvalid) as e:
        parse_credential(document)
    assert e.value.code == code


@pytest.mark.parametrize(
    ("contexts", "wanted"),
    [
        ([VC_V2], [VC_V2]),
        (VC_V2, VC_V2),
        ([VC_V1], [VC_V1, STATUS_V1, DATA_INTEGRITY_V2]),
        (VC_V1, [VC_V1, STATUS_V1, DATA_INTEGRITY_V2]),
        ([VC_V1, OB_V3], [VC_V1, OB_V3, STATUS_V1, DATA_INTEGRITY_V2]),
        ([VC_V1, DATA_INTEGRITY_V2], [VC_V1, DATA_INTEGRITY_V2, STATUS_V1]),
        ([VC_V2, VC_V1], [VC_V2, VC_V1]),
        ([], []),
    ],
)
def test_version_1_gets_the_contexts_that_issuing_needs(contexts: Any, wanted: Any) -> None:
    document = version_1(**{"@context": contexts})
    made = with_issuing_contexts(document)
    assert made["@context"] == wanted
    assert {**made, "@context": contexts} == document
