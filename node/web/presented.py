"""What a report on a presentation means: its holder first, then each credential by itself.

A pure function of the report, as `node.web.answer`. Good credentials say nothing about who
shows them, and nobody can tell from a file alone whether it was made for whoever has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from credentials.data_integrity import ProofMissing
from credentials.model import Credential, parse_credential
from credentials.presentation import PresentationReport
from credentials.quoting import shown
from credentials.report import Outcome, Result
from node.printed.parts import Row
from node.printed.rows import make_row
from node.web.answer import Answer, Line, answer_of, keeper_of
from node.web.claims import Claims, claims_of
from node.web.headlines import Head, Tone
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError
from primitives.wording.words import Area, Words, phrase, words_in

_SIGNED: Final = ("proof", "holder-key")
_MOST_DID: Final = 160


@dataclass(frozen=True, slots=True)
class Asked:
    """What whoever checks has asked for, as far as the page was told."""

    challenge: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One credential of the presentation."""

    answer: Answer
    claims: Claims | None
    """None where it breaks the data model."""

    vouched: bool
    """Whether somebody is shown to have signed its words."""

    digest: str
    """SHA-256 (hex) of its JCS bytes."""


@dataclass(frozen=True, slots=True)
class PresentationAnswer:
    """What the page says of a presentation."""

    tone: Tone
    headline: str
    lead: str
    lines: tuple[Line, ...]
    rows: tuple[Row, ...]
    members: tuple[Member, ...]


def presentation_answer(
    report: PresentationReport,
    documents: Sequence[JsonObject],
    issuers: Mapping[str, str],
    asked: Asked,
    words: Words,
) -> PresentationAnswer:
    """Return what `report` means.

    Args:
        report: On the presentation.
        documents: Its credentials in the report's order, as `presented_credentials`.
        issuers: DIDs that the verifier knows, to the names it knows them by.
        asked: What the report was made with.
        words: Of the pages, in the reader's language.
    """
    members = tuple(
        _member(each.digest, document, answer_of(each.report, read, issuers, words), words)
        for each, document in zip(report.credentials, documents, strict=True)
        for read in (readable(document),)
    )
    tone, headline, lead = _headline(report, members, asked)
    texts = words_in(words.language, Area.REPORT)
    rows = [make_row(check, texts) for check in report.checks]
    rows[0] = replace(rows[0], question=words.say("Is it built as a presentation?"))
    return PresentationAnswer(
        tone,
        words.say(headline),
        words.say(lead),
        tuple(_lines(report, members, asked, words)),
        tuple(rows),
        members,
    )


def readable(document: JsonObject) -> Credential | None:
    """Return a credential that was judged; None if it breaks the data model."""
    try:
        return parse_credential(document)
    except PatunayError:
        return None  # the report's check `structure` says why


def _member(digest: str, document: JsonObject, answer: Answer, words: Words) -> Member:
    credential = readable(document)
    claims = claims_of(credential, words) if credential is not None else None
    return Member(answer, claims, vouched=answer.is_authentic, digest=digest)


_NO_PRESENTATION: Final[Head] = (
    Tone.BAD,
    phrase("This is not a presentation that can be checked"),
    phrase(
        "The file can be opened, but it is not built the way a presentation has to be. Ask"
        " for it again."
    ),
)

_UNSIGNED: Final[Head] = (
    Tone.BAD,
    phrase("Nobody signed this presentation"),
    phrase(
        "It does not show who presents these credentials: anybody could have put them"
        " together. Each credential has an answer of its own below."
    ),
)

_NOT_SIGNED_SO: Final[Head] = (
    Tone.BAD,
    phrase("Do not accept this presentation: its signature does not hold"),
    phrase(
        "It was changed after it was signed, or somebody else signed it than it says. Ask"
        " for a new one. Each credential has an answer of its own below."
    ),
)

_NOT_FOR_YOU: Final[Head] = (
    Tone.BAD,
    phrase("Do not accept this presentation: it was not made for you"),
    phrase(
        "It does not answer what you asked for. It may be an old one, or one that was made"
        " for somebody else. Ask for a new one."
    ),
)

_ONE_REJECTED: Final[Head] = (
    Tone.BAD,
    phrase("Not every credential in it is to be accepted"),
    phrase(
        "At least one of them is false, was taken back, or is out of its period. See below"
        " which one."
    ),
)

_UNSETTLED: Final[Head] = (
    Tone.OPEN,
    phrase("Not everything in it could be checked"),
    phrase(
        "That does not make it false. Something that is needed could not be looked up or"
        " read just now. Each credential has an answer of its own below."
    ),
)

_EMPTY: Final[Head] = (
    Tone.CARE,
    phrase("There is no credential in it"),
    phrase("Somebody has signed a presentation, and put nothing into it."),
)

_STRANGERS: Final[Head] = (
    Tone.CARE,
    phrase("Signed and unchanged, but find out who signed the credentials"),
    phrase(
        "The signatures hold. But at least one credential is of an issuer that is not on"
        " the list of this site, and anyone can sign under any name."
    ),
)

_FOR_WHOM: Final[Head] = (
    Tone.CARE,
    phrase("The credentials are genuine, but find out whether this was made for you"),
    phrase(
        "Every credential is genuine and in force, and a holder signed the presentation."
        " It may still be a copy of one that was made for somebody else."
    ),
)

_ABOUT_WHOM: Final[Head] = (
    Tone.CARE,
    phrase("The credentials are genuine, but find out whom they are about"),
    phrase(
        "Every credential is genuine and in force, and this answers what you asked. But at"
        " least one of them does not name the key that signed: it may be of somebody else."
    ),
)

