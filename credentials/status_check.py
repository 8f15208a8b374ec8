"""Has the issuer taken the credential back? A pure function of values.

Whatever is wrong with a status list leaves the question open, never answered with "no".
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from credentials.case import Case, had, passed
from credentials.evidence import Obtained, Origin
from credentials.proof_checks import check_dates, check_issuer_key, check_proof
from credentials.quoting import quoted
from credentials.report import Check, Result
from credentials.status_list import (
    CREDENTIAL_TYPE,
    MESSAGE,
    REVOCATION,
    Entry,
    StatusListUnusable,
    parse_entry,
    read_ttl,
    read_value,
)
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError, Rejected, Undetermined
from primitives.instants import format_instant


class Revoked(Rejected):
    """The issuer took the credential back, for ever."""

    code = "revoked"


class Suspended(Rejected):
    """The issuer suspended the credential, for now."""

    code = "suspended"


class StatusIssuerMismatch(StatusListUnusable):
    """The status list is of somebody else than the credential's issuer."""

    code = "status-issuer-mismatch"


class StatusListIdMismatch(StatusListUnusable):
    """The list that was found is not the list that was asked for."""

    code = "status-list-id-mismatch"


class StatusListProofInvalid(StatusListUnusable):
    """The list's own signature does not hold."""

    code = "status-list-proof-invalid"


class StatusListStale(StatusListUnusable):
    """The list is past its own `validUntil` or `ttl`, or not yet valid."""

    code = "status-list-stale"
    hint = "look the list up again, or ask the issuer whether it is still in force"


class StatusStale(Undetermined):
    """The list is older than the policy accepts; it may have been changed since."""

    code = "status-stale"
    hint = "get a newer bundle or status list, or ask the issuer"


STATUS_AGED: Final = "status-aged"
"""Remark: the list is accepted, and older than `FRESH_STATUS`."""

FRESH_STATUS: Final = timedelta(days=7)
"""Up to this age a status needs no remark."""


def check_status(case: Case) -> Check:
    """The issuer has not taken the credential back, as far as its lists say.

    Revoked beats suspended beats unknown, in whatever order the entries stand. Messages
    are repeated, and decide nothing.
    """
    credential = case.readable()
    if not credential.statuses:
        return Check(
            "status", Result.NOT_APPLICABLE, detail="the issuer keeps no status for it"
        )
    seen: list[tuple[str, Obtained[JsonObject]]] = []
    messages: list[str] = []
    problems: list[PatunayError] = []
    for status in credential.statuses:
        try:
            entry = parse_entry(status.members)
            found, value = _read_status(entry, credential.issuer, case)
        except PatunayError as e:
            problems.append(e)
            continue
        if entry.purpose == MESSAGE:
            messages.append(f"; message {value:#x} {quoted(entry.messages[value])}")
        elif value:
            kind = Revoked if entry.purpose == REVOCATION else Suspended
            problems.append(kind(f"{kind.code} by its issuer; list from {found.source}"))
        else:
            seen.append((entry.purpose, found))
    said = "".join(sorted(messages))
    if problems:
        worst = min(problems, key=_gravity)
        worst.args = (f"{worst}{said}",)
        raise worst
    return _in_force(seen, said, case)


def _in_force(
    seen: Sequence[tuple[str, Obtained[JsonObject]]], said: str, case: Case
) -> Check:
    """Say as of when, and not more than the lists that were read can tell."""
    if not seen:
        detail = f"the issuer keeps only messages for it{said}"
        return Check("status", Result.NOT_APPLICABLE, detail=detail)
    purposes = {purpose for purpose, _ in seen}
    oldest = min((found for _, found in seen), key=lambda found: found.obtained_at)
    words = "not revoked" if REVOCATION in purposes else "not suspended"
    words = "neither revoked nor suspended" if len(purposes) > 1 else words
    when = format_instant(oldest.obtained_at)
    age = case.as_of - oldest.obtained_at
    code = STATUS_AGED if age > FRESH_STATUS else ""
    old = f", {age.days} days ago" if code else ""
    return passed("status", f"{words} as of {when}{old}{said}", oldest, code=code)


def _read_status(entry: Entry, issuer: str, case: Case) -> tuple[Obtained[JsonObject], int]:
    """Return the list, which is the issuer's own and of today, and what it says."""
    found = had(case.evidence.status_list(entry.list_url))
    _check_status_list(found.value, entry, issuer, case)
    value, ttl = read_value(found.value, entry), read_ttl(found.value)
    # What was revoked stays revoked, so that answer does not grow old.
    if entry.purpose == REVOCATION and value != 0:
        return found, value
    age, when = case.as_of - found.obtained_at, format_instant(found.obtained_at)
    # A `ttl` tells who can ask again when to do so; it says nothing to who cannot.
    if found.origin is Origin.LOOKED_UP and ttl is not None and age > ttl:
        raise StatusListStale(f"had at {when}, good for {ttl.total_seconds():.0f} seconds")
    if age > case.policy.accepted_status_age:
        accepted = case.policy.accepted_status_age.days
        raise StatusStale(f"known as of {when}, {age.days} days ago; {accepted} accepted")
    return found, value


def _gravity(problem: PatunayError) -> tuple[int, str]:
    """Sort the worst answer first; the code makes the order of the entries immaterial."""
    for rank, kind in enumerate((Revoked, Suspended, Undetermined)):
        if isinstance(problem, kind):
            return rank + (kind is Undetermined), problem.code
    return 2, problem.code


def _check_status_list(document: JsonObject, entry: Entry, issuer: str, case: Case) -> None:
    """Return if the list is the issuer's own and of today; raise otherwise.

    Whatever is wrong with a list leaves the question open: `StatusListUnusable`.
    """
    inner = case.about(document)
    listed = inner.credential
    if isinstance(listed, PatunayError):
        raise StatusListUnusable(f"the status list is no credential: {listed}") from listed
    if listed.id != entry.list_url:
        raise StatusListIdMismatch(
            f"found list {str(listed.id)[:80]}, want {entry.list_url}"
        )
    if CREDENTIAL_TYPE not in listed.types or listed.statuses:
        raise StatusListUnusable(
            "the status list is of another type, or has a status itself"
        )
    if listed.issuer != issuer:
        raise StatusIssuerMismatch(f"found a list of {listed.issuer}, want one of {issuer}")
    try:
        check_proof(inner)
        check_issuer_key(inner)
    except Undetermined:
        raise
    except PatunayError as e:
        raise StatusListProofInvalid(f"the status list's proof does not hold: {e}") from e
    try:
        check_dates(inner)
    except Rejected as e:
        raise StatusListStale(f"the status list is {e}") from e
