"""The page for people at `/`: what this node is, and a form that checks a credential."""

from importlib.resources import files
from typing import Final
from urllib.parse import parse_qs

from aiohttp import web

from node.anchor_state import AnchorState, anchor_state
from node.api.context import NODE
from node.api.request import read_body
from node.api.verify import VERIFIER
from node.storage import ledger
from node.storage.registry import list_issuers
from node.web.pages import Overview, front_page, problem_page, report_page
from primitives.errors import PatunayError
from primitives.strict_json import MAX_DOCUMENT_BYTES, parse_json_object

MAX_FORM_BYTES: Final = 3 * MAX_DOCUMENT_BYTES + 1024
"""A form spells a byte in up to three characters."""

routes = web.RouteTableDef()


@routes.get("/")
async def front(request: web.Request) -> web.Response:
    """Show the form, who signs here, and where the log stands."""
    node = request.app[NODE]
    state = await anchor_state(node, node.config.chain.chain_id)
    async with node.reading() as c:
        issuers = await list_issuers(c)
        waiting, _ = await ledger.queue_state(c)
    overview = Overview(
        issuers=tuple((issuer.name, issuer.did) for issuer in issuers),
        log=node.config.log_name,
        tree_size=state.checkpoint.tree_size if state.checkpoint is not None else 0,
        waiting=waiting,
        anchor=_anchor_phrase(state),
    )
    return _html(front_page(overview))


@routes.post("/")
async def check(request: web.Request) -> web.Response:
    """Check the credential in the form and show the report."""
    try:
        form = (await read_body(request, MAX_FORM_BYTES)).decode("ascii", "replace")
        text = parse_qs(form, max_num_fields=4).get("credential", [""])[0]
        document = parse_json_object(text.strip().encode())
    except (PatunayError, ValueError) as e:
        hint = e.hint if isinstance(e, PatunayError) else ""
        return _html(problem_page(str(e), hint), status=400)
    report = await request.app[VERIFIER].verify(document, size=len(text.encode()))
    return _html(report_page(report))


@routes.get("/style.css")
async def style(_request: web.Request) -> web.Response:
    """Give the style sheet."""
    body = (files("node.web") / "style.css").read_bytes()
    headers = {"Cache-Control": "public, max-age=3600"}
    return web.Response(body=body, content_type="text/css", headers=headers)


def _anchor_phrase(state: AnchorState) -> str:
    sent = state.transaction
    if state.checkpoint is None:
        return "none yet"
    if sent is None:
        return "under way"
    if sent.block_time is None:
        return f"under way on {sent.chain}"
    return f"{sent.block_time}, block {sent.block_number} of {sent.chain}"


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")