_MADE_FOR_YOU: Final[Head] = (
    Tone.GOOD,
    phrase("Genuine, in force, and made for you"),
    phrase(
        "Every credential is genuine and in force, and its holder signed this answer to"
        " what you asked."
    ),
)


def _headline(report: PresentationReport, members: Sequence[Member], asked: Asked) -> Head:
    failed = {c.name for c in report.checks if c.result is Result.FAILED}
    if "structure" in failed:
        return _NO_PRESENTATION
    if "proof" in failed:
        missing = report.check("proof").code == ProofMissing.code
        return _UNSIGNED if missing else _NOT_SIGNED_SO
    if "holder-key" in failed:
        return _NOT_SIGNED_SO
    if failed & {"challenge", "domain"}:
        return _NOT_FOR_YOU
    if report.outcome is Outcome.REJECTED:
        return _ONE_REJECTED
    return _nothing_false(report, members, asked)


def _nothing_false(
    report: PresentationReport, members: Sequence[Member], asked: Asked
) -> Head:
    if report.outcome is not Outcome.VALID:
        return _UNSETTLED
    if not members:
        return _EMPTY
    if any(member.answer.tone is not Tone.GOOD for member in members):
        return _STRANGERS
    if not asked.challenge:
        return _FOR_WHOM
    bound = all(member.is_bound for member in report.credentials)
    return _MADE_FOR_YOU if bound else _ABOUT_WHOM


def _lines(
    report: PresentationReport, members: Sequence[Member], asked: Asked, words: Words
) -> list[Line]:
    lines = [_how_many(report, members, words), _who(report, words)]
    if all(report.check(name).result is Result.PASSED for name in _SIGNED):
        # What nobody signed was made for nobody, and is about nobody who shows it.
        lines.append(_for_you(report, asked, words))
        if members:
            lines.append(_about(report, words))
    return lines


def _how_many(report: PresentationReport, members: Sequence[Member], words: Words) -> Line:
    question = words.say("What is in it?")
    tones = [member.answer.tone for member in members]
    if report.check("structure").result is not Result.PASSED:
        tones.append(Tone.OPEN)  # there may be more in it than can be read
    text = words.say_count("{n} credential.", "{n} credentials.", len(members))
    if not members:
        return Line(question, Tone.OPEN, words.say("No credential that can be read here."))
    good = tones.count(Tone.GOOD)
    if good == len(tones):
        text += " " + words.say("All of it is genuine and in force.")
        return Line(question, Tone.GOOD, text)
    text += " " + words.say_count(
        "{n} is genuine and in force.", "{n} are genuine and in force.", good
    )
    worst = next(tone for tone in (Tone.BAD, Tone.OPEN, Tone.CARE) if tone in tones)
    return Line(question, worst, text, words.say("See below what is said of each."))


def _who(report: PresentationReport, words: Words) -> Line:
    question = words.say("Who shows it?")
    found = [report.check(name) for name in _SIGNED]
    results = [check.result for check in found]
    holder = shown(report.holder or "", _MOST_DID)
    if results == [Result.PASSED, Result.PASSED]:
        text = keeper_of(report.holder or "", words)
        advice = words.say(
            "That key signed it, and no word was changed since. It does not show which"
            " person that is."
        )
        return Line(question, Tone.GOOD, text, advice)
    if found[0].code == ProofMissing.code:
        text = words.say("Nobody signed it. So it does not show who does.")
        return Line(question, Tone.BAD, text)
    failed = Result.FAILED in results
    text = words.say("It does not name anybody.")
    if holder:
        text = words.say("It names {holder}. That is not shown.", holder=holder)
    return Line(question, Tone.BAD if failed else Tone.OPEN, text)


def _for_you(report: PresentationReport, asked: Asked, words: Words) -> Line:
    question = words.say("Was it made for you, and just now?")
    challenge, domain = report.check("challenge").result, report.check("domain").result
    if Result.FAILED in (challenge, domain):
        text = words.say("No. It does not answer what you asked for.")
        return Line(question, Tone.BAD, text)
    if challenge is Result.PASSED:
        text = words.say("Yes. It answers the challenge that you gave.")
        return Line(question, Tone.GOOD, text)
    if domain is Result.PASSED:
        text = words.say(
            "It was made for {name}, but perhaps long ago.", name=shown(asked.domain, 120)
        )
    else:
        text = words.say("Not known. This page cannot know what you asked for.")
    advice = words.say(
        "Anybody who has seen it can send it again. Ask for one that answers a challenge of"
        " your own, and give that challenge below."
    )
    return Line(question, Tone.OPEN, text, advice)


def _about(report: PresentationReport, words: Words) -> Line:
    question = words.say("Are they about whoever shows them?")
    bound = sum(member.is_bound for member in report.credentials)
    total = len(report.credentials)
    advice = words.say(
        "A key is no person. Compare the names in the credentials with an identity card."
    )
    if bound == total:
        text = words.say("Yes. Each of them names the key that signed.")
        return Line(question, Tone.GOOD, text, advice)
    if not bound:
        text = words.say(
            "None of them names the key that signed. They may be about somebody else."
        )
        return Line(question, Tone.CARE, text, advice)
    text = words.say(
        "{bound} of {total} name the key that signed. The others may be about somebody"
        " else.",
        bound=bound,
        total=total,
    )
    return Line(question, Tone.CARE, text, advice)
