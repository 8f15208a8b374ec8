"""The sentences that come first: what a document is worth, as of when, and what is open."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from credentials.model import Credential
from credentials.presentation import PresentationReport
from credentials.quoting import shown
from credentials.report import Check, Outcome, Report, Result, Standing
from node.printed.findings import QUESTIONS
from node.printed.parts import Tone
from primitives.errors import Malformed, PatunayError, Rejected, Undetermined
from primitives.wording.words import Words, phrase

_MOST_ISSUER: Final = 160


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a document before anything else."""

    tone: Tone
    sentence: str
    more: tuple[str, ...] = ()


_ERRORS: Final[tuple[tuple[type[PatunayError], Tone, str], ...]] = (
    (
        Undetermined,
        Tone.PLAIN,
        phrase("This file is of a kind that is not read here. It may be good."),
    ),
    (Malformed, Tone.PLAIN, phrase("This file cannot be read as a credential.")),
    (Rejected, Tone.BAD, phrase("Do not accept it: this file was damaged or changed.")),
)
_NOT_OPENED: Final = phrase("This file could not be opened.")

_BY_STANDING: Final[Mapping[Standing, str]] = {
    Standing.REVOKED: phrase(
        "Do not accept it: {issuer} signed it, and has taken it back for good."
    ),
    Standing.SUSPENDED: phrase(
        "Do not rely on it now: {issuer} signed it, and has suspended it."
    ),
    Standing.EXPIRED: phrase("Its period has passed: {issuer} signed it for another time."),
    Standing.NOT_YET_VALID: phrase(
        "Its period has not begun: {issuer} signed it for a later time."
    ),
}


_NOT_IN_ORDER: Final = phrase(
    "Do not accept it: {issuer} signed it, but not all is in order."
)

_NOT_CHECKED: Final = phrase("It could not be checked in full. It may be good.")
_UNCHANGED: Final = phrase(
    "No word of it was changed, but whether its issuer made it could not be checked here."
    " It may be good."
)


def verdict_of_error(error: PatunayError, words: Words) -> Verdict:
    """Say why a file has no report."""
    for family, tone, sentence in _ERRORS:
        if isinstance(error, family):
            return Verdict(tone, words.say(sentence), (f"{error} ({error.code})",))
    return Verdict(Tone.PLAIN, words.say(_NOT_OPENED), (f"{error} ({error.code})",))


def verdict_of_report(
    report: Report | PresentationReport,
    credential: Credential | None,
    issuers: Mapping[str, str],
    words: Words,
) -> Verdict:
    """Say what a report comes to.

    Args:
        report: On a credential, or on a presentation of several.
        credential: As it was read; None where it is none.
        issuers: DIDs that the office knows, to the names it knows them by.
        words: Of reports.
    """
    if isinstance(report, PresentationReport):
        return _of_presentation(report, words)
    issuer = _issuer(report, credential, issuers, words)
    tone, sentence = _sentence(report, issuer, words)
    more = (
        _more(report, words)
        if report.authenticity is Outcome.VALID
        else _open(report.checks, words)
    )
    return Verdict(tone, sentence, tuple(more))


def _sentence(report: Report, issuer: str, words: Words) -> tuple[Tone, str]:
    if report.authenticity is Outcome.UNDETERMINED:
        unchanged = report.check("proof").result is Result.PASSED
        return Tone.OPEN, words.say(_UNCHANGED if unchanged else _NOT_CHECKED)
    tone, text = _settled(report)
    return tone, words.say(text, issuer=issuer)


def _settled(report: Report) -> tuple[Tone, str]:
    """Return what is said where it is known whether the issuer signed."""
    if report.authenticity is Outcome.REJECTED:
        return Tone.BAD, phrase("Do not accept it: it is not what {issuer} signed.")
    if report.outcome is Outcome.REJECTED:
        return Tone.BAD, _BY_STANDING.get(report.standing, _NOT_IN_ORDER)
    if report.outcome is Outcome.UNDETERMINED:
        return Tone.OPEN, phrase(
            "Signed by {issuer}, but not everything that has to be known is known."
        )
    if report.check("issuer-listed").result is not Result.PASSED:
        return Tone.OPEN, phrase(
            "The signature of {issuer} holds, but nobody whom the office trusts names"
            " that issuer."
        )
    return Tone.GOOD, phrase("Valid as signed by {issuer}.")


def _issuer(
    report: Report,
    credential: Credential | None,
    issuers: Mapping[str, str],
    words: Words,
) -> str:
    if credential is None:
        return words.say("its issuer")
    did = shown(credential.issuer, _MOST_ISSUER)
    known = issuers.get(credential.issuer)
    if known is None or report.check("issuer-listed").result is Result.FAILED:
        return did
    return f"{shown(known, _MOST_ISSUER)} ({did})"


def _more(report: Report, words: Words) -> Iterator[str]:
    yield from _status(report, words)
    anchor = report.check("anchor")
    if anchor.result is not Result.PASSED:
        yield words.say("Since when it exists is not shown.")
    elif anchor.since is not None:
        yield words.say("It existed on or before {day}.", day=words.day(anchor.since))
    else:
        yield words.say("Independent witnesses have seen it.")
    named = ("status", "anchor")
    yield from _open([c for c in report.checks if c.name not in named], words)


def _status(report: Report, words: Words) -> Iterator[str]:
    status = report.check("status")
    if status.result is Result.NOT_APPLICABLE:
        yield words.say("Its issuer keeps no list of what was taken back.")
        return
    if status.result is Result.UNDETERMINED:
        yield words.say("Whether it was taken back is not known.")
        return
    when = status.as_of or status.obtained_at
    if status.result is Result.PASSED and when is not None:
        yield words.say(
            "Not taken back as of {day} ({age}).",
            day=words.day(when),
            age=age_words(status.age_days or 0, words),
        )
        if not status.final:
            yield words.say("Whether it was taken back after that is not known.")


def age_words(days: int, words: Words) -> str:
    """Say how old evidence is, counted from the moment asked about."""
    if days == 0:
        return words.say("on that day")
    return words.say_count("{n} day old", "{n} days old", days)


def _open(checks: "tuple[Check, ...] | list[Check]", words: Words) -> Iterator[str]:
    """Name the questions that the office requires and that nobody could answer."""
    left = [
        words.say(QUESTIONS[check.name])
        for check in checks
        if check.required and check.result is Result.UNDETERMINED
    ]
    if left:
        yield words.say("Not settled: {questions}", questions=" ".join(left))


def _of_presentation(report: PresentationReport, words: Words) -> Verdict:
    tone, text = {
        Outcome.VALID: (
            Tone.GOOD,
            phrase("The presentation and its credentials are valid."),
        ),
        Outcome.REJECTED: (
            Tone.BAD,
            phrase(
                "Do not accept it: the presentation, or a credential in it, is not good."
            ),
        ),
        Outcome.UNDETERMINED: (
            Tone.OPEN,
            phrase("It could not be checked in full. It may be good."),
        ),
    }[report.outcome]
    return Verdict(tone, words.say(text), tuple(_open(report.checks, words)))
