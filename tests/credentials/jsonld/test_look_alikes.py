"""What is counted while nodes that look alike are told apart, step by step."""

import pytest

from credentials.jsonld.canon import canonicalize_quads
from credentials.jsonld.dataset import Quad
from credentials.jsonld.look_alikes import TakesLonger, hurried

P = "<https://terms.example/p>"

ALIKE = {("_:a", P, '"x"', ""), ("_:b", P, '"x"', "")}
PAIRS = {("_:a", P, "_:c", ""), ("_:b", P, "_:d", "")}
FORKS = {
    *(("_:a", P, "_:c", ""), ("_:a", P, "_:e", "")),
    *(("_:b", P, "_:d", ""), ("_:b", P, "_:f", "")),
}


@pytest.mark.parametrize(
    ("quads", "steps"),
    [
        # Each node has one line: 1 + 1.
        (ALIKE, 2),
        # From a: its one line, one node to visit, that node's one line, and the way back
        # to a, of which there is one too: 4. The same from b.
        (PAIRS, 8),
        # From a: its 2 lines, then 2 orders of 2 nodes; in each order both are visited,
        # at 1 line and 1 way back: 2 + 2 * (2 + 2 * 2) = 14. The same from b.
        (FORKS, 28),
    ],
    ids=["alike", "pairs", "forks"],
)
def test_every_line_read_and_every_way_tried_counts(quads: set[Quad], steps: int) -> None:
    with hurried(steps):
        canonicalize_quads(quads)
    with hurried(steps - 1), pytest.raises(TakesLonger):
        canonicalize_quads(quads)
    assert canonicalize_quads(quads)  # outside, nobody is in a hurry
