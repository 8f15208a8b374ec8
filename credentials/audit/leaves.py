"""What the records say that the log held then, beside what it holds now.

A record names the tiles that were new by digest. Where the log of today gives other bytes,
it has been rewritten since; where the old bundle can be had, the very leaf is named.
"""

from collections import Counter
from collections.abc import Sequence

from anchoring.split import SplitView
from anchoring.tiles import bundle_start, entry_bundles, hash_tiles
from anchoring.tree import Tree
from credentials.audit.log import ReadLog, parse_bundle
from credentials.audit.records import Blocks, ReadRecord
from credentials.audit.report import Finding, Severity
from primitives.hashing import Digest, sha256

_BUNDLES = "tile/entries/"


def check_tiles(log: ReadLog, chain: Sequence[ReadRecord], blocks: Blocks) -> list[Finding]:
    """Return the first record whose tiles are not those of the log now, taken apart.

    Args:
        log: Its entries as they are served.
        chain: Records, oldest first. One that follows a record which is not in it only
            tells where the next one begins.
        blocks: Old bundles, where they could be had; not verified.
    """
    after = 0
    for record in chain:
        size = record.checkpoint.tree_size
        if size > log.tree.size:
            break
        if after == 0 and record.record.previous is not None:
            after = size
            continue
        wanted = {link.name: link.digest for link in record.record.tiles}
        now = dict(_tiles(log, after, size))
        odd = sorted(
            name
            for name in wanted.keys() | now.keys()
            if name not in now or wanted.get(name) != sha256(now[name])
        )
        if odd:
            return [_describe(log, odd, wanted, blocks, size=size, after=after)]
        after = size
    return []


def split_from(vkey: str, first: str, second: str, *, old: int, tree: Tree) -> SplitView:
    """Return the proof that `first`, of size `old`, is not in the tree of `second`."""
    proof = tree.consistency_proof(old, tree.size)
    return SplitView(vkey, first, second, tree.root(old), proof)


def name_change(old: list[bytes], new: list[bytes]) -> tuple[str, int]:
    """Return what became of the entries `old`, and the position where it begins.

    Args:
        old: A window of what was anchored; differs from `new` at some position.
        new: What stands there now, and after it.
    """
    at = next(
        (i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]),
        min(len(old), len(new)),
    )
    rest, now = old[at:], new[at:]
    if not now:
        return "leaf-removed", at
    if Counter(rest) == Counter(now[: len(rest)]):
        return "leaves-reordered", at
    if rest[1:] == now[1 : len(rest)]:
        return "leaf-replaced", at
    if rest[1:] == now[: len(rest) - 1]:
        return "leaf-removed", at
    if rest[:-1] == now[1 : len(rest)]:
        return "leaf-inserted", at
    return "leaves-changed", at


def _tiles(log: ReadLog, old: int, new: int) -> list[tuple[str, bytes]]:
    entries = log.entries[bundle_start(old) : new]
    return [
        *hash_tiles(log.tree, old_size=old, new_size=new),
        *entry_bundles(entries, old_size=old, new_size=new),
    ]


def _describe(
    log: ReadLog,
    odd: Sequence[str],
    wanted: dict[str, Digest],
    blocks: Blocks,
    *,
    size: int,
    after: int,
) -> Finding:
    names = [path for path, _ in _tiles(log, after, size) if path.startswith(_BUNDLES)]
    for path in odd:
        if path not in names:
            continue
        raw = blocks.get(wanted.get(path, Digest(b"")), b"")
        old = parse_bundle(raw) if sha256(raw) == wanted.get(path) else None
        start = bundle_start(after) + 256 * names.index(path)
        if old is None:
            return _rewritten(path, size, start)
        code, at = name_change(old, list(log.entries[start:]))
        return Finding(
            Severity.BROKEN,
            code,
            f"leaf {start + at} is not what was anchored with size {size}",
            size=size,
            leaf=start + at,
            name=path,
        )
    return _rewritten(odd[0], size, None)


def _rewritten(path: str, size: int, leaf: int | None) -> Finding:
    return Finding(
        Severity.BROKEN,
        "leaves-changed",
        f"{path} is not what was anchored with size {size}",
        size=size,
        leaf=leaf,
        name=path,
    )
