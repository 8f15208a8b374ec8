"""Canonical N-Quads, byte for byte those of PyLD, which shares no code with the engine.

PyLD 3.3 is known to be wrong about four things, which are left out here and tested in
`test_quads` and `test_canon`: control characters in literals are not escaped, relative
types get a base IRI, a quad that two values spell stands twice in the output, and a quad
that joins a blank node to itself counts twice in that node's hash.
"""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyld import jsonld

from credentials.data_integrity import without_proof
from credentials.jsonld.canon import canonicalize_quads
from credentials.jsonld.loader import KNOWN, VC_V2
from credentials.jsonld.quads import Engine
from primitives.canonical_json import Json
from tests import equality
from tests.examples.test_examples import credentials
from tests.support.pyld_oracle import oracle_nquads
from tests.support.random_documents import CONTEXTS, TERMS_URL, random_document
from tests.support.standards import SHARED, shared

ENGINE = Engine()
EXAMPLES = sorted(SHARED.glob("domain/examples/*.json"))
VECTORS = sorted(SHARED.glob("standards/vc-di-eddsa/TestVectors/**/*.json"))
RANDOM_DOCUMENTS = 240


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def with_context(paths: list[Path]) -> list[Any]:
    return [
        pytest.param(path, id=f"{path.parent.name}/{path.stem}")
        for path in paths
        if "@context" in (found := read(path))
        and "citizenship" not in json.dumps(found["@context"])
    ]


def assert_same(document: dict[str, Any], engine: Engine = ENGINE) -> None:
    assert canonicalize_quads(engine.quads(document)) == oracle_nquads(document)


def test_the_official_examples_are_there() -> None:
    shared("domain", "examples")
    shared("standards", "vc-di-eddsa")
    assert len(with_context(EXAMPLES)) == 20
    assert len(with_context(VECTORS)) >= 14


@pytest.mark.parametrize("path", with_context(EXAMPLES) + with_context(VECTORS))
def test_official_documents(path: Path) -> None:
    document = read(path)
    assert_same(document)
    assert_same(without_proof(document))


def test_the_400_example_credentials() -> None:
    count = 0
    for credential in credentials():
        assert_same(credential)
        count += 1
    assert count == 400


@cache
def random_engine() -> Engine:
    return Engine(CONTEXTS)


def once(nquads: str) -> str:
    return "".join(dict.fromkeys(f"{line}\n" for line in nquads.split("\n")[:-1]))


@pytest.mark.parametrize("block", range(8))
def test_random_documents(block: int) -> None:
    per_block = RANDOM_DOCUMENTS // 8
    compared = 0
    for seed in range(block * per_block, (block + 1) * per_block):
        document = random_document(Random(seed))
        quads = random_engine().quads(document)
        if any(subject == value for subject, _, value, _ in quads):
            continue
        found = canonicalize_quads(quads)
        assert found == once(oracle_nquads(document, CONTEXTS)), f"seed {seed}"
        compared += 1
    assert compared > per_block // 2


@pytest.mark.parametrize("block", range(4))
def test_random_words_of_the_bundled_contexts(block: int) -> None:
    """A slice of `make equality`."""
    found = Counter(
        equality.compare(seed) for seed in range(block * 40, block * 40 + 80, 2)
    )
    assert not [answer for answer in found if answer.startswith(equality.DIFFERENT)]
    assert found[equality.EQUAL] > 25


@pytest.mark.parametrize("seed", [15867, 16525])
def test_one_list_of_a_node_in_two_spellings_is_two_lists(seed: int) -> None:
    """The engine once took `["urn:x"]` and `[{"id": "urn:x"}]` for one."""
    assert "rankedLinks" in json.dumps(equality.seeded_document(seed))
    assert equality.compare(seed) == equality.EQUAL


LISTS_TWICE: list[dict[str, Any]] = [
    {"plain": [{"@list": ["p", "q"]}, {"@list": ["p", "q"]}]},
    {"id": "urn:n", "plain": [{"@list": ["p"]}] * 3},
    {"plain": [{"id": "urn:m", "ranked": ["p", 1]}] * 2},
    {"plain": [{"id": "urn:m", "ranked": [{"plain": "x"}]}] * 2},
    {"plain": [{"id": "urn:m", "ranked": ["p"]}, {"id": "urn:m", "ranked": ["p", "p"]}]},
]


@pytest.mark.parametrize("members", LISTS_TWICE)
def test_equal_lists_are_each_signed(members: dict[str, Any]) -> None:
    document = {"@context": [VC_V2, TERMS_URL], **members}
    found = random_engine().canonicalize(document)
    assert found == oracle_nquads(document, CONTEXTS)
    assert found.count("rdf-syntax-ns#nil") == len(members["plain"])


def test_the_order_of_members_and_items_changes_nothing() -> None:
    for seed in range(30):
        random = Random(seed)
        document = random_document(random)
        shuffled = _shuffled(document, random)
        one, other = (random_engine().quads(each) for each in (document, shuffled))
        assert canonicalize_quads(one) == canonicalize_quads(other), f"seed {seed}"


_KEEP_ORDER = ("@context", "@list", "ranked", "rankedLinks", "notedWords", "raw", "@value")


def _shuffled(value: Json, random: Random) -> Any:
    if isinstance(value, dict):
        members = list(value.items())
        random.shuffle(members)
        return {
            key: item if key in _KEEP_ORDER else _shuffled(item, random)
            for key, item in members
        }
    if isinstance(value, list):
        items = [_shuffled(item, random) for item in value]
        random.shuffle(items)
        return items
    return value


def test_the_oracle_reads_no_other_context_than_the_engine() -> None:
    document: dict[str, Any] = {"@context": "https://terms.example/unknown", "id": "urn:x"}
    with pytest.raises(jsonld.JsonLdError, match="RDF dataset"):
        oracle_nquads(document, KNOWN)
