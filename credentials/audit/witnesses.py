"""What witnesses say of a log: that its checkpoint was seen, or that another one was."""

from anchoring.checkpoint import parse_checkpoint_text
from anchoring.cosignature import (
    WitnessesTooFew,
    WitnessQuorum,
    count_cosignatures,
    require_witnesses,
)
from anchoring.note import SignedNote, VerifierKey
from credentials.audit.log import ReadLog
from credentials.audit.report import CosignedBy, Finding, Severity
from primitives.errors import PatunayError


def check_witnesses(
    log: ReadLog, quorum: WitnessQuorum | None
) -> tuple[CosignedBy | None, list[Finding]]:
    """Return who has cosigned the checkpoint that the log serves, and what is wrong there.

    Args:
        log: As read; its checkpoint is signed by the log's key.
        quorum: Of the auditor; None believes nobody, and then nothing is asked.
    """
    if quorum is None or log.checkpoint is None:
        return None, []
    size = log.checkpoint.tree_size
    known, threshold = len(quorum.keys), quorum.threshold
    try:
        witnessed = require_witnesses(log.note, quorum)
    except WitnessesTooFew as e:
        found = count_cosignatures(log.note, quorum)
        remark = Finding(Severity.REMARK, "checkpoint-unwitnessed", str(e), size=size)
        return CosignedBy(found, known, threshold, None), [remark]
    except PatunayError as e:
        broken = Finding(Severity.BROKEN, e.code, str(e), size=size, name="checkpoint")
        return None, [broken]
    return CosignedBy(witnessed.count, known, threshold, witnessed.time), []


def contradicted_by_witnesses(
    log: ReadLog, note: str, source: str, key: VerifierKey, quorum: WitnessQuorum | None
) -> Finding | None:
    """Return the finding if witnesses have seen another history than the log shows.

    A witness cosigns only what the log has signed. As many of them as the auditor asks for
    are believed even where the log's own signature has been cut off; without it there is
    no split file, for it would accuse the log by the word of others alone.

    Args:
        log: As read.
        note: Of a checkpoint; the log's own signature on it does not hold.
        source: Whose it is.
        key: Of the log.
        quorum: Of the auditor; None believes nobody.
    """
    if quorum is None or log.checkpoint is None or not log.whole:
        return None
    try:
        checkpoint = parse_checkpoint_text(SignedNote.parse(note).text)
        witnessed = require_witnesses(note, quorum)
    except PatunayError:
        # The caller says what is wrong with the note itself.
        return None
    size = checkpoint.tree_size
    if checkpoint.origin != key.name or not 0 < size <= log.tree.size:
        return None
    if log.tree.root(size) == checkpoint.root:
        return None
    return Finding(
        Severity.BROKEN,
        "split-view",
        f"{witnessed.count} of {len(quorum.keys)} witnesses have cosigned the root "
        f"{checkpoint.root.hex()} for size {size} in {source}; the log shows another",
        size=size,
    )
