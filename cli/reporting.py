"""`patunay verify --report`: the answers as a file to be printed and filed."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click

from cli.answering import Question
from cli.files import write_whole
from cli.report_text import Answer
from node.printed.content import Frame, Judged, print_report
from node.printed.html import write_html
from node.printed.parts import PrintedReport
from primitives.wording.words import Language


def _pdf(report: PrintedReport, question: Question) -> bytes:
    from node.printed.pdf import write_pdf  # noqa: PLC0415 - an extra, slow to import

    return write_pdf(report, question.clock)


_WRITERS: Final[dict[str, Callable[[PrintedReport, Question], bytes]]] = {
    ".html": lambda report, _: write_html(report),
    ".pdf": _pdf,
}


def require_report_name(file: Path) -> None:
    """Return if a report can be written under that name; asked before anything is judged.

    Raises:
        UsageError: Its ending is of neither kind.
        PdfUnavailable: For .pdf the extra `pdf` is needed.
    """
    if file.suffix.lower() not in _WRITERS:
        raise click.UsageError(f"found --report {file.name}, want a name in .html or .pdf")
    if file.suffix.lower() == ".pdf":
        from node.printed.pdf import require_pdf  # noqa: PLC0415 - as below

        require_pdf()


def write_report(
    file: Path, answers: Sequence[Answer], question: Question, language: str, office: str
) -> None:
    """Write what came of the files.

    Raises:
        PatunayError: As `write_whole`.
    """
    frame = Frame(
        made=question.clock,
        as_of=question.as_of,
        version=version("patunay"),
        office=office,
        required=question.policy.effective_required,
        issuers=question.policy.issuers,
        pack=question.policy.pack,
        offline=question.offline,
    )
    judged = [Judged(each.file, each.document, each.found) for each in answers]
    report = print_report(judged, frame, Language(language))
    write_whole(file, _WRITERS[file.suffix.lower()](report, question))
