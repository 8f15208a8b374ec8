"""The log's Merkle tree, in memory, with the proofs of every size it ever had.

Only nodes over full subtrees are kept, one flat buffer for each level: 64 bytes a leaf.
They never change once written, so the root and the proofs of any earlier size come from
the same buffers and at most `log2(size)` further hashes.
See <https://www.rfc-editor.org/rfc/rfc9162#section-2.1>.
"""

import struct
from collections.abc import Iterable, Iterator
from itertools import islice

from anchoring.merkle import hash_children, hash_pairs
from primitives.hashing import DIGEST_BYTES, Digest, sha256

_CHUNK_LEAVES = 2048
"""Leaves taken up at once: bounds what `extend` holds beside the tree (200 KB)."""

_BLOCK_LEVELS = 10
"""Proofs are streamed in blocks of 2**10 leaves, which share their upper hashes."""


class Tree:
    """An append-only Merkle tree. Arguments out of range are the caller's bug."""

    def __init__(self, leaf_hashes: Iterable[Digest] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self.extend(leaf_hashes)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0]) // DIGEST_BYTES

    def append(self, leaf_hash: Digest) -> None:
        """Add one leaf, given as the result of `hash_leaf`."""
        self.extend((leaf_hash,))

    def extend(self, leaf_hashes: Iterable[Digest]) -> None:
        """Add leaves in order, given as the results of `hash_leaf`.

        Raises:
            ValueError: A hash has not 32 bytes. Leaves before its chunk stay added.
        """
        remaining = iter(leaf_hashes)
        while chunk := list(islice(remaining, _CHUNK_LEAVES)):
            self._append_nodes(chunk)

    def leaf(self, index: int) -> Digest:
        """Return the leaf hash at 0-based `index`."""
        if not 0 <= index < self.size:
            raise IndexError(f"leaf {index} is outside a tree of {self.size} leaves")
        return self._node(0, index)

    def nodes(self, level: int, *, start: int, stop: int) -> bytes:
        """Return the concatenated hashes of full subtrees of 2**level leaves.

        `start` and `stop` count subtrees, not leaves; every one must be there.
        """
        if not 0 <= start <= stop <= self.size >> level:
            raise IndexError(f"level {level} holds no nodes {start} to {stop}")
        if start == stop:
            return b""
        return bytes(self._levels[level][start * DIGEST_BYTES : stop * DIGEST_BYTES])

    def root(self, size: int | None = None) -> Digest:
        """Return the root over the first `size` leaves, by default over all."""
        return self._range_root(0, self._checked_size(size))

    def inclusion_proof(
        self, index: int, *, tree_size: int | None = None
    ) -> tuple[Digest, ...]:
        """Return PATH(index, D[tree_size]) of RFC 9162 section 2.1.3.1.

        The first hash is the leaf's sibling, the last one a child of the root.
        """
        size = self._checked_size(tree_size)
        if not 0 <= index < size:
            raise IndexError(f"leaf {index} is outside a tree of {size} leaves")
        start, stop = 0, size
        down: list[Digest] = []
        while stop - start > 1:
            middle = start + _split(stop - start)
            if index < middle:
                down.append(self._range_root(middle, stop))
                stop = middle
            else:
                down.append(self._range_root(start, middle))
                start = middle
        return tuple(reversed(down))

    def consistency_proof(self, old_size: int, new_size: int) -> tuple[Digest, ...]:
        """Return PROOF(old_size, D[new_size]) of RFC 9162 section 2.1.4.1.

        Empty for two equal sizes. Requires 0 < old_size <= new_size <= size.
        """
        if not 0 < old_size <= self._checked_size(new_size):
            raise ValueError(f"found sizes {old_size} and {new_size}, want 0 < old <= new")
        start, stop = 0, new_size
        down: list[Digest] = []
        while old_size < stop:
            middle = start + _split(stop - start)
            if old_size <= middle:
                down.append(self._range_root(middle, stop))
                stop = middle
            else:
                down.append(self._range_root(start, middle))
                start = middle
        # The old tree's own root is known to whoever asks, so it is left out.
        if start > 0:
            down.append(self._range_root(start, stop))
        return tuple(reversed(down))

    def inclusion_proofs(
        self, tree_size: int | None = None
    ) -> Iterator[tuple[Digest, ...]]:
        """Yield the proof of every leaf in order, holding one block of them at a time.

        The tree may grow meanwhile: the proofs stay those of `tree_size`.
        """
        size = self._checked_size(tree_size)
        start = 0
        left: tuple[Digest, ...] = ()
        for level in reversed(range(size.bit_length())):
            if not size >> level & 1:
                continue
            stop = start + (1 << level)
            right = (self._range_root(stop, size),) if stop < size else ()
            yield from self._subtree_proofs(level, start >> level, right + left)
            left = (self._node(level, start >> level), *left)
            start = stop

    def _subtree_proofs(
        self, level: int, index: int, above: tuple[Digest, ...]
    ) -> Iterator[tuple[Digest, ...]]:
        """Yield proofs for the leaves under one node, whose own proof is `above`."""
        if level <= _BLOCK_LEVELS:
            yield from self._block_proofs(level, index, above)
            return
        left, right = 2 * index, 2 * index + 1
        below = level - 1
        yield from self._subtree_proofs(below, left, (self._node(below, right), *above))
        yield from self._subtree_proofs(below, right, (self._node(below, left), *above))

    def _block_proofs(
        self, level: int, index: int, above: tuple[Digest, ...]
    ) -> list[tuple[Digest, ...]]:
        """Return what `_subtree_proofs` yields, level by level instead of node by node."""
        proofs = [above]
        for below in reversed(range(level)):
            width = 1 << (level - below)
            start = index * width
            raw = self.nodes(below, start=start, stop=start + width)
            pairs = struct.iter_unpack("32s32s", raw)
            proofs = [
                proof
                for (left, right), upper in zip(pairs, proofs, strict=True)
                for proof in ((right, *upper), (left, *upper))
            ]
        return proofs

    def _append_nodes(self, nodes: list[Digest]) -> None:
        """Add leaves, and the parents of all pairs that become complete by them."""
        level = 0
        while nodes:
            joined = b"".join(nodes)
            # Of all together: looking at each costs 4 %, and a Digest has 32 bytes.
            if len(joined) != len(nodes) * DIGEST_BYTES:
                raise ValueError(f"every leaf hash must have {DIGEST_BYTES} bytes")
            if level == len(self._levels):
                self._levels.append(bytearray())
            present = len(self._levels[level]) // DIGEST_BYTES
            self._levels[level] += joined
            if present & 1:
                nodes = [self._node(level, present - 1), *nodes]
            nodes = hash_pairs(nodes)
            level += 1

    def _checked_size(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ValueError(f"found size {size}, want at most {self.size}")
        return size

    def _node(self, level: int, index: int) -> Digest:
        (node,) = struct.unpack_from("32s", self._levels[level], index * DIGEST_BYTES)
        return Digest(node)

    def _range_root(self, start: int, stop: int) -> Digest:
        """Return MTH(D[start:stop]); a whole tree or a right part of one."""
        if start == stop:
            return sha256(b"")
        peaks: list[Digest] = []
        for level in reversed(range((stop - start).bit_length())):
            if (stop - start) >> level & 1:
                peaks.append(self._node(level, start >> level))
                start += 1 << level
        root = peaks.pop()
        while peaks:
            root = hash_children(peaks.pop(), root)
        return root


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1
