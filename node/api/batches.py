"""Batches over HTTP: upload a registrar's file, look at what was found, start, stop."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, cast

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.registrar_table import CsvEncodingUnknown, CsvMalformed
from credentials.workbook.errors import (
    XlsxEncrypted,
    XlsxMacros,
    XlsxMalformed,
    XlsxOtherFormat,
    XlsxSheetUnknown,
    XlsxTooLarge,
)
from node.api.batch_results import MEDIA_ZIP, stream_progress, stream_zip
from node.api.batch_upload import FILE_SCHEMAS, RowsGiven, read_upload
from node.api.context import NODE
from node.api.creating import Effect, Made, answer_once
from node.api.guard import ACTOR, needs
from node.api.listing import Listing, Span
from node.api.operation import Answer, Body, Operation, described
from node.api.paging import (
    CursorMalformed,
    PageQuery,
    page_of,
    page_response,
    query_of,
    read_cursor,
)
from node.api.schema import Instant, Keywords, body_of
from node.approvals import Batch
from node.batches import BatchEnded, batch_state
from node.node import NodeSealed
from node.permissions import Action, check_permission
from node.storage.batches import BatchUnknown, count_signed, recent_batches, require_batch
from node.storage.registry import IssuerUnknown, TemplateUnknown
from node.storage.uploads import Upload, find_upload
from node.suites import SuiteUnknown
from node.templates import TemplateRetired
from node.uploads import (
    BatchNotChecked,
    Submitted,
    TooManyRows,
    check_file,
    start_batch,
    stop_batch,
    store_checked,
)
from primitives.canonical_json import JsonObject

routes = web.RouteTableDef()

BatchState = Literal[
    "checked", "waiting", "approved", "signing", "done", "rejected", "cancelled"
]
"""Uploaded; drafted, and waits for a second person; being signed; signed; ended."""


@dataclass(frozen=True, slots=True)
class BatchShown:
    """A batch, and how far it is."""

    id: str
    state: BatchState
    issuer: str
    """Slug."""

    template: str
    template_version: str
    rows: int | None
    """Rows of the file; null for a batch that was drafted on the node's own machine."""

    issuable: int | None
    """Rows that can be issued and were not before."""

    held: int | None
    """Rows that cannot be issued; the findings say why."""

    earlier: int | None
    """Rows that were issued before."""

    size: int
    """Credentials in it; 0 before it is started."""

    signed: int
    drafted_at: Instant
    """Or uploaded, before it is started."""

    drafted_by: str
    decided_at: Instant | None
    """When it was approved, rejected or cancelled."""

    decided_by: str | None
    reason: str
    """Of a rejection."""

    @classmethod
    def of(cls, batch: Batch, upload: Upload | None, signed: int) -> "BatchShown":
        """Return what is shown of a batch."""
        return cls(
            id=batch.id,
            state=cast(BatchState, batch_state(batch, signed)),
            issuer=batch.issuer,
            template=batch.template,
            template_version=batch.template_version,
            rows=upload.rows if upload is not None else None,
            issuable=upload.issuable if upload is not None else None,
            held=upload.held if upload is not None else None,
            earlier=upload.earlier if upload is not None else None,
            size=batch.size,
            signed=signed,
            drafted_at=batch.drafted_at,
            drafted_by=batch.drafted_by.name,
            decided_at=batch.decided_at,
            decided_by=batch.decided_by.name if batch.decided_by is not None else None,
            reason=batch.reason,
        )


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Batches, newest first."""

    batches: tuple[BatchShown, ...]
    next: str | None
    """Cursor of the next page; null on the last."""


@dataclass(frozen=True, slots=True)
class FindingShown:
    """Something to know about a row, a column or the whole file."""

    row: int
    """As a spreadsheet shows it: the header is row 1."""

    column: str
    code: str
    severity: Literal["error", "note"]
    """An error keeps the row from being issued."""

    detail: str
    hint: str


@dataclass(frozen=True, slots=True)
class FindingPage:
    """What checking a file found, by row."""

    findings: tuple[FindingShown, ...]
    next: str | None
    """Cursor of the next page; null on the last."""


@dataclass(frozen=True, slots=True)
class UploadQuery:
    """What is made from a file."""

    template: str
    """Id."""

    issuer: str = "main"
    """Slug."""

    encoding: Literal["utf-8", "cp1252"] = "utf-8"
    """How a CSV file is written; cp1252 is what Excel's plain CSV uses."""

    sheet: Annotated[str, Keywords(minLength=1, maxLength=31)] | None = None
    """Name of a workbook's sheet; else the first that is shown."""

    cryptosuite: str | None = None
    """Instead of the issuer's own."""


