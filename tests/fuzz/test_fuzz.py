"""A slice of `make fuzz`, and the oracle that it stands on."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests.fuzz.campaign import make_input, replay, run_inputs
from tests.fuzz.mutations import CHANGES, Mutator
from tests.fuzz.oracle import Forged, Honest
from tests.fuzz.packs import fuzz_packs
from tests.fuzz.samples import Sample, credentials, requests
from tests.support.credentials_support import signed, unsigned

SEED = 3
SLICE = 1_500
SAMPLES = tuple(credentials())


async def test_no_mutated_input_is_accepted_or_meets_a_bug() -> None:
    found = await run_inputs(SEED, range(SLICE))
    assert [f["problem"] for f in found.failures] == []
    assert sum(found.outcomes.values()) == SLICE
    assert found.commands > 10
    kinds = {outcome.split()[1] for outcome in found.outcomes}
    assert kinds == {"malformed", "rejected", "undetermined", "valid", "issued"}
    # A campaign that accepts nothing, or nearly all, has tried nothing.
    assert 0 < found.neutral < SLICE / 4


def test_no_mutated_pack_is_believed_and_no_foreign_document_is_valid() -> None:
    found = fuzz_packs(SEED, SLICE)
    assert found.failures == []
    assert sum(found.outcomes.values()) == SLICE
    # Only what leaves all as it was signed, such as one signature of three taken away.
    let_in = [way for way in found.outcomes if way.endswith("let in, as it was signed")]
    assert {way.split()[0] for way in let_in} <= {"changed_file", "resealed"}
    assert fuzz_packs(SEED, 60).outcomes == fuzz_packs(SEED, 60).outcomes


def test_an_input_is_the_same_in_every_run() -> None:
    badge = Sample("own badge", "credential", signed())
    samples = (*SAMPLES, *requests([badge]))
    samples = (*samples, Sample("shown", "presentation", signed()))
    made = [make_input(SEED, index, samples) for index in range(300)]
    assert made == [make_input(SEED, index, samples) for index in range(300)]
    assert len({each.raw for each in made}) > 290
    assert {each.kind for each in made} == {"credential", "presentation", "request"}


async def test_a_kept_input_can_be_sent_again() -> None:
    failure: dict[str, Any] = {
        "seed": SEED,
        "index": 7,
        "sample": "any",
        "kind": "credential",
        "steps": [],
        "raw": "e30=",
        "body": "e30=",
    }
    found = await replay(failure)
    assert (found.failures, sum(found.outcomes.values())) == ([], 2)


@pytest.fixture
def honest() -> Honest:
    known = Honest()
    for sample in SAMPLES:
        known.note(sample.document, is_valid=sample.is_valid)
    return known


NEUTRAL = [sample for sample in SAMPLES if sample.is_valid]


@pytest.mark.parametrize("sample", NEUTRAL, ids=lambda s: str(s.name))
def test_the_oracle_knows_another_spelling_of_the_same(
    honest: Honest, sample: Sample
) -> None:
    turned = dict(reversed(sample.document.items()))
    honest.require(json.dumps(turned, indent=2, ensure_ascii=True).encode())


def false_ones() -> Iterator[tuple[str, dict[str, Any]]]:
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022"):
        whole = signed(suite=suite)
        proof: Any = whole["proof"]
        yield f"name {suite}", {**whole, "name": "Surgeon"}
        yield f"unknown term {suite}", {**whole, "honours": "summa cum laude"}
        yield f"options {suite}", {**whole, "proof": {**proof, "domain": "x.example"}}
        yield f"value {suite}", {**whole, "proof": {**proof, "proofValue": "z1"}}
        yield f"none {suite}", unsigned()
        yield f"beside {suite}", {**whole, "proof": [proof, {**proof, "proofValue": "z"}]}
        yield f"unread {suite}", {**whole, "proof": {**proof, "cryptosuite": "x"}}
    yield "null", {**signed(suite="eddsa-jcs-2022"), "honours": None}
    yield "of another", {**signed(unsigned(name="A")), "proof": signed()["proof"]}
    revoked = next(s for s in SAMPLES if s.name == "revoked eddsa-rdfc-2022")
    yield "revoked", dict(revoked.document)


@pytest.mark.parametrize(
    ("name", "document"), list(false_ones()), ids=lambda v: str(v)[:40]
)
def test_the_oracle_refuses_what_nobody_signed(
    honest: Honest, name: str, document: dict[str, Any]
) -> None:
    with pytest.raises(Forged):
        honest.require(json.dumps(document).encode())
    assert name


def test_the_oracle_refuses_a_key_that_stands_there_twice(honest: Honest) -> None:
    text = json.dumps(signed())
    with pytest.raises(Forged, match="twice"):
        honest.require(f'{{"name": "Surgeon", {text[1:]}'.encode())


def test_the_mutator_comes_to_everything() -> None:
    seen = set()
    for number in range(600):
        mutator = Mutator(Random(number), [s.document for s in SAMPLES])
        mutator.bytes_from(SAMPLES[number % len(SAMPLES)].document)
        seen |= set(mutator.steps)
    damages = {"flip", "cut", "insert", "drop", "bom", "utf-16", "nul", "echo", "open"}
    assert damages | {name for name, _ in CHANGES} | {"key-twice", "bits"} == seen
