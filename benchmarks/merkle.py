"""Time and memory of the Merkle tree, beside the bare hashlib calls that it cannot avoid.

Run with `python -m benchmarks.merkle`. A ratio compares figures of one run on one machine;
the seconds alone say little.
"""

import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import TypeAlias

from anchoring.merkle import hash_leaves
from anchoring.tree import Tree

TREE_GOAL = 1.25
PROOFS_GOAL = 3.5
BYTES_GOAL = 100

_ENTRY_BYTES = 33
_REPEATS = 5
_KEPT_DIGESTS = 2048

Row: TypeAlias = tuple[str, str, str, str]
"""What was measured, our figure, the limit beside it, and the ratio of the two."""


def merkle_rows(leaves: int = 1_000_000) -> list[Row]:
    """Measure a tree over `leaves` entries: building, streaming all proofs, memory."""
    entries = [number.to_bytes(_ENTRY_BYTES, "big") for number in range(leaves)]
    prefixed = [b"\x00" + entry for entry in entries]
    prefixed += [b"\x01" + number.to_bytes(64, "big") for number in range(leaves)]
    bare = build = prove = float("inf")
    # Taken in turns, so that a busy neighbour slows all three alike.
    for _ in range(_REPEATS):
        bare = min(bare, _seconds(lambda: _hash_each(prefixed)))
        build = min(build, _seconds(lambda: Tree(hash_leaves(entries))))
        prove = min(prove, _seconds(lambda: _build_and_prove(entries)))
    calls = f"{bare:.3f} s for {2 * leaves:,} hashlib calls"
    peak = _peak_bytes(lambda: _build_and_prove(entries)) / leaves
    return [
        _time_row(f"tree of {leaves:,} leaves", build, calls, build / bare, TREE_GOAL),
        _time_row("the same and every proof", prove, calls, prove / bare, PROOFS_GOAL),
        (
            "its peak memory",
            f"{peak:.1f} B/leaf",
            f"goal {BYTES_GOAL} B/leaf",
            f"{peak / BYTES_GOAL:.2f}",
        ),
    ]


def main() -> None:
    """Print the table."""
    for what, figure, limit, ratio in merkle_rows():
        print(f"{what:<28} {figure:>14}   {limit:<36} {ratio}")


def _time_row(what: str, seconds: float, limit: str, ratio: float, goal: float) -> Row:
    return what, f"{seconds:.3f} s", limit, f"{ratio:.2f} (goal {goal})"


def _hash_each(messages: list[bytes]) -> None:
    """Call hashlib once for each message; keep the digests a while, as a tree must."""
    for start in range(0, len(messages), _KEPT_DIGESTS):
        _ = [sha256(m).digest() for m in messages[start : start + _KEPT_DIGESTS]]


def _build_and_prove(entries: Iterable[bytes]) -> None:
    tree = Tree(hash_leaves(entries))
    deque(tree.inclusion_proofs(), maxlen=0)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _peak_bytes(work: Callable[[], object]) -> int:
    """Return the most memory that `work` held at once, its arguments excluded."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    main()
