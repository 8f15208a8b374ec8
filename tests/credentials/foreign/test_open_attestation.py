"""OpenAttestation 2.0: each field is one that was hashed; the rest is asked elsewhere."""

import copy
from pathlib import Path
from typing import Any

import pytest

from credentials.evidence import Evidence
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Outcome, Report
from primitives.canonical_json import canonicalize
from primitives.strict_json import parse_json_object
from tests.interop.peers import ask
from tests.support.credentials_support import NOW
from tests.support.foreign import STORE, diploma, open_attestation

TREE = (bytes([9]) * 32, bytes([200]) * 32)


def report(document: dict[str, Any]) -> Report:
    return judge(parse_json_object(canonicalize(document)), Evidence(), Policy(), NOW)


def test_each_question_has_its_own_answer() -> None:
    found = report(open_attestation(diploma(), TREE, hidden=["name"]))
    assert {c.name: f"{c.result.value} {c.code}" for c in found.checks} == {
        "structure": "passed ",
        "proof": "passed ",
        "issuer-key": "undetermined dns-not-asked",
        "dates": "not-applicable ",
        "status": "undetermined store-not-asked",
        "issuer-listed": "undetermined issuer-not-listed",
        "anchor": "undetermined store-not-asked",
    }
    assert found.outcome is Outcome.UNDETERMINED
    assert "DNS-TXT school.example" in found.check("issuer-key").detail
    assert STORE in found.check("anchor").detail
    assert found.check("structure").detail.endswith("1 fields were taken out")
    assert "that “Kolehiyo ng Ñuñoa” (its own claim) issued it" in found.summary


def test_a_document_says_its_name_as_its_own_claim() -> None:
    found = report(open_attestation(diploma()))
    assert found.summary.startswith(
        "“Bachelor of Science”, an OpenAttestation 2.0 document"
    )


@pytest.mark.parametrize("name", ["name", "recipient", "grades", "empty", "issuers"])
def test_a_field_that_is_changed_or_gone_is_rejected(name: str) -> None:
    whole = open_attestation(diploma(), TREE)
    for change in ("gone", "00000000-0000-4000-8000-000000000001:string:x"):
        document = copy.deepcopy(whole)
        if change == "gone":
            del document["data"][name]
        else:
            document["data"][name] = change
        found = report(document)
        assert found.check("proof").code == "document-hash-mismatch"
        assert found.outcome is Outcome.REJECTED


def test_a_field_that_is_added_is_rejected() -> None:
    document = open_attestation(diploma(), TREE)
    document["data"]["honours"] = "00000000-0000-4000-8000-000000000001:string:magna"
    assert report(document).check("proof").code == "document-hash-mismatch"


def test_two_fields_of_one_path_are_refused() -> None:
    document = open_attestation({**diploma(), "recipient.name": "Somebody Else"})
    assert report(document).check("proof").code == "open-attestation-malformed"


def test_a_path_to_another_root_is_rejected() -> None:
    document = open_attestation(diploma(), TREE)
    document["signature"]["proof"].reverse()
    assert report(document).check("proof").code == "merkle-path-mismatch"


def signature(**changes: Any) -> dict[str, Any]:
    return {"signature": {**open_attestation(diploma())["signature"], **changes}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": []}, "data: found list, want an object"),
        ({"privacy": 7}, "privacy: found int, want an object"),
        ({"privacy": {"obfuscatedData": ["x"]}}, "obfuscatedData: want 64 hexadecimal"),
        ({"privacy": {"obfuscatedData": "x"}}, "obfuscatedData: want an array of at most"),
        (
            {"privacy": {"obfuscatedData": {"ab" * 32: 0}}},
            "obfuscatedData: want an array of at most 10000",
        ),
        ({"signature": {"type": "SHA3MerkleProof"}}, "targetHash: want 64 hexadecimal"),
        (signature(merkleRoot=None), "merkleRoot: want 64 hexadecimal digits"),
        (signature(proof=7), "proof: want an array of at most 64"),
        (signature(proof=["ab" * 32] * 65), "proof: want an array of at most 64"),
    ],
)
def test_what_has_not_the_form_is_malformed(change: dict[str, Any], words: str) -> None:
    check = report({**open_attestation(diploma()), **change}).check("structure")
    assert check.code == "open-attestation-malformed"
    assert words in check.detail


def test_a_path_may_have_64_steps() -> None:
    document = {**open_attestation(diploma()), **signature(proof=["ab" * 32] * 64)}
    found = report(document)
    assert found.check("structure").code == ""
    assert found.check("proof").code == "merkle-path-mismatch"


def test_a_document_of_no_issuer_asks_nobody() -> None:
    found = report(open_attestation({"name": "Nobody's", "issuers": []}))
    assert found.check("anchor").code == "anchor-not-shown"
    assert found.outcome is Outcome.UNDETERMINED


def test_the_peer_and_we_agree_on_each_others_documents(tmp_path: Path) -> None:
    ours = open_attestation(diploma(), TREE, hidden=["name"])
    changed = copy.deepcopy(ours)
    changed["data"]["recipient"]["name"] += "!"
    others = [{**diploma(), "name": f"Another {n}"} for n in range(4)]
    hide: list[list[str]] = [["name", "grades.0.mark"], [], [], [], []]
    questions: list[dict[str, Any]] = [
        {"verify": ours},
        {"verify": changed},
        {"wrap": [diploma(), *others], "hide": hide},
    ]
    folder = tmp_path / "peer"
    folder.mkdir()
    good, bad, made = ask("open_attestation", questions, documents={}, folder=folder)
    assert (good["verified"], bad["verified"]) == (True, False)
    assert len(made["wrapped"]) == 5
    for document in made["wrapped"]:
        found = report(document)
        assert found.check("proof").code == ""
        assert found.outcome is Outcome.UNDETERMINED
