"""The outcome of verifying a credential: checks first, then three words about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple, NoReturn

from primitives.canonical_json import JsonObject
from primitives.errors import Rejected, Undetermined
from primitives.instants import format_instant


class Result(Enum):
    """What one check came to."""

    PASSED = "passed"
    FAILED = "failed"
    UNDETERMINED = "undetermined"
    NOT_APPLICABLE = "not-applicable"


class Outcome(Enum):
    """What a set of checks came to together."""

    VALID = "valid"
    REJECTED = "rejected"
    UNDETERMINED = "undetermined"


class Standing(Enum):
    """Whether the credential is in force, which is not whether it is authentic."""

    IN_FORCE = "in-force"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class CredentialRejected(Rejected):
    """At least one required check found the credential false or not in force."""

    code = "credential-rejected"


class CredentialUndetermined(Undetermined):
    """No required check failed, and at least one could not be made."""

    code = "credential-undetermined"


class Check(NamedTuple):
    """One question asked of a credential, and its answer.

    A tuple, because fourteen are made for each credential: a frozen dataclass takes three
    times as long.
    """

    name: str
    """Stable slug, such as `proof`, `status` or `anchor`."""

    result: Result
    required: bool = True
    """Whether the policy lets this check decide the outcome."""

    code: str = ""
    """What was found, as a stable slug; may be set on a passed check as a remark."""

    detail: str = ""
    """One sentence for a human reader. Never parsed."""

    hint: str = ""
    """What to do about it, where something can be done."""

    source: str = ""
    """Where the evidence came from."""

    obtained_at: datetime | None = None
    """When the evidence was had; aware."""

    since: datetime | None = None
    """Of an anchor that is shown, or of a revocation after the moment asked about: when it
    was there at the latest; aware. In the JSON it stands in `detail` alone."""

    evidence: str = ""
    """What decided: a stable slug such as `credential` or `status-list`; empty where
    nothing did."""

    as_of: datetime | None = None
    """The last moment of which the answer is known; aware. None where it is of no time."""

    age_days: int | None = None
    """Whole days from `as_of` to the moment asked about, never negative."""

    final: bool = False
    """Whether nothing that is learnt later can change the answer."""

    def to_json(self) -> JsonObject:
        """Return the check as every interface shows it."""
        when = self.obtained_at
        return {
            "name": self.name,
            "result": self.result.value,
            "code": self.code,
            "detail": self.detail,
            "required": self.required,
            "hint": self.hint,
            "source": self.source,
            "obtained_at": format_instant(when) if when is not None else None,
            "evidence": self.evidence,
            "as_of": format_instant(self.as_of) if self.as_of is not None else None,
            "age_days": self.age_days,
            "final": self.final,
        }


_AUTHENTICITY = ("structure", "proof", "issuer-key")


@dataclass(frozen=True, slots=True)
class Report:
    """Every check that was made, in order. All of them run, even after a failure."""

    checks: tuple[Check, ...]
    standing: Standing
    summary: str
    """One plain sentence, safe to show to anyone."""

    as_of: datetime
    """The moment that the question was asked about; aware."""

    def __post_init__(self) -> None:
        """Refuse a report that requires nothing: it must never read as valid."""
        if not any(check.required for check in self.checks):
            raise ValueError("a report needs at least one required check")

    def __bool__(self) -> NoReturn:
        """Refuse `if report:`; three outcomes do not fit in a boolean."""
        raise TypeError("use Report.outcome or Report.require_valid()")

    @property
    def outcome(self) -> Outcome:
        """Failed beats undetermined beats passed; only required checks count."""
        return conclude(check for check in self.checks if check.required)

    @property
    def authenticity(self) -> Outcome:
        """Who and what, whether or not it is still in force."""
        return conclude(check for check in self.checks if check.name in _AUTHENTICITY)

    def check(self, name: str) -> Check:
        """Return the check called `name`; KeyError if there is none."""
        return {check.name: check for check in self.checks}[name]

    def require_valid(self) -> None:
        """Return if the outcome is valid; raise it otherwise.

        Raises:
            CredentialRejected: A required check failed.
            CredentialUndetermined: None failed, and one could not be made.
        """
        if self.outcome is Outcome.REJECTED:
            raise CredentialRejected(f"failed: {self._names(Result.FAILED)}")
        if self.outcome is Outcome.UNDETERMINED:
            names = self._names(Result.UNDETERMINED)
            raise CredentialUndetermined(f"could not check: {names}")

    def to_json(self) -> JsonObject:
        """Return the report as every interface shows it: command line, HTTP, files."""
        return {
            "version": 1,
            "outcome": self.outcome.value,
            "authenticity": self.authenticity.value,
            "standing": self.standing.value,
            "summary": self.summary,
            "as_of": format_instant(self.as_of),
            "checks": [check.to_json() for check in self.checks],
        }

    def _names(self, result: Result) -> str:
        return ", ".join(c.name for c in self.checks if c.required and c.result is result)


def conclude(checks: Iterable[Check]) -> Outcome:
    """Return what `checks` come to: failed beats undetermined beats passed."""
    outcome = Outcome.VALID
    for check in checks:
        if check.result is Result.FAILED:
            return Outcome.REJECTED
        if check.result is Result.UNDETERMINED:
            outcome = Outcome.UNDETERMINED
    return outcome
