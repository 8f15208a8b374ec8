"""The log as it is served: its entries, and whether they are what it has signed."""

from dataclasses import dataclass

from anchoring.checkpoint import Checkpoint, open_checkpoint
from anchoring.entry import ENTRY_BYTES, EntryKind
from anchoring.merkle import hash_leaves
from anchoring.note import VerifierKey
from anchoring.tiles import TILE_WIDTH, entry_bundle_path, hash_tiles
from anchoring.tree import Tree
from credentials.audit.evidence import LogSeen
from credentials.audit.report import Finding, Severity
from credentials.evidence import Lookup, Missing
from primitives.errors import PatunayError

_BUNDLED_BYTES = 2 + ENTRY_BYTES
"""A bundle writes the length of each entry before it, in two bytes."""

MAX_AUDIT_LEAVES = 1 << 24
"""Leaves of a log that is audited in memory: 16 million take 2 GB."""


@dataclass(frozen=True, slots=True)
class ReadLog:
    """A log that was read; what of it cannot be trusted is in the findings."""

    note: str
    """The signed note; empty if none could be had or believed."""

    checkpoint: Checkpoint | None
    entries: tuple[bytes, ...]
    """From the first on, as far as they could be read without a hole."""

    tree: Tree
    """Of `entries`."""

    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether every leaf that the checkpoint covers was read."""
        return self.checkpoint is not None and self.checkpoint.tree_size == self.tree.size

    def credentials(self) -> int:
        """Return how many leaves are credentials."""
        return sum(entry[0] == EntryKind.CREDENTIAL for entry in self.entries)


def read_log(seen: Lookup[LogSeen], key: VerifierKey) -> ReadLog:
    """Return what the tiles of `seen` hold.

    Args:
        seen: As served.
        key: Of the log; never taken from what is read here.
    """
    if isinstance(seen, Missing):
        return _unread(Finding(Severity.UNKNOWN, seen.code, seen.detail, name="log"))
    note = seen.value.checkpoint
    try:
        checkpoint = open_checkpoint(note, key)
    except PatunayError as e:
        return _unread(Finding(Severity.BROKEN, e.code, str(e), name="checkpoint"))
    if checkpoint.tree_size > MAX_AUDIT_LEAVES:
        detail = f"found {checkpoint.tree_size} leaves, want at most {MAX_AUDIT_LEAVES}"
        return _unread(Finding(Severity.UNKNOWN, "log-too-large", detail))
    entries, findings = _read_entries(seen.value, checkpoint.tree_size)
    tree = Tree(hash_leaves(entries))
    if not findings:
        findings = _compare(seen.value, checkpoint, tree)
    return ReadLog(note, checkpoint, tuple(entries), tree, tuple(findings))


def parse_bundle(raw: bytes) -> list[bytes] | None:
    """Return the entries of a bundle; None if it is not one of whole entries."""
    head = ENTRY_BYTES.to_bytes(2, "big")
    starts = range(0, len(raw), _BUNDLED_BYTES)
    if len(raw) % _BUNDLED_BYTES or any(raw[at : at + 2] != head for at in starts):
        return None
    return [raw[at + 2 : at + _BUNDLED_BYTES] for at in starts]


def _unread(finding: Finding) -> ReadLog:
    return ReadLog("", None, (), Tree(), (finding,))


def _read_entries(seen: LogSeen, size: int) -> tuple[list[bytes], list[Finding]]:
    """Return the entries up to the first hole, and what made the hole."""
    entries: list[bytes] = []
    for start in range(0, size, TILE_WIDTH):
        width = min(TILE_WIDTH, size - start)
        path = entry_bundle_path(start // TILE_WIDTH, width)
        raw = seen.tiles.get(path)
        if raw is None:
            return entries, [_missing(path)]
        bundle = parse_bundle(raw)
        if bundle is None or len(bundle) != width:
            return entries, [_short(path, len(raw), width * _BUNDLED_BYTES, start)]
        entries += bundle
    return entries, []


def _compare(seen: LogSeen, checkpoint: Checkpoint, tree: Tree) -> list[Finding]:
    """Return where hash tiles and checkpoint contradict the entries."""
    findings: list[Finding] = []
    if tree.root() != checkpoint.root:
        findings.append(
            Finding(
                Severity.BROKEN,
                "log-root-mismatch",
                f"the published entries give the root {tree.root().hex()}, "
                f"want {checkpoint.root.hex()} as the log has signed",
                size=checkpoint.tree_size,
            )
        )
    for path, wanted in hash_tiles(tree, old_size=0, new_size=tree.size):
        raw = seen.tiles.get(path)
        if raw is None:
            findings.append(_missing(path))
        elif len(raw) != len(wanted):
            findings.append(_short(path, len(raw), len(wanted), None))
        elif raw != wanted:
            detail = f"{path} holds other hashes than the entries give"
            findings.append(Finding(Severity.BROKEN, "tile-differs", detail, name=path))
    return findings


def _missing(path: str) -> Finding:
    return Finding(Severity.UNKNOWN, "tile-missing", f"{path} could not be had", name=path)


def _short(path: str, found: int, wanted: int, leaf: int | None) -> Finding:
    return Finding(
        Severity.BROKEN,
        "tile-truncated",
        f"{path} has {found} bytes, want {wanted}",
        name=path,
        leaf=leaf,
    )
