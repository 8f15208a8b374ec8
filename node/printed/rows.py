"""One row of the table for each check: what it means, and what that rests on."""

from collections.abc import Iterator
from typing import Final

from credentials.evidence import OWN_NODE
from credentials.quoting import shown
from credentials.report import Check, Result
from node.printed.findings import (
    DOES_NOT_APPLY,
    EVIDENCE,
    FINDINGS,
    NOT_APPLICABLE,
    OTHER,
    PASSED,
    QUESTIONS,
)
from node.printed.parts import Row, Tone
from node.printed.verdict import age_words
from primitives.wording.words import Words, phrase

_RESULTS: Final = {
    Result.PASSED: (Tone.GOOD, phrase("in order")),
    Result.FAILED: (Tone.BAD, phrase("not in order")),
    Result.UNDETERMINED: (Tone.OPEN, phrase("not known")),
    Result.NOT_APPLICABLE: (Tone.PLAIN, phrase("does not apply")),
}
_MOST_EXACT: Final = 400
_MOST_SOURCE: Final = 160


def make_row(check: Check, words: Words) -> Row:
    """Return the row of a check."""
    tone, word = _RESULTS[check.result]
    code = f" ({check.code})" if check.code else ""
    return Row(
        question=words.say(QUESTIONS[check.name]),
        tone=tone,
        word=words.say(word),
        text=" ".join(_sentences(check, words)),
        exact=f"{check.name}: {shown(check.detail, _MOST_EXACT)}{code}",
        is_required=check.required,
        evidence=tuple(_evidence(check, words)),
    )


def _sentences(check: Check, words: Words) -> Iterator[str]:
    if check.result is Result.PASSED:
        yield words.say(PASSED[check.name])
        if check.since is not None:
            yield words.say("It existed on or before {day}.", day=words.day(check.since))
        if check.code:
            yield words.say(FINDINGS.get(check.code, OTHER))
        return
    if check.result is Result.NOT_APPLICABLE:
        yield words.say(NOT_APPLICABLE.get(check.name, DOES_NOT_APPLY))
        return
    yield words.say(FINDINGS.get(check.code, OTHER))
    if not check.required:
        yield words.say("The office does not require this.")


def _evidence(check: Check, words: Words) -> Iterator[str]:
    if check.evidence:
        yield words.say(EVIDENCE[check.evidence])
    if check.source == OWN_NODE:
        yield words.say("from our own records")
    elif check.source:
        yield words.say("from {place}", place=shown(check.source, _MOST_SOURCE))
    if check.as_of is not None:
        age = age_words(check.age_days or 0, words)
        yield words.say("as of {when} ({age})", when=words.moment(check.as_of), age=age)
    if check.evidence and check.result in (Result.PASSED, Result.FAILED):
        settled = phrase("cannot change any more") if check.final else phrase("may change")
        yield words.say(settled)
