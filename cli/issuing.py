"""`patunay template` and `patunay issue`."""

import asyncio
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click

from cli.files import read_file, read_json, typed_errors, write_whole
from cli.options import (
    FILE,
    FOLDER,
    home_option,
    json_option,
    passphrase_option,
    token_option,
)
from cli.output import Exit, print_json, print_table, say, say_note
from cli.passphrase import read_passphrase
from cli.progress import progress_bar
from cli.token_file import act_with, read_token
from credentials.data_integrity import SUITES
from credentials.registrar import Finding, RegistrarFile, read_registrar_file
from credentials.registrar_table import ENCODINGS, MAX_FILE_BYTES
from node.batches import BatchReport, issue_rows
from node.home import Home, make_folder
from node.node import MAIN, Node
from node.permissions import Action
from node.storage.ledger import find_credential
from node.storage.registry import StoredTemplate, list_templates
from node.templates import (
    AddedTemplate,
    add_template,
    require_current,
    require_version,
    retire_template,
)
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from primitives.errors import Undetermined
from primitives.strict_json import parse_json_object


class NotSignedYet(Undetermined):
    """The credential is decided on, and another process is about to sign it."""

    code = "credential-not-signed-yet"
    hint = "run the command again; nothing is issued twice"


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one run of `patunay issue` was asked for."""

    rows: RegistrarFile
    template_id: str
    slug: str
    cryptosuite: str | None
    token: str
    """Secret of the token that it acts with; empty for the machine's user."""


@click.group()
def template() -> None:
    """What credentials are made from.

    A template is a JSON file that says which columns of a registrar's file go where, and
    what a learner must have reached. examples/README.md describes it.
    """


@template.command(
    "add", epilog="Example: patunay template add als-life-skills-communication.json"
)
@click.argument("file", type=FILE)
@home_option
@json_option
def add(*, file: Path, home: Home, as_json: bool) -> None:
    """Add a version of a template. A version that was added never changes."""
    document = read_json(file)

    async def run() -> AddedTemplate:
        async with Node.open(home, SystemClock()) as node, node.writing() as c:
            return await add_template(node, c, document)

    added = asyncio.run(run())
    stored = added.stored
    if as_json:
        print_json({"id": stored.id, "version": stored.version, "new": added.is_new})
        return
    say(stored.id)
    say_note(f"{'added' if added.is_new else 'already there:'} version {stored.version}")


@template.command("list", epilog="Example: patunay template list")
@home_option
@json_option
def list_them(*, home: Home, as_json: bool) -> None:
    """List the templates of this node; `issue` takes the newest version of each."""

    async def run() -> list[tuple[str, str, str]]:
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            return await list_templates(c)

    found = asyncio.run(run())
    if as_json:
        print_json({"templates": [{"id": i, "version": v} for i, v, _ in found]})
        return
    print_table(("id", "version", "added"), found)


@template.command(
    "show", epilog="Example: patunay template show als-lifeskills-communication"
)
@click.argument("template_id", metavar="ID")
@click.option("--version", metavar="TEXT", help="Another version than the newest.")
@home_option
@json_option
def show(*, template_id: str, version: str | None, home: Home, as_json: bool) -> None:
    """Show the template ID: its newest version, and when it was added or retired."""

    async def run() -> StoredTemplate:
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            return await require_version(c, template_id, version)

    found = asyncio.run(run())
    if as_json:
        print_json(
            {
                "id": found.id,
                "version": found.version,
                "addedAt": found.added_at,
                "retiredAt": found.retired_at,
                "template": parse_json_object(found.body.encode()),
            }
        )
        return
    state = f"retired at {found.retired_at}" if found.retired_at else "in use"
    say_note(f"version {found.version} of {found.id}, {state}")
    say(json.dumps(parse_json_object(found.body.encode()), indent=2, ensure_ascii=False))


@template.command(
    "retire", epilog="Example: patunay template retire als-lifeskills-communication"
)
@click.argument("template_id", metavar="ID")
@home_option
@json_option
def retire(*, template_id: str, home: Home, as_json: bool) -> None:
    """Issue nothing more from the template ID. What was issued stays as it is.

    A version that is added later can be issued from.
    """

    async def run() -> StoredTemplate:
        async with Node.open(home, SystemClock()) as node, node.writing() as c:
            return await retire_template(node, c, template_id)

    found = asyncio.run(run())
    if as_json:
        print_json({"id": found.id, "retiredAt": found.retired_at})
        return
    say(f"retired {found.id}")


