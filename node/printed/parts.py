"""What a printed report is made of, before it is written as HTML or as PDF.

All texts are in the reader's language and ready to be shown: words of strangers are quoted
or cut, and whoever writes HTML escapes them.
"""

from dataclasses import dataclass
from enum import Enum


class Tone(Enum):
    """How an answer is marked: always with a word, never by a colour alone."""

    GOOD = "good"
    OPEN = "open"
    BAD = "bad"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about the document or the report."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """One check."""

    question: str
    tone: Tone
    word: str
    """The result, in one or two words."""

    text: str
    """What it means."""

    exact: str
    """The check's own words and code, in English, as every interface shows them."""

    is_required: bool
    """Whether the office lets this check decide."""

    evidence: tuple[str, ...]
    """What decided, where it was had, as of when, how old that is: one line each."""


@dataclass(frozen=True, slots=True)
class Section:
    """The report on one document."""

    title: str
    tone: Tone
    verdict: str
    """One plain sentence."""

    sentences: tuple[str, ...]
    """What else has to be said at once: as of when, since when, what is not known."""

    facts: tuple[Fact, ...]
    rows: tuple[Row, ...]
    mark: str = ""
    """Where the overview leads to; empty in a report on one document."""


@dataclass(frozen=True, slots=True)
class Line:
    """One document of many."""

    tone: Tone
    word: str
    file: str
    what: str
    """Holder and award, as the document claims them."""

    issuer: str
    why: str
    mark: str
    """That of its section; empty where it has none."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Many documents at one glance, the worst first."""

    sentence: str
    counts: tuple[Fact, ...]
    header: tuple[str, str, str, str]
    lines: tuple[Line, ...]
    note: str
    """Which of the documents have a section of their own."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Fixed words that both kinds of file show."""

    checks: str
    check: str
    result: str
    evidence: str
    exact: str
    limits_title: str
    about: str
    signed_by: str
    date: str
    missing_letters: str
    page: str
    """With the places `{n}` and `{of}`, which the file's writer fills in."""


@dataclass(frozen=True, slots=True)
class PrintedReport:
    """A whole report."""

    language: str
    """BCP 47 tag."""

    title: str
    office: str
    """Who verified, as given; may be empty."""

    made: str
    overview: Overview | None
    sections: tuple[Section, ...]
    limits: tuple[str, ...]
    """What no report of this kind can say."""

    about: tuple[Fact, ...]
    """How it was made: program, policy, pack, network."""

    labels: Labels
