"""A key was stolen, and an office packs what it knows of it: what counts offline.

The log has three checkpoints, of two leaves each, anchored in turn.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from credentials.evidence import Evidence
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Report
from credentials.trust_pack.belief import PackBelief, believe
from credentials.trust_pack.pack import Contents, parse_pack
from credentials.trust_pack.parts import AnchorPart
from did.history import parse_history
from tests.support.credentials_support import ISSUER, METHOD, had
from tests.support.stolen_keys import (
    FIRST,
    SECOND,
    THEFT,
    THIRD,
    Log,
    document,
    events,
    history,
)
from tests.support.trust_packs import HAD, contents, federation, issuer_part, pack

SINCE = SECOND + timedelta(hours=1)
"""The first two of the three checkpoints were anchored before."""

GOOD = ("passed", "key-compromised-anchored-before")
VOID = ("failed", "key-compromised-unanchored")
NOT_SHOWN = ("undetermined", "anchor-not-shown")


def belief(
    log: Log, since: datetime = SINCE, *, records: Sequence[int] = (0, 1, 2)
) -> PackBelief:
    """Return what an office packs after the theft was declared."""
    made = history(*events(("KeyCompromised", METHOD, since)), withdrawn=True)
    parse_history(made, ISSUER)
    issuer = issuer_part(document=document(withdrawn=True), history=made)
    chosen = [log.records[n] for n in records]
    seen = [AnchorPart(one.record, HAD, 9, one.anchors[0]) for one in chosen]
    return believe(
        parse_pack(pack(Contents(federation(), parts=(issuer, *seen))).to_bytes())
    )


def report(found: PackBelief, receipt: Any = None) -> Report:
    """Judge what the thief, or the issuer, has signed: its dates say nothing."""
    brought = Evidence() if receipt is None else Evidence(receipt=had(receipt))
    return judge(
        THEFT, found.before(brought, THEFT), found.policy(Policy()), HAD + timedelta(1)
    )


def answer(found: PackBelief, receipt: Any = None) -> tuple[str, str]:
    check = report(found, receipt).check("issuer-key")
    return check.result.value, check.code


@pytest.mark.parametrize(
    ("place", "size", "wanted"),
    [(0, 2, GOOD), (3, 4, GOOD), (4, 6, VOID), (5, 6, VOID)],
)
def test_what_was_anchored_before_the_theft_counts_and_later_does_not(
    place: int, size: int, wanted: tuple[str, str]
) -> None:
    log = Log(at=place)
    assert answer(belief(log), log.receipt(size)) == wanted


def test_a_late_receipt_of_an_early_leaf_is_not_held_against_the_learner() -> None:
    """The receipt's checkpoint is of after the theft, and its leaf is not shown earlier."""
    log = Log(at=1)
    assert answer(belief(log), log.receipt(6)) == NOT_SHOWN


def test_without_a_receipt_nobody_is_called_a_thief_and_nothing_is_accepted() -> None:
    found = report(belief(Log(at=None)))
    check = found.check("issuer-key")
    assert (check.result.value, check.code) == NOT_SHOWN
    assert found.outcome.value == "undetermined"
    assert "is declared compromised since" in found.summary


def test_a_backdated_credential_that_the_thief_has_logged_is_refused_with_the_reason() -> (
    None
):
    log = Log(at=4)
    found = report(belief(log), log.receipt(6))
    assert found.outcome.value == "rejected"
    assert found.check("issuer-key").final
    assert found.summary.endswith(
        "leaf 4 of the log, of which 4 leaves were anchored before."
    )


def test_a_record_that_the_pack_lacks_leaves_the_boundary_open() -> None:
    log = Log(at=4)
    found = belief(log, SINCE, records=(0, 2))
    assert answer(found, log.receipt(6)) == NOT_SHOWN
    # What was anchored before is shown by its own anchor.
    early = Log(at=0)
    found = belief(early, SINCE, records=(0, 2))
    assert answer(found, early.receipt(2)) == GOOD


def test_a_theft_before_every_anchor_voids_all() -> None:
    log = Log(at=0)
    found = belief(log, FIRST - timedelta(hours=1))
    assert answer(found, log.receipt(2)) == VOID
    assert answer(belief(log, THIRD + timedelta(hours=1)), log.receipt(2)) == GOOD


def test_a_receipt_cannot_take_the_anchor_of_another_record() -> None:
    """The thief shows a late record, and says that the early transaction carries it."""
    log = Log(at=4)
    early, late = log.records[0], log.receipt(6)
    forged = type(late)(late.tlog_proof, late.record, early.anchors)
    assert answer(belief(log), forged) == NOT_SHOWN


def test_an_issuer_without_a_theft_needs_no_log() -> None:
    assert believe(pack(contents())).records == {}
