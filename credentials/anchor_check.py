"""Since when a credential existed, by its receipt: the check `anchor`.

Apart from `credentials.checks`, because most credentials come without a receipt.
"""

from datetime import datetime

from anchoring.cosignature import Witnessed
from anchoring.entry import EntryKind, entry_of
from anchoring.merkle import RootMismatch
from anchoring.receipt import Receipt, verify_receipt
from credentials.anchor_times import WITNESSED, AnchorTime, sight_anchor, sight_witnesses
from credentials.case import Case, key_state, log_key, passed
from credentials.evidence import EvidenceMissing, Missing
from credentials.key_standing import require_log_key
from credentials.policy import Policy
from credentials.report import Check, Result
from primitives.errors import Undetermined
from primitives.instants import format_instant


class AnchoredLater(Undetermined):
    """Shown to have existed, and only since after the moment asked about."""

    code = "anchored-later"


class LeafNotFound(Undetermined):
    """The receipt is of another document: a wallet may have added something to this one."""

    code = "leaf-not-found"
    hint = "ask for the credential exactly as it was issued"


def judge_anchor(receipt: Receipt, case: Case) -> Check:
    """The credential existed no later than a block of a chain that the verifier believes.

    1. The receipt's checkpoint is signed by a log that is bound to the issuer.
    2. The leaf of this very document is in that checkpoint's tree.
    3. The record's digest is in an event of an accepted contract.
    4. The chain, asked by the verifier itself, shows that event, or a proof shows it in a
       block that the verifier's side attests.
    Or, in the place of 3 and 4, enough of the policy's witnesses have cosigned it.
    """
    credential = case.readable()
    key = log_key(credential.issuer, case)
    entry = entry_of(EntryKind.CREDENTIAL, case.document)
    try:
        checkpoint = verify_receipt(receipt, entry, key)  # 1, 2
    except RootMismatch as e:
        raise LeafNotFound(f"the receipt is not of this document: {e}") from e
    stolen = key_state(credential.issuer, str(key), case).compromised_since
    return _since(receipt, checkpoint.origin, stolen, case)  # 3, 4


def _since(receipt: Receipt, origin: str, stolen: datetime | None, case: Case) -> Check:
    """Say since when the checkpoint is known to have existed, by chain and by witnesses."""
    witnessed = _witnessed(receipt.tlog_proof.checkpoint, stolen, case.policy)
    try:
        seen = _sighting(receipt, case)
        require_log_key(stolen, seen.timestamp)
    except Undetermined:
        if witnessed is not None:
            detail = f"in the log {origin}, {_witness_words(witnessed, case.policy)}"
            found = passed("anchor", detail, code=WITNESSED)._replace(since=witnessed.time)
            return _by_then(found, case)
        if not receipt.anchors:
            sight_witnesses(receipt.tlog_proof.checkpoint, case.policy)  # raises why not
        raise
    when = format_instant(seen.timestamp)
    detail = f"in the log {origin} since {when} or before, {seen.words}"
    if witnessed is not None:
        detail += f"; {_witness_words(witnessed, case.policy)}"
    shown = Check(
        "anchor",
        Result.PASSED,
        code=seen.code,
        detail=detail,
        source=seen.source,
        obtained_at=seen.obtained_at,
        since=seen.timestamp,
    )
    return _by_then(shown, case)


def _by_then(shown: Check, case: Case) -> Check:
    """Return the answer if it is of the moment asked about; else that it is of a later."""
    since = shown.since
    if not case.asked or since is None or since <= case.as_of + case.policy.clock_skew:
        return shown
    detail = f"{shown.detail}; of the moment asked about, before that, it shows nothing"
    return shown._replace(
        result=Result.UNDETERMINED, code=AnchoredLater.code, detail=detail
    )


def _witnessed(note: str, stolen: datetime | None, policy: Policy) -> Witnessed | None:
    """Return what the witnesses that the policy names show, or None where they do not.

    Raises:
        CosignatureInvalid: A line names one of them, and is not its.
    """
    if policy.witnesses is None:
        return None
    try:
        found = sight_witnesses(note, policy)
        require_log_key(stolen, found.time)
    except Undetermined:
        return None
    return found


def _witness_words(found: Witnessed, policy: Policy) -> str:
    of = len(policy.witnesses.keys) if policy.witnesses is not None else found.count
    return f"witnessed by {found.count} of {of} at {format_instant(found.time)}"


def _sighting(receipt: Receipt, case: Case) -> AnchorTime:
    """Return the first anchor that the chain, or an attested block, confirms."""
    reason: Undetermined | None = None
    for anchor in receipt.anchors:
        try:
            return sight_anchor(anchor, receipt.digest, case.evidence, case.policy)
        except Undetermined as e:
            reason = e
    raise reason or EvidenceMissing(
        Missing("anchor-not-shown", "the receipt has no anchor")
    )
