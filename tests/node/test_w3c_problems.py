"""What the report says in the words of the W3C standards.

The expected names are written out here a second time, from the standards' own tables.
"""

from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from pkgutil import walk_packages

import pytest

import credentials.jsonld
import credentials.suites
from credentials.model import StructureInvalid
from credentials.report import Check, Result
from node.api.w3c_problems import DEFAULT, TYPES, check_problem, problem_type
from primitives.errors import PatunayError
from tests.architecture.documents import ROOT
from tests.architecture.test_docs import all_codes, codes_of_values

VCDM = {
    f"https://www.w3.org/TR/vc-data-model#{name}"
    for name in (
        "PARSING_ERROR",
        "CRYPTOGRAPHIC_SECURITY_ERROR",
        "MALFORMED_VALUE_ERROR",
        "RANGE_ERROR",
    )
}
SECURITY = {
    f"https://w3id.org/security#{name}"
    for name in (
        "PROOF_VERIFICATION_ERROR",
        "PROOF_TRANSFORMATION_ERROR",
        "INVALID_DOMAIN_ERROR",
        "INVALID_CHALLENGE_ERROR",
        "INVALID_VERIFICATION_METHOD",
        "INVALID_VERIFICATION_METHOD_URL",
        "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
        "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT",
        "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID",
    )
}
STATUS = {
    f"https://www.w3.org/ns/credentials/status-list#{name}"
    for name in (
        "STATUS_RETRIEVAL_ERROR",
        "STATUS_VERIFICATION_ERROR",
        "STATUS_LIST_LENGTH_ERROR",
    )
}

ASKED = (
    "anchoring.merkle",
    "anchoring.receipt",
    "anchoring.record",
    "anchoring.tlog_proof",
    "credentials.case",
    "credentials.checks",
    "credentials.clock_check",
    "credentials.data_integrity",
    "credentials.key_standing",
    "credentials.model",
    "credentials.presentation_checks",
    "credentials.proof_chain",
    "credentials.proof_checks",
    "credentials.related_resources",
    "credentials.status_check",
    "credentials.status_list",
    "credentials.status_timeline",
    "did.address",
    "did.document",
    "did.fetch",
    "did.history",
    "did.host",
    "did.identifier",
    "did.jwk",
    "did.key",
    "did.key_event",
    "did.multikey",
    "did.resolver",
    "did.web",
    "node.own_node",
    "primitives.canonical_json",
    "primitives.ed25519",
    "primitives.encodings",
    "primitives.instants",
    "primitives.strict_json",
)
"""What the checks call, and what looks up their evidence. The packages of contexts and
suites are added as a whole."""


def modules() -> set[str]:
    found = set(ASKED)
    for package in (credentials.jsonld, credentials.suites):
        prefix = f"{package.__name__}."
        found |= {m.name for m in walk_packages(package.__path__, prefix)}
    return found


def codes_of_checks() -> set[str]:
    """Return the code of every error that a check can stumble over."""
    found = {*StructureInvalid.CODES}
    for name in modules():
        for _, kind in getmembers(import_module(name), isclass):
            if issubclass(kind, PatunayError) and kind.__module__ == name:
                found.add(kind.code)
    return found


def test_every_code_that_a_check_can_give_has_its_w3c_name() -> None:
    assert len(codes_of_checks()) > 90
    assert sorted(codes_of_checks() - TYPES.keys()) == []
    missing = {"not-looked-up", "proof-unread", "anchor-not-shown", "status-list-not-found"}
    assert missing <= set(codes_of_values())
    assert missing <= TYPES.keys()


def test_no_code_is_listed_that_nothing_gives() -> None:
    assert sorted(TYPES.keys() - all_codes()) == []


def test_the_names_are_those_of_the_standards() -> None:
    assert set(TYPES.values()) <= VCDM | SECURITY | STATUS
    assert set(TYPES.values()) > VCDM | STATUS


@pytest.mark.parametrize(
    ("code", "check", "kind"),
    [
        ("signature-rejected", "proof", "security#PROOF_VERIFICATION_ERROR"),
        ("unsigned-term", "proof", "security#PROOF_TRANSFORMATION_ERROR"),
        (
            "presentation-challenge-mismatch",
            "challenge",
            "security#INVALID_CHALLENGE_ERROR",
        ),
        ("presentation-domain-mismatch", "domain", "security#INVALID_DOMAIN_ERROR"),
        ("type-missing", "structure", "vc-data-model#MALFORMED_VALUE_ERROR"),
        ("status-index-out-of-range", "status", "vc-data-model#RANGE_ERROR"),
        ("status-list-too-short", "status", "status-list#STATUS_LIST_LENGTH_ERROR"),
        ("revoked", "status", "status-list#STATUS_VERIFICATION_ERROR"),
        ("fetch-timeout", "status", "status-list#STATUS_RETRIEVAL_ERROR"),
        ("fetch-timeout", "proof", "security#INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
        ("verification-method-not-found", "proof", "security#INVALID_VERIFICATION_METHOD"),
    ],
)
def test_each_kind_of_finding_has_its_own_name(code: str, check: str, kind: str) -> None:
    assert problem_type(code, check).endswith(f"/{kind}")


def test_a_code_without_a_name_is_an_error_of_verification() -> None:
    assert problem_type("a-code-of-tomorrow", "proof") == DEFAULT
    assert DEFAULT == "https://w3id.org/security#PROOF_VERIFICATION_ERROR"


def test_our_own_code_stands_beside_the_standard_name() -> None:
    check = Check(
        "dates", Result.FAILED, code="expired", detail="valid until 2020", hint="ask"
    )
    assert check_problem(check) == {
        "type": "https://www.w3.org/TR/vc-data-model#RANGE_ERROR",
        "title": "expired",
        "detail": "valid until 2020",
        "code": "expired",
        "hint": "ask",
    }


def test_every_module_that_is_asked_is_there() -> None:
    files = {str(Path(*name.split("."))) for name in ASKED}
    assert [name for name in files if not (ROOT / f"{name}.py").is_file()] == []
