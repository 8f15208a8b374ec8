"""What a look at one thing comes to."""

from dataclasses import dataclass
from enum import StrEnum

from primitives.errors import PatunayError


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, or could not be looked at."""

    FAIL = "fail"
    """It does not work, or will not for long, or others could do harm with it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what the doctor says."""

    name: str
    """What was looked at."""

    verdict: Verdict
    code: str
    """Empty where all is well."""

    detail: str
    hint: str = ""
    """What to do about it; empty where all is well."""


def fine(name: str, detail: str) -> Finding:
    """Return that all is well with something."""
    return Finding(name, Verdict.OK, "", detail)


def of_error(name: str, error: PatunayError, verdict: Verdict = Verdict.FAIL) -> Finding:
    """Return what an error means for the thing that was looked at."""
    return Finding(name, verdict, error.code, str(error), error.hint or _HINT)


_HINT = "docs/errors.md says what the code means"
