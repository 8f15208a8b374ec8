"""`patunay presentation sign`, and what `patunay verify` says to it."""

import json
from pathlib import Path

import pytest

from did.key_pair import KeyPairMalformed, parse_key_pair
from did.multikey import encode_multikey
from node.home import Home
from tests.support.command_line import assert_refused, run, run_json
from tests.support.standards import standards

# keyPair1 of the W3C's vectors for proof chains, under the names of CID 1.0.
VECTORS = "vc-di-eddsa/TestVectors/proof-set-chain/multiKeyPairs.json"
HOLDER = "did:key:z6MktgKTsu1QhX6QPbyqG6geXdw6FQCZBPq7uQpieWbiQiG7"


def pair(name: str = "keyPair1") -> dict[str, str]:
    found = json.loads(standards(VECTORS).read_bytes())[name]
    return {
        "publicKeyMultibase": found["publicKeyMultibase"],
        "secretKeyMultibase": found["privateKeyMultibase"],
    }


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "holder.json"
    file.write_text(json.dumps(pair()), encoding="utf-8")
    file.chmod(0o600)
    return file


def test_what_a_holder_signs_verifies_with_its_challenge_and_domain(
    shared_home: Home, credential: Path, key_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "presentation.json"
    asked = ("--challenge", "3q2-7w", "--domain", "hr.example")
    arguments = ("presentation", "sign", credential, "--key-file", key_file)
    made = run(*arguments, *asked, "-o", file, passphrase=None)
    assert (made.exit_code, made.stdout) == (0, "")
    presentation = json.loads(file.read_bytes())
    assert presentation["holder"] == HOLDER
    report = run_json("verify", file, *asked, "--offline", home=shared_home.root)
    assert (report["outcome"], report["holder"]) == ("valid", HOLDER)
    assert [one["report"]["outcome"] for one in report["credentials"]] == ["valid"]
    other = ("--challenge", "another", "--domain", "hr.example")
    again = run("verify", file, *other, "--offline", home=shared_home.root)
    assert again.exit_code == 1
    presentation["verifiableCredential"].append(presentation["verifiableCredential"][0])
    file.write_text(json.dumps(presentation), encoding="utf-8")
    changed = run("verify", file, *asked, "--offline", home=shared_home.root)
    assert changed.exit_code == 1


def test_an_issuer_of_the_node_can_be_the_holder(
    shared_home: Home, credential: Path, tmp_path: Path
) -> None:
    file = tmp_path / "presentation.json"
    arguments = ("presentation", "sign", credential, "--issuer", "main")
    made = run_json(*arguments, home=shared_home.root)
    assert made["holder"] == "did:web:localhost%3A8460"
    file.write_text(json.dumps(made), encoding="utf-8")
    report = run_json("verify", file, "--offline", home=shared_home.root)
    assert report["outcome"] == "valid"


def test_a_key_file_that_others_can_read_is_refused(
    credential: Path, key_file: Path
) -> None:
    key_file.chmod(0o644)
    result = run("presentation", "sign", credential, "--key-file", key_file)
    assert_refused(result, "key-file-open", exit_code=4)


def test_one_holder_is_named(credential: Path, key_file: Path) -> None:
    result = run("presentation", "sign", credential)
    assert_refused(result, "usage", exit_code=2)
    both = ("--key-file", key_file, "--issuer", "main")
    result = run("presentation", "sign", credential, *both)
    assert_refused(result, "usage", exit_code=2)
    result = run("presentation", "sign", credential, "--issuer", "main")
    assert_refused(result, "usage", exit_code=2)


def test_a_key_pair_is_read_as_the_vectors_have_it() -> None:
    signer = parse_key_pair({**pair()})
    assert encode_multikey(signer.public_key) == HOLDER.removeprefix("did:key:")
    for name in ("keyPair1", "keyPair2", "keyPair3"):
        parse_key_pair({**pair(name)})


@pytest.mark.parametrize(
    "changes",
    [
        {"secretKeyMultibase": None},
        {"secretKeyMultibase": "z"},
        {"secretKeyMultibase": "z" + "1" * 200},
        {"secretKeyMultibase": "z0OIl"},
        {"secretKeyMultibase": "u3u2W4YnTstS1nSSBAgZcYSJF43JuZ9uLV6bF38B1Bf8NugW"},
        {"secretKeyMultibase": pair()["publicKeyMultibase"]},
        {"secretKeyMultibase": pair()["secretKeyMultibase"][:-2]},
        {"publicKeyMultibase": pair("keyPair2")["publicKeyMultibase"]},
        {"publicKeyMultibase": None},
    ],
)
def test_what_is_no_key_pair_is_refused_and_not_shown(changes: dict[str, str]) -> None:
    with pytest.raises(KeyPairMalformed) as caught:
        parse_key_pair({**pair(), **changes})
    assert pair()["secretKeyMultibase"][4:12] not in str(caught.value)
