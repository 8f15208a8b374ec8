"""Merkle inclusion and consistency proofs, as RFC 9162 defines them over SHA-256.

Everything here is arithmetic on bytes: no clock, no network, no storage.
See <https://www.rfc-editor.org/rfc/rfc9162#section-2.1>.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from primitives.errors import Malformed, Rejected
from primitives.hashing import DIGEST_BYTES, Digest, sha256

# Domain separation, RFC 9162 section 2.1.1: without it, an inner node could be
# presented as a leaf and a credential that was never issued would "prove" included.
_LEAF_PREFIX = b"\x00"
_NODE_PREFIX = b"\x01"

MAX_PROOF_HASHES = 63
"""Longest proof read: enough for 2**63 - 1 leaves, the most a checkpoint may name."""


class ProofMalformed(Malformed):
    """The proof cannot belong to any tree of the stated size."""

    code = "proof-malformed"


class RootMismatch(Rejected):
    """The proof is well formed and leads to another root."""

    code = "root-mismatch"

    def __init__(self, *, expected: Digest, calculated: Digest) -> None:
        super().__init__(f"calculated root {calculated.hex()}, want {expected.hex()}")
        self.expected = expected
        self.calculated = calculated


def hash_leaf(entry: bytes) -> Digest:
    """Return the leaf hash of `entry`: SHA-256(0x00 || entry)."""
    return sha256(_LEAF_PREFIX + entry)


def hash_leaves(entries: Iterable[bytes]) -> Iterator[Digest]:
    """Yield the leaf hash of each entry, for trees of a million leaves.

    Each hash continues a copy of one state that has read the prefix: that costs less
    than joining prefix and entry, and than starting SHA-256 anew.
    """
    copy = hashlib.sha256(_LEAF_PREFIX).copy
    for entry in entries:
        state = copy()
        state.update(entry)
        yield state.digest()  # type: ignore[misc]  # a call of Digest() costs 15 %


def hash_pairs(nodes: Sequence[Digest]) -> list[Digest]:
    """Return the parents of neighbours, an odd last node left out; see `hash_leaves`."""
    copy = hashlib.sha256(_NODE_PREFIX).copy
    parents: list[Digest] = []
    children = iter(nodes)
    for left, right in zip(children, children, strict=False):
        state = copy()
        state.update(left + right)
        parents.append(state.digest())  # type: ignore[arg-type]  # as in hash_leaves
    return parents


def hash_children(left: Digest, right: Digest) -> Digest:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(_NODE_PREFIX + left + right)


def verify_inclusion(
    leaf_hash: Digest,
    *,
    index: int,
    tree_size: int,
    proof: Sequence[Digest],
    root: Digest,
) -> None:
    """Return if `leaf_hash` is leaf `index` of the tree; raise otherwise.

    There is no boolean to forget. Requires 0 <= index < tree_size.

    Args:
        leaf_hash: Result of `hash_leaf`, not the entry itself.
        index: 0-based position of the leaf.
        tree_size: Number of leaves, from the anchored checkpoint and never from the
            credential, which is the party under test.
        proof: Sibling hashes from the leaf's level up to the root's children.
        root: The anchored root.

    Raises:
        ProofMalformed: `index` is out of range, or the proof has the wrong length for
            this index and size.
        RootMismatch: The proof leads to another root.
    """
    _refuse_lengths((), root)
    calculated = root_from_inclusion_proof(
        leaf_hash, index=index, tree_size=tree_size, proof=proof
    )
    if calculated != root:
        raise RootMismatch(expected=root, calculated=calculated)


def root_from_inclusion_proof(
    leaf_hash: Digest, *, index: int, tree_size: int, proof: Sequence[Digest]
) -> Digest:
    """Return the root that `proof` leads to.

    The comments below number the steps of RFC 9162 section 2.1.3.2.
    """
    _refuse_lengths(proof, leaf_hash)
    # 1.
    if not 0 <= index < tree_size:
        raise ProofMalformed(f"index {index} is outside a tree of {tree_size} leaves")
    # 2, 3.
    node, last = index, tree_size - 1
    calculated = leaf_hash
    # 4.
    for sibling in proof:
        if last == 0:
            raise ProofMalformed(f"proof of {len(proof)} hashes is too long")
        if node & 1 or node == last:
            calculated = hash_children(sibling, calculated)
            while not node & 1 and node != 0:
                node >>= 1
                last >>= 1
        else:
            calculated = hash_children(calculated, sibling)
        node >>= 1
        last >>= 1
    # 5.
    if last != 0:
        raise ProofMalformed(f"proof of {len(proof)} hashes is too short")
    return calculated


def verify_consistency(
    *,
    old_size: int,
    old_root: Digest,
    new_size: int,
    new_root: Digest,
    proof: Sequence[Digest],
) -> None:
    """Return if the new tree holds the old one's leaves unchanged; raise otherwise.

    The comments below number the steps of RFC 9162 section 2.1.4.2, which covers
    0 < old_size < new_size. Two equal sizes need an empty proof and equal roots. Size 0
    is refused: every tree extends the empty one, so such a proof would show nothing.

    Args:
        old_size: Leaves of the earlier tree, from its signed checkpoint.
        old_root: Root of the earlier tree, from the same checkpoint.
        new_size: Leaves of the later tree, from its signed checkpoint.
        new_root: Root of the later tree, from the same checkpoint.
        proof: Hashes as RFC 9162 section 2.1.4.1 orders them.

    Raises:
        ProofMalformed: The sizes are out of order or 0, or the proof has the wrong
            length for them.
        RootMismatch: The proof leads to another root, old or new.
    """
    _refuse_lengths(proof, old_root, new_root)
    if not 0 < old_size <= new_size:
        raise ProofMalformed(f"found sizes {old_size} and {new_size}, want 0 < old <= new")
    if old_size == new_size:
        if proof:
            raise ProofMalformed(f"proof of {len(proof)} hashes is too long, want none")
        old, new = old_root, old_root
    else:
        old, new = _roots_from_consistency_proof(old_size, old_root, new_size, proof)
    # 7.
    if old != old_root:
        raise RootMismatch(expected=old_root, calculated=old)
    if new != new_root:
        raise RootMismatch(expected=new_root, calculated=new)


def _roots_from_consistency_proof(
    old_size: int, old_root: Digest, new_size: int, proof: Sequence[Digest]
) -> tuple[Digest, Digest]:
    # 1.
    if not proof:
        raise ProofMalformed("proof of 0 hashes is too short")
    # 2.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    # 3.
    node, last = old_size - 1, new_size - 1
    # 4.
    while node & 1:
        node >>= 1
        last >>= 1
    # 5.
    old = new = path[0]
    # 6.
    for sibling in path[1:]:
        if last == 0:
            raise ProofMalformed(f"proof of {len(proof)} hashes is too long")
        if node & 1 or node == last:
            old = hash_children(sibling, old)
            new = hash_children(sibling, new)
            while not node & 1 and node != 0:
                node >>= 1
                last >>= 1
        else:
            new = hash_children(new, sibling)
        node >>= 1
        last >>= 1
    # 7, its last condition: the roots are compared by the caller.
    if last != 0:
        raise ProofMalformed(f"proof of {len(proof)} hashes is too short")
    return old, new


def _refuse_lengths(proof: Sequence[Digest], *others: Digest) -> None:
    if len(proof) > MAX_PROOF_HASHES:
        raise ProofMalformed(
            f"proof of {len(proof)} hashes is too long, want at most {MAX_PROOF_HASHES}"
        )
    if any(len(value) != DIGEST_BYTES for value in (*others, *proof)):
        raise ProofMalformed(f"every hash must have {DIGEST_BYTES} bytes")
