"""What a report means to somebody who is not technical: a headline, then six questions.

A pure function of the report. It never says more than the report does: a signature of
somebody whom nobody has listed is not called genuine, what could not be looked up is not
called false, and what is in order is said in words, not by a colour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from credentials.model import Credential
from credentials.quoting import quoted, shown
from credentials.report import Check, Outcome, Report, Result
from did.web import parse_did_web
from node.printed.parts import Row
from node.printed.rows import make_row
from node.web.headlines import Tone, headline_of
from primitives.errors import Malformed
from primitives.wording.words import Area, Words, phrase, words_in

_MOST_DID: Final = 160
"""Characters of an issuer's id that are shown; a did:key has 56."""


@dataclass(frozen=True, slots=True)
class Line:
    """One question and its answer."""

    question: str
    tone: Tone
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page says of one credential."""

    tone: Tone
    headline: str
    lead: str
    lines: tuple[Line, ...]
    rows: tuple[Row, ...]
    """Each check, as the printed report has it."""

    is_authentic: bool
    """Whether somebody is shown to have signed it as it stands."""


def answer_of(
    report: Report,
    credential: Credential | None,
    issuers: Mapping[str, str],
    words: Words,
) -> Answer:
    """Return what `report` means.

    Args:
        report: On the credential.
        credential: As it was read; None where it breaks the data model.
        issuers: DIDs that the verifier knows, to the names it knows them by.
        words: Of the pages, in the reader's language.
    """
    tone, headline, lead = headline_of(report)
    texts = words_in(words.language, Area.REPORT)
    rows = tuple(make_row(check, texts) for check in report.checks)
    lines = [] if credential is None else _lines(report, credential, issuers, words)
    return Answer(
        tone,
        words.say(headline),
        words.say(lead),
        tuple(lines),
        rows,
        is_authentic=report.authenticity is Outcome.VALID,
    )


def _lines(
    report: Report, credential: Credential, issuers: Mapping[str, str], words: Words
) -> list[Line]:
    lines = [
        _what(report, credential, words),
        _who(report, credential, issuers, words),
    ]
    if report.authenticity is Outcome.VALID:
        # Of what nobody is shown to have signed, none of this would mean anything.
        lines += [
            _since(report.check("anchor"), words),
            _status(report.check("status"), words),
            _dates(report.check("dates"), credential, words),
        ]
    if report.authenticity is not Outcome.REJECTED:
        lines.append(_unchecked(report, words))
    return lines


def _what(report: Report, credential: Credential, words: Words) -> Line:
    question = words.say("What is it?")
    name = quoted(credential.name) if credential.name else ""
    if report.authenticity is Outcome.VALID:
        text = name or words.say("A credential without a title")
        return Line(question, Tone.GOOD, text)
    # Nobody vouches for a word of it.
    text = words.say("It calls itself {name}.", name=name or "“”")
    if not name:
        text = words.say("A credential without a title")
    return Line(question, Tone.OPEN, text)


def _who(
    report: Report, credential: Credential, issuers: Mapping[str, str], words: Words
) -> Line:
    question = words.say("Who says so?")
    did = shown(credential.issuer, _MOST_DID)
    if report.authenticity is not Outcome.VALID:
        tone = Tone.BAD if report.authenticity is Outcome.REJECTED else Tone.OPEN
        text = words.say("It names {issuer} as its issuer. That is not shown.", issuer=did)
        return Line(question, tone, text)
    listed = report.check("issuer-listed")
    known = issuers.get(credential.issuer)
    if known is not None and listed.result is Result.PASSED:
        text = words.say("{name}. This site knows this issuer.", name=shown(known, 120))
        return Line(question, Tone.GOOD, text, did)
    tone = Tone.BAD if listed.result is Result.FAILED else Tone.CARE
    return Line(question, tone, _stranger(credential, words), _how_to_know(words))


def _stranger(credential: Credential, words: Words) -> str:
    text = keeper_of(credential.issuer, words)
    if credential.issuer_name:
        claim = quoted(credential.issuer_name)
        text += " " + words.say(
            "It calls itself {name}; nobody known here confirms that.", name=claim
        )
    return text


def keeper_of(did: str, words: Words) -> str:
    """Return who is behind a DID, as far as the DID itself tells."""
    site = _site(did)
    if site is not None:
        return words.say("Whoever runs the website {site}.", site=site)
    return words.say("Whoever holds the key {issuer}.", issuer=shown(did, _MOST_DID))


def _how_to_know(words: Words) -> str:
    return words.say(
        "Compare it with what the school or agency publishes, or call them at a number that"
        " you know."
    )


def _site(did: str) -> str | None:
    """Return the address behind a did:web, as people read it; None for another DID."""
    try:
        found = parse_did_web(did)
    except Malformed:
        return None
    return shown("/".join((found.host, *found.path)), _MOST_DID)


_NO_TIME: Final[Mapping[str, str]] = {
    "no-time-evidence": phrase(
        "Not shown. It was recorded on a test chain only, and anyone can set the clock of"
        " such a chain."
    ),
    "not-yet-anchored": phrase("Not yet. It waits for the next entry in the public log."),
    "anchor-not-shown": phrase(
        "Not known here. No receipt of its entry in a public log was found, or the public"
        " chain could not be asked."
    ),
}


def _since(anchor: Check, words: Words) -> Line:
    question = words.say("Since when is it proven to exist?")
    if anchor.result is Result.PASSED and anchor.since is not None:
        text = words.say("Since {day} or before.", day=words.day(anchor.since))
        advice = words.say(
            "A public record shows it. The dates inside the credential prove nothing."
        )
        return Line(question, Tone.GOOD, text, advice)
    if anchor.result is Result.PASSED:
        text = words.say("It is in a public log, and independent witnesses have seen it.")
        return Line(question, Tone.GOOD, text)
    why = _NO_TIME.get(anchor.code, phrase("Not known. It could not be checked."))
    advice = words.say(
        "It can still be genuine. Only its age is not proven by anyone but its issuer."
    )
    return Line(question, Tone.OPEN, words.say(why), advice)


def _status(status: Check, words: Words) -> Line:
    question = words.say("Was it taken back?")
    if status.result is Result.NOT_APPLICABLE:
        text = words.say("Its issuer keeps no list of credentials that were taken back.")
        return Line(question, Tone.CARE, text)
    if status.result is Result.PASSED:
        text = words.say("No, as far as its issuer has said.")
        if status.obtained_at is not None:
            when = words.moment(status.obtained_at)
            text = words.say("No, as of {when}.", when=when)
        return Line(question, Tone.GOOD, text)
    if status.result is Result.FAILED:
        suspended = status.code == "suspended"
        text = words.say("Yes. Its issuer has taken it back.")
        if suspended:
            text = words.say("It is suspended: its issuer has stopped it for now.")
        return Line(question, Tone.BAD, text)
    text = words.say("Not known. Its issuer's list could not be read just now.")
    return Line(question, Tone.OPEN, text, words.say("Try again later, or ask the issuer."))


def _dates(dates: Check, credential: Credential, words: Words) -> Line:
    question = words.say("Is it in its period?")
    start, end = credential.valid_from, credential.valid_until
    period = words.say("It has no end.")
    if end is not None:
        period = words.say("It ends on {day}.", day=words.day(end))
    begins = words.say("It begins on {day}.", day=words.day(start)) if start else ""
    text = f"{begins} {period}".strip()
    if dates.result is Result.PASSED:
        return Line(question, Tone.GOOD, words.say("Yes.") + f" {text}")
    if dates.result is Result.FAILED:
        return Line(question, Tone.BAD, words.say("No.") + f" {text}")
    return Line(question, Tone.OPEN, words.say("Not known. It could not be checked."))


_TOPICS: Final[Mapping[str, str]] = {
    "structure": phrase("How it is built"),
    "proof": phrase("The signature"),
    "issuer-key": phrase("The issuer's key"),
    "dates": phrase("Its period"),
    "status": phrase("Whether it was taken back"),
    "issuer-listed": phrase("Who the issuer really is"),
    "anchor": phrase("How old it is"),
}


def _unchecked(report: Report, words: Words) -> Line:
    question = words.say("What could not be checked?")
    left = [c for c in report.checks if c.result is Result.UNDETERMINED]
    if not left:
        return Line(question, Tone.GOOD, words.say("Nothing. Everything was checked."))
    titles = "; ".join(words.say(_TOPICS[check.name]) for check in left)
    deciding = [check for check in left if check.required]
    if deciding:
        advice = words.say("Without this there is no sure answer.")
    else:
        advice = words.say("The answer above does not depend on this.")
    return Line(question, Tone.OPEN, f"{titles}.", advice)
