"""Pages of the console that show the node: overview, anchors, audit log."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from aiohttp import web

from node.anchor_request import request_anchor
from node.anchor_state import anchor_state
from node.api.context import NODE
from node.audit_chain import StoredEntry
from node.node import Node
from node.overview import SHOWN_TRANSACTIONS, read_overview
from node.permissions import Action
from node.storage import figures
from node.storage.anchor_store import StoredTransaction
from node.storage.audit_log import read_entries, read_head
from node.transparency import ShownAnchor, shown_anchor
from node.web.chart import bars_of
from node.web.console import console, console_page, redirect
from primitives.canonical_json import Json
from primitives.strict_json import parse_json_object

_SHOWN_ACTS: Final = 50
_MAX_DIGITS: Final = 15
_WEI: Final = Decimal(10) ** 18

routes = web.RouteTableDef()


@routes.get("/console")
@console()
async def overview(request: web.Request) -> web.Response:
    """Show where the node stands."""
    found = await read_overview(request.app[NODE])
    return console_page(
        request,
        "overview",
        here="overview",
        found=found,
        anchor=shown_anchor(found.anchor) if found.anchor is not None else None,
        cost=coins(found.spent.wei_at_most),
        chart=bars_of(found.by_day),
    )


@dataclass(frozen=True, slots=True)
class _ShownTransaction:
    sent: StoredTransaction
    anchor: ShownAnchor | None
    cost: str


@routes.get("/console/anchors")
@console(Action.BATCH_READ)
async def anchors(request: web.Request) -> web.Response:
    """Show the latest transactions, and what became of them."""
    return await _anchors(request.app[NODE], request, asked=False)


async def _anchors(node: Node, request: web.Request, *, asked: bool) -> web.Response:
    state = await anchor_state(node, node.config.chain.chain_id)
    async with node.reading() as c:
        sent = await figures.recent_transactions(c, SHOWN_TRANSACTIONS)
    return console_page(
        request,
        "anchors",
        here="anchors",
        trouble=state.trouble,
        asked=asked or "asked" in request.query,
        sent=[
            _ShownTransaction(
                one, shown_anchor(one), coins((one.gas_used or 0) * (one.max_fee or 0))
            )
            for one in sent
        ],
    )


@routes.post("/console/anchors")
@console(Action.ANCHOR_RUN)
async def anchor_now(request: web.Request) -> web.Response:
    """Ask for an anchor before one is due."""
    await request_anchor(request.app[NODE])
    return redirect("/console/anchors?asked")


@dataclass(frozen=True, slots=True)
class _ShownAct:
    sequence: int
    at: str
    actor: str
    action: str
    outcome: str
    objects: tuple[str, ...]


@routes.get("/console/audit-log")
@console(Action.AUDIT_READ)
async def audit_log(request: web.Request) -> web.Response:
    """Show who did what, the latest first."""
    asked = _number(request.query.get("before", ""))
    async with request.app[NODE].reading() as c:
        head = await read_head(c)
        last = min(asked - 1 if asked else head.sequence, head.sequence)
        after = max(0, last - _SHOWN_ACTS)
        rows = await read_entries(c, after, max(0, last - after))
    return console_page(
        request,
        "acts",
        here="audit-log",
        head=str(head),
        acts=[_shown_act(row) for row in reversed(rows)],
        older=after + 1 if after else None,
    )


def _number(text: str) -> int:
    """Return a whole number; 0 for anything else."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return int(text) if is_number else 0


def _shown_act(row: StoredEntry) -> _ShownAct:
    body = parse_json_object(row.body.encode())
    objects, actor = body.get("objects"), body.get("actor")
    return _ShownAct(
        row.sequence,
        _text(body.get("at")),
        _text(actor.get("name")) if isinstance(actor, dict) else "",
        _text(body.get("action")),
        _text(body.get("outcome")),
        tuple(map(_text, objects[:4])) if isinstance(objects, list) else (),
    )


def _text(value: Json) -> str:
    return value[:120] if isinstance(value, str) else ""


def coins(wei: int) -> str:
    """Return an amount in a chain's own coin, with 8 digits after the point at most."""
    amount = (Decimal(wei) / _WEI).quantize(Decimal("1e-8"))
    return f"{amount.normalize():f}" if amount else "0"
