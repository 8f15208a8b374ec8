"""RFC 3339 text to and from aware UTC datetimes.

Credentials carry `dateTimeStamp` values (XML Schema 1.1 part 2, section 3.4.28): a
date-time that always names its zone.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache

from primitives.errors import Malformed

_SPELLING = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))T"
    r"((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(\.\d{1,9})?"
    r"(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))",
    re.ASCII,
)


class InstantMalformed(Malformed):
    """The text is not a date-time with a zone."""

    code = "instant-malformed"


@lru_cache(maxsize=1024)  # a refusal is not kept; a batch is of one day or one second
def parse_instant(text: str) -> datetime:
    """Return the instant that `text` names, aware and in UTC, to the microsecond.

    Raises:
        InstantMalformed: No zone, a 13th month, second 60, year 0 or 10000, or any other
            spelling than `2026-11-22T08:00:00Z` and its zoned and fractional forms.
    """
    match = _SPELLING.fullmatch(text)
    if match is None:
        raise InstantMalformed(
            f"found {text[:40]!r}, want a form like 2026-11-22T08:00:00Z"
        )
    date, time, fraction, zone = match.groups()
    micro = (fraction or ".0")[1:7].ljust(6, "0")
    offset = "+00:00" if zone == "Z" else zone
    try:
        return datetime.fromisoformat(f"{date}T{time}.{micro}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise InstantMalformed(f"{text[:40]!r} names no day of the calendar") from e


def parse_second(text: str) -> datetime:
    """Return the instant that `text` names in the one spelling that `format_instant` has.

    Raises:
        InstantMalformed: As `parse_instant`; or another zone than UTC, or a fraction.
    """
    instant = parse_instant(text)
    if format_instant(instant) != text:
        raise InstantMalformed(f"found {text[:40]!r}, want UTC and whole seconds")
    return instant


def parse_moment(text: str) -> datetime:
    """Return the instant that `text` names; of a day alone its last second, in UTC.

    Raises:
        InstantMalformed: It names none.
    """
    is_day = len(text) == len("2026-11-22") and "T" not in text
    return parse_instant(f"{text}T23:59:59Z" if is_day else text)


def format_instant(instant: datetime) -> str:
    """Return `instant` as `2026-11-22T08:00:00Z`, whole seconds, rounded down."""
    if instant.tzinfo is None:
        raise ValueError("an instant must be aware")
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
