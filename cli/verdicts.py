"""What `patunay verify` prints, and the exit code it ends with."""

from collections.abc import Sequence
from typing import Final

from cli.output import WORST_FIRST, Exit, exit_code, print_json, say, say_hint
from cli.report_text import Answer, overview_lines, report_lines
from credentials.report import Outcome
from primitives.errors import PatunayError

_EXIT: Final = {
    Outcome.VALID: Exit.VALID,
    Outcome.REJECTED: Exit.REJECTED,
    Outcome.UNDETERMINED: Exit.UNDETERMINED,
}


def exit_of(answer: Answer) -> Exit:
    """Return the exit code that one file asks for."""
    if isinstance(answer.found, PatunayError):
        return exit_code(answer.found)
    return _EXIT[answer.found.outcome]


def print_one(answer: Answer, *, as_json: bool) -> None:
    """Print the report on a file.

    Raises:
        PatunayError: There is none, for this reason.
    """
    if isinstance(answer.found, PatunayError):
        raise answer.found
    if as_json:
        print_json(answer.found.to_json())
        return
    for line in report_lines(answer.found):
        say(line)
    if answer.found.outcome is Outcome.REJECTED:
        say_hint("do not rely on it; ask the issuer for the credential as it was issued")


def print_several(answers: Sequence[Answer], *, as_json: bool) -> None:
    """Print the reports on several files, or a line for each."""
    if as_json:
        word = min(answers, key=lambda a: WORST_FIRST.index(exit_of(a))).word
        reports = [answer.to_json() for answer in answers]
        print_json({"version": 1, "outcome": word, "reports": reports})
        return
    for line in overview_lines(answers):
        say(line)
