"""What the official schema does not see: the rules OB-1 to OB-6 on dates, results, credits.

A credential may be valid to the letter and name nobody, or a level that its rubric does not
have. Every rule is about one credential alone, and none reads a rank from the position of
an item.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from credentials.open_badges.achievement import Achievement, ResultDescription
from credentials.open_badges.badge import OpenBadge, Result
from primitives.instants import parse_instant

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)


class Severity(StrEnum):
    """What an issuer does about a finding."""

    ERROR = "error"
    """Issue nothing."""

    WARNING = "warning"
    """Issue for a reason that is written down."""

    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a credential does not meet."""

    code: str
    """OB-1 to OB-6."""

    severity: Severity
    path: str
    """As in `$.credentialSubject.result[0].value`."""

    detail: str


def check_open_badge(badge: OpenBadge) -> tuple[Finding, ...]:
    """Return every rule that `badge` breaks, in the order of the rules' numbers."""
    found = [*_subject(badge), *_results(badge), *_dates(badge), *_credits(badge)]
    return tuple(sorted(found, key=lambda finding: finding.code))


def _error(code: str, path: str, detail: str) -> Finding:
    return Finding(code, Severity.ERROR, path, detail)


def _subject(badge: OpenBadge) -> Iterator[Finding]:
    subject = badge.credential_subject
    if subject.id is None and not subject.identifier:
        detail = "found no id and no identifier, want one of them"
        yield _error("OB-1", "$.credentialSubject", detail)


def _results(badge: OpenBadge) -> Iterator[Finding]:
    subject = badge.credential_subject
    described = {item.id: item for item in subject.achievement.result_description}
    for index, result in enumerate(subject.result):
        path = f"$.credentialSubject.result[{index}]"
        description = described.get(result.result_description or "")
        if description is None:
            yield _undescribed(result, path, subject.achievement)
        else:
            yield from _described(result, path, description)


def _undescribed(result: Result, path: str, achievement: Achievement) -> Finding:
    wanted = "want the id of a result description of this achievement"
    if result.result_description is not None:
        found = f"found {result.result_description[:80]}"
        return _error("OB-2", f"{path}.resultDescription", f"{found}, {wanted}")
    if achievement.result_description or result.achieved_level is not None:
        return _error("OB-2", path, f"found no resultDescription, {wanted}")
    # A card for paper leaves the descriptions out; its value is then only words.
    detail = "the achievement describes no results, so nothing can be compared"
    return Finding("OB-2", Severity.INFO, path, detail)


def _described(
    result: Result, path: str, description: ResultDescription
) -> Iterator[Finding]:
    levels = {level.id for level in description.rubric_criterion_level}
    if result.achieved_level is not None and result.achieved_level not in levels:
        detail = (
            f"found {result.achieved_level[:80]}, want a level of {description.id[:80]}"
        )
        yield _error("OB-3", f"{path}.achievedLevel", detail)
    if result.value is not None:
        yield from _value(result.value, f"{path}.value", description)
    if description.result_type == "Status" and result.status is None:
        yield _error("OB-4", path, "found no status, want one: the result is a Status")


def _value(value: str, path: str, description: ResultDescription) -> Iterator[Finding]:
    allowed = description.allowed_value
    if allowed and value not in allowed:
        yield _error("OB-3", path, f"found {value[:80]!r}, want an allowed value")
    low, high = description.value_min, description.value_max
    if low is None and high is None:
        return
    span = f"{low!r} to {high!r}"[:80]
    number = _number(value)
    bottom = number if low is None else _number(low)
    top = number if high is None else _number(high)
    if number is None or bottom is None or top is None:
        detail = f"found {value[:80]!r} in {span}, want plain numbers"
        yield _error("OB-3", path, detail)
    elif not bottom <= number <= top:
        yield _error("OB-3", path, f"found {number}, want {span}")


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _dates(badge: OpenBadge) -> Iterator[Finding]:
    start = parse_instant(badge.valid_from)
    if badge.valid_until is not None and parse_instant(badge.valid_until) <= start:
        detail = f"found {badge.valid_until}, want it after validFrom {badge.valid_from}"
        yield _error("OB-5", "$.validUntil", detail)
    if badge.awarded_date is not None and parse_instant(badge.awarded_date) > start:
        detail = (
            f"found {badge.awarded_date}, want it not after validFrom {badge.valid_from}"
        )
        yield _error("OB-5", "$.awardedDate", detail)


def _credits(badge: OpenBadge) -> Iterator[Finding]:
    subject = badge.credential_subject
    earned, offered = subject.credits_earned, subject.achievement.credits_available
    if earned is not None and offered is not None and earned > offered:
        detail = f"found {earned}, want at most the {offered} that creditsAvailable offers"
        path = "$.credentialSubject.creditsEarned"
        yield Finding("OB-6", Severity.WARNING, path, detail)
