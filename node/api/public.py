"""The node's static files over HTTP: DID documents, status lists, the log. And its health.

A CDN or any web server could carry these files as well; see `node.publishing`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from aiohttp import web

from anchoring.blocks import BlockNotFound
from anchoring.record import CidMalformed
from node.anchor_state import anchor_state
from node.api.context import NODE
from node.api.operation import NO_FILE, Answer, Operation, described, named
from node.api.schema import body_of
from node.log_reading import RecordUnknown, read_record
from node.publishing import did_document_file, did_history_file
from node.storage import ledger
from node.stored_blocks import StoredBlocks

_TILE: Final = re.compile(
    r"tile/(entries|\d{1,2})/(x\d{3}/){0,5}\d{3}(\.p/\d{1,3})?", re.ASCII
)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}", re.ASCII)
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_BRIEFLY: Final = "public, max-age=60"

routes = web.RouteTableDef()

_DID_DOCUMENT: Final = Operation(
    "An issuer's DID document",
    {200: Answer("The document.", None, ("application/did+json",)), 404: NO_FILE},
)
_DID_HISTORY: Final = Operation(
    "The versions of an issuer's DID document, and its key events",
    {200: Answer("The history.", {"type": "object"}), 404: NO_FILE},
)


@dataclass(frozen=True, slots=True)
class Health:
    """That the node runs, and where signing and anchoring stand."""

    status: Literal["ok"]
    sealed: bool
    """Whether it waits for its passphrase, and signs nothing."""

    queue: int
    """Entries that wait for the next checkpoint."""

    tree_size: int
    """Entries under the latest checkpoint."""

    anchor: str
    """State of the latest transaction; `none` before the first."""


@routes.get("/.well-known/did.json")
@routes.get("/issuers/{slug}/did.json")
@described(_DID_DOCUMENT)
async def did_document(request: web.Request) -> web.StreamResponse:
    """Give an issuer's DID document."""
    slug = request.match_info.get("slug", "main")
    if not _NAME.fullmatch(slug):
        raise web.HTTPNotFound
    file = did_document_file(request.app[NODE].home, slug)
    return _file(file, "application/did+json", _BRIEFLY)


@routes.get("/.well-known/did-history.json")
@routes.get("/issuers/{slug}/did-history.json")
@described(_DID_HISTORY)
async def did_history(request: web.Request) -> web.StreamResponse:
    """Give the versions of an issuer's DID document, and what is said of its keys."""
    slug = request.match_info.get("slug", "main")
    if not _NAME.fullmatch(slug):
        raise web.HTTPNotFound
    file = did_history_file(request.app[NODE].home, slug)
    return _file(file, "application/json", _BRIEFLY)


@routes.get("/status/{slug}/{name}")
@described(
    Operation(
        "A status list credential",
        {200: Answer("The signed list.", None, ("application/vc+json",)), 404: NO_FILE},
        parts={"name": "The list's name."},
    )
)
async def status_list(request: web.Request) -> web.StreamResponse:
    """Give a status list credential."""
    slug, name = request.match_info["slug"], request.match_info["name"]
    if not _NAME.fullmatch(slug) or not _NAME.fullmatch(name):
        raise web.HTTPNotFound
    file = request.app[NODE].home.public / "status" / slug / name
    return _file(file, "application/vc+json", _BRIEFLY)


@routes.get("/log/checkpoint")
@described(
    Operation(
        "The latest checkpoint, a C2SP signed note",
        {200: Answer("The checkpoint.", None, ("text/plain",)), 404: NO_FILE},
    )
)
async def checkpoint(request: web.Request) -> web.StreamResponse:
    """Give the latest checkpoint, a C2SP signed note; 404 before the first."""
    file = request.app[NODE].home.public / "log" / "checkpoint"
    return _file(file, "text/plain; charset=utf-8", "no-cache")


@routes.get("/log/{path:tile/.+}")
@described(
    Operation(
        "A tile of the log, C2SP tlog-tiles",
        {200: Answer("The tile.", None, ("application/octet-stream",)), 404: NO_FILE},
        parts={"path": "Such as tile/0/000."},
    )
)
async def tile(request: web.Request) -> web.StreamResponse:
    """Give a tile of the log, as C2SP tlog-tiles lays them out."""
    path = request.match_info["path"]
    if not _TILE.fullmatch(path):
        raise web.HTTPNotFound
    file = request.app[NODE].home.public / "log" / path
    return _file(file, "application/octet-stream", _FOR_EVER)


@routes.get("/log/records/{name}")
@described(
    Operation(
        "An anchor record, and where it is anchored so far",
        {200: Answer("The record.", named("AnchoredRecord"))},
        errors=(RecordUnknown,),
        parts={"name": "The record's CID, or `latest`."},
    )
)
async def record(request: web.Request) -> web.Response:
    """Give an anchor record by its CID, or the `latest`, and where it is anchored."""
    found = await read_record(request.app[NODE], request.match_info["name"])
    return web.json_response(found.to_json(), headers={"Cache-Control": "no-cache"})


@routes.get("/ipfs/{cid}")
@described(
    Operation(
        "A block of the node's own: an anchor record, or what one pins",
        {200: Answer("The block.", None, ("application/vnd.ipld.raw",)), 404: NO_FILE},
        parts={"cid": "CIDv1, base32, SHA-256."},
    )
)
async def block(request: web.Request) -> web.Response:
    """Give an anchor record, or a document that one commits to, as one raw block.

    As a trustless IPFS gateway does, for the node's own blocks alone.
    """
    cid = request.match_info["cid"]
    try:
        body = await StoredBlocks(request.app[NODE]).get(cid)
    except (BlockNotFound, CidMalformed) as e:
        raise web.HTTPNotFound from e
    headers = {"Cache-Control": _FOR_EVER, "X-Content-Type-Options": "nosniff"}
    kind = "application/vnd.ipld.raw"
    return web.Response(body=body, content_type=kind, headers=headers)


@routes.get("/healthz")
@described(
    Operation(
        "That the node runs, and where signing and anchoring stand",
        {200: Answer("It runs.", Health)},
    )
)
async def health(request: web.Request) -> web.Response:
    """Say that the node runs, and where signing and anchoring stand.

    Always 200 while it answers: a chain that is out of reach is not an unhealthy node.
    """
    node = request.app[NODE]
    state = await anchor_state(node, node.config.chain.chain_id)
    async with node.reading() as c:
        waiting, _ = await ledger.queue_state(c)
    sent = state.transaction
    shown = Health(
        status="ok",
        sealed=node.unlocked is None,
        queue=waiting,
        tree_size=state.checkpoint.tree_size if state.checkpoint else 0,
        anchor=sent.state if sent else "none",
    )
    return web.json_response(body_of(shown))


def _file(path: Path, content_type: str, cache: str) -> web.StreamResponse:
    if not path.is_file():
        raise web.HTTPNotFound
    headers = {"Content-Type": content_type, "Cache-Control": cache}
    return web.FileResponse(path, headers=headers)
