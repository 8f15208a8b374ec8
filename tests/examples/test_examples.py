"""The example files fit together, and what they give is an Open Badges credential."""

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from pyld import jsonld

from credentials.registrar import RegistrarFile, read_registrar_file
from credentials.template import build_credential, parse_template
from primitives.canonical_json import JsonObject
from primitives.strict_json import parse_json_object
from tests.support.standards import standards

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
RAW = (EXAMPLES / "learners.csv").read_bytes()
TEMPLATE = parse_template(
    parse_json_object((EXAMPLES / "als-life-skills-communication.json").read_bytes())
)
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0"
CONTEXT_FILES = {
    "https://www.w3.org/ns/credentials/v2": "credentials-v2.jsonld",
    f"{OPEN_BADGES}/context-3.0.3.json": "ob-v3p0-context-3.0.3.json",
    f"{OPEN_BADGES}/extensions.json": "ob-v3p0-extensions.json",
}
UNDEFINED = "urn:undefined:"


def read() -> RegistrarFile:
    return read_registrar_file(RAW, today=date(2025, 10, 1))


def credentials() -> Iterator[dict[str, Any]]:
    for row in read().rows:
        url = "https://node.example/status/2025"
        status: JsonObject = {
            "id": f"{url}#{row.number}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(row.number),
            "statusListCredential": url,
        }
        yield build_credential(
            TEMPLATE,
            row,
            credential_id=UUID(int=row.number).urn,
            issuer_did="did:web:node.example",
            issued_at=datetime(2025, 10, 13, tzinfo=UTC),
            status_entry=status,
        )


def table() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(RAW.decode())))


def test_there_is_one_file_of_each_kind() -> None:
    assert [path.name for path in EXAMPLES.glob("*.csv")] == ["learners.csv"]
    assert len(list(EXAMPLES.glob("*als*.json"))) == 1


def test_the_file_is_clean_text() -> None:
    assert not RAW.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in RAW
    assert unicodedata.is_normalized("NFC", RAW.decode())


def test_all_400_learners_of_eight_divisions_can_be_issued_without_a_finding() -> None:
    file = read()
    assert (len(file.rows), file.held, file.findings) == (400, (), ())
    divisions = Counter(row.values["division"] for row in file.rows)
    assert list(divisions.values()) == [50] * 8
    assert all(name.endswith("(sample)") for name in divisions)


def test_learner_numbers_have_twelve_digits_and_differ() -> None:
    refs = [line["learner_ref"] for line in table()]
    assert all(re.fullmatch(r"\d{12}", ref) for ref in refs)
    assert len(set(refs)) == 400


def test_names_are_as_varied_as_real_ones() -> None:
    lines = table()
    assert sum("ñ" in line["family_name"] for line in lines) >= 40
    assert sum(" " in line["family_name"] for line in lines) >= 20
    assert sum(" " in line["given_name"] for line in lines) >= 40
    assert {"Jr.", "III"} <= {line["name_suffix"] for line in lines}
    assert sum(bool(line["rating_community_3"]) for line in lines) >= 3


@pytest.mark.parametrize("copy", ["educredentials", "waltid"])
def test_every_credential_meets_the_official_schema(copy: str) -> None:
    path = standards("schemas", f"ob_v3p0_achievementcredential_schema.{copy}.json")
    schema = json.loads(path.read_bytes())
    validator = jsonschema.Draft201909Validator(schema)
    count = 0
    for credential in credentials():
        assert [error.message for error in validator.iter_errors(credential)] == []
        count += 1
    assert count == 400
    broken = {**next(credentials()), "credentialStatus": [{}]}
    assert list(validator.iter_errors(broken))


def load(url: str, _options: object) -> dict[str, Any]:
    path = standards("contexts", CONTEXT_FILES[url])
    document = json.loads(path.read_bytes())
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": document,
    }


def undefined_terms(credential: dict[str, Any]) -> set[str]:
    """Return the properties and types that no context of the credential defines."""
    fallback = {"@vocab": UNDEFINED}
    document = {**credential, "@context": [*credential["@context"], fallback]}
    expanded = json.dumps(jsonld.expand(document, {"documentLoader": load}))
    return set(re.findall(f'"{UNDEFINED}([^"]+)"', expanded))


def test_no_credential_holds_an_undefined_term() -> None:
    credential = next(credentials())
    assert undefined_terms(credential) == set()
    assert undefined_terms({**credential, "honours": "summa cum laude"}) == {"honours"}
    without = {**credential, "@context": credential["@context"][:2]}
    assert undefined_terms(without) == {"1EdTechJsonSchemaValidator2019"}


def test_every_credential_has_the_same_members_as_the_first() -> None:
    first, *others = (paths(credential) for credential in credentials())
    assert all(other == first for other in others)


def paths(value: object, at: str = "") -> set[str]:
    if isinstance(value, dict):
        return {p for key, item in value.items() for p in paths(item, f"{at}.{key}")}
    if isinstance(value, list):
        return {p for item in value for p in paths(item, f"{at}[]")}
    return {at}


def test_no_credential_shows_a_learner_number() -> None:
    for line, credential in zip(table(), credentials(), strict=True):
        text = json.dumps(credential, ensure_ascii=False)
        assert line["learner_ref"] not in text
        assert line["family_name"] in text
        assert unicodedata.is_normalized("NFC", text)
