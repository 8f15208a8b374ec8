"""What copies of a status list, each of its own time, say of one moment.

A copy holds from when it was signed until when it was had: in between the issuer showed
no other. A revocation is never lifted, so a later list without it speaks for every moment
before. A suspension may be lifted and leaves no trace, so only a list of that very time
can speak of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from credentials.case import Case
from credentials.clock_check import require_plausible
from credentials.evidence import Obtained, Origin
from credentials.status_list import MESSAGE, REVOCATION, Entry, StatusListUnusable
from primitives.canonical_json import JsonObject
from primitives.errors import Undetermined
from primitives.instants import format_instant

REVOKED_LATER: Final = "revoked-later"
"""Remark: not revoked at the moment asked about, and revoked since."""


class StatusListStale(StatusListUnusable):
    """The list is past its own `validUntil` or `ttl`, or not yet valid."""

    code = "status-list-stale"
    hint = "look the list up again, or ask the issuer whether it is still in force"


class StatusStale(Undetermined):
    """The list is older than the policy accepts; it may have been changed since."""

    code = "status-stale"
    hint = "get a newer bundle or status list, or ask the issuer"


class RevokedWhenUnknown(Undetermined):
    """Revoked by now; no list tells whether it was so at the moment asked about."""

    code = "revoked-when-unknown"
    hint = "give a bundle or a trust pack that was made at about that time"


class SuspensionThenUnknown(Undetermined):
    """No list of the moment asked about is known, and a lifted suspension has no trace."""

    code = "suspension-then-unknown"
    hint = "give a bundle or a trust pack that was made at about that time"


@dataclass(frozen=True, slots=True)
class Reading:
    """One verified copy of a list, read at one entry."""

    found: Obtained[JsonObject]
    value: int

    signed_at: datetime
    """When it was signed, by the issuer's own word; not after it was had."""

    ttl: timedelta | None
    """How long who can ask again may go without, by the list itself."""

    @property
    def known_at(self) -> datetime:
        """The last moment of which it speaks."""
        return self.found.obtained_at


@dataclass(frozen=True, slots=True)
class EntryAnswer:
    """What was the case at the moment asked about."""

    purpose: str
    value: int
    found: Obtained[JsonObject]
    """The copy that decided."""

    final: bool = False
    """Whether no later list can change it."""

    revoked_by: datetime | None = None
    """Of what was not revoked then: when a later list first has it."""


def answer_at(readings: Sequence[Reading], entry: Entry, case: Case) -> EntryAnswer:
    """Return what at least one copy says of `case.as_of`.

    Raises:
        RevokedWhenUnknown, SuspensionThenUnknown: The copies are of other times.
        StatusListStale, StatusStale: The newest one is too old for that moment.
        ClockImplausible: How old it is cannot be told.
    """
    if entry.purpose == REVOCATION:
        return _revocation(readings, entry, case)
    if entry.purpose == MESSAGE:
        newest = max(readings, key=lambda reading: reading.known_at)
        return EntryAnswer(entry.purpose, newest.value, newest.found)
    return _suspension(readings, entry, case)


def _revocation(readings: Sequence[Reading], entry: Entry, case: Case) -> EntryAnswer:
    marked = [reading for reading in readings if reading.value]
    clear = [reading for reading in readings if not reading.value]
    first = min(marked, key=lambda reading: reading.signed_at, default=None)
    last = max(clear, key=lambda reading: reading.known_at, default=None)
    limit = case.as_of + case.policy.clock_skew
    if first is not None and (not case.asked or first.signed_at <= limit):
        # What was revoked stays revoked, so this answer does not grow old.
        return EntryAnswer(entry.purpose, first.value, first.found, final=True)
    if last is not None and case.asked and last.known_at >= case.as_of:
        later = first.signed_at if first is not None else None
        return EntryAnswer(entry.purpose, 0, last.found, final=True, revoked_by=later)
    if first is not None:
        known = f"; not as of {format_instant(last.known_at)}" if last is not None else ""
        raise RevokedWhenUnknown(
            f"revoked by {format_instant(first.signed_at)}{known}; whether it was at"
            f" {format_instant(case.as_of)} is not known"
        )
    if last is None:
        raise ValueError("found no reading, want at least one")
    _require_recent(last, case)
    return EntryAnswer(entry.purpose, 0, last.found)


def _suspension(readings: Sequence[Reading], entry: Entry, case: Case) -> EntryAnswer:
    limit = case.as_of + case.policy.clock_skew
    of_then = [r for r in readings if not case.asked or r.signed_at <= limit]
    if not of_then:
        signed = format_instant(min(reading.signed_at for reading in readings))
        raise SuspensionThenUnknown(
            f"the list that is known was signed {signed}; whether it was suspended at"
            f" {format_instant(case.as_of)} is not known"
        )
    last = max(of_then, key=lambda reading: reading.known_at)
    _require_recent(last, case)
    exact = case.asked and last.known_at >= case.as_of
    return EntryAnswer(entry.purpose, last.value, last.found, final=exact)


def _require_recent(reading: Reading, case: Case) -> None:
    require_plausible(case)
    found, when = reading.found, format_instant(reading.known_at)
    age = case.as_of - reading.known_at
    # A `ttl` tells who can ask again when to do so; it says nothing to who cannot.
    if found.origin is Origin.LOOKED_UP and reading.ttl is not None and age > reading.ttl:
        seconds = reading.ttl.total_seconds()
        raise StatusListStale(f"had at {when}, good for {seconds:.0f} seconds")
    if age > case.policy.accepted_status_age:
        accepted = case.policy.accepted_status_age.days
        days = f"over {age.days}" if age.days == accepted else f"{age.days}"
        raise StatusStale(f"known as of {when}, {days} days ago; {accepted} accepted")
