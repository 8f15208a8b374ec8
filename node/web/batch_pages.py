"""Batches in the console: a file is uploaded, looked at, started, and watched."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from node.api.batch_results import stream_progress, stream_zip
from node.api.batches import BatchShown
from node.api.context import NODE
from node.api.paging import PageQuery, read_cursor, write_cursor
from node.api.schema import body_of
from node.batches import ENDED, approve_batch, reject_batch
from node.permissions import Action, check_permission
from node.storage.batches import count_signed, recent_batches, require_batch
from node.storage.registry import list_issuers, page_templates
from node.storage.uploads import find_upload
from node.templates import read_template
from node.uploads import Submitted, check_file, start_batch, stop_batch, store_checked
from node.web.console import FORM, SESSION, console, console_page, field, redirect
from node.web.rendering import page_words
from node.web.row_findings import OTHER, ROW_FINDINGS
from node.web.serving import language_of
from node.web.submission import NothingHandedOver
from primitives.canonical_json import JsonObject
from primitives.strict_json import parse_json
from primitives.wording.words import Words

_PAGE: Final = 25
_MOST_TEMPLATES: Final = 200

_MAX_UPLOAD_BYTES: Final = 8 << 20
"""Ten thousand rows, the most that are taken this way, have some 2 MB."""

_EXCEL: Final = "cp1252"

_MOST_FINDINGS: Final = 200
"""Findings on the page; the file is mended and uploaded again long before."""

_MAX_FINDINGS_BYTES: Final = 64 << 20
_MAX_FINDINGS_NODES: Final = 1 << 20
"""The node's own words, and more of them than a stranger may send."""

_ACTIONS: Final[Mapping[str, Action]] = {
    "start": Action.BATCH_DRAFT,
    "cancel": Action.BATCH_DRAFT,
    "approve": Action.BATCH_APPROVE,
    "reject": Action.BATCH_APPROVE,
}

routes = web.RouteTableDef()


@routes.get("/console/batches")
@console(Action.BATCH_READ)
async def batches(request: web.Request) -> web.Response:
    """Show the batches, the newest first."""
    cursor = request.query.get("cursor")
    place = read_cursor(PageQuery(_PAGE, cursor), str, str) if cursor else None
    bound = request[SESSION].token.actor.issuers
    async with request.app[NODE].reading() as c:
        found = await recent_batches(c, bound, place, _PAGE + 1)
        shown = [
            BatchShown.of(one, await find_upload(c, one.id), await count_signed(c, one.id))
            for one in found[:_PAGE]
        ]
    more = ""
    if len(found) > _PAGE:
        more = write_cursor(found[_PAGE - 1].drafted_at, found[_PAGE - 1].id)
    return console_page(request, "batches", here="batches", found=shown, more=more)


@routes.get("/console/batches/new")
@console(Action.BATCH_DRAFT)
async def form(request: web.Request) -> web.Response:
    """Ask for a file."""
    bound = request[SESSION].token.actor.issuers
    async with request.app[NODE].reading() as c:
        stored = await page_templates(c, "", _MOST_TEMPLATES)
        issuers = await list_issuers(c)
    in_use = [(one, read_template(one)) for one in stored if one.retired_at is None]
    return console_page(
        request,
        "batch_form",
        here="batches",
        templates=in_use,
        chosen=request.query.get("template", ""),
        issuers=[one for one in issuers if not bound or one.slug in bound],
    )


@routes.post("/console/batches")
@console(Action.BATCH_DRAFT, max_bytes=_MAX_UPLOAD_BYTES)
async def upload(request: web.Request) -> web.Response:
    """Check a file against a template, and keep it until somebody starts it."""
    node, raw = request.app[NODE], request[FORM].get("file", b"")
    if not raw:
        raise NothingHandedOver("found no file", hint="choose the file with the learners")
    given = Submitted(
        raw,
        field(request, "template"),
        field(request, "issuer"),
        field(request, "encoding"),
    )
    checked = await check_file(node, given)
    async with node.writing() as c:
        batch = await store_checked(node, c, checked)
    return redirect(f"/console/batches/{batch.id}")


@routes.get("/console/batches/{batch}")
@console(Action.BATCH_READ)
async def show(request: web.Request) -> web.Response:
    """Show a batch: what was found in its file, and how far it is."""
    async with request.app[NODE].reading() as c:
        shown = await _reached(request, c)
        kept = await find_upload(c, shown.id)
    words = page_words(language_of(request))
    findings = _findings(kept.findings, words) if kept is not None else []
    errors = [one for one in findings if one["severity"] == "error"]
    notes = [one for one in findings if one["severity"] != "error"]
    return console_page(
        request,
        "batch",
        here="batches",
        batch=shown,
        is_live=shown.state not in ENDED,
        errors=errors[:_MOST_FINDINGS],
        notes=notes[:_MOST_FINDINGS],
        left_out=sum(max(0, len(some) - _MOST_FINDINGS) for some in (errors, notes)),
        is_sealed=request.app[NODE].unlocked is None,
    )


def _findings(text: str, words: Words) -> list[dict[str, Any]]:
    found = parse_json(text.encode(), _MAX_FINDINGS_BYTES, max_nodes=_MAX_FINDINGS_NODES)
    entries = found if isinstance(found, list) else []
    return [
        {**one, "said": words.say(ROW_FINDINGS.get(str(one.get("code")), OTHER))}
        for one in entries
        if isinstance(one, dict)
    ]


@routes.post("/console/batches/{batch}/{change:start|cancel|approve|reject}")
@console()
async def change(request: web.Request) -> web.Response:
    """Start a batch, or what is left of it never; approve or reject it."""
    node, named = request.app[NODE], request.match_info
    name, word = named["batch"], named["change"]
    actor = request[SESSION].token.actor
    check_permission(actor, _ACTIONS[word])
    async with node.reading() as c:
        shown = await _reached(request, c)
    check_permission(actor, _ACTIONS[word], shown.issuer)
    if word == "approve":
        await approve_batch(node, name)
    elif word == "reject":
        await reject_batch(node, name, field(request, "reason"))
    else:
        if word == "start":
            node.keys()  # sealed is found out before anything is drafted
        do = start_batch if word == "start" else stop_batch
        async with node.writing() as c:
            await do(node, c, name)
    return redirect(f"/console/batches/{name}")


@routes.get("/console/batches/{batch}/events")
@console(Action.BATCH_READ)
async def events(request: web.Request) -> web.StreamResponse:
    """Tell how far a batch is, whenever that changes."""

    async def look() -> JsonObject:
        async with request.app[NODE].reading() as c:
            return body_of(await _reached(request, c))

    return await stream_progress(request, look)


@routes.get("/console/batches/{batch}/credentials.zip")
@console(Action.CREDENTIAL_READ)
async def download(request: web.Request) -> web.StreamResponse:
    """Give what is signed of a batch."""
    async with request.app[NODE].reading() as c:
        shown = await _reached(request, c)
    return await stream_zip(request, request.app[NODE], shown.id)


async def _reached(request: web.Request, c: AsyncConnection) -> BatchShown:
    """Return the batch that the address names, if whoever asks may see it."""
    batch = await require_batch(c, request.match_info["batch"])
    check_permission(request[SESSION].token.actor, Action.BATCH_READ, batch.issuer)
    return BatchShown.of(
        batch, await find_upload(c, batch.id), await count_signed(c, batch.id)
    )
