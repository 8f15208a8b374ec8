import pytest

from anchoring.merkle import hash_leaf, hash_leaves
from anchoring.tiles import bundle_start, entry_bundles, hash_tiles, tile_path
from anchoring.tree import Tree
from tests.support.reference_tree import mth

ENTRIES = [number.to_bytes(3, "big") for number in range(70_000)]
TREE = Tree(hash_leaves(ENTRIES))


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 999, 256, "tile/0/999"),
        (0, 1000, 256, "tile/0/x001/000"),
        (1, 1234067, 256, "tile/1/x001/x234/067"),
        (0, 273, 112, "tile/0/273.p/112"),
        (63, 1_000_000, 1, "tile/63/x001/x000/000.p/1"),
    ],
)
def test_spells_paths_as_the_specification_does(
    level: int, index: int, width: int, path: str
) -> None:
    assert tile_path(level, index, width) == path


@pytest.mark.parametrize(("index", "width"), [(-1, 256), (0, 0), (0, 257)])
def test_refuses_tiles_that_cannot_be(index: int, width: int) -> None:
    with pytest.raises(ValueError, match="no tile has"):
        tile_path(0, index, width)


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    tiles = dict(hash_tiles(TREE, old_size=0, new_size=70_000))
    full = [f"tile/0/{index:03}" for index in range(273)]
    assert list(tiles) == [
        *full,
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert {len(tiles[path]) for path in full} == {8192}


def test_a_tree_of_256_has_a_partial_tile_above_its_full_one() -> None:
    tiles = dict(hash_tiles(TREE, old_size=255, new_size=256))
    assert list(tiles) == ["tile/0/000", "tile/1/000.p/1"]
    assert tiles["tile/1/000.p/1"] == mth(ENTRIES[:256])


def test_tiles_hold_the_hashes_of_their_subtrees() -> None:
    tiles = dict(hash_tiles(TREE, old_size=0, new_size=70_000))
    leaves = b"".join(map(hash_leaf, ENTRIES[256:512]))
    assert tiles["tile/0/001"] == leaves
    assert tiles["tile/1/001.p/17"][-32:] == mth(ENTRIES[272 * 256 : 273 * 256])
    assert tiles["tile/2/000.p/1"] == mth(ENTRIES[: 256 * 256])


@pytest.mark.parametrize("old_size", [0, 1, 255, 256, 257, 511, 65_535, 65_536, 69_999])
def test_steps_publish_whatever_the_last_size_needs(old_size: int) -> None:
    """Each full tile once, and the partial ones of both sizes; nothing twice."""
    whole = dict(hash_tiles(TREE, old_size=0, new_size=70_000))
    before = dict(hash_tiles(TREE, old_size=0, new_size=old_size))
    added = dict(hash_tiles(TREE, old_size=old_size, new_size=70_000))
    assert not before.keys() & added.keys()
    assert whole.items() <= (before | added).items()
    assert all(".p/" in path for path in before.keys() - whole.keys())


def test_equal_sizes_publish_nothing() -> None:
    assert list(hash_tiles(TREE, old_size=300, new_size=300)) == []
    assert list(entry_bundles([], old_size=256, new_size=256)) == []


def test_bundles_prefix_each_entry_with_its_length() -> None:
    entries = [b"", b"a", b"x" * 258]
    assert list(entry_bundles(entries, old_size=0, new_size=3)) == [
        ("tile/entries/000.p/3", b"\0\0" + b"\0\1a" + b"\1\2" + b"x" * 258)
    ]


def test_bundles_begin_where_the_last_partial_one_did() -> None:
    assert [bundle_start(size) for size in (0, 255, 256, 700)] == [0, 0, 256, 512]
    bundles = dict(entry_bundles(ENTRIES[512:1030], old_size=700, new_size=1030))
    assert list(bundles) == [
        "tile/entries/002",
        "tile/entries/003",
        "tile/entries/004.p/6",
    ]
    assert bundles["tile/entries/004.p/6"] == b"".join(
        b"\0\3" + entry for entry in ENTRIES[1024:1030]
    )


@pytest.mark.parametrize("given", [517, 519])
def test_refuses_other_entries_than_the_bundles_need(given: int) -> None:
    with pytest.raises(ValueError, match="entries"):
        list(entry_bundles(ENTRIES[512 : 512 + given], old_size=700, new_size=1030))


def test_refuses_sizes_out_of_order() -> None:
    with pytest.raises(ValueError, match="found sizes 2 and 1"):
        list(hash_tiles(TREE, old_size=2, new_size=1))
    with pytest.raises(ValueError, match="found sizes 2 and 1"):
        list(entry_bundles([], old_size=2, new_size=1))
