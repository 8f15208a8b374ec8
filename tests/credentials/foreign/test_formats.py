"""What nobody here can read is named, and is never called invalid."""

from pathlib import Path
from typing import Any

import pytest

from credentials.evidence import Evidence
from credentials.foreign.formats import file_format
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Outcome, Standing
from tests.support.command_line import run
from tests.support.credentials_support import NOW, signed

JSON: dict[str, tuple[Any, str]] = {
    "blockcerts 2": (
        {
            "@context": [
                "https://w3id.org/openbadges/v2",
                "https://w3id.org/blockcerts/v2",
            ],
            "type": "Assertion",
            "badge": {},
            "signature": {"type": ["MerkleProof2017", "Extension"]},
        },
        "a Blockcerts 2 certificate",
    ),
    "open badges 2": (
        {"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "badge": "x"},
        "an Open Badges 2 assertion",
    ),
    "open attestation 3": (
        {
            "@context": ["https://www.w3.org/2018/credentials/v1"],
            "type": ["VerifiableCredential"],
            "credentialSubject": {},
            "proof": {"type": "OpenAttestationMerkleProofSignature2018"},
        },
        "an OpenAttestation document of version 3 or later",
    ),
    "enveloped": (
        {
            "@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiableCredential",
            "id": "data:application/vc+jwt,eyJ",
        },
        "a credential in an envelope",
    ),
    "jws": ({"payload": "eyJ", "signatures": []}, "a signed JWT in its JSON form"),
    "jwt payload": ({"vc": {"type": []}, "iss": "did:x:y"}, "the payload of a JWT"),
    "anoncreds": ({"schema_id": "", "cred_def_id": "", "values": {}}, "an AnonCreds"),
    "europass": (
        {"@context": "x", "type": "y", "proof": {"type": "JAdES-Baseline-B"}},
        "a credential with a JAdES seal",
    ),
    "anything": ({"hello": "world"}, "a JSON document of no known kind"),
    "nothing": ({}, "a JSON document of no known kind"),
}


@pytest.mark.parametrize("name", JSON)
def test_a_format_that_is_not_read_is_named_and_undetermined(name: str) -> None:
    document, words = JSON[name]
    report = judge(document, Evidence(), Policy(), NOW)
    assert report.outcome is report.authenticity is Outcome.UNDETERMINED
    assert report.standing is Standing.UNKNOWN
    assert {check.code for check in report.checks} == {"format-not-supported"}
    assert report.summary.startswith(f"Patunay does not read {words}")
    assert "invalid" not in str(report.to_json())


def test_an_ordinary_credential_is_no_foreign_one() -> None:
    report = judge(signed(), Evidence(), Policy(), NOW)
    assert "format-not-supported" not in {check.code for check in report.checks}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"%PDF-1.7\n", "a PDF file"),
        (b"\x89PNG\r\n\x1a\n0000", "a PNG picture, in which a badge may be baked"),
        (b"PK\x03\x04....mimetype", "a ZIP archive"),
        (b"PK\x03\x04....pass.json", "a wallet pass (pkpass)"),
        (b"eyJhbGciOiJFUzI1NiJ9.eyJ2YyI6e319.c2ln\n", "a JWT"),
        (b"eyJhbGciOiJFUzI1NiJ9.eyJ2YyI6e319.c2ln~WyJzIl0~", "an SD-JWT"),
        (b"<?xml version='1.0'?><elmo/>", "an XML file, such as an ELMO record"),
    ],
)
def test_a_file_of_another_kind_is_named(raw: bytes, words: str, tmp_path: Path) -> None:
    assert (file_format(raw) or "").startswith(words)
    file = tmp_path / "credential"
    file.write_bytes(raw)
    found = run("verify", file, "--offline")
    assert found.exit_code == 3
    assert f"found {words}" in found.stderr
    assert "(format-not-supported)" in found.stderr


def test_what_is_broken_json_stays_malformed(tmp_path: Path) -> None:
    file = tmp_path / "credential.json"
    file.write_text('{"@context": ', encoding="utf-8")
    assert run("verify", file, "--offline").exit_code == 2
    assert file_format(b'{"@context": ') is None
