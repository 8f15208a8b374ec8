"""Time and memory of the Merkle tree, beside the bare hashlib calls that it cannot avoid.

A ratio compares figures of one run on one machine; the seconds alone say little.
"""

import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable
from hashlib import sha256

from anchoring.merkle import hash_leaves
from anchoring.tree import Tree
from benchmarks.figures import Figure, rates

TREE_GOAL = 1.25
PROOFS_GOAL = 3.5
BYTES_GOAL = 100
PROOF_BYTES_GOAL = 40
"""Beside 32 bytes for each level of the tree."""

_ENTRY_BYTES = 33
_KEPT_DIGESTS = 2048


def merkle_rows(leaves: int = 250_000, rounds: int = 9) -> list[Figure]:
    """Measure a tree over `leaves` entries: time, memory, and the size of a proof."""
    entries = [number.to_bytes(_ENTRY_BYTES, "big") for number in range(leaves)]
    prefixed = [b"\x00" + entry for entry in entries]
    prefixed += [b"\x01" + number.to_bytes(64, "big") for number in range(leaves)]
    found = rates(
        {
            "bare": (1, lambda: _hash_each(prefixed)),
            "build": (1, lambda: Tree(hash_leaves(entries))),
            "prove": (1, lambda: _build_and_prove(entries)),
        },
        rounds,
    )
    bare, build, prove = 1 / found["bare"], 1 / found["build"], 1 / found["prove"]
    calls = f"{bare:.3f} s for {2 * leaves:,} hashlib calls"
    peak = _peak_bytes(lambda: _build_and_prove(entries)) / leaves
    title = f"tree of {leaves:,} leaves"
    return [
        _at_most(title, f"{build:.3f} s", calls, build / bare, TREE_GOAL),
        _at_most(
            f"{title}, every proof", f"{prove:.3f} s", calls, prove / bare, PROOFS_GOAL
        ),
        _at_most("its peak memory", f"{peak:.1f} B/leaf", "", peak, BYTES_GOAL),
        _proof_size(Tree(hash_leaves(entries))),
    ]


def _at_most(what: str, figure: str, beside: str, ratio: float, goal: float) -> Figure:
    return Figure(what, figure, beside, ratio, goal=goal, at_most=True)


def _proof_size(tree: Tree) -> Figure:
    """Compare the largest proof, with an 8-byte index, to 32 bytes for each level."""
    levels = (tree.size - 1).bit_length()
    most = max(len(proof) for proof in tree.inclusion_proofs())
    size = 32 * most + 8
    return _at_most(
        f"largest proof in a tree of {tree.size:,}, with an 8-byte index",
        f"{size} B",
        f"32 B for each of {levels} levels",
        size - 32 * levels,
        PROOF_BYTES_GOAL,
    )


def _hash_each(messages: list[bytes]) -> None:
    """Call hashlib once for each message; keep the digests a while, as a tree must."""
    for start in range(0, len(messages), _KEPT_DIGESTS):
        _ = [sha256(m).digest() for m in messages[start : start + _KEPT_DIGESTS]]


def _build_and_prove(entries: Iterable[bytes]) -> None:
    tree = Tree(hash_leaves(entries))
    deque(tree.inclusion_proofs(), maxlen=0)


def _peak_bytes(work: Callable[[], object]) -> int:
    """Return the most memory that `work` held at once, its arguments excluded."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
