"""Judging: from a credential and its evidence to a report. A pure function of values.

The same document, evidence, policy and moment give the same report, byte for byte, online
and offline, in the library, over HTTP and on the command line.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from credentials.case import Case
from credentials.checks import CHECKS
from credentials.dating import dated
from credentials.evidence import Evidence
from credentials.foreign.formats import Format, foreign_format
from credentials.policy import Policy
from credentials.report import Check, Outcome, Report, Result, Standing, conclude
from credentials.summary import summarise
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError, Undetermined

if TYPE_CHECKING:
    from credentials.foreign.suites import ForeignSuite


def judge(
    document: JsonObject,
    evidence: Evidence,
    policy: Policy,
    as_of: datetime,
    *,
    clock: datetime | None = None,
) -> Report:
    """Return what can be said about `document` as of `as_of`.

    Args:
        document: A JSON object, read by `primitives.strict_json`; the party under test.
        evidence: What was looked up about it. Not trusted beyond its signatures.
        policy: What the verifier demands and whom it believes.
        as_of: The moment asked about, aware.
        clock: The verifier's own, aware; None asks about now, which is `as_of`.
    """
    return judge_case(Case(document, evidence, policy, as_of, clock=clock))


def judge_case(case: Case) -> Report:
    """Return the report on a case that somebody has read already, as `judge` does."""
    kind = foreign_format(case.document)
    suite = None if kind is None else _foreign_suite(kind)
    demanded = case.policy.effective_required
    asked = CHECKS if suite is None else suite.checks
    checks = tuple(
        dated(_run(name, check, case), case, required=name in demanded)
        for name, check in asked.items()
    )
    named = {check.name: check for check in checks}
    standing = _standing(named)
    if suite is not None:
        return Report(checks, standing, suite.summarise(case, named), case.as_of)
    return Report(checks, standing, summarise(case, named, standing), case.as_of)


def _foreign_suite(kind: Format) -> "ForeignSuite":
    # Most verifiers never meet one, and would read its modules each time they start.
    from credentials.foreign.suites import foreign_suite  # noqa: PLC0415

    return foreign_suite(kind)


def _run(name: str, check: Callable[[Case], Check], case: Case) -> Check:
    try:
        return check(case)
    except PatunayError as e:
        failed = not isinstance(e, Undetermined) and _was_made(name, e, case)
        result = Result.FAILED if failed else Result.UNDETERMINED
        return Check(name, result, code=e.code, detail=str(e), hint=e.hint)


def _was_made(name: str, error: PatunayError, case: Case) -> bool:
    """Tell whether a check that raised `error` was made, and found the credential false.

    What breaks the data model is for `structure` to fail; the others were not made. An
    anchor is evidence of time: where it does not hold, that evidence is none, and nothing
    is false about the credential.
    """
    if name == "anchor":
        return False
    return name == "structure" or error is not case.credential


_STANDING_BY_CODE: Final[Mapping[str, Standing]] = {
    "revoked": Standing.REVOKED,
    "suspended": Standing.SUSPENDED,
    "expired": Standing.EXPIRED,
    "not-yet-valid": Standing.NOT_YET_VALID,
    "not-yet-signed": Standing.NOT_YET_VALID,
}


def _standing(checks: Mapping[str, Check]) -> Standing:
    """Revoked beats suspended beats a period that has passed beats not knowing."""
    if (
        conclude(checks[n] for n in ("structure", "proof", "issuer-key"))
        is not Outcome.VALID
    ):
        return Standing.UNKNOWN
    for name in ("status", "dates"):
        if checks[name].result is Result.FAILED:
            return _STANDING_BY_CODE.get(checks[name].code, Standing.UNKNOWN)
    if Result.UNDETERMINED in (checks["status"].result, checks["dates"].result):
        return Standing.UNKNOWN
    return Standing.IN_FORCE
