"""A report in words, for people: a sentence first, then one line for each check."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from cli.output import error_json
from credentials.report import Check, Report, Result
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed, PatunayError

if TYPE_CHECKING:  # most files hold a credential
    from credentials.presentation import PresentationReport

_WORDS: Final = {
    Result.PASSED: "passed",
    Result.FAILED: "FAILED",
    Result.UNDETERMINED: "unknown",
    Result.NOT_APPLICABLE: "n.a.",
}
_WORD_WIDTH: Final = max(map(len, _WORDS.values()))

_ORDER: Final = ("valid", "rejected", "undetermined", "malformed", "unreadable")


class Answer(NamedTuple):
    """What came of one file."""

    file: str
    """As the user named it."""

    found: "Report | PresentationReport | PatunayError"
    """The report, or why there is none."""

    document: JsonObject | None = None
    """What was judged; None where nothing could be read."""

    @property
    def word(self) -> str:
        """Return the outcome in one word."""
        if isinstance(self.found, PatunayError):
            return "malformed" if isinstance(self.found, Malformed) else "unreadable"
        return self.found.outcome.value

    @property
    def sentence(self) -> str:
        """Return the outcome in one sentence."""
        if isinstance(self.found, PatunayError):
            return f"{self.found} ({self.found.code})"
        return self.found.summary

    def to_json(self) -> JsonObject:
        """Return the report with its file's name, as `--json` shows it."""
        if not isinstance(self.found, PatunayError):
            return {"file": self.file, **self.found.to_json()}
        return {
            "file": self.file,
            "version": 1,
            "outcome": self.word,
            "error": {**error_json(self.found)},
        }


def report_lines(report: "Report | PresentationReport") -> list[str]:
    """Return the lines about one credential, or about a presentation and its members."""
    lines = [report.summary, "", *_check_lines(report.checks), ""]
    if isinstance(report, Report):
        return [*lines, f"outcome: {report.outcome.value}; {_standing(report)}"]
    for number, member in enumerate(report.credentials, start=1):
        lines += [f"credential {number}: {member.report.summary}", ""]
        lines += [*_check_lines(member.report.checks), ""]
    return [*lines, f"outcome: {report.outcome.value}"]


def _check_lines(checks: Sequence[Check]) -> Iterator[str]:
    width = max(len(check.name) for check in checks)
    for check in checks:
        word = _WORDS[check.result].ljust(_WORD_WIDTH)
        yield f"  {check.name.ljust(width)}  {word}  {_detail(check)}".rstrip()
        if check.hint and check.result is not Result.PASSED:
            yield f"  {' ' * (width + _WORD_WIDTH + 2)}  hint: {check.hint}"


def overview_lines(answers: Sequence[Answer]) -> list[str]:
    """Return a line for each file, and how many there are of each outcome."""
    names = max(len(answer.file) for answer in answers)
    words = max(len(answer.word) for answer in answers)
    lines = [
        f"{answer.word.ljust(words)}  {answer.file.ljust(names)}  {answer.sentence}"
        for answer in answers
    ]
    count = Counter(answer.word for answer in answers)
    parts = [f"{count[word]} {word}" for word in _ORDER if count[word]]
    noun = "file" if len(answers) == 1 else "files"
    return [*lines, "", f"{len(answers)} {noun}: {', '.join(parts)}"]


def _detail(check: Check) -> str:
    parts = [check.detail]
    if check.code:
        parts.append(f"({check.code})")
    if not check.required and check.result is not Result.PASSED:
        parts.append("[not required]")
    return " ".join(parts)


def _standing(report: Report) -> str:
    return f"standing: {report.standing.value}"
