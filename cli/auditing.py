"""`patunay audit` and `patunay check-split`."""

import asyncio
import json
from pathlib import Path
from typing import Final

import click

from anchoring.note import MAX_NOTE_BYTES, VerifierKey
from anchoring.split import MAX_SPLIT_BYTES, SplitView, verify_split
from cli.audit_sources import AuditQuestion, open_sources
from cli.files import read_file, read_json, write_whole
from cli.network import Surroundings
from cli.options import FILE, json_option
from cli.output import Exit, print_json, say, say_note
from cli.progress import progress_bar
from credentials.audit.report import AuditReport, AuditState, Finding, Severity
from credentials.policy import parse_policy
from credentials.report import Outcome
from node.auditing import Progress, audit_log
from primitives.canonical_json import JsonObject
from primitives.errors import Rejected

_MAX_REPORT_BYTES: Final = 64 * 1024 * 1024
_SHOWN: Final = 40
"""Findings of one severity that are printed; the report has them all."""

_EXIT: Final = {
    Outcome.VALID: Exit.VALID,
    Outcome.REJECTED: Exit.REJECTED,
    Outcome.UNDETERMINED: Exit.UNDETERMINED,
}
_WORDS: Final = {
    Severity.BROKEN: "BROKEN",
    Severity.UNKNOWN: "unknown",
    Severity.REMARK: "remark",
}


class SplitOfAnotherLog(Rejected):
    """The file accuses another log than the one that was asked about."""

    code = "split-of-another-log"


@click.command(epilog="Example: patunay audit did:web:school.example --chain URL")
@click.argument("target", metavar="DID|URL|DIR")
@click.option("--chain", "chains", multiple=True, metavar="URL", help="A chain endpoint.")
@click.option("--ipfs", metavar="URL", help="A gateway to read anchor records from.")
@click.option("--car", "cars", multiple=True, type=FILE, metavar="FILE", help="A CAR file.")
@click.option("--from", "start", type=FILE, metavar="FILE", help="An earlier report.")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=FILE,
    metavar="FILE",
    help="A checkpoint of this log that somebody else has.",
)
@click.option("--trust", type=FILE, metavar="FILE", help="Witnesses that you believe.")
@click.option("--vkey", metavar="KEY", help="The log's key, if you know it.")
@click.option(
    "--allow-loopback", is_flag=True, help="Also ask `localhost`, without TLS, for trials."
)
@click.option(
    "-o", "--output", type=FILE, metavar="FILE", help="Write the report, as JSON, to FILE."
)
@json_option
def audit(  # noqa: PLR0913 - one parameter for each option
    *,
    target: str,
    chains: tuple[str, ...],
    ipfs: str | None,
    cars: tuple[Path, ...],
    start: Path | None,
    checkpoints: tuple[Path, ...],
    trust: Path | None,
    vkey: str | None,
    allow_loopback: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Check a provider's whole history, as a stranger does.

    Complete, in order, nothing taken back. Exit code 0 sound, 1 broken, 3 not seen in
    full, 4 set up wrongly. Each split view is written to a file of its own beside the
    report: `patunay check-split` shows it to others.
    """
    question = AuditQuestion(
        target=target,
        vkey=VerifierKey.parse(vkey) if vkey is not None else None,
        chains=chains,
        ipfs=ipfs,
        cars=cars,
        earlier=_read_state(start),
        checkpoints=tuple((str(file), _read_note(file)) for file in checkpoints),
        witnesses=parse_policy(None, read_json(trust) if trust else None).witnesses,
        allow_loopback=allow_loopback,
        around=Surroundings.of(click.get_current_context()),
    )
    with progress_bar() as progress:
        report = asyncio.run(_audit(question, progress))
    if output is not None:
        _write_json(output, report.to_json())
    _write_splits(report, output or Path("audit.json"))
    if as_json:
        print_json(report.to_json())
    else:
        _print(report)
    click.get_current_context().exit(_EXIT[report.outcome])


@click.command("check-split", epilog="Example: patunay check-split audit-split-1.json")
@click.argument("file", type=FILE)
@click.option("--vkey", metavar="KEY", help="The log's key, if you know it.")
@json_option
def check_split(*, file: Path, vkey: str | None, as_json: bool) -> None:
    """Check a file that accuses a log of two histories.

    Needs the file alone. Exit code 0 if the log's key has signed both, 1 if the file
    accuses nobody.
    """
    split = SplitView.parse(read_json(file, max_bytes=MAX_SPLIT_BYTES))
    if vkey is not None and vkey != split.vkey:
        raise SplitOfAnotherLog(f"found {split.vkey[:120]}, want {vkey[:120]}")
    first, second = verify_split(split)
    if as_json:
        print_json({"split": True, "origin": first.origin, **split.to_json()})
        return
    say(f"Two histories of {first.origin}: its key has signed both.")
    for checkpoint in (first, second):
        say(f"  size {checkpoint.tree_size}  root {checkpoint.root.hex()}")
    if first.tree_size != second.tree_size:
        say(f"  size {first.tree_size}  root {split.prefix_root.hex()}  under the second")
    say(f"  key {split.vkey}")


async def _audit(question: AuditQuestion, progress: Progress) -> AuditReport:
    async with open_sources(question) as (target, sources):
        return await audit_log(
            target,
            sources,
            question.around.clock,
            earlier=question.earlier,
            progress=progress,
        )


def _read_state(file: Path | None) -> AuditState | None:
    if file is None:
        return None
    return AuditState.parse(read_json(file, max_bytes=_MAX_REPORT_BYTES))


def _read_note(file: Path) -> str:
    return read_file(file, max_bytes=MAX_NOTE_BYTES).decode("utf-8", "replace")


def _write_json(file: Path, content: JsonObject) -> None:
    write_whole(file, json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")


def _write_splits(report: AuditReport, beside: Path) -> None:
    for number, split in enumerate(report.splits, start=1):
        file = beside.with_name(f"{beside.stem}-split-{number}.json")
        _write_json(file, split.to_json())
        say_note(f"two histories: the evidence is in {file}")


def _print(report: AuditReport) -> None:
    say(report.summary)
    if report.witnessed is not None:
        say(report.witnessed.sentence)
    for severity in Severity:
        found = [f for f in report.findings if f.severity is severity]
        for finding in found[:_SHOWN]:
            say(f"  {_WORDS[severity]:7}  {finding.code}: {_sentence(finding)}")
        if len(found) > _SHOWN:
            say(f"  {_WORDS[severity]:7}  and {len(found) - _SHOWN} more")


def _sentence(finding: Finding) -> str:
    where = f" (transaction {finding.transaction})" if finding.transaction else ""
    return finding.detail + where
