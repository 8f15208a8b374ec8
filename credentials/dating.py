"""What decided each check, as of when it is known, and whether that can change.

What a signature shows is final. What somebody said is of the day he said it, and of a
bundle's maker, whom nobody knows, not even that. See docs/verifying.md.
"""

from datetime import datetime, timedelta
from typing import Final

from credentials.case import Case, source_of
from credentials.evidence import Obtained, Origin
from credentials.model import Credential
from credentials.report import Check, Result
from primitives.canonical_json import JsonObject

_EVIDENCE: Final = {
    "structure": "credential",
    "proof": "credential",
    "issuer-key": "did-document",
    "dates": "credential",
    "status": "status-list",
    "issuer-listed": "list",
    "anchor": "receipt",
}
_FINAL: Final = frozenset({"structure", "proof", "dates"})
"""Checks that depend on the credential and the moment asked about alone."""

_FINAL_FAILURES: Final = frozenset({"issuer-key-mismatch", "key-compromised-unanchored"})
_DAY: Final = timedelta(days=1)


def dated(check: Check, case: Case, *, required: bool) -> Check:
    """Return `check` with `required`, `evidence`, `as_of`, `age_days` and `final`."""
    if check.result is Result.NOT_APPLICABLE:
        return check._replace(required=required, evidence="credential", final=True)
    found, final = check, check.final
    if check.name == "issuer-key":
        found, final = _with_document(check, case)
    as_of = found.as_of
    if check.name == "issuer-listed" and case.policy.pack is not None and as_of is None:
        as_of = case.policy.pack.issued if check.result is Result.FAILED else None
    made = check.result is not Result.UNDETERMINED
    return found._replace(
        required=required,
        evidence=_evidence(found) if made or as_of is not None else "",
        as_of=as_of,
        age_days=None if as_of is None else _days(case.as_of - as_of),
        final=made and (final or _is_final(found)),
    )


def _with_document(check: Check, case: Case) -> tuple[Check, bool]:
    """Return the check of a key, as of when its document was had, and if it is final."""
    issuer = case.credential.issuer if isinstance(case.credential, Credential) else ""
    found = source_of(issuer, case)
    if found is None:
        # A did:key is its key, at any time; anything else was not had.
        return check, issuer.startswith("did:key:")
    now = check._replace(
        source=found.source,
        obtained_at=found.obtained_at,
        as_of=_believed_time(found, issuer, case),
    )
    return now, check.final


def _believed_time(found: Obtained[JsonObject], issuer: str, case: Case) -> datetime | None:
    if found.origin is Origin.BUNDLE:
        return None
    history = case.evidence.histories.get(issuer)
    # That no theft was declared is known as of when the history was had.
    if isinstance(history, Obtained):
        return min(found.obtained_at, history.obtained_at)
    return found.obtained_at


def _is_final(check: Check) -> bool:
    if check.name == "anchor":
        return check.result is Result.PASSED
    return check.name in _FINAL or check.code in _FINAL_FAILURES


def _evidence(check: Check) -> str:
    if check.name == "issuer-key" and not check.source:
        return "credential"
    return _EVIDENCE[check.name]


def _days(age: timedelta) -> int:
    return max(0, age // _DAY)
