"""From judged documents to a printed report: what is said, in which order, in which words.

A pure function of values. The first sentence on a document is plain, and never says more
than its report does; each check then stands with its evidence, its day and its source.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from credentials.model import Credential, parse_credential
from credentials.presentation import PresentationReport
from credentials.presentation_checks import document_digest
from credentials.quoting import shown
from credentials.report import Check, Report
from credentials.trust_pack.rules import PackRules
from node.printed.findings import QUESTIONS
from node.printed.parts import (
    Fact,
    Labels,
    Line,
    Overview,
    PrintedReport,
    Section,
    Tone,
)
from node.printed.rows import make_row
from node.printed.verdict import verdict_of_error, verdict_of_report
from node.web.claims import claims_of
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError
from primitives.wording.words import Area, Language, Words, phrase, words_in

MAX_SECTIONS: Final = 200
"""Documents that have a section of their own; the overview has them all."""

_MOST: Final = 300
"""Characters of a file's name or an identifier."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One document and what came of it."""

    file: str
    document: JsonObject | None
    """None where the file could not be read."""

    found: Report | PresentationReport | PatunayError


@dataclass(frozen=True, slots=True)
class Frame:
    """How the documents were judged, which the report has to say."""

    made: datetime
    """Aware; this machine's clock."""

    as_of: datetime
    """The moment asked about; aware."""

    version: str
    office: str
    required: frozenset[str]
    issuers: Mapping[str, str]
    """DIDs that the office knows, to the names it knows them by."""

    pack: PackRules | None
    offline: bool


def print_report(
    judged: Sequence[Judged], frame: Frame, language: Language
) -> PrintedReport:
    """Return the report on one document, or on many, the worst first."""
    words = words_in(language, Area.REPORT)
    made = [(_section(one, frame, words), one) for one in judged]
    made.sort(key=lambda pair: _RANK[pair[0].tone])
    sections = [section for section, _ in made]
    overview = None
    if len(judged) > 1:
        marked = [
            _marked(section, number) for number, section in enumerate(sections, start=1)
        ]
        overview = _overview(
            [(section, one) for section, (_, one) in zip(marked, made, strict=True)], words
        )
        sections = marked[:MAX_SECTIONS]
    return PrintedReport(
        language=language.value,
        title=words.say("Verification report"),
        office=shown(frame.office, _MOST),
        made=words.moment(frame.made),
        overview=overview,
        sections=tuple(sections),
        limits=tuple(words.say(limit) for limit in _LIMITS),
        about=tuple(_about(frame, words)),
        labels=_labels(words),
    )


_RANK: Final = {Tone.BAD: 0, Tone.PLAIN: 1, Tone.OPEN: 2, Tone.GOOD: 3}

_LIMITS: Final = (
    phrase(
        "A signature shows who signed, and that no word was changed. It does not show that"
        " the words are true."
    ),
    phrase("What was taken back after the days named above is not known."),
    phrase("Whether whoever shows a document is the person that it names is not known."),
    phrase("What an award is worth, and whether it equals another, people have to decide."),
)


def _marked(section: Section, number: int) -> Section:
    return Section(
        title=f"{number}. {section.title}",
        tone=section.tone,
        verdict=section.verdict,
        sentences=section.sentences,
        facts=section.facts,
        rows=section.rows,
        mark=f"d{number}" if number <= MAX_SECTIONS else "",
    )


def _section(one: Judged, frame: Frame, words: Words) -> Section:
    credential = _credential(one.document)
    file = shown(one.file, _MOST)
    if isinstance(one.found, PatunayError):
        verdict = verdict_of_error(one.found, words)
        rows: tuple[Check, ...] = ()
    else:
        verdict = verdict_of_report(one.found, credential, frame.issuers, words)
        rows = tuple(_checks(one.found))
    return Section(
        title=file,
        tone=verdict.tone,
        verdict=verdict.sentence,
        sentences=verdict.more,
        facts=tuple(_facts(one, credential, words)),
        rows=tuple(make_row(check, words) for check in rows),
    )


def _checks(found: Report | PresentationReport) -> Iterator[Check]:
    yield from found.checks
    if isinstance(found, PresentationReport):
        for member in found.credentials:
            yield from member.report.checks


def _credential(document: JsonObject | None) -> Credential | None:
    if document is None:
        return None
    try:
        return parse_credential(document)
    except PatunayError:
        return None


def _facts(one: Judged, credential: Credential | None, words: Words) -> Iterator[Fact]:
    yield Fact(words.say("File"), shown(one.file, _MOST))
    if credential is not None:
        claims = claims_of(credential, words_in(words.language, Area.PAGES))
        for label, value in (
            (phrase("Award, as it says"), claims.title),
            (phrase("Given to, as it says"), claims.recipient),
            (phrase("Issuer, as it says"), claims.issuer),
            (phrase("Issuer's identifier"), shown(credential.issuer, _MOST)),
            (phrase("Number of the document"), shown(credential.id or "", _MOST)),
        ):
            if value:
                yield Fact(words.say(label), value)
        yield from _period(credential, words)
    if one.document is not None:
        yield Fact(words.say("SHA-256 (RFC 8785)"), document_digest(one.document))


