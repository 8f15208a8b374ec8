"""Blockcerts 3: what the file alone shows, and what has to be asked elsewhere."""

import copy
from pathlib import Path
from typing import Any

import base58
import cbor2
import pytest

from credentials.case import Case
from credentials.evidence import Evidence
from credentials.foreign.blockcerts import check_proof, contexts
from credentials.foreign.merkle_proof_2019 import MerkleProofMalformed
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Outcome, Report, Standing
from primitives.canonical_json import canonicalize
from primitives.strict_json import parse_json_object
from tests.interop.peers import ask
from tests.support.components import require
from tests.support.credentials_support import NOW
from tests.support.foreign import BITCOIN, blockcerts, certificate

TREE = (("right", bytes([1]) * 32), ("left", bytes([2]) * 32))

PEERS_OWN = {
    "ethereum-sepolia-v3.ts": "",
    "mocknet-vc-v2-data-integrity-proof.json": "",
    "testnet-v3-did.ts": "",
    "altered-blockcerts-v3.ts": "document-hash-mismatch",
    "testnet-v3-custom-context.ts": "unsigned-term",
}
"""Certificates in the peer's own tests. The last one gives its learner an id that is no
URL, so that no word about the learner is hashed, and anybody can change them."""


def report(document: dict[str, Any], policy: Policy | None = None) -> Report:
    written = parse_json_object(canonicalize(document), 1 << 20)
    return judge(written, Evidence(), policy or Policy(), NOW)


def codes(found: Report) -> dict[str, str]:
    return {check.name: f"{check.result.value} {check.code}" for check in found.checks}


@pytest.mark.parametrize("as_text", [True, False])
def test_each_question_has_its_own_answer(*, as_text: bool) -> None:
    found = report(blockcerts(certificate(), TREE, as_text=as_text))
    assert codes(found) == {
        "structure": "passed ",
        "proof": "passed ",
        "issuer-key": "undetermined issuer-profile-not-asked",
        "dates": "passed ",
        "status": "undetermined revocation-not-asked",
        "issuer-listed": "undetermined issuer-not-listed",
        "anchor": "undetermined transaction-not-asked",
    }
    assert found.outcome is found.authenticity is Outcome.UNDETERMINED
    assert found.standing is Standing.UNKNOWN
    assert f"transaction {BITCOIN} of Bitcoin (mainnet)" in found.check("anchor").detail
    assert found.summary == (
        "This document, a Blockcerts 3 certificate, is unchanged since it was hashed; that "
        "“https://school.example/blockcerts/issuer.json” (its own claim) issued it, "
        "and that it still holds, could not be checked here."
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("credentialSubject", "name"), "Somebody Else"),
        (("credentialSubject", "claim", "name"), "Doctor of Science"),
        (("issuer",), "https://elsewhere.example/issuer.json"),
        (("issuanceDate",), "2025-01-02T08:00:00Z"),
        (("id",), "urn:uuid:00000000-8ec1-445f-82c9-a57251dd731c"),
    ],
)
def test_a_changed_word_is_rejected_with_the_reason(
    path: tuple[str, ...], value: str
) -> None:
    changed = copy.deepcopy(blockcerts(certificate(), TREE))
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    found = report(changed)
    assert found.outcome is found.authenticity is Outcome.REJECTED
    assert found.check("proof").code == "document-hash-mismatch"
    assert "is not what was issued: found" in found.summary


def test_a_word_that_no_hash_covers_is_rejected() -> None:
    document = blockcerts(certificate(), TREE)
    found = report({**document, "honours": "summa cum laude"})
    assert found.check("proof").code == "unsigned-term"
    assert found.outcome is Outcome.REJECTED


def test_a_path_to_another_root_is_rejected() -> None:
    one, other = (blockcerts(certificate(), tree) for tree in (TREE, TREE[:1]))
    assert one["proof"]["proofValue"] != other["proof"]["proofValue"]
    wrong = blockcerts(certificate(), TREE)
    # The same hash of the document and path, with the root of the shorter tree.
    value = cbor2.loads(base58.b58decode(wrong["proof"]["proofValue"][1:]))
    short = cbor2.loads(base58.b58decode(other["proof"]["proofValue"][1:]))
    value[0] = short[0]
    wrong["proof"]["proofValue"] = "z" + base58.b58encode(cbor2.dumps(value)).decode()
    found = report(wrong)
    assert found.check("proof").code == "merkle-path-mismatch"
    assert found.outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    ("anchor", "code", "words"),
    [
        ((0, 3, BITCOIN), "no-time-evidence", "btc:testnet"),
        ((-1, -1, "00"), "no-time-evidence", "blink:mocknet:mocknet is"),
        ((1, 1, BITCOIN), "transaction-not-asked", "of Ethereum (mainnet)"),
        ((77, 5, BITCOIN), "transaction-not-asked", "of chain 77 (5)"),
    ],
)
def test_the_transaction_is_named_and_never_believed(
    anchor: tuple[int, int, str], code: str, words: str
) -> None:
    check = report(blockcerts(certificate(), anchor=anchor)).check("anchor")
    assert check.code == code
    assert words in check.detail


