import json
import time
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from credentials.jsonld.canon import (
    canonical_labels,
    canonicalize_quads,
    first_degree_hashes,
    sorted_tails,
)
from credentials.jsonld.dataset import Dataset, Quad
from credentials.jsonld.look_alikes import CanonicalizationLimit, _permutations
from tests.support.nquads import read_nquads
from tests.support.standards import SHARED, standards

FOLDER = SHARED / "standards" / "rdfc10" / "tests" / "rdfc10"
SHA_384 = "test075"
"""Asks for another hash function, which no credential names."""

CASES = sorted(
    path.name.removesuffix("-rdfc10.nq")
    for path in FOLDER.glob("*-rdfc10.nq")
    if not path.name.startswith(SHA_384)
)
MAPS = sorted(
    path.name.removesuffix("-rdfc10map.json")
    for path in FOLDER.glob("*-rdfc10map.json")
    if not path.name.startswith(SHA_384)
)
SECONDS = 2.0
PREDICATE = "<https://terms.example/p>"


def text(path: Path) -> str:
    # Not read_text: it would turn a carriage return into a line feed.
    return path.read_bytes().decode()


def test_the_official_cases_are_there() -> None:
    standards("rdfc10")
    assert len(CASES) == 63
    assert len(MAPS) == 20


@pytest.mark.parametrize("case", CASES)
def test_official_canonical_form(case: str) -> None:
    quads = read_nquads(text(FOLDER / f"{case}-in.nq"))
    assert canonicalize_quads(quads) == text(FOLDER / f"{case}-rdfc10.nq")


@pytest.mark.parametrize("case", MAPS)
def test_official_issued_identifiers(case: str) -> None:
    dataset = Dataset.of(read_nquads(text(FOLDER / f"{case}-in.nq")))
    tails = sorted_tails(dataset)
    hashes = first_degree_hashes(tails, dataset.links)
    issued = canonical_labels(hashes, tails, dataset.links)
    expected = json.loads(text(FOLDER / f"{case}-rdfc10map.json"))
    found = {
        label.removeprefix("_:"): name.removeprefix("_:") for label, name in issued.items()
    }
    assert found == expected


def blank(*pairs: tuple[object, object]) -> set[Quad]:
    return {(f"_:x{one}", PREDICATE, f"_:x{other}", "") for one, other in pairs}


def clique(size: int) -> set[Quad]:
    return blank(*((i, j) for i in range(size) for j in range(size) if i != j))


def ring(size: int) -> set[Quad]:
    return blank(*((i, (i + 1) % size) for i in range(size)))


def stars(size: int) -> set[Quad]:
    return blank(*((f"hub{hub}", i) for hub in range(2) for i in range(size)))


def bipartite(size: int) -> set[Quad]:
    return blank(*((f"left{i}", j) for i in range(size) for j in range(size)))


@pytest.mark.parametrize(
    ("graph", "size"),
    [(clique, n) for n in (7, 8, 10, 20, 60, 99)]
    + [(ring, 1_000), (ring, 4_000), (stars, 1_000), (stars, 4_000), (bipartite, 60)],
)
def test_refuses_an_attack_on_time(graph: Callable[[int], set[Quad]], size: int) -> None:
    quads = graph(size)
    start = time.process_time()
    with pytest.raises(CanonicalizationLimit) as e:
        canonicalize_quads(quads)
    assert time.process_time() - start < SECONDS
    assert e.value.code == "canonicalization-limit"
    assert e.value.hint


def test_refuses_the_official_poison() -> None:
    quads = read_nquads(text(standards("rdfc10", "tests", "rdfc10") / "test074-in.nq"))
    with pytest.raises(CanonicalizationLimit):
        canonicalize_quads(quads)


def test_many_nodes_alike_are_no_attack() -> None:
    pairs = blank(*((i, f"other{i}") for i in range(4_000)))
    lines = canonicalize_quads(pairs).split("\n")
    assert len(set(lines)) == 4_001


@pytest.mark.parametrize("labels", ["", "a", "ab", "aab", "aabb", "aaabbc", "abcde"])
def test_every_distinct_order_comes_once(labels: str) -> None:
    found = [tuple(order) for order in _permutations(list(labels))]
    assert len(found) == len(set(found))
    assert set(found) == set(permutations(labels))


def test_a_node_that_is_related_often_costs_one_order() -> None:
    """Two graphs alike: each of their nodes is related to its graph by every quad."""
    quads = {
        (f"_:node{g}", f"<urn:p:{i}>", '"x"', f"_:graph{g}")
        for g in range(2)
        for i in range(200)
    }
    assert canonicalize_quads(quads).count("_:c14n3") == 200


def test_a_quad_from_a_node_to_itself_counts_once() -> None:
    """The expected text is rdf-canonize 5's; PyLD 3.3 counts the first quad twice."""
    quads = {
        ("_:x", "<urn:p5>", "_:x", ""),
        ("_:y", "<urn:q>", "_:x", ""),
        ("<urn:a>", "<urn:b>", "_:y", ""),
    }
    assert canonicalize_quads(quads).split("\n") == [
        "<urn:a> <urn:b> _:c14n1 .",
        "_:c14n0 <urn:p5> _:c14n0 .",
        "_:c14n1 <urn:q> _:c14n0 .",
        "",
    ]