def _period(credential: Credential, words: Words) -> Iterator[Fact]:
    start, end = credential.valid_from, credential.valid_until
    if start is not None:
        yield Fact(words.say("In force from, as it says"), words.day(start))
    if end is not None:
        yield Fact(words.say("In force until, as it says"), words.day(end))


_COUNTS: Final[Mapping[Tone, str]] = {
    Tone.BAD: phrase("not to be accepted"),
    Tone.PLAIN: phrase("not readable"),
    Tone.OPEN: phrase("not settled"),
    Tone.GOOD: phrase("valid"),
}


def _overview(made: Sequence[tuple[Section, Judged]], words: Words) -> Overview:
    count = Counter(section.tone for section, _ in made)
    good, all_of_them = count[Tone.GOOD], len(made)
    sentence = words.say_count(
        "{n} document was checked.", "{n} documents were checked.", all_of_them
    )
    if good == all_of_them:
        sentence += " " + words.say("All of them are valid.")
    else:
        sentence += " " + words.say_count(
            "{n} needs attention: it stands first.",
            "{n} need attention: they stand first.",
            all_of_them - good,
        )
    note = ""
    if all_of_them > MAX_SECTIONS:
        note = words.say(
            "The first {n} documents follow one by one; the others stand here alone.",
            n=MAX_SECTIONS,
        )
    return Overview(
        sentence=sentence,
        counts=tuple(
            Fact(words.say(text), words.number(count[tone]))
            for tone, text in _COUNTS.items()
            if count[tone]
        ),
        header=(
            words.say("File"),
            words.say("Holder and award, as it says"),
            words.say("Issuer"),
            words.say("Result"),
        ),
        lines=tuple(_line(section, one, words) for section, one in made),
        note=note,
    )


def _line(section: Section, one: Judged, words: Words) -> Line:
    credential = _credential(one.document)
    what = issuer = ""
    if credential is not None:
        claims = claims_of(credential, words_in(words.language, Area.PAGES))
        what = "; ".join(filter(None, (claims.recipient, claims.title)))
        issuer = claims.issuer or shown(credential.issuer, _MOST)
    return Line(
        tone=section.tone,
        word=words.say(_COUNTS[section.tone]),
        file=shown(one.file, _MOST),
        what=what,
        issuer=issuer,
        why=_reason(section),
        mark=section.mark,
    )


def _reason(section: Section) -> str:
    """Return why a document stands where it does: of what is open, the first question."""
    if not section.rows:
        return " ".join((section.verdict, *section.sentences))
    deciding = [row for row in section.rows if row.tone is Tone.OPEN and row.is_required]
    if section.tone is Tone.OPEN and deciding:
        return f"{deciding[0].question} {deciding[0].text}"
    return section.verdict


def _about(frame: Frame, words: Words) -> Iterator[Fact]:
    if frame.office:
        yield Fact(words.say("Verified by"), shown(frame.office, _MOST))
    yield Fact(words.say("Report made"), words.moment(frame.made))
    yield Fact(words.say("Judged as of"), words.moment(frame.as_of))
    yield Fact(words.say("Program"), f"Patunay {frame.version}")
    network = phrase("not used") if frame.offline else phrase("used")
    yield Fact(words.say("Network"), words.say(network))
    questions = [
        words.say(text) for name, text in QUESTIONS.items() if name in frame.required
    ]
    yield Fact(words.say("What the office requires"), " ".join(questions))
    if frame.pack is None:
        yield Fact(words.say("Trust pack"), words.say("none"))
        return
    yield Fact(words.say("Trust pack"), frame.pack.name)
    yield Fact(words.say("SHA-256 of the trust pack"), frame.pack.digest)
    yield Fact(words.say("Trust pack as of"), words.moment(frame.pack.issued))
    yield Fact(words.say("Trust pack fresh until"), words.moment(frame.pack.expires))


def _labels(words: Words) -> Labels:
    return Labels(
        checks=words.say("What was checked"),
        check=words.say("Question"),
        result=words.say("Answer"),
        evidence=words.say("Evidence"),
        exact=words.say("In the program's own words"),
        limits_title=words.say("What this report cannot say"),
        about=words.say("How this report was made"),
        signed_by=words.say("Name and signature of whoever checked"),
        date=words.say("Date"),
        missing_letters=words.say(
            "A sign such as [U+1703] stands for a letter that this font does not have."
        ),
        # Whoever writes the file knows the numbers.
        page=words.say("Page {n} of {of}", n="{n}", of="{of}"),
    )
