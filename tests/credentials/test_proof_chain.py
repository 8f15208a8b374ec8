"""Proof sets and chains, against the figures of the standard's own test vectors."""

import json
from itertools import permutations
from typing import Any

import pytest

from credentials.data_integrity import (
    PROOF_TYPE,
    Proof,
    make_proof,
    parse_proofs,
    verify_proof,
)
from credentials.jsonld.quads import Engine
from credentials.judge import judge
from credentials.proof_chain import (
    ProofChainBroken,
    ancestors,
    previous_ids,
    signed_document,
)
from credentials.report import Check, Result
from credentials.suites.eddsa_rdfc_2022 import hash_data
from did.multikey import decode_multikey
from primitives.canonical_json import Json, JsonObject
from primitives.ed25519 import SignatureRejected, SoftwareSigner
from primitives.encodings import decode_base58btc
from tests.support.credentials_support import (
    METHOD,
    NOW,
    SIGNER,
    evidence,
    policy,
    unsigned,
)
from tests.support.standards import standards


def vector(name: str) -> Any:
    folder = standards("vc-di-eddsa") / "TestVectors" / "proof-set-chain"
    return json.loads((folder / f"{name}.json").read_text())


def verify_all(document: JsonObject) -> int:
    """Verify each proof under the did:key that it names; return how many there are."""
    proofs = parse_proofs(document)
    for proof in proofs:
        if not isinstance(proof, Proof):
            raise proof
        multibase = proof.verification_method.rpartition("#")[2]
        verify_proof(document, proof, decode_multikey(multibase))
    return len(proofs)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("signedProofSet1", 1),
        ("signedProofSet2", 2),
        ("signedProofChain1", 3),
        ("signedProofChain2", 4),
    ],
)
def test_verifies_the_official_sets_and_chains(name: str, count: int) -> None:
    assert verify_all(vector(name)) == count


@pytest.mark.parametrize(
    ("config", "previous", "key"),
    [
        ("proofSetConfig1", None, "keyPair1"),
        ("proofSetConfig2", None, "keyPair2"),
        ("proofChainConfig1", "proofChainTempDoc1", "keyPair3"),
        ("proofChainConfig2", "proofChainTempDoc2", "keyPair4"),
    ],
)
def test_makes_the_official_proofs_to_the_byte(
    config: str, previous: str | None, key: str
) -> None:
    private = vector("multiKeyPairs")[key]["privateKeyMultibase"]
    signer = SoftwareSigner(decode_base58btc(private[1:])[2:])
    document = vector(previous or "unsigned")
    made = make_proof(document, signer, vector(config))
    assert made == vector(config.replace("Config", "ConfigSigned"))


@pytest.mark.parametrize("step", ["1", "2"])
def test_a_chained_proof_signs_the_documents_of_the_vectors(step: str) -> None:
    entry = vector(f"proofChainConfigSigned{step}")
    found = signed_document(vector("signedProofChain2"), previous_ids(entry))
    assert found == vector(f"proofChainTempDoc{step}")
    bare = {k: v for k, v in entry.items() if k != "proofValue"}
    assert hash_data(found, bare, Engine()) == hash_data(
        vector(f"proofChainTempDoc{step}"), bare, Engine()
    )


def test_the_official_chain_holds_in_every_order() -> None:
    document = vector("signedProofChain2")
    for proofs in permutations(document["proof"]):
        assert verify_all({**document, "proof": list(proofs)}) == 4


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_chain_without_one_of_its_links_is_broken(gone: int) -> None:
    document = vector("signedProofChain2")
    del document["proof"][gone]
    with pytest.raises(ProofChainBroken, match="found 0 proofs with the id"):
        verify_all(document)


def test_a_link_that_was_changed_spoils_what_builds_on_it() -> None:
    document = vector("signedProofChain2")
    document["proof"][0]["created"] = "2023-02-24T23:36:39Z"
    proofs = parse_proofs(document)
    assert isinstance(proofs[2], Proof)
    key = decode_multikey(proofs[2].verification_method.rpartition("#")[2])
    with pytest.raises(SignatureRejected):
        verify_proof(document, proofs[2], key)


def test_a_chained_proof_does_not_stand_alone() -> None:
    document = vector("signedProofChain2")
    last = {k: v for k, v in document["proof"][3].items() if k != "previousProof"}
    with pytest.raises(SignatureRejected):
        verify_all({**document, "proof": last})


# Cases of our own making, through the judge.


def chained(
    *steps: tuple[str, list[str]], suite: str = "eddsa-rdfc-2022", **changes: Any
) -> JsonObject:
    """Return a credential with a proof for each (id, ids of the previous ones)."""
    document = unsigned(**changes)
    made: dict[str, Json] = {}
    for name, previous in steps:
        options: dict[str, Json] = {
            "id": name,
            "type": PROOF_TYPE,
            "cryptosuite": suite,
            "created": "2026-11-21T08:00:00Z",
            "verificationMethod": METHOD,
            "proofPurpose": "assertionMethod",
        }
        signed = dict(document)
        if previous:
            options["previousProof"] = previous[0] if len(previous) == 1 else [*previous]
            signed["proof"] = [made[known] for known in made if known in previous]
        made[name] = make_proof(signed, SIGNER, options)
    return {**document, "proof": [*made.values()]}


