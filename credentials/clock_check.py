"""Whether the verifier's clock can be right: it cannot stand before what is known for sure.

A machine that is never online has a clock that nobody sets. Where it stands before
something that the verifier itself believes to have happened, nothing that depends on
today's date is concluded from it.
"""

from collections.abc import Iterator
from datetime import datetime

from credentials.case import Case
from credentials.evidence import Obtained
from primitives.errors import PatunayError, Undetermined
from primitives.instants import format_instant


class ClockImplausible(Undetermined):
    """By this machine's clock, something that is known to have happened lies ahead."""

    code = "clock-implausible"
    hint = "set the clock of this machine, or name the day with --as-of"


def newest_known(case: Case) -> datetime | None:
    """Return the latest moment that has certainly passed, if one is beyond the clock.

    By a trust pack, by a chain or a block that the verifier believes, or by enough of its
    witnesses: never by what the credential or its holder says.
    """
    limit = case.latest + case.policy.clock_skew
    return max((time for time in _known_times(case) if time > limit), default=None)


def has_passed(moment: datetime, case: Case) -> bool:
    """Tell whether `moment` lies certainly before the moment asked about."""
    newest = None if case.asked else newest_known(case)
    now = case.as_of if newest is None else newest
    return moment < now - case.policy.clock_skew


def require_plausible(case: Case) -> None:
    """Return if the moment asked about can be relied on.

    Raises:
        ClockImplausible: It is what a clock says that is behind.
    """
    newest = None if case.asked else newest_known(case)
    if newest is not None:
        raise ClockImplausible(
            f"found this clock at {format_instant(case.latest)}, and evidence of"
            f" {format_instant(newest)}"
        )


def _known_times(case: Case) -> Iterator[datetime]:
    pack, found = case.policy.pack, case.evidence
    if pack is not None:
        yield pack.newest
    if not isinstance(found.receipt, Obtained):
        return
    receipt, limit = found.receipt.value, case.latest + case.policy.clock_skew
    # A claim, and one that matters: only then is it worth proving.
    ahead = [anchor for anchor in receipt.anchors if anchor.timestamp > limit]
    if not ahead and case.policy.witnesses is None:
        return
    from credentials.anchor_times import (  # noqa: PLC0415 - few come as far
        sight_anchor,
        sight_witnesses,
    )

    for anchor in ahead:
        try:
            yield sight_anchor(anchor, receipt.digest, found, case.policy).timestamp
        except PatunayError:
            continue
    if case.policy.witnesses is not None:
        try:
            yield sight_witnesses(receipt.tlog_proof.checkpoint, case.policy).time
        except PatunayError:
            return
