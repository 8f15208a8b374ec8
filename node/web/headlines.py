"""What stands first above an answer: a tone, a headline, and one sentence or two."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from credentials.foreign.formats import FormatNotSupported
from credentials.report import Outcome, Report, Result, Standing
from primitives.wording.words import phrase


class Tone(Enum):
    """How an answer is shown: always with a sign and a word beside the colour."""

    GOOD = "good"
    CARE = "care"
    """True as far as it goes, and something is left for the reader to find out."""

    OPEN = "open"
    """Could not be checked: neither good nor bad."""

    BAD = "bad"


Head = tuple[Tone, str, str]

_STRUCTURE: Final[Head] = (
    Tone.BAD,
    phrase("This is not a credential that can be checked"),
    phrase(
        "The file can be opened, but it is not built the way a credential has to be. Ask"
        " for the file again, as it was first given out."
    ),
)

_FALSE: Final[Mapping[str, Head]] = {
    "structure": _STRUCTURE,
    "proof": (
        Tone.BAD,
        phrase("Do not accept this: the signature does not hold"),
        phrase(
            "Something in it was changed after it was signed, or it was never signed by the"
            " issuer it names. Ask the issuer, or ask for the original file."
        ),
    ),
    "issuer-key": (
        Tone.BAD,
        phrase("Do not accept this: the issuer it names did not sign it"),
        phrase(
            "It is signed with a key that is not the issuer's, or that the issuer has"
            " withdrawn. Ask the issuer."
        ),
    ),
}

OTHER_KIND: Final = phrase("This kind of file is not read here")
OTHER_KIND_LEAD: Final = phrase(
    "That does not make it false. Use the checker of the system that it comes from, or ask"
    " whoever gave it out."
)
_OTHER_KIND: Final[Head] = (Tone.OPEN, OTHER_KIND, OTHER_KIND_LEAD)

_NOT_CHECKED: Final[Head] = (
    Tone.OPEN,
    phrase("It could not be checked"),
    phrase(
        "That does not make it false. Something that is needed could not be looked up or"
        " read just now. Try again later, or ask the issuer."
    ),
)

_BY_STANDING: Final[Mapping[Standing, Head]] = {
    Standing.REVOKED: (
        Tone.BAD,
        phrase("Taken back: do not accept this"),
        phrase("Its issuer did sign it, and has since taken it back for good."),
    ),
    Standing.SUSPENDED: (
        Tone.BAD,
        phrase("Suspended for now"),
        phrase(
            "Its issuer did sign it, and has suspended it. It may come into force again:"
            " ask the issuer."
        ),
    ),
    Standing.EXPIRED: (
        Tone.BAD,
        phrase("Its period is over"),
        phrase("Its issuer did sign it, for a period that has passed."),
    ),
    Standing.NOT_YET_VALID: (
        Tone.BAD,
        phrase("Its period has not begun"),
        phrase("Its issuer did sign it, for a period that begins later."),
    ),
    Standing.UNKNOWN: (
        Tone.OPEN,
        phrase("Signed, but whether it still holds is not known"),
        phrase(
            "The signature holds. Whether the issuer has taken it back could not be found"
            " out just now. Try again later, or ask the issuer."
        ),
    ),
}

_GENUINE: Final[Head] = (
    Tone.GOOD,
    phrase("Genuine and in force"),
    phrase(
        "It was signed by an issuer that is known here, no word of it was changed, and it"
        " has not been taken back."
    ),
)

_UNLISTED: Final[Head] = (
    Tone.CARE,
    phrase("Signed and unchanged, but find out who signed it"),
    phrase(
        "The signature holds and no word was changed. But the issuer is not on the list of"
        " this site, and anyone can sign under any name. Make sure that the"
        " issuer below is the one you expect."
    ),
)

_DENIED: Final[Head] = (
    Tone.BAD,
    phrase("Do not accept this"),
    phrase("The signature holds, but something that has to be in order is not."),
)

_OPEN: Final[Head] = (
    Tone.OPEN,
    phrase("Signed, but not everything could be checked"),
    phrase(
        "The signature holds. Something that has to be known could not be found out: see"
        " below."
    ),
)


def headline_of(report: Report) -> Head:
    """Return the tone of the answer on one credential, its headline and its lead."""
    if FormatNotSupported.code in {check.code for check in report.checks}:
        return _OTHER_KIND
    failed = {c.name for c in report.checks if c.required and c.result is Result.FAILED}
    for name, head in _FALSE.items():
        if name in failed:
            return head
    if report.authenticity is not Outcome.VALID:
        return _NOT_CHECKED
    if report.standing is not Standing.IN_FORCE:
        return _BY_STANDING[report.standing]
    return _in_force(report)


def _in_force(report: Report) -> Head:
    if report.outcome is Outcome.VALID:
        listed = report.check("issuer-listed").result is Result.PASSED
        return _GENUINE if listed else _UNLISTED
    return _DENIED if report.outcome is Outcome.REJECTED else _OPEN
