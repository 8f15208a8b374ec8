import itertools
import pickle
import random

import pytest

from anchoring.merkle import hash_leaf, hash_leaves, verify_consistency, verify_inclusion
from anchoring.tree import Tree
from primitives.hashing import Digest
from tests.support.reference_tree import consistency, mth, path

LARGEST = 70
ENTRIES = [f"credential {i}".encode() for i in range(LARGEST)]
TREE = Tree(hash_leaves(ENTRIES))


def test_leaves_hash_alike_one_by_one_and_in_bulk() -> None:
    assert list(hash_leaves(ENTRIES)) == [hash_leaf(entry) for entry in ENTRIES]


def test_the_empty_tree_has_the_root_that_the_rfc_gives_it() -> None:
    root = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (Tree().root().hex(), Tree().size) == (root, 0)
    assert list(Tree().inclusion_proofs()) == []


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_every_earlier_size_has_its_root_and_inclusion_proofs(size: int) -> None:
    entries = ENTRIES[:size]
    want = [tuple(path(index, entries)) for index in range(size)]
    assert TREE.root(size) == mth(entries)
    assert [TREE.inclusion_proof(i, tree_size=size) for i in range(size)] == want
    assert list(TREE.inclusion_proofs(size)) == want


@pytest.mark.parametrize("new_size", range(1, LARGEST + 1))
def test_every_pair_of_sizes_has_its_consistency_proof(new_size: int) -> None:
    entries = ENTRIES[:new_size]
    for old_size in range(1, new_size + 1):
        proof = TREE.consistency_proof(old_size, new_size)
        assert proof == tuple(consistency(old_size, entries))
        verify_consistency(
            old_size=old_size,
            old_root=Digest(mth(entries[:old_size])),
            new_size=new_size,
            new_root=Digest(mth(entries)),
            proof=proof,
        )


@pytest.mark.parametrize("seed", range(4))
def test_large_trees_agree_however_they_were_filled(seed: int) -> None:
    dice = random.Random(seed)
    entries = [dice.randbytes(33) for _ in range(dice.randrange(4_000, 9_000))]
    leaves = list(hash_leaves(entries))
    tree, filled = Tree(), 0
    while filled < len(leaves):
        step = dice.choice([1, 2, 255, 3_000])
        tree.extend(leaves[filled : filled + step])
        filled = min(filled + step, len(leaves))
    size = dice.randrange(2_049, len(entries))
    old = dice.randrange(1, size)
    index = dice.randrange(size)
    assert tree.size == len(leaves)
    assert tree.root() == mth(entries)
    assert tree.root(size) == mth(entries[:size])
    want = tuple(path(index, entries[:size]))
    assert tree.inclusion_proof(index, tree_size=size) == want
    assert next(itertools.islice(tree.inclusion_proofs(size), index, None)) == want
    assert tree.consistency_proof(old, size) == tuple(consistency(old, entries[:size]))


def test_every_streamed_proof_of_a_large_tree_verifies() -> None:
    leaves = list(hash_leaves(number.to_bytes(4, "big") for number in range(5_003)))
    tree = Tree(leaves)
    root = tree.root()
    proofs = list(tree.inclusion_proofs())
    assert len(proofs) == len(leaves)
    for index, proof in enumerate(proofs):
        verify_inclusion(
            leaves[index], index=index, tree_size=5_003, proof=proof, root=root
        )


def test_proofs_stay_those_of_their_size_while_the_tree_grows() -> None:
    tree = Tree(hash_leaves(ENTRIES[:37]))
    stream = tree.inclusion_proofs()
    proofs = [next(stream)]
    tree.extend(hash_leaves(ENTRIES[37:]))
    assert [*proofs, *stream] == [tuple(path(i, ENTRIES[:37])) for i in range(37)]


def test_appends_one_leaf_and_reads_it_back() -> None:
    tree = Tree()
    for entry in ENTRIES[:5]:
        tree.append(hash_leaf(entry))
    assert tree.leaf(4) == hash_leaf(ENTRIES[4])
    assert tree.root() == mth(ENTRIES[:5])


def test_a_copy_sent_to_another_process_is_the_same_tree() -> None:
    copy = pickle.loads(pickle.dumps(TREE))
    assert copy.root(65) == TREE.root(65)


def test_gives_the_nodes_of_a_level() -> None:
    assert TREE.nodes(3, start=1, stop=3) == mth(ENTRIES[8:16]) + mth(ENTRIES[16:24])
    assert TREE.nodes(20, start=0, stop=0) == b""


@pytest.mark.parametrize(("level", "start", "stop"), [(0, 0, 71), (3, 0, 9), (20, 0, 1)])
def test_refuses_nodes_that_are_not_complete(level: int, start: int, stop: int) -> None:
    with pytest.raises(IndexError, match=f"level {level} holds no nodes"):
        TREE.nodes(level, start=start, stop=stop)


@pytest.mark.parametrize("index", [-1, 3, 70])
def test_refuses_a_leaf_outside_the_size(index: int) -> None:
    with pytest.raises(IndexError, match=f"leaf {index} is outside a tree of 3 leaves"):
        TREE.inclusion_proof(index, tree_size=3)
    with pytest.raises(IndexError, match="outside a tree"):
        Tree(hash_leaves(ENTRIES[:3])).leaf(index)


def test_refuses_sizes_that_the_tree_never_had() -> None:
    with pytest.raises(ValueError, match="found size 71, want at most 70"):
        TREE.root(71)
    for old, new in ((0, 5), (6, 5), (-1, 5)):
        with pytest.raises(ValueError, match="want 0 < old <= new"):
            TREE.consistency_proof(old, new)


def test_refuses_a_hash_of_another_length_and_keeps_the_tree() -> None:
    tree = Tree(hash_leaves(ENTRIES[:3]))
    with pytest.raises(ValueError, match="32 bytes"):
        tree.append(Digest(bytes(31)))
    assert tree.root() == mth(ENTRIES[:3])