_UNKNOWN: Final = (BatchUnknown,)
_BATCHES: Final = Listing(
    "The batches, newest first", BatchPage, by={"drafted_at": str, "id": str}
)


@routes.get("/batches")
@described(_BATCHES.operation)
@needs(Action.BATCH_READ)
async def list_them(request: web.Request) -> web.Response:
    """List the batches."""
    reach = tuple(sorted(request[ACTOR].issuers))

    async def look(c: AsyncConnection, span: Span) -> list[BatchShown]:
        found = await recent_batches(c, reach, span.place or None, span.limit)
        return [await _shown(c, batch) for batch in found]

    return await _BATCHES.answer(request, look)


@routes.post("/batches")
@described(
    Operation(
        "Upload a registrar's file and have it checked against a template",
        {201: Answer("It is checked, and nothing is issued yet.", BatchShown)},
        errors=(
            CsvMalformed,
            CsvEncodingUnknown,
            XlsxMalformed,
            XlsxTooLarge,
            XlsxMacros,
            XlsxEncrypted,
            XlsxOtherFormat,
            XlsxSheetUnknown,
            IssuerUnknown,
            SuiteUnknown,
            TemplateUnknown,
            TemplateRetired,
            TooManyRows,
        ),
        body=Body(RowsGiven, more=FILE_SCHEMAS),
        query=UploadQuery,
        creates=True,
    )
)
@needs(Action.BATCH_DRAFT)
async def upload(request: web.Request) -> web.Response:
    """Take a file: raw, as a form's field `file`, or rows as JSON."""
    node = request.app[NODE]
    given = query_of(request, UploadQuery)
    raw, digested = await read_upload(request)
    checked = await check_file(
        node,
        Submitted(
            raw,
            given.template,
            given.issuer,
            given.encoding,
            given.cryptosuite,
            given.sheet,
        ),
    )

    async def effect(c: AsyncConnection) -> Made:
        batch = await store_checked(node, c, checked)
        return Made(201, body_of(await _shown(c, batch)), f"/batches/{batch.id}")

    return await answer_once(node, request, digested, effect)


@routes.get("/batches/{batch}")
@described(
    Operation(
        "One batch, and how far it is",
        {200: Answer("The batch.", BatchShown)},
        errors=_UNKNOWN,
    )
)
@needs(Action.BATCH_READ)
async def show(request: web.Request) -> web.Response:
    """Show a batch."""
    async with request.app[NODE].reading() as c:
        batch = await _reached(request, c)
        return web.json_response(body_of(await _shown(c, batch)))


@routes.get("/batches/{batch}/findings")
@described(
    Operation(
        "What checking the file found, row by row",
        {200: Answer("A page of it.", FindingPage)},
        errors=(BatchUnknown, CursorMalformed),
        query=PageQuery,
    )
)
@needs(Action.BATCH_READ)
async def findings(request: web.Request) -> web.Response:
    """List why rows are held, and what else there is to know."""
    query = query_of(request, PageQuery)
    (start,) = read_cursor(query, int) or (0,)
    async with request.app[NODE].reading() as c:
        batch = await _reached(request, c)
        kept = await find_upload(c, batch.id)
    everything: list[dict[str, Any]] = json.loads(kept.findings) if kept else []  # noqa: TID251 - the node's own words, and more of them than a stranger may send
    chosen = list(enumerate(everything))[max(start, 0) :][: query.limit + 1]
    shown, following = page_of(chosen, query.limit, lambda one: (one[0] + 1,))
    page = FindingPage(tuple(FindingShown(**finding) for _, finding in shown), following)
    return page_response(request, page)


