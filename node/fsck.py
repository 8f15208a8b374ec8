"""Checking a node's memory against itself and against the chain.

Every leaf is hashed again from the document that it stands for, every root calculated
again, every checkpoint's signature and record checked, every status list compared with
what was done to its credentials, and every anchor looked up.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from anchoring.backend import AnchorBackend, SignedTransaction
from anchoring.checkpoint import open_checkpoint
from anchoring.entry import EntryKind, encode_entry, entry_of
from anchoring.merkle import hash_leaf
from anchoring.record import parse_record, record_cid, record_digest
from anchoring.tree import Tree
from credentials.status_list import set_indexes
from node.audit_log import check_audit_log
from node.node import Node
from node.status import marked_bits
from node.storage import anchor_store, ledger, statuses
from node.storage.anchor_store import StoredCheckpoint, StoredTransaction
from node.storage.restorations import inherited
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError, Undetermined
from primitives.strict_json import parse_json_object

_CHUNK = 1_000
"""Leaves checked between two reports of progress."""

_MAX_STORED_BYTES = 8 << 20
"""Largest document that the node itself stores: a status list."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not fit together."""

    where: str
    """Such as `leaf 17`, `checkpoint 402` or `transaction 0x…`."""

    code: str
    detail: str


@dataclass(slots=True)
class FsckReport:
    """What was looked at, and what was wrong."""

    leaves: int = 0
    checkpoints: int = 0
    anchors: int = 0
    anchors_unchecked: int = 0
    """Anchors that no chain was asked about."""

    problems: list[Problem] = field(default_factory=list)
    unknown: list[Problem] = field(default_factory=list)
    """What could not be looked at."""

    def to_json(self) -> JsonObject:
        """Return the report as `--json` prints it."""
        return {
            "version": 1,
            "leaves": self.leaves,
            "checkpoints": self.checkpoints,
            "anchors": self.anchors,
            "anchorsUnchecked": self.anchors_unchecked,
            "problems": [_problem_json(p) for p in self.problems],
            "unknown": [_problem_json(p) for p in self.unknown],
        }


async def check_node(
    node: Node, backend: AnchorBackend | None, progress: Callable[[str, int, int], None]
) -> FsckReport:
    """Return what does not fit together; changes nothing.

    Args:
        node: Open; need not be unlocked.
        backend: Asked about the anchors; None leaves them unchecked, and says so.
        progress: Told the step, how many are done, and of how many.
    """
    report = FsckReport()
    tree = Tree()
    # One snapshot: a daemon may be adding to all of them.
    async with node.reading() as c:
        length = await ledger.log_length(c)
        checkpoints = await anchor_store.all_checkpoints(c)
        sent = await anchor_store.all_transactions(c)
    start = 0
    while start < length:
        stop = min(start + _CHUNK, length)
        await _check_leaves(node, tree, report, start, stop)
        start = stop
        progress("hashing leaves", start, length)
    report.leaves = tree.size
    await _check_credentials(node, report)
    await _check_lists(node, report)
    previous: StoredCheckpoint | None = None
    for checkpoint in checkpoints:
        _check_checkpoint(node, tree, checkpoint, previous, report)
        previous = checkpoint
    report.checkpoints = len(checkpoints)
    await _check_anchors(sent, checkpoints, backend, report)
    report.problems += [
        Problem(f"audit entry {flaw.sequence}", flaw.code, flaw.detail)
        for flaw in (await check_audit_log(node)).flaws
    ]
    return report


async def _check_credentials(node: Node, report: FsckReport) -> None:
    async with node.reading() as c:
        unlogged = await ledger.unlogged_credentials(c, _CHUNK)
    report.problems += [
        Problem(f"credential {uuid}", "entry-missing", "it is in neither log nor queue")
        for uuid in unlogged
    ]


async def _check_lists(node: Node, report: FsckReport) -> None:
    """Compare what each status list says with what was done to the credentials in it."""
    async with node.reading() as c:
        for stored in await statuses.all_lists(c):
            marked = await statuses.marked_indexes(c, stored.url)
            marked |= await inherited(c, stored.url)
            allowed = await marked_bits(c, stored)
            where = f"status list {stored.url}"
            try:
                document = parse_json_object(stored.document.encode(), _MAX_STORED_BYTES)
                bits = set_indexes(document)
            except PatunayError as e:
                report.problems.append(Problem(where, e.code, str(e)))
                continue
            if not marked <= bits <= allowed:
                missing, extra = len(marked - bits), len(bits - allowed)
                detail = f"found {missing} bits missing and {extra} too many"
                report.problems.append(Problem(where, "status-list-mismatch", detail))


