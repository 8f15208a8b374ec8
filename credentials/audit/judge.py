"""The audit itself: a pure function from what was seen to a report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from anchoring.backend import AnchorEvent
from anchoring.checkpoint import Checkpoint, open_checkpoint
from anchoring.split import SplitView
from credentials.audit.documents import check_documents
from credentials.audit.evidence import AuditEvidence
from credentials.audit.leaves import check_tiles, split_from
from credentials.audit.log import ReadLog, read_log
from credentials.audit.records import ReadRecord, read_chain, read_record
from credentials.audit.report import AuditReport, AuditState, Finding, Severity
from credentials.audit.witnesses import check_witnesses, contradicted_by_witnesses
from credentials.evidence import Missing
from credentials.policy import DEVELOPMENT_CHAINS
from primitives.errors import PatunayError
from primitives.instants import format_instant

CLOCK_TOLERANCE: Final = timedelta(minutes=15)
"""How far a block's time may lie ahead of the auditor's clock."""


@dataclass(slots=True)
class _Audit:
    """What the audit has so far."""

    evidence: AuditEvidence
    as_of: datetime
    log: ReadLog
    findings: list[Finding] = field(default_factory=list)
    splits: list[SplitView] = field(default_factory=list)
    signed: list[tuple[str, str, Checkpoint]] = field(default_factory=list)
    """Where it was seen, note, checkpoint: all that the log has signed."""

    def note(self, note: str, checkpoint: Checkpoint, source: str) -> None:
        """Take up a checkpoint whose signature holds, and hold the log to it."""
        for _, other, seen in self.signed:
            if seen.tree_size == checkpoint.tree_size and seen.root != checkpoint.root:
                self._split(
                    source,
                    checkpoint,
                    SplitView(str(self.evidence.vkey), other, note, checkpoint.root),
                )
                return
            if seen == checkpoint:
                return
        self.signed.append((source, note, checkpoint))
        self._compare(note, checkpoint, source)

    def _compare(self, note: str, checkpoint: Checkpoint, source: str) -> None:
        """Compare with the tree that is served now."""
        published, tree = self.log.checkpoint, self.log.tree
        size = checkpoint.tree_size
        if published is None or size == 0:
            return
        if size > published.tree_size:
            self.findings.append(
                Finding(
                    Severity.BROKEN,
                    "log-behind",
                    f"the log serves {published.tree_size} leaves, "
                    f"want the {size} that {source} shows",
                    size=size,
                )
            )
            return
        if tree.size < size or tree.root(size) == checkpoint.root:
            return
        # Only what the log has signed accuses it: its tree must be that of its note.
        if self.log.whole and tree.root() == published.root:
            key = str(self.evidence.vkey)
            split = split_from(key, note, self.log.note, old=size, tree=tree)
            self._split(source, checkpoint, split)

    def _split(self, source: str, checkpoint: Checkpoint, split: SplitView) -> None:
        self.splits.append(split)
        self.findings.append(
            Finding(
                Severity.BROKEN,
                "split-view",
                f"{source} shows the root {checkpoint.root.hex()} for size "
                f"{checkpoint.tree_size}; the log has also signed another history",
                size=checkpoint.tree_size,
            )
        )


def judge_audit(evidence: AuditEvidence, as_of: datetime) -> AuditReport:
    """Return what `evidence` says of a provider's history.

    Args:
        evidence: What was seen; nothing in it is believed.
        as_of: The auditor's clock; aware.
    """
    log = read_log(evidence.log, evidence.vkey)
    audit = _Audit(evidence, as_of, log, list(log.findings))
    if log.checkpoint is not None:
        audit.signed.append(("the log", log.note, log.checkpoint))
    _take_others(audit)
    witnessed, found = check_witnesses(log, evidence.witnesses)
    audit.findings += found
    audit.findings += map(_unasked, evidence.unasked, evidence.unasked.values())
    anchored = _read_anchors(audit)
    chain = _read_chain(audit, [*(record for _, record in anchored), *_heads(audit)])
    listed = {record.digest for record in chain}
    # A chain that breaks off leads back to nothing: the gap is what was found then.
    start = chain[0].checkpoint.tree_size if chain else 0
    for seen, record in anchored:
        if record.digest not in listed and record.checkpoint.tree_size >= start:
            audit.findings.append(_not_in_chain(seen, record))
    audit.findings += check_tiles(log, chain, evidence.blocks)
    audit.findings += check_documents(evidence, log, chain)
    return AuditReport(
        origin=evidence.vkey.name,
        tree_size=log.tree.size,
        credentials=log.credentials(),
        anchors=len(anchored),
        records=len(chain),
        findings=tuple(_without_echoes(audit.findings)),
        splits=tuple(audit.splits),
        state=_state(audit, chain),
        as_of=as_of,
        witnessed=witnessed,
    )


def _take_others(audit: _Audit) -> None:
    """Hold the log to what others have of it, and to what an earlier audit saw."""
    others = list(audit.evidence.checkpoints)
    if audit.evidence.earlier is not None:
        others.append(("the earlier audit", audit.evidence.earlier.checkpoint))
    for source, note in others:
        try:
            checkpoint = open_checkpoint(note, audit.evidence.vkey)
        except PatunayError as e:
            detail = f"the checkpoint of {source} is not of this log: {e}"
            audit.findings.append(
                contradicted_by_witnesses(
                    audit.log, note, source, audit.evidence.vkey, audit.evidence.witnesses
                )
                or Finding(Severity.REMARK, e.code, detail)
            )
            continue
        audit.note(note, checkpoint, source)


def _read_anchors(audit: _Audit) -> list[tuple[AnchorEvent, ReadRecord]]:
    """Read the record of every event, in the order of each chain."""
    anchored: list[tuple[AnchorEvent, ReadRecord]] = []
    largest: dict[str, int] = {}
    for seen in sorted(audit.evidence.anchors, key=_place):
        ours = seen.account in audit.evidence.accounts
        found = read_record(audit.evidence.blocks, seen.digest, audit.evidence.vkey)
        if isinstance(found, Finding):
            # Anyone may write to the contract. Only the provider's own accounts have to
            # be able to show what they wrote.
            if ours:
                where = seen.anchor.transaction
                audit.findings.append(replace(found, transaction=where))
            continue
        if not ours:
            audit.findings.append(_by_another(seen, found))
        anchored.append((seen, found))
        audit.findings += _times(audit, seen)
        size, chain = found.checkpoint.tree_size, _chain(seen)
        if size < largest.get(chain, 0):
            audit.findings.append(_went_back(seen, size, largest[chain]))
        largest[chain] = max(size, largest.get(chain, 0))
        source = f"the anchor {seen.anchor.transaction}"
        audit.note(found.record.checkpoint, found.checkpoint, source)
    return anchored


def _read_chain(audit: _Audit, records: Sequence[ReadRecord]) -> list[ReadRecord]:
    if not records:
        return []
    newest = max(records, key=lambda record: record.checkpoint.tree_size)
    earlier = audit.evidence.earlier
    until = "" if earlier is None else earlier.record
    chain, findings = read_chain(
        audit.evidence.blocks, newest, audit.evidence.vkey, until=until
    )
    audit.findings += findings
    for record in chain:
        source = f"the record {record.cid}"
        audit.note(record.record.checkpoint, record.checkpoint, source)
    return chain


def _heads(audit: _Audit) -> Iterable[ReadRecord]:
    """Yield the records that are named as the newest and are in fact of this log."""
    for digest in audit.evidence.heads:
        found = read_record(audit.evidence.blocks, digest, audit.evidence.vkey)
        if isinstance(found, ReadRecord):
            yield found
        else:
            audit.findings.append(found)


def _unasked(contract: str, missing: Missing) -> Finding:
    if contract.rpartition(":")[0] in DEVELOPMENT_CHAINS:
        detail = f"{contract} is on a development chain, which shows no time"
        return Finding(Severity.REMARK, "no-time-evidence", detail)
    return Finding(Severity.UNKNOWN, missing.code, f"{contract}: {missing.detail}")


def _times(audit: _Audit, seen: AnchorEvent) -> Iterable[Finding]:
    if seen.anchor.timestamp > audit.as_of + CLOCK_TOLERANCE:
        yield Finding(
            Severity.BROKEN,
            "time-in-future",
            f"the block of the anchor has the time {format_instant(seen.anchor.timestamp)},"
            f" want at most {format_instant(audit.as_of)}",
            transaction=seen.anchor.transaction,
        )


def _went_back(seen: AnchorEvent, size: int, before: int) -> Finding:
    return Finding(
        Severity.BROKEN,
        "size-went-back",
        f"an anchor covers {size} leaves after one that covered {before}",
        size=size,
        transaction=seen.anchor.transaction,
    )


def _by_another(seen: AnchorEvent, record: ReadRecord) -> Finding:
    return Finding(
        Severity.REMARK,
        "anchor-by-another-account",
        f"{seen.account}, which the DID documents do not list, has anchored a checkpoint "
        "that the log has signed",
        size=record.checkpoint.tree_size,
        transaction=seen.anchor.transaction,
    )


def _not_in_chain(seen: AnchorEvent, record: ReadRecord) -> Finding:
    return Finding(
        Severity.BROKEN,
        "record-not-in-chain",
        f"the record {record.cid} was anchored, and no later record leads back to it",
        size=record.checkpoint.tree_size,
        transaction=seen.anchor.transaction,
    )


def _state(audit: _Audit, chain: Sequence[ReadRecord]) -> AuditState:
    heights: dict[str, int] = (
        dict(audit.evidence.earlier.blocks) if (audit.evidence.earlier is not None) else {}
    )
    for seen in audit.evidence.anchors:
        chain_id = _chain(seen)
        heights[chain_id] = max(heights.get(chain_id, 0), seen.anchor.block_number)
    before = audit.evidence.earlier
    record = chain[-1] if chain else None
    if record is None and before is not None:
        return AuditState(before.checkpoint, before.record, tuple(sorted(heights.items())))
    return AuditState(
        record.record.checkpoint if record else audit.log.note,
        record.cid if record else "",
        tuple(sorted(heights.items())),
    )


def _without_echoes(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Leave out what was found twice, as by an anchor and by the chain of records."""
    known: set[tuple[str, int | None, int | None, str]] = set()
    for finding in findings:
        place = (finding.code, finding.size, finding.leaf, finding.name)
        if finding.transaction or place not in known:
            yield finding
        known.add(place)


def _place(seen: AnchorEvent) -> tuple[str, int, int]:
    return _chain(seen), seen.anchor.block_number, seen.anchor.log_index


def _chain(seen: AnchorEvent) -> str:
    return seen.anchor.contract.rpartition(":")[0]
