"""Has the issuer taken the credential back? A pure function of values.

Whatever is wrong with a status list leaves the question open, never answered with "no".
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from credentials.case import Case, had, passed, refused
from credentials.data_integrity import Proof
from credentials.evidence import Obtained
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
from credentials.status_timeline import (
    REVOKED_LATER,
    EntryAnswer,
    Reading,
    StatusListStale,
    answer_at,
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


STATUS_AGED: Final = "status-aged"
"""Remark: the list is accepted, and older than `FRESH_STATUS`."""

FRESH_STATUS: Final = timedelta(days=7)
"""Up to this age a status needs no remark."""


def judge_status(case: Case) -> Check:
    """The issuer has not taken the credential back, as far as its lists say.

    Revoked beats suspended beats unknown, in whatever order the entries stand. Messages
    are repeated, and decide nothing.
    """
    credential = case.readable()
    answers: list[EntryAnswer] = []
    messages: list[str] = []
    problems: list[PatunayError] = []
    for status in credential.statuses:
        try:
            entry = parse_entry(status.members)
            found = answer_at(_readings(entry, credential.issuer, case), entry, case)
        except PatunayError as e:
            problems.append(e)
            continue
        if entry.purpose == MESSAGE:
            text = quoted(entry.messages[found.value])
            messages.append(f"; message {found.value:#x} {text}")
        else:
            answers.append(found)
    said = "".join(sorted(messages))
    taken = [answer for answer in answers if answer.value]
    if taken:
        return _taken_back(min(taken, key=_severity), said)
    if problems:
        worst = min(problems, key=_gravity)
        worst.args = (f"{worst}{said}",)
        raise worst
    return _in_force(answers, said, case)


def _severity(answer: EntryAnswer) -> tuple[bool, datetime]:
    return answer.purpose != REVOCATION, answer.found.obtained_at


def _taken_back(answer: EntryAnswer, said: str) -> Check:
    kind = Revoked if answer.purpose == REVOCATION else Suspended
    where = answer.found.source
    reason = kind(f"{kind.code} by its issuer; list from {where}{said}")
    return refused("status", reason, answer.found, final=answer.final)


def _in_force(answers: Sequence[EntryAnswer], said: str, case: Case) -> Check:
    """Say as of when, and not more than the lists that were read can tell."""
    if not answers:
        detail = f"the issuer keeps only messages for it{said}"
        return Check("status", Result.NOT_APPLICABLE, detail=detail)
    purposes = {answer.purpose for answer in answers}
    oldest = min((one.found for one in answers), key=lambda found: found.obtained_at)
    words = "not revoked" if REVOCATION in purposes else "not suspended"
    words = "neither revoked nor suspended" if len(purposes) > 1 else words
    later = min((a.revoked_by for a in answers if a.revoked_by is not None), default=None)
    code, more = _remark(later, case.as_of - oldest.obtained_at)
    when = format_instant(oldest.obtained_at)
    found = passed("status", f"{words} as of {when}{more}{said}", oldest, code=code)
    return found._replace(
        since=later,
        as_of=oldest.obtained_at,
        final=all(answer.final for answer in answers),
    )


def _remark(later: datetime | None, age: timedelta) -> tuple[str, str]:
    """Return a remark's code and words; both empty if there is none."""
    if later is not None:
        return REVOKED_LATER, f"; revoked by {format_instant(later)}"
    return (STATUS_AGED, f", {age.days} days ago") if age > FRESH_STATUS else ("", "")


def _readings(entry: Entry, issuer: str, case: Case) -> list[Reading]:
    """Return what each copy of the list says that is the issuer's own and of its time.

    Raises:
        PatunayError: None is; with what is wrong about the preferred one.
    """
    readings: list[Reading] = []
    reasons: list[PatunayError] = []
    for copy in case.evidence.copies_of(entry.list_url):
        try:
            readings.append(_read_copy(had(copy), entry, issuer, case))
        except PatunayError as e:
            reasons.append(e)
    if not readings:
        raise reasons[0]
    return readings


def _read_copy(
    found: Obtained[JsonObject], entry: Entry, issuer: str, case: Case
) -> Reading:
    inner = case.about(found, max(case.as_of, found.obtained_at))
    _check_status_list(inner, entry, issuer)
    times = [
        proof.created
        for proof in inner.proofs()
        if isinstance(proof, Proof) and proof.created is not None
    ]
    signed_at = min(found.obtained_at, max(times, default=found.obtained_at))
    return Reading(found, read_value(found.value, entry), signed_at, read_ttl(found.value))


def _gravity(problem: PatunayError) -> tuple[bool, str]:
    """Sort what is false first; the code makes the order of the entries immaterial."""
    return isinstance(problem, Undetermined), problem.code


def _check_status_list(inner: Case, entry: Entry, issuer: str) -> None:
    """Return if the list is the issuer's own and of its time; raise otherwise.

    Whatever is wrong with a list leaves the question open: `StatusListUnusable`.
    """
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
