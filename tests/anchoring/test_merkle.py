import pytest

from anchoring.merkle import (
    MAX_PROOF_HASHES,
    ProofMalformed,
    RootMismatch,
    hash_leaf,
    verify_consistency,
    verify_inclusion,
)
from primitives.hashing import Digest
from tests.anchoring import go_vector
from tests.support.reference_tree import consistency, mth, path

SIZES = range(1, 34)


def tree(size: int) -> tuple[list[bytes], Digest]:
    entries = [f"credential {i}".encode() for i in range(size)]
    return entries, Digest(mth(entries))


def check(leaf: Digest, index: int, size: int, proof: list[Digest], root: Digest) -> None:
    verify_inclusion(leaf, index=index, tree_size=size, proof=proof, root=root)


def proof_for(index: int, entries: list[bytes]) -> list[Digest]:
    return [Digest(h) for h in path(index, entries)]


@pytest.mark.parametrize("size", SIZES)
def test_accepts_every_leaf(size: int) -> None:
    entries, root = tree(size)
    for index, entry in enumerate(entries):
        check(hash_leaf(entry), index, size, proof_for(index, entries), root)


@pytest.mark.parametrize("size", SIZES)
def test_rejects_every_other_index(size: int) -> None:
    entries, root = tree(size)
    for index, entry in enumerate(entries):
        for wrong in set(range(-1, size + 2)) - {index}:
            with pytest.raises((ProofMalformed, RootMismatch)):
                check(hash_leaf(entry), wrong, size, proof_for(index, entries), root)


@pytest.mark.parametrize("size", SIZES)
def test_rejects_a_longer_or_shorter_proof(size: int) -> None:
    entries, root = tree(size)
    for index, entry in enumerate(entries):
        proof = proof_for(index, entries)
        for wrong in ([*proof, root], proof[:-1]):
            if wrong == proof:
                continue
            with pytest.raises(ProofMalformed, match=r"too (long|short)"):
                check(hash_leaf(entry), index, size, wrong, root)


def test_rejects_an_inner_node_presented_as_a_leaf() -> None:
    entries, root = tree(4)
    inner = Digest(mth(entries[:2]))
    with pytest.raises(RootMismatch):
        check(hash_leaf(inner), 0, 2, [Digest(mth(entries[2:]))], root)


def test_mismatch_names_both_roots_in_order() -> None:
    entries, root = tree(2)
    wrong = Digest(bytes(32))
    with pytest.raises(
        RootMismatch, match=rf"calculated root {root.hex()}, want 0000"
    ) as e:
        check(hash_leaf(entries[0]), 0, 2, proof_for(0, entries), wrong)
    assert (e.value.expected, e.value.calculated) == (wrong, root)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_refuses_a_hash_of_another_length(length: int) -> None:
    entries, root = tree(2)
    for leaf, sibling in (
        (Digest(bytes(length)), proof_for(0, entries)[0]),
        (hash_leaf(entries[0]), Digest(bytes(length))),
    ):
        with pytest.raises(ProofMalformed, match="32 bytes"):
            check(leaf, 0, 2, [sibling], root)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_refuses_roots_of_another_length(length: int) -> None:
    entries, root = tree(2)
    short = Digest(bytes(length))
    with pytest.raises(ProofMalformed, match="32 bytes"):
        check(hash_leaf(entries[0]), 0, 2, proof_for(0, entries), short)
    for old, new in ((short, root), (root, short)):
        with pytest.raises(ProofMalformed, match="32 bytes"):
            verify_consistency(old_size=2, old_root=old, new_size=2, new_root=new, proof=[])


def test_refuses_a_proof_longer_than_any_tree_needs() -> None:
    proof = [Digest(bytes(32))] * (MAX_PROOF_HASHES + 1)
    root = Digest(bytes(32))
    with pytest.raises(ProofMalformed, match="64 hashes is too long, want at most 63"):
        check(root, 0, 2**64, proof, root)
    with pytest.raises(ProofMalformed, match="64 hashes is too long, want at most 63"):
        verify_consistency(
            old_size=3, old_root=root, new_size=2**64, new_root=root, proof=proof
        )


@pytest.mark.parametrize("new_size", SIZES)
def test_rejects_every_other_pair_of_consistent_sizes(new_size: int) -> None:
    entries, new_root = tree(new_size)
    for old_size in range(1, new_size):
        old_root = Digest(mth(entries[:old_size]))
        proof = [Digest(h) for h in consistency(old_size, entries)]
        for wrong in set(range(-1, new_size + 2)) - {old_size}:
            with pytest.raises((ProofMalformed, RootMismatch)):
                verify_consistency(
                    old_size=wrong,
                    old_root=old_root,
                    new_size=new_size,
                    new_root=new_root,
                    proof=proof,
                )


def test_refuses_consistency_with_the_empty_tree() -> None:
    empty, root = Digest(mth([])), Digest(mth([b"one"]))
    for size, new_root in ((0, empty), (1, root)):
        with pytest.raises(ProofMalformed, match=f"found sizes 0 and {size}"):
            verify_consistency(
                old_size=0, old_root=empty, new_size=size, new_root=new_root, proof=[]
            )


def test_agrees_with_proofs_that_go_made() -> None:
    check(
        hash_leaf(go_vector.ENTRIES[5]),
        5,
        13,
        list(go_vector.hashes(go_vector.INCLUSION_5_OF_13)),
        go_vector.ROOT_13,
    )
    verify_consistency(
        old_size=6,
        old_root=go_vector.ROOT_6,
        new_size=13,
        new_root=go_vector.ROOT_13,
        proof=go_vector.hashes(go_vector.CONSISTENCY_6_TO_13),
    )


@pytest.mark.parametrize("old_size", [3, 5, 6, 8, 12])
def test_rejects_another_old_root_or_new_root(old_size: int) -> None:
    """A wrong old root of a power-of-two size alone would show in the new root too."""
    entries, new_root = tree(13)
    old_root = Digest(mth(entries[:old_size]))
    proof = [Digest(h) for h in consistency(old_size, entries)]
    other = Digest(bytes(32))
    for old, new in ((other, new_root), (old_root, other)):
        with pytest.raises(RootMismatch):
            verify_consistency(
                old_size=old_size, old_root=old, new_size=13, new_root=new, proof=proof
            )