A, B, C = "urn:uuid:a", "urn:uuid:b", "urn:uuid:c"
SUITES = ("eddsa-rdfc-2022", "eddsa-jcs-2022")


def check(document: JsonObject, name: str = "proof") -> Check:
    return judge(document, evidence(), policy(), NOW).check(name)


def entries(document: JsonObject) -> list[Any]:
    found = document["proof"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("suite", SUITES)
def test_a_chain_of_ours_passes(suite: str) -> None:
    document = chained((A, []), (B, [A]), (C, [A, B]), suite=suite)
    assert check(document).detail == f"signature holds ({', '.join([suite] * 3)})"
    assert check(document).result is Result.PASSED
    assert check(document, "issuer-key").result is Result.PASSED


@pytest.mark.parametrize("suite", SUITES)
def test_a_false_link_rejects_the_chain_in_every_order(suite: str) -> None:
    document = chained((A, []), (B, [A]), suite=suite)
    first, second = entries(document)
    first = {**first, "proofValue": second["proofValue"]}
    for proofs in ([first, second], [second, first]):
        found = check({**document, "proof": list[Json](proofs)})
        assert (found.result, found.code) == (Result.FAILED, "signature-rejected")


def test_a_proof_that_builds_on_an_unread_one_is_no_proof() -> None:
    """Its signature holds, and covers one that nobody could check."""
    document = unsigned()
    options: dict[str, Json] = {
        "type": PROOF_TYPE,
        "cryptosuite": "eddsa-rdfc-2022",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        "previousProof": A,
    }
    unread = {**options, "id": A, "cryptosuite": "unknown-2030", "proofValue": "z2"}
    del unread["previousProof"]
    made = make_proof({**document, "proof": [unread]}, SIGNER, options)
    good = make_proof(
        document, SIGNER, {k: v for k, v in options.items() if k != "previousProof"}
    )
    for proofs in ([unread, made], [made, unread]):
        found = check({**document, "proof": list[Json](proofs)})
        assert (found.result, found.code) == (
            Result.UNDETERMINED,
            "proof-suite-unsupported",
        )
    for three in permutations([unread, made, good]):
        found = check({**document, "proof": list[Json](three)})
        assert (found.result, found.code) == (Result.PASSED, "proof-suite-unsupported")
        assert found.detail == "signature holds (eddsa-rdfc-2022)"


@pytest.mark.parametrize(
    "value", [None, 1, "", [], {}, [A, A], [A, 1], [""], [[A]], True], ids=repr
)
def test_previous_proof_is_an_id_or_different_ids(value: Any) -> None:
    document = chained((A, []), (B, [A]))
    first, second = entries(document)
    found = check({**document, "proof": [first, {**second, "previousProof": value}]})
    assert (found.result, found.code) == (Result.FAILED, "proof-chain-broken")


@pytest.mark.parametrize(
    "links",
    [{A: A}, {A: B, B: A}, {A: B, B: C, C: A}, {A: B, B: [C, A], C: ...}],
    ids=["itself", "two", "three", "beside a way out"],
)
def test_refuses_a_circle(links: dict[str, Any]) -> None:
    proofs: list[Json] = [
        {"id": name} if to is ... else {"id": name, "previousProof": to}
        for name, to in links.items()
    ]
    with pytest.raises(ProofChainBroken, match="runs in a circle"):
        ancestors({"proof": proofs}, [A])


def test_a_circle_behind_an_unread_proof_is_found() -> None:
    document = chained((A, []), (B, [A]))
    first, second = entries(document)
    first = {**first, "cryptosuite": "unknown-2030", "previousProof": B}
    found = check({**document, "proof": [first, second]})
    assert (found.result, found.code) == (Result.FAILED, "proof-chain-broken")


def test_an_id_of_two_proofs_is_nobodys() -> None:
    document = chained((A, []), (B, [A]))
    first, second = entries(document)
    found = check({**document, "proof": [first, first, second]})
    assert (found.result, found.code) == (Result.FAILED, "proof-chain-broken")


def test_the_ways_of_a_wide_chain_are_not_walked_one_by_one() -> None:
    """Each of 16 builds on all before it: 32,768 ways lead back."""
    names = [f"urn:uuid:{n}" for n in range(16)]
    proofs: list[Json] = [{"id": names[0]}]
    proofs += [{"id": names[n], "previousProof": [*names[:n]]} for n in range(1, 16)]
    assert ancestors({"proof": proofs}, [names[15]]) == set(names)