def test_an_expired_certificate_is_rejected_whoever_issued_it() -> None:
    document = certificate(expirationDate="2026-02-01T00:00:00Z")
    found = report(blockcerts(document))
    assert found.check("dates").code == "expired"
    assert found.outcome is Outcome.REJECTED
    assert found.authenticity is Outcome.UNDETERMINED


def as_json(**changes: Any) -> dict[str, Any]:
    """Return a certificate whose proof value is not encoded."""
    document = blockcerts(certificate(), TREE)
    value = cbor2.loads(base58.b58decode(document["proof"]["proofValue"][1:]))
    document["proof"]["proofValue"] = {
        "merkleRoot": cbor2.loads(value[0][1]),
        "targetHash": cbor2.loads(value[1][1]),
        "path": [{side: digest.hex()} for side, digest in TREE],
        "anchors": [f"blink:btc:mainnet:0x{BITCOIN}"],
        **changes,
    }
    return document


def test_a_proof_value_that_is_not_encoded_says_the_same() -> None:
    encoded, plain = report(blockcerts(certificate(), TREE)), report(as_json())
    assert codes(plain) == codes(encoded)
    assert plain.check("anchor").detail == encoded.check("anchor").detail
    swapped = report(as_json(path=[{"left": TREE[0][1].hex()}]))
    assert swapped.check("proof").code == "merkle-path-mismatch"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"merkleRoot": "00"}, "merkleRoot: want 64 hexadecimal digits"),
        ({"targetHash": None}, "targetHash: want 64 hexadecimal digits"),
        ({"path": {}}, "path: want an array of at most 64"),
        ({"path": [{"left": "00" * 32, "right": "00" * 32}]}, "want left or right alone"),
        ({"path": [{}]}, "want left or right alone"),
        ({"path": ["x"]}, "want left or right alone"),
        ({"path": [{"up": "00" * 32}]}, "path: found side 'up'"),
        ({"path": [{"left": "00"}]}, "path: want 64 hexadecimal digits"),
        ({"path": [{"left": "00" * 32}] * 65}, "path: want an array of at most 64"),
        ({"anchors": "blink:btc:mainnet:00"}, "anchors: want an array of at most 16"),
        ({"anchors": ["https://explorer.example/tx/00"]}, "anchors: want blink:CHAIN"),
        ({"anchors": {}}, "anchors: want an array of at most 16"),
        ({"anchors": [7]}, "anchors: want blink:CHAIN"),
        ({"anchors": ["blink:btc:mainnet:00"] * 17}, "anchors: want an array of at most"),
    ],
)
def test_a_proof_value_in_another_form_is_malformed(
    changes: dict[str, Any], words: str
) -> None:
    check = report(as_json(**changes)).check("proof")
    assert check.code == "merkle-proof-malformed"
    assert words in check.detail


@pytest.mark.parametrize("most", [{"path": 64}, {"anchors": 16}])
def test_a_proof_value_may_have_as_many_entries_as_it_says(most: dict[str, int]) -> None:
    ((name, count),) = most.items()
    entry: Any = {"left": "00" * 32} if name == "path" else "blink:btc:mainnet:00"
    check = report(as_json(**{name: [entry] * count})).check("proof")
    assert check.code == ("merkle-path-mismatch" if name == "path" else "")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "found no proofValue in base58btc"),
        ("zzz", "cbor-malformed: "),
        ("z0", "encoding-malformed: "),
        ("u1234", "found no proofValue in base58btc"),
        ("z" + "1" * 20_000, "encoding-malformed: found 20000"),
        (7, "found no proofValue in base58btc"),
        (None, "found no proofValue in base58btc"),
        ("zAXj", "cbor-malformed: found an indefinite length"),
        ("z5Q", "cbor-malformed: found an indefinite length"),
    ],
)
def test_what_is_no_merkle_proof_is_malformed(value: Any, words: str) -> None:
    document = blockcerts(certificate())
    document["proof"]["proofValue"] = value
    check = report(document).check("proof")
    assert check.code == "merkle-proof-malformed"
    assert words in check.detail


HASH = cbor2.dumps("ab" * 32)
BTC = [[0, 0], [1, 1], [2, cbor2.dumps("0xab")]]
"""An anchor on Bitcoin's main network."""


def encoded(**changes: Any) -> dict[str, Any]:
    """Return a certificate with a proof value of other members."""
    members = {"root": HASH, "target": HASH, "anchors": [BTC], "path": [], **changes}
    value = [[number, member] for number, member in enumerate(members.values())]
    return proven_by(value)


