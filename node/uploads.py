"""A registrar's file in two steps: uploaded and checked, then drafted.

    checked   the file and what was found in it are stored, and nobody is issued anything
    drafted   the rows that can be issued are drafts of a batch (`node.batches`)

The file holds personal data: it is deleted in the very transaction that drafts or cancels
it, and `KEPT_FOR` after the upload if nobody does either.
"""

import asyncio
import json
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.registrar import Finding, RegistrarFile, read_registrar_file, row_key
from credentials.registrar_cells import Severity
from credentials.template import CredentialTemplate, check_row
from node.acting import current_actor
from node.approvals import Approval, Batch, Person
from node.audit_log import record
from node.batches import Order, cancel_batch, draft_rows
from node.node import Node
from node.permissions import Action, check_permission
from node.storage import batches, ledger, uploads
from node.storage.registry import require_issuer
from node.storage.uploads import Upload
from node.suites import require_suite
from node.templates import read_template, require_current, require_version
from primitives.errors import Malformed, Rejected
from primitives.hashing import sha256
from primitives.instants import format_instant

MAX_ROWS: Final = 10_000
"""Rows of a file that is uploaded: they are drafted in one transaction, in about two
seconds, while others wait to write. `patunay issue` takes files of any size."""

MAX_FINDINGS: Final = 20_000
"""Findings that are kept of one file."""

KEPT_FOR: Final = timedelta(days=30)


class TooManyRows(Malformed):
    """The batch has more rows than are taken this way."""

    code = "too-many-items"
    hint = "split it, or let `patunay issue` read the file on the node's own machine"


class BatchNotChecked(Rejected):
    """The batch is drafted already, or was cancelled."""

    code = "batch-not-checked"
    hint = "upload the file again: nobody is issued a credential twice"


@dataclass(frozen=True, slots=True)
class Submitted:
    """A file as somebody hands it over."""

    raw: bytes
    template: str
    """Id."""

    issuer: str
    """Slug."""

    encoding: str = "utf-8"
    cryptosuite: str | None = None
    sheet: str | None = None
    """Name of a workbook's sheet; else the first that is shown."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that was read against its template."""

    submitted: Submitted
    template: CredentialTemplate
    file: RegistrarFile
    findings: tuple[Finding, ...]
    """Of the file and of the template, by row."""

    held: frozenset[int]
    """Numbers of the rows that cannot be issued."""


async def check_file(node: Node, submitted: Submitted) -> CheckedFile:
    """Return what a file comes to; nothing is stored.

    Raises:
        TemplateUnknown, TemplateRetired: As `require_current`.
        CsvMalformed, XlsxMalformed: As `read_registrar_file`.
        TooManyRows: Over `MAX_ROWS`.
        SuiteUnknown: There is no such cryptosuite.
    """
    if submitted.cryptosuite is not None:
        require_suite(submitted.cryptosuite)
    async with node.reading() as c:
        template = await require_current(c, submitted.template)
    # Beside the event loop: ten thousand rows take a second.
    return await asyncio.to_thread(_check, submitted, template, office_day(node))


def office_day(node: Node) -> date:
    """Return today where this machine stands; in Manila it begins eight hours early."""
    return node.instant().astimezone().date()


def _check(submitted: Submitted, template: CredentialTemplate, today: date) -> CheckedFile:
    file = read_registrar_file(
        submitted.raw, encoding=submitted.encoding, sheet=submitted.sheet, today=today
    )
    rows = len(file.rows) + len(file.held)
    if rows > MAX_ROWS:
        raise TooManyRows(f"found {rows} rows, want at most {MAX_ROWS}")
    findings = list(file.findings)
    for row in file.rows:
        findings += check_row(template, row)
    findings.sort(key=lambda finding: finding.row)
    errors = {f.row for f in findings if f.severity is Severity.ERROR}
    held = errors | {row.number for row in file.held}
    return CheckedFile(submitted, template, file, tuple(findings), frozenset(held))


