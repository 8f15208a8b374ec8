"""Whether a key was the issuer's to sign with at the moment asked about.

Only of a moment that the user names. A DID document is of the day it was had; of days
before, the history tells, with times that are the issuer's own word.
"""

from datetime import datetime
from typing import Final

from credentials.case import Case, DidHistoryUnproven, LogNotBound, history_of
from credentials.evidence import Obtained
from did.history import KeyPeriod
from primitives.canonical_json import JsonObject
from primitives.instants import format_instant

KEY_LISTED_LATER: Final = "key-listed-later"
"""Remark: by the history, the key came into use after the moment asked about."""

KEY_THEN_UNKNOWN: Final = "key-then-unknown"
"""Remark: what is known of the key is of a later day, and no history tells of before."""


def key_then(
    key: str, issuer: str, document: Obtained[JsonObject], case: Case
) -> tuple[str, str]:
    """Return a remark, which may be empty, and words on `key` at `case.as_of`.

    Args:
        key: Verification method that may sign, as far as is known today.
        issuer: DID.
        document: Of the issuer, as it was had.
        case: What is known, and the moment asked about.

    Raises:
        DidHistoryUnusable: There is a history, and it is broken.
    """
    then, known = format_instant(case.as_of), format_instant(document.obtained_at)
    period = _period(key, issuer, case)
    if period is None:
        if document.obtained_at <= case.as_of:
            return "", f"as of {known}"
        return KEY_THEN_UNKNOWN, f"as of {known}; whether at {then}, no history tells"
    start = format_instant(period.start)
    if _is_later(period.start, case):
        return KEY_LISTED_LATER, f"by its history in use only since {start}"
    if period.end is None or period.end > case.as_of:
        return "", f"by its history in use at {then}, since {start}"
    return "", f"by its history in use from {start} to {format_instant(period.end)}"


def _is_later(start: datetime, case: Case) -> bool:
    return start > case.as_of + case.policy.clock_skew


def _period(key: str, issuer: str, case: Case) -> KeyPeriod | None:
    found = case.evidence.histories.get(issuer)
    if not isinstance(found, Obtained):
        return None
    try:
        periods = history_of(found, issuer, case).periods()
    except (DidHistoryUnproven, LogNotBound):
        return None
    return next((period for period in periods if period.key == key), None)