def proven_by(value: Any) -> dict[str, Any]:
    document = blockcerts(certificate())
    document["proof"]["proofValue"] = "z" + base58.b58encode(cbor2.dumps(value)).decode()
    return document


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"root": 7}, "merkleRoot: found neither bytes nor hexadecimal digits"),
        ({"root": cbor2.dumps(7)}, "merkleRoot: found neither bytes nor"),
        ({"root": cbor2.dumps("xy" * 32)}, "merkleRoot: found neither bytes nor"),
        ({"target": cbor2.dumps("ab")}, "targetHash: found 1 bytes, want 32"),
        ({"anchors": 7}, "anchors: want an array of at most 16"),
        ({"anchors": [BTC] * 17}, "anchors: want an array of at most 16"),
        ({"anchors": [7]}, "anchors: want an array of at most 4"),
        ({"anchors": [[*BTC, [3, 0], [4, 0]]]}, "anchors: want an array of at most 4"),
        ({"anchors": [[[0, 0], [0, 1]]]}, "anchors: found one member twice"),
        ({"anchors": [[[0, 0], [1]]]}, "anchors: found no pair of a number and a value"),
        ({"anchors": [[["x", 0]]]}, "anchors: found no pair of a number and a value"),
        ({"anchors": [[[0, 0]]]}, "anchors: found no chain and network"),
        ({"anchors": [[[0, "btc"], [1, 1]]]}, "anchors: found no chain and network"),
        ({"anchors": [[[0, b"0"], [1, 1]]]}, "anchors: found no chain and network"),
        ({"anchors": [[[0, 0], [2, 1]]]}, "anchors: found no chain and network"),
        ({"path": HASH}, "path: want an array of at most 64"),
        ({"path": [[0, HASH]] * 65}, "path: want an array of at most 64"),
        ({"path": [[2, HASH]]}, "path: found side 2, want 0 or 1"),
        ({"path": [[0]]}, "path: found no pair of a number and a value"),
        ({"path": [[1, cbor2.dumps(b"ab")]]}, "path: found 2 bytes, want 32"),
    ],
)
def test_an_encoded_proof_value_in_another_form_is_malformed(
    changes: dict[str, Any], words: str
) -> None:
    check = report(encoded(**changes)).check("proof")
    assert check.code == "merkle-proof-malformed"
    assert words in check.detail


def test_an_encoded_proof_value_without_a_fault_is_read() -> None:
    assert report(encoded()).check("proof").code == "document-hash-mismatch"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([[0, HASH], [1, HASH], [2, []]], "found the members [0, 1, 2], want 0 to 3"),
        ([[4, 0], [0, HASH], [1, HASH], [2, []]], "found the members [0, 1, 2, 4]"),
        ([[0, HASH], [0, HASH], [2, []], [3, []]], "the proof: found one member twice"),
        ([[0, HASH]] * 5, "the proof: want an array of at most 4"),
        ("text", "the proof: want an array of at most 4"),
    ],
)
def test_a_proof_value_of_other_members_is_malformed(value: Any, words: str) -> None:
    check = report(proven_by(value)).check("proof")
    assert check.code == "merkle-proof-malformed"
    assert words in check.detail


def test_a_certificate_whose_proof_names_no_transaction_says_so() -> None:
    check = report(encoded(anchors=[])).check("anchor")
    assert (check.code, check.detail) == (
        "anchor-not-shown",
        "the proof names no transaction",
    )


def test_the_check_of_the_proof_wants_one() -> None:
    document = blockcerts(certificate())
    case = Case({**document, "proof": []}, Evidence(), Policy(), NOW)
    with pytest.raises(MerkleProofMalformed, match=r"^found no MerkleProof2019$"):
        check_proof(case)


def test_a_merkle_proof_of_another_system_is_not_supported() -> None:
    document = blockcerts(certificate())
    document["type"] = ["VerifiableCredential"]
    assert report(document).check("proof").code == "format-not-supported"


def test_the_contexts_are_those_that_the_peer_ships() -> None:
    schemas = require("npm-peers") / "@blockcerts" / "schemas" / "schemas"
    held = contexts()
    for version in ("3.0", "3.1", "3.2"):
        (file,) = schemas.glob(f"{version}/context.json")
        url = f"https://w3id.org/blockcerts/schema/{version}/context.json"
        assert parse_json_object(file.read_bytes())["@context"] == held[url]


def test_the_peers_own_certificates_have_the_hashes_that_they_name(tmp_path: Path) -> None:
    asked = [{"fixture": name} for name in PEERS_OWN]
    found = ask("blockcerts", asked, documents={}, folder=tmp_path)
    results = [report(each["document"]).check("proof").code for each in found]
    assert dict(zip(PEERS_OWN, results, strict=True)) == PEERS_OWN


def test_the_peer_takes_our_certificates_to_have_the_same_hash(tmp_path: Path) -> None:
    document = blockcerts(certificate(), TREE)
    bare = {name: value for name, value in document.items() if name != "proof"}
    (answer,) = ask("blockcerts", [{"document": bare}], documents={}, folder=tmp_path)
    value = cbor2.loads(base58.b58decode(document["proof"]["proofValue"][1:]))
    assert cbor2.loads(value[1][1]) == answer["hash"]