@click.command(
    epilog="Example: patunay issue --template als-lifeskills-communication learners.csv"
)
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--template", "template_id", required=True, metavar="ID", help="From which.")
@click.option(
    "--issuer",
    "slug",
    default=MAIN,
    show_default=True,
    metavar="SLUG",
    help="In whose name.",
)
@click.option(
    "--out", type=FOLDER, metavar="DIR", help="Where to write; else `issued` in the node."
)
@click.option(
    "--encoding",
    type=click.Choice(ENCODINGS),
    default="utf-8",
    show_default=True,
    help="How FILE is written; cp1252 is what Excel's plain CSV uses.",
)
@click.option(
    "--sheet", metavar="NAME", help="Of a workbook; else the first that is shown."
)
@click.option(
    "--cryptosuite",
    type=click.Choice(sorted(SUITES)),
    help="How to sign; else as the issuer does (`patunay issuer list`).",
)
@token_option
@home_option
@passphrase_option
@json_option
def issue(  # noqa: PLR0913 - one parameter for each option
    *,
    file: Path,
    template_id: str,
    slug: str,
    out: Path | None,
    encoding: str,
    sheet: str | None,
    cryptosuite: str | None,
    token_file: Path | None,
    home: Home,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Issue a credential for each learner in FILE.

    FILE is CSV or a workbook (.xlsx), with a header; examples/learners.csv shows one.
    Writes one <uuid>.json for each learner, exactly as the node stores it. Rows that
    cannot be issued are held and listed, and the exit code is 1. Run it again after
    correcting them: nobody gets a credential twice, and files that are gone are written
    again. Where the node asks for a second person, they wait until that one has approved
    the batch.
    """
    raw = read_file(file, max_bytes=MAX_FILE_BYTES)
    rows = read_registrar_file(raw, encoding=encoding, sheet=sheet, today=office_day())
    passphrase = read_passphrase(passphrase_file)
    batch = _Batch(rows, template_id, slug, cryptosuite, read_token(token_file))
    folder = out if out is not None else home.issued
    report = asyncio.run(_issue(home, passphrase, batch, folder))
    if as_json:
        print_json(_described(report, folder))
    else:
        _show(report, folder)
    click.get_current_context().exit(Exit.REJECTED if report.held else Exit.VALID)


def office_day() -> date:
    """Return today where this machine stands; in Manila it begins eight hours early."""
    return SystemClock().now().astimezone().date()


async def _issue(home: Home, passphrase: bytes, batch: _Batch, folder: Path) -> BatchReport:
    async with Node.open(home, SystemClock(), passphrase) as node:
        await act_with(node, batch.token, Action.BATCH_DRAFT)
        async with node.reading() as c:
            template = await require_current(c, batch.template_id)
        # Before anything is issued: a folder that cannot be is found out now.
        _make_folder(folder)
        with progress_bar() as progress:
            report = await issue_rows(
                node,
                template,
                batch.rows,
                batch.slug,
                cryptosuite=batch.cryptosuite,
                progress=progress,
            )
            await _write_missing(node, report, folder)
    return report


def _make_folder(folder: Path) -> None:
    with typed_errors(folder):
        make_folder(folder)


async def _write_missing(node: Node, report: BatchReport, folder: Path) -> None:
    """Write what is not in the folder yet; never touch a file that is there."""
    names = [*report.issued, *report.earlier]
    signed = [name for name in names if name not in report.waiting]
    wanted = [name for name in signed if not (folder / f"{name}.json").exists()]
    for name in wanted:
        async with node.reading() as c:
            stored = await find_credential(c, name)
        if stored is None or stored.document is None:
            raise NotSignedYet(f"credential {name} is not signed yet")
        write_whole(folder / f"{name}.json", stored.document.encode())


def _show(report: BatchReport, folder: Path) -> None:
    if report.findings:
        rows = [_line(f) for f in sorted(report.findings, key=lambda f: f.row)]
        print_table(("row", "column", "kind", "code", "detail"), rows)
        say()
    say(
        f"{len(report.issued)} issued, {len(report.earlier)} issued earlier,"
        f" {report.held} held"
    )
    for waiting in sorted(set(report.waiting.values())):
        count = list(report.waiting.values()).count(waiting)
        say_note(f"{count} wait for approval, in batch {waiting}")
    if len(report.waiting) < len(report.issued) + len(report.earlier):
        say_note(f"the credentials are in {folder}")
    if report.held:
        say_note("correct the rows that were held, and run the same command again")


def _line(finding: Finding) -> tuple[str, ...]:
    detail = f"{finding.detail}; {finding.hint}" if finding.hint else finding.detail
    place = (str(finding.row), finding.column, str(finding.severity), finding.code)
    return (*place, detail)


def _described(report: BatchReport, folder: Path) -> JsonObject:
    return {
        "version": 1,
        "issued": list(report.issued),
        "earlier": list(report.earlier),
        "held": report.held,
        "batch": report.batch or None,
        "waiting": dict(report.waiting),
        "directory": str(folder),
        "findings": [
            {
                "row": f.row,
                "column": f.column,
                "severity": str(f.severity),
                "code": f.code,
                "detail": f.detail,
                "hint": f.hint,
            }
            for f in report.findings
        ],
    }