@routes.post("/batches/{batch}/start")
@described(
    Operation(
        "Draft what was uploaded; the daemon signs it, or a second person is waited for",
        {202: Answer("It is drafted.", BatchShown)},
        errors=(BatchUnknown, BatchNotChecked, IssuerUnknown, TemplateUnknown, NodeSealed),
        creates=True,
    )
)
@needs(Action.BATCH_DRAFT)
async def start(request: web.Request) -> web.Response:
    """Start a batch. Signing goes on in the daemon, after a restart too."""
    node, name = request.app[NODE], request.match_info["batch"]
    node.keys()  # sealed is found out before anything is drafted

    async def effect(c: AsyncConnection) -> Made:
        batch = await start_batch(node, c, name)
        return Made(202, body_of(await _shown(c, batch)), f"/batches/{name}")

    return await _once(request, effect)


@routes.post("/batches/{batch}/cancel")
@described(
    Operation(
        "Never sign what is not signed yet",
        {200: Answer("What was signed stays.", BatchShown)},
        errors=(BatchUnknown, BatchEnded),
        creates=True,
    )
)
@needs(Action.BATCH_DRAFT)
async def cancel(request: web.Request) -> web.Response:
    """Cancel a batch."""
    node, name = request.app[NODE], request.match_info["batch"]

    async def effect(c: AsyncConnection) -> Made:
        return Made(200, body_of(await _shown(c, await stop_batch(node, c, name))))

    return await _once(request, effect)


@routes.get("/batches/{batch}/events")
@described(
    Operation(
        "How far a batch is, as server-sent events",
        {200: Answer("`progress` events until it ends.", None, ("text/event-stream",))},
        errors=_UNKNOWN,
        headers=(
            {
                "name": "Last-Event-ID",
                "in": "header",
                "description": "The last event that the reader has.",
                "schema": {"type": "string"},
            },
        ),
    )
)
@needs(Action.BATCH_READ)
async def events(request: web.Request) -> web.StreamResponse:
    """Tell how far a batch is, whenever that changes."""

    async def look() -> JsonObject:
        async with request.app[NODE].reading() as c:
            return body_of(await _shown(c, await _reached(request, c)))

    return await stream_progress(request, look)


@routes.get("/batches/{batch}/credentials.zip")
@described(
    Operation(
        "What is signed of a batch, as an archive of JSON files",
        {200: Answer("`UUID.json` of each.", None, (MEDIA_ZIP,))},
        errors=_UNKNOWN,
    )
)
@needs(Action.CREDENTIAL_READ)
async def download(request: web.Request) -> web.StreamResponse:
    """Give the signed credentials, exactly as they are stored."""
    node = request.app[NODE]
    async with node.reading() as c:
        batch = await _reached(request, c)
    return await stream_zip(request, node, batch.id)


async def _once(request: web.Request, effect: Effect) -> web.Response:
    async with request.app[NODE].reading() as c:
        await _reached(request, c)
    return await answer_once(request.app[NODE], request, b"", effect)


async def _reached(request: web.Request, c: AsyncConnection) -> Batch:
    """Return the batch that the address names, if whoever asks may see it."""
    batch = await require_batch(c, request.match_info["batch"])
    check_permission(request[ACTOR], Action.BATCH_READ, batch.issuer)
    return batch


async def _shown(c: AsyncConnection, batch: Batch) -> BatchShown:
    signed = await count_signed(c, batch.id)
    return BatchShown.of(batch, await find_upload(c, batch.id), signed)
