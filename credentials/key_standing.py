"""Whether what a key has signed still counts once the key was rotated, or compromised.

A rotated key stays good. Of a key that somebody else may have had since T, only what was
in the log before T counts: the log's anchors say what that is, and never the dates that
are written in the credential. What cannot be shown either way stays undetermined: a holder
without a receipt is no forger.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from anchoring.anchored_record import AnchoredRecord
from anchoring.backend import AnchorReceipt
from anchoring.checkpoint import Checkpoint, open_checkpoint
from anchoring.merkle import hash_leaf
from anchoring.note import VerifierKey
from anchoring.receipt import Receipt, verify_receipt
from anchoring.record import parse_record, record_cid, record_digest
from anchoring.tree import Tree
from credentials.anchor_times import NoTimeEvidence, sight_anchor, sight_witnesses
from credentials.evidence import Evidence, Missing, Obtained
from credentials.policy import Policy
from did.key_state import KeyState
from primitives.errors import PatunayError, Rejected, Undetermined
from primitives.hashing import Digest
from primitives.instants import format_instant

TIME_ONLY_CLAIMED = "time-only-claimed"
"""Remark: the key was replaced, and only the issuer says that it signed before that."""

ANCHORED_BEFORE = "key-compromised-anchored-before"
"""Remark: the key was stolen, and what it signed was anchored before that."""


class KeyCompromisedUnanchored(Rejected):
    """Signed with a stolen key, and not in the log as it was anchored before the theft."""

    code = "key-compromised-unanchored"
    hint = "ask the issuer to issue it again"


class AnchorNotShown(Undetermined):
    """Signed with a stolen key, and not shown to have been anchored before the theft."""

    code = "anchor-not-shown"
    hint = "give the receipt with --receipt, and an endpoint of its chain with --rpc"


class LogKeyCompromised(Undetermined):
    """The log's own key was stolen by then: what it signs shows nothing any more."""

    code = "log-key-compromised"
    hint = "ask for a receipt whose anchor is older"


@dataclass(frozen=True, slots=True)
class KeyQuestion:
    """What is known of when one document was anchored."""

    entry: bytes
    """Of the document under test, worked out from it."""

    evidence: Evidence
    policy: Policy

    log_key: VerifierKey | Undetermined
    """Of the log that is bound to the issuer, or why none is."""

    log_key_stolen_since: datetime | None = None

    def key(self) -> VerifierKey:
        """Return the log's key, or raise why there is none."""
        if isinstance(self.log_key, Undetermined):
            raise self.log_key
        return self.log_key

    def time_of(self, anchors: Sequence[AnchorReceipt], digest: Digest) -> datetime:
        """Return the earliest time that an accepted chain confirms for `digest`.

        Raises:
            LogKeyCompromised: The log's key was stolen by then.
            Undetermined: No chain confirms any of them; the last one's reason.
        """
        reason: Undetermined = AnchorNotShown("the record is anchored nowhere")
        times = []
        for anchor in anchors:
            try:
                times.append(self._sighted(anchor, digest))
            except Undetermined as e:
                reason = e
        if not times:
            raise reason
        return min(times)

    def time_of_receipt(self, receipt: Receipt) -> datetime:
        """Return the earliest time that a chain or enough witnesses confirm.

        Raises:
            PatunayError: As `time_of`, where neither does.
        """
        times: list[datetime] = []
        reason: Undetermined | None = None
        try:
            times.append(self.time_of(receipt.anchors, receipt.digest))
        except Undetermined as e:
            reason = e
        try:
            witnessed = sight_witnesses(receipt.tlog_proof.checkpoint, self.policy).time
            require_log_key(self.log_key_stolen_since, witnessed)
            times.append(witnessed)
        except Undetermined as e:
            reason = reason or e
        if reason is not None and not times:
            raise reason
        return min(times)

    def _sighted(self, anchor: AnchorReceipt, digest: Digest) -> datetime:
        seen = sight_anchor(anchor, digest, self.evidence, self.policy).timestamp
        require_log_key(self.log_key_stolen_since, seen)
        return seen


@dataclass(frozen=True, slots=True)
class _Boundary:
    """The last checkpoint that was anchored before a time, and the next after it."""

    size: int
    """0 if none was anchored before."""

    last: Checkpoint | None
    following: Checkpoint


def require_log_key(stolen_since: datetime | None, anchored: datetime) -> None:
    """Return if a checkpoint anchored then was signed by the log itself.

    Raises:
        LogKeyCompromised: Somebody else may have had its key.
    """
    if stolen_since is not None and anchored >= stolen_since:
        raise LogKeyCompromised(
            f"anchored {format_instant(anchored)}; the log's key is declared compromised"
            f" since {format_instant(stolen_since)}"
        )


def judge_key(state: KeyState, question: KeyQuestion) -> tuple[str, str]:
    """Return a remark's code and words on a key's signature; both empty if there is none.

    Raises:
        KeyCompromisedUnanchored: See the class.
        AnchorNotShown: See the class.
        NoTimeEvidence: The anchors are on development chains, which give no time.
    """
    if state.compromised_since is not None:
        return ANCHORED_BEFORE, _require_before(state.compromised_since, question)
    if state.rotated_at is None:
        return "", ""
    replaced = f"the key was replaced {format_instant(state.rotated_at)}"
    try:
        anchored = receipt_time(question)
    except PatunayError:
        return TIME_ONLY_CLAIMED, f"{replaced}; that it signed before is only claimed"
    if anchored > state.rotated_at:
        return TIME_ONLY_CLAIMED, f"{replaced}; anchored only after that"
    return "", f"{replaced}; anchored before"