async def _check_leaves(
    node: Node, tree: Tree, report: FsckReport, start: int, stop: int
) -> None:
    async with node.reading() as c:
        rows = await ledger.leaves(c, start, stop)
        if len(rows) != stop - start:
            detail = f"found {len(rows)} leaves, want {stop - start}"
            where = f"leaves {start} to {stop - 1}"
            report.problems.append(Problem(where, "leaves-missing", detail))
        for index, (kind, digest, subject) in enumerate(rows, start):
            tree.append(hash_leaf(encode_entry(kind, digest)))
            if kind is EntryKind.CREDENTIAL:
                stored = await ledger.find_credential(c, subject)
                body = stored.document if stored is not None else None
            else:
                body = await ledger.find_document(c, digest)
            problem = _leaf_problem(kind, encode_entry(kind, digest), body)
            if problem is not None:
                code, detail = problem
                report.problems.append(Problem(f"leaf {index} ({subject})", code, detail))


def _leaf_problem(
    kind: EntryKind, entry: bytes, body: str | None
) -> tuple[str, str] | None:
    if body is None:
        return "document-missing", "the document of this leaf is not stored"
    try:
        found = entry_of(kind, parse_json_object(body.encode(), _MAX_STORED_BYTES))
    except PatunayError as e:
        return e.code, str(e)
    if found != entry:
        return "leaf-mismatch", "the stored document is not the one that was logged"
    return None


def _check_checkpoint(
    node: Node,
    tree: Tree,
    stored: StoredCheckpoint,
    previous: StoredCheckpoint | None,
    report: FsckReport,
) -> None:
    def problem(code: str, detail: str) -> None:
        report.problems.append(Problem(f"checkpoint {stored.tree_size}", code, detail))

    try:
        signed = open_checkpoint(stored.note, node.vkey)
        record = parse_record(stored.record)
    except PatunayError as e:
        problem(e.code, str(e))
        return
    if (signed.tree_size, signed.root) != (stored.tree_size, stored.root):
        problem("checkpoint-mismatch", "the signed note is of another size or root")
    if stored.tree_size > tree.size:
        problem("leaves-missing", f"found {tree.size} leaves, want {stored.tree_size}")
    elif tree.root(stored.tree_size) != stored.root:
        problem("root-mismatch", "the leaves give another root than was signed")
    if record.checkpoint != stored.note:
        problem("record-mismatch", "the anchor record holds another checkpoint")
    if record_digest(stored.record) != stored.record_digest:
        problem("record-mismatch", "the anchor record has another digest")
    if record.previous != (record_cid(previous.record) if previous is not None else None):
        problem("record-mismatch", "the anchor record names another one before it")


async def _check_anchors(
    sent: list[StoredTransaction],
    checkpoints: list[StoredCheckpoint],
    backend: AnchorBackend | None,
    report: FsckReport,
) -> None:
    digests = {checkpoint.tree_size: checkpoint.record_digest for checkpoint in checkpoints}
    for stored in sent:
        if not stored.is_effective:
            continue
        report.anchors += 1
        where = f"transaction {stored.reference}"
        digest = digests.get(stored.tree_size)
        if digest is None:
            detail = f"found no checkpoint of size {stored.tree_size}"
            report.problems.append(Problem(where, "checkpoint-missing", detail))
            continue
        if backend is None or backend.chain != stored.chain:
            report.anchors_unchecked += 1
            continue
        signed = SignedTransaction(
            stored.chain,
            stored.sender,
            stored.nonce,
            stored.reference,
            stored.raw,
            digest,
        )
        try:
            seen = await backend.find(signed)
        except Undetermined as e:
            report.unknown.append(Problem(where, e.code, str(e)))
        except PatunayError as e:
            report.problems.append(Problem(where, e.code, str(e)))
        else:
            if seen is None:
                report.problems.append(
                    Problem(where, "anchor-not-found", "the chain does not show it")
                )


def _problem_json(problem: Problem) -> JsonObject:
    return {"where": problem.where, "code": problem.code, "detail": problem.detail}
