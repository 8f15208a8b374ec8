"""The log as static files: C2SP tlog-tiles, see <https://c2sp.org/tlog-tiles>.

A tile holds up to 256 neighbouring hashes of every eighth level of the tree, an entry
bundle up to 256 neighbouring entries. Full ones never change; the partial one at the right
end of each level is written anew, under another name, for every published size.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from anchoring.entry import ENTRY_BYTES
from anchoring.tree import Tree
from primitives.errors import Malformed

TILE_WIDTH = 256
"""Hashes or entries in a full tile."""

TILE_LEVELS = 8
"""Levels of the tree that one tile spans: 2**8 is `TILE_WIDTH`."""

_LENGTH = ENTRY_BYTES.to_bytes(2, "big")

BUNDLE_BYTES = TILE_WIDTH * (len(_LENGTH) + ENTRY_BYTES)
"""Of a full entry bundle."""


class EntryBundleMalformed(Malformed):
    """The bytes are no entry bundle of this width."""

    code = "entry-bundle-malformed"


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a hash tile below the log's prefix.

    Args:
        level: Level of tiles, each `TILE_LEVELS` levels of the tree; 0 holds leaf hashes.
        index: 0-based position in its level.
        width: Hashes in it; fewer than `TILE_WIDTH` make it a partial tile.
    """
    return f"tile/{level}/{_position(index, width)}"


def entry_bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of an entry bundle; arguments as in `tile_path`."""
    return f"tile/entries/{_position(index, width)}"


def hash_tiles(tree: Tree, *, old_size: int, new_size: int) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each hash tile that size `new_size` adds to `old_size`.

    Both sizes are published ones: the partial tiles of sizes in between are left out.
    """
    _refuse_sizes(old_size, new_size)
    level = 0
    while new_size > old_size:
        for index, width in _changed(old_size, new_size):
            start = index * TILE_WIDTH
            content = tree.nodes(level * TILE_LEVELS, start=start, stop=start + width)
            yield tile_path(level, index, width), content
        level += 1
        old_size //= TILE_WIDTH
        new_size //= TILE_WIDTH


def bundle_start(old_size: int) -> int:
    """Return the index of the first entry that `entry_bundles` needs for `old_size`."""
    return old_size - old_size % TILE_WIDTH


def entry_bundles(
    entries: Iterable[bytes], *, old_size: int, new_size: int
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each bundle that size `new_size` adds to `old_size`.

    Args:
        entries: Exactly those from `bundle_start(old_size)` up to `new_size`, in order.
        old_size: The size published last.
        new_size: The size to be published now.
    """
    _refuse_sizes(old_size, new_size)
    remaining = iter(entries)
    for index, width in _changed(old_size, new_size):
        bundle = list(islice(remaining, width))
        if len(bundle) != width:
            raise ValueError(f"found {len(bundle)} entries of bundle {index}, want {width}")
        content = b"".join(len(entry).to_bytes(2, "big") + entry for entry in bundle)
        yield entry_bundle_path(index, width), content
    if next(remaining, None) is not None:
        raise ValueError(f"found entries past size {new_size}")


def bundle_paths(size: int) -> Iterator[tuple[str, int]]:
    """Yield path and width of each bundle of a log of `size` entries, in order."""
    for index, width in _changed(0, size):
        yield entry_bundle_path(index, width), width


def parse_bundle(raw: bytes, width: int) -> tuple[bytes, ...]:
    """Return the entries of a bundle, 33 bytes each.

    Raises:
        EntryBundleMalformed: Not `width` entries of that length.
    """
    step = len(_LENGTH) + ENTRY_BYTES
    chunks = [raw[start : start + step] for start in range(0, len(raw), step)]
    if len(raw) != width * step or any(chunk[:2] != _LENGTH for chunk in chunks):
        raise EntryBundleMalformed(f"found {len(raw)} bytes, want {width} entries")
    return tuple(chunk[2:] for chunk in chunks)


def _changed(old_size: int, new_size: int) -> Iterator[tuple[int, int]]:
    """Yield index and width of the tiles of one level that differ between two sizes."""
    if old_size == new_size:
        return
    for start in range(bundle_start(old_size), new_size, TILE_WIDTH):
        yield start // TILE_WIDTH, min(TILE_WIDTH, new_size - start)


def _position(index: int, width: int) -> str:
    """Return `x001/x234/067`, or `x001/x234/067.p/5`: safe as files and folders alike."""
    if index < 0 or not 0 < width <= TILE_WIDTH:
        raise ValueError(f"no tile has index {index} and width {width}")
    path = f"{index % 1000:03}"
    while index := index // 1000:
        path = f"x{index % 1000:03}/{path}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def _refuse_sizes(old_size: int, new_size: int) -> None:
    if not 0 <= old_size <= new_size:
        raise ValueError(f"found sizes {old_size} and {new_size}, want 0 <= old <= new")
