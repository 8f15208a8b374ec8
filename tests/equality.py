"""`make equality N=20000`: the engine beside PyLD, which shares no code with it.

Counts how often both say the same bytes, how often the engine refuses, and why. PyLD 3.3
is known to be wrong in its hashes where a quad joins a blank node to itself, or where two
values spell one quad, which it repeats: it counts the quad twice. There the quads have to
be the same, and the labels of blank nodes need not.
"""

import multiprocessing
import sys
from collections import Counter
from random import Random
from typing import Any

from credentials.jsonld.batch import BatchEngine
from credentials.jsonld.canon import canonicalize_quads
from credentials.jsonld.quads import Engine
from credentials.jsonld.recurring import RecurringEngine
from primitives.errors import PatunayError
from tests.support.bundled_documents import bundled_document
from tests.support.nquads import read_nquads
from tests.support.pyld_oracle import oracle_nquads
from tests.support.random_documents import CONTEXTS, random_document

BLOCK = 250
"""Documents that one process compares at a time."""

EQUAL = "equal"
TWICE = "equal quads, labelled otherwise: PyLD counts a quad twice"
DIFFERENT = "DIFFERENT"

_engine = Engine(CONTEXTS)


def seeded_document(seed: int) -> dict[str, Any]:
    """Return the document of one seed: half of them of bundled words alone."""
    random = Random(seed)
    return random_document(random) if seed % 2 else bundled_document(random)


def compare(seed: int) -> str:
    """Return one of the answers above, or why the engine refused one document."""
    document = seeded_document(seed)
    try:
        _engine.check(document)
        quads = _engine.quads(document)
    except PatunayError as e:
        return f"refused: {e.code}"
    found = canonicalize_quads(quads)
    if found != BatchEngine(_engine).canonicalize(document):
        return f"{DIFFERENT} in a batch: seed {seed}"
    recurring = RecurringEngine(_engine)
    if {recurring.canonicalize(document) for _ in range(3)} != {found}:
        return f"{DIFFERENT} when it comes back: seed {seed}"
    oracle = oracle_nquads(document, CONTEXTS)
    lines = oracle.split("\n")[:-1]
    if found == "".join(dict.fromkeys(f"{line}\n" for line in lines)):
        return EQUAL
    joins_itself = any(subject == value for subject, _, value, _ in quads)
    repeats = joins_itself or len(set(lines)) < len(lines)
    if repeats and found == canonicalize_quads(read_nquads(oracle)):
        return TWICE
    return f"{DIFFERENT}: seed {seed}"


def compare_block(start: int) -> Counter[str]:
    """Return how often each answer came, of `BLOCK` seeds."""
    return Counter(compare(seed) for seed in range(start, start + BLOCK))


def main() -> None:
    """Compare as many documents as are asked for, and print the counts."""
    wanted = int(sys.argv[1])
    total: Counter[str] = Counter()
    with multiprocessing.get_context("spawn").Pool() as pool:
        for found in pool.imap_unordered(compare_block, range(0, wanted, BLOCK)):
            total += found
    for answer, count in total.most_common():
        sys.stdout.write(f"{count:>7}  {answer}\n")
    if any(answer.startswith(DIFFERENT) for answer in total):
        sys.exit(1)


if __name__ == "__main__":
    main()