def _require_before(since: datetime, question: KeyQuestion) -> str:
    """Return in words that the document was in the log before `since`; raise otherwise."""
    stolen = f"the key is declared compromised since {format_instant(since)}"
    try:
        anchored = receipt_time(question)
    except PatunayError as e:
        reason: PatunayError | None = e
    else:
        if anchored < since:
            return f"{stolen}; anchored before, {format_instant(anchored)}"
        reason = None
    try:
        boundary = _find_boundary(since, question)
        index = _find_leaf(boundary, question)
    except PatunayError as e:
        raise _not_shown(stolen, reason, e) from e
    if index is None or index >= boundary.size:
        where = "not in the log" if index is None else f"leaf {index} of the log"
        raise KeyCompromisedUnanchored(
            f"{stolen}; {where}, of which {boundary.size} leaves were anchored before"
        )
    return f"{stolen}; leaf {index} of {boundary.size} anchored before"


def _not_shown(stolen: str, *reasons: PatunayError | None) -> Undetermined:
    """Keep the reasons that have a remedy of their own; all others are one."""
    known = [reason for reason in reasons if reason is not None]
    for reason in known:
        if isinstance(reason, NoTimeEvidence | LogKeyCompromised):
            return type(reason)(f"{stolen}; {reason}")
    return AnchorNotShown(f"{stolen}; {known[0]}")


def receipt_time(question: KeyQuestion) -> datetime:
    """Return when the checkpoint in the receipt, which holds the document, was anchored."""
    receipt = question.evidence.receipt
    if isinstance(receipt, Missing):
        raise AnchorNotShown(receipt.detail)
    verify_receipt(receipt.value, question.entry, question.key())
    return question.time_of_receipt(receipt.value)


def _find_boundary(since: datetime, question: KeyQuestion) -> _Boundary:
    """Return the last accepted checkpoint anchored before `since`.

    That it is the last is known where the next record, which names it, is confirmed to be
    anchored at `since` or later.
    """
    found = list(_checkpoints(question))
    times: list[datetime | None] = []
    reason: Undetermined = AnchorNotShown("the log was not read beyond that time")
    for anchored, _ in found:
        try:
            digest = record_digest(anchored.record)
            times.append(question.time_of(anchored.anchors, digest))
        except Undetermined as e:
            times.append(None)
            reason = e
    before = [place for place, time in enumerate(times) if time and time < since]
    following = before[-1] + 1 if before else 0
    if following == len(found) or times[following] is None:
        raise reason
    first = parse_record(found[0][0].record)
    if not before and first.previous is not None:
        raise AnchorNotShown("the log's earlier records were not read")
    last = found[before[-1]][1] if before else None
    size = last.tree_size if last is not None else 0
    return _Boundary(size, last, found[following][1])


def _checkpoints(
    question: KeyQuestion,
) -> Iterator[tuple[AnchoredRecord, Checkpoint]]:
    """Yield the records that are known, each named by the next, with their checkpoints."""
    previous: bytes | None = None
    size = 0
    for anchored in _records(question.evidence):
        record = parse_record(anchored.record)
        checkpoint = open_checkpoint(record.checkpoint, question.key())
        if previous is not None and record.previous != record_cid(previous):
            raise AnchorNotShown("a record of the log is missing between two others")
        if checkpoint.tree_size <= size:
            raise AnchorNotShown("the log's checkpoints do not grow")
        yield anchored, checkpoint
        previous, size = anchored.record, checkpoint.tree_size


def _records(evidence: Evidence) -> Sequence[AnchoredRecord]:
    """Return the records of the log, or of the receipt where the log was not read."""
    receipt = evidence.receipt
    own: tuple[AnchoredRecord, ...] = ()
    if isinstance(receipt, Obtained):
        own = (AnchoredRecord(receipt.value.record, receipt.value.anchors),)
    records = evidence.log.value.records if isinstance(evidence.log, Obtained) else own
    # A sighting is of a transaction: two records that claim the same one cannot both be it.
    claims: dict[str, bytes] = {}
    for anchored in (*records, *own):
        for anchor in anchored.anchors:
            claimed = claims.setdefault(anchor.transaction, anchored.record)
            if claimed != anchored.record:
                raise AnchorNotShown(f"two records claim {anchor.transaction}")
    if not records:
        raise AnchorNotShown("no record of the log was read")
    return records


def _find_leaf(boundary: _Boundary, question: KeyQuestion) -> int | None:
    """Return where the document stands in the log; None if it certainly does not.

    An index below the boundary counts only in the very tree that was anchored: a log that
    shows two histories could prove any index in the other one.
    """
    if question.log_key_stolen_since is None:
        index = _proven_index(question)
        if index is not None and index >= boundary.size:
            return index
    log = question.evidence.log
    entries = log.value.entries if isinstance(log, Obtained) else ()
    if len(entries) < boundary.following.tree_size:
        raise AnchorNotShown("the log was not read in full")
    tree = Tree(hash_leaf(entry) for entry in entries)
    for checkpoint in (boundary.last, boundary.following):
        if checkpoint and tree.root(checkpoint.tree_size) != checkpoint.root:
            raise AnchorNotShown("what was read of the log is not what was anchored")
    return entries.index(question.entry) if question.entry in entries else None


def _proven_index(question: KeyQuestion) -> int | None:
    receipt = question.evidence.receipt
    if isinstance(receipt, Missing):
        return None
    try:
        verify_receipt(receipt.value, question.entry, question.key())
    except PatunayError:
        return None
    return receipt.value.tlog_proof.index
