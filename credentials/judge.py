"""Judging: from a credential and its evidence to a report. A pure function of values.

The same document, evidence, policy and moment give the same report, byte for byte, online
and offline, in the library, over HTTP and on the command line.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from credentials.case import Case
from credentials.checks import CHECKS
from credentials.evidence import Evidence
from credentials.model import Credential
from credentials.policy import Policy
from credentials.quoting import quoted
from credentials.report import Check, Outcome, Report, Result, Standing, conclude
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError, Undetermined


def judge(
    document: JsonObject, evidence: Evidence, policy: Policy, as_of: datetime
) -> Report:
    """Return what can be said about `document` as of `as_of`.

    Args:
        document: A JSON object, read by `primitives.strict_json`; the party under test.
        evidence: What was looked up about it. Not trusted beyond its signatures.
        policy: What the verifier demands and whom it believes.
        as_of: Aware.
    """
    return judge_case(Case(document, evidence, policy, as_of))


def judge_case(case: Case) -> Report:
    """Return the report on a case that somebody has read already, as `judge` does."""
    demanded = case.policy.effective_required
    checks = tuple(_with_demand(_run(name, case), name in demanded) for name in CHECKS)
    standing = _standing({check.name: check for check in checks})
    return Report(checks, standing, _summary(case, checks, standing), case.as_of)


def _with_demand(check: Check, required: bool) -> Check:
    return check if check.required is required else replace(check, required=required)


def _run(name: str, case: Case) -> Check:
    try:
        return CHECKS[name](case)
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


_STANDING_WORDS: Final[Mapping[Standing, str]] = {
    Standing.IN_FORCE: "it is in force",
    Standing.EXPIRED: "its period has passed",
    Standing.NOT_YET_VALID: "its period has not begun",
    Standing.SUSPENDED: "its issuer has suspended it for now",
    Standing.REVOKED: "its issuer has taken it back",
    Standing.UNKNOWN: "whether it is in force is not known",
}


def _summary(case: Case, checks: tuple[Check, ...], standing: Standing) -> str:
    """Say it in one sentence that holds up when it is read alone."""
    if not isinstance(case.credential, Credential):
        return f"This is not a credential that can be checked: {case.credential}."
    name = quoted(case.credential.name) if case.credential.name else "This credential"
    authentic = conclude(
        c for c in checks if c.name in ("structure", "proof", "issuer-key")
    )
    if authentic is Outcome.VALID:
        return f"{name} was signed by {_issuer(case)}; {_STANDING_WORDS[standing]}."
    wanted = Result.FAILED if authentic is Outcome.REJECTED else Result.UNDETERMINED
    reason = next(check.detail for check in checks if check.result is wanted)
    if authentic is Outcome.REJECTED:
        return f"{name} is not what {case.credential.issuer} signed: {reason}."
    return f"{name} could not be checked, which does not make it false: {reason}."


def _issuer(case: Case) -> str:
    credential = case.readable()
    listed = case.policy.issuers.get(credential.issuer)
    if listed is not None:
        return f"{listed} ({credential.issuer})"
    if credential.issuer_name is not None:
        claim = quoted(credential.issuer_name)
        return f"{credential.issuer}, which calls itself {claim} (its own claim)"
    return f"{credential.issuer}, which is on no list that was given"