async def store_checked(node: Node, c: AsyncConnection, checked: CheckedFile) -> Batch:
    """Keep a checked file until somebody starts it; in the caller's transaction.

    Raises:
        IssuerUnknown: No issuer goes by its slug.
        RoleRefused, IssuerRefused: Whoever acts may not draft.
    """
    given, actor = checked.submitted, current_actor()
    await require_issuer(c, given.issuer)
    check_permission(actor, Action.BATCH_DRAFT, given.issuer)
    await uploads.forget_stale(c, format_instant(node.instant() - KEPT_FOR))
    known = await ledger.find_row_keys(c, given.issuer, given.template)
    free = [row for row in checked.file.rows if row.number not in checked.held]
    new = [row for row in free if row_key(row) not in known]
    batch = Batch(
        str(uuid.uuid4()),
        given.issuer,
        given.template,
        checked.template.version,
        0,
        "",
        node.now(),
        Person.of(actor),
        Approval.CHECKED,
    )
    await batches.save_batch(c, batch)
    digest = sha256(given.raw).hex()
    await uploads.save_upload(
        c,
        Upload(
            batch=batch.id,
            file=given.raw,
            file_sha256=digest,
            encoding=given.encoding,
            sheet=given.sheet,
            cryptosuite=given.cryptosuite,
            rows=len(checked.file.rows) + len(checked.file.held),
            issuable=len(new),
            held=len(checked.held),
            earlier=len(free) - len(new),
            findings=_written(checked.findings),
            uploaded_at=node.now(),
        ),
    )
    facts: dict[str, str | int] = {
        "change": "upload",
        "rows": len(free),
        "sha256": digest,
    }
    what = f"batch:{batch.id}"
    await record(c, node, Action.BATCH_DRAFT, what, issuer=given.issuer, facts=facts)
    return batch


async def start_batch(node: Node, c: AsyncConnection, batch_id: str) -> Batch:
    """Draft what was uploaded; in the caller's transaction. The daemon signs it.

    Raises:
        BatchUnknown: There is none of that id.
        BatchNotChecked: It was started or cancelled before.
        RoleRefused, IssuerRefused: Whoever acts may not draft, or may not issue where no
            second person is asked for.
    """
    batch = await batches.require_batch(c, batch_id)
    upload = await uploads.find_upload(c, batch_id)
    if batch.approval is not Approval.CHECKED or upload is None or upload.file is None:
        raise BatchNotChecked(f"found batch {batch_id} {batch.approval}, want it checked")
    # The version that was checked, and not the newest: it is what somebody looked at.
    stored = await require_version(c, batch.template, batch.template_version)
    template, today = read_template(stored), office_day(node)
    given = Submitted(
        upload.file, batch.template, batch.issuer, upload.encoding, sheet=upload.sheet
    )
    checked = await asyncio.to_thread(_check, given, template, today)
    order = Order(template, checked.file, batch.issuer, upload.cryptosuite, batch_id)
    report, _ = await draft_rows(node, c, order)
    await uploads.settle_counts(
        c,
        batch_id,
        issuable=len(report.issued),
        held=report.held,
        earlier=len(report.earlier),
    )
    await uploads.forget_file(c, batch_id)
    return await batches.require_batch(c, batch_id)


async def stop_batch(node: Node, c: AsyncConnection, batch_id: str) -> Batch:
    """Cancel what is not signed of a batch; see `cancel_batch`.

    Raises:
        PatunayError: As `cancel_batch`.
    """
    await uploads.forget_file(c, batch_id)
    return await cancel_batch(node, c, batch_id)


def _written(findings: tuple[Finding, ...]) -> str:
    return json.dumps(
        [
            {
                "row": f.row,
                "column": f.column,
                "code": f.code,
                "severity": str(f.severity),
                "detail": f.detail,
                "hint": f.hint,
            }
            for f in findings[:MAX_FINDINGS]
        ]
    )
