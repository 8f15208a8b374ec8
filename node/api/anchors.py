"""The log and its anchors over HTTP: where it stands, list, show, run now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.record import digest_cid
from node.anchor_request import request_within
from node.api.context import NODE
from node.api.creating import Made, answer_once
from node.api.guard import needs
from node.api.listing import Listing, Span
from node.api.operation import Answer, Operation, described
from node.api.schema import Instant, Sha256Hex, body_of
from node.chain_presets import explorer_link
from node.log_reading import AnchorUnknown, require_checkpoint
from node.permissions import Action
from node.storage import ledger
from node.storage.anchor_store import (
    StoredCheckpoint,
    StoredTransaction,
    latest_checkpoint,
    page_checkpoints,
    transactions_of,
)

routes = web.RouteTableDef()


TransactionState = Literal[
    "stored",
    "sent",
    "taken",
    "mined",
    "confirmed",
    "final",
    "replaced",
    "lost",
    "reverted",
]
"""As `node.storage.anchor_store` explains them."""


@dataclass(frozen=True, slots=True)
class LogShown:
    """Where the log stands."""

    origin: str
    """Its name in checkpoints."""

    vkey: str
    """The C2SP verifier key of its checkpoints."""

    tree_size: int
    """Entries under the latest checkpoint; 0 before the first."""

    root: Sha256Hex | None
    checkpoint_at: Instant | None
    queue: int
    """Entries that wait for the next checkpoint."""


@dataclass(frozen=True, slots=True)
class AnchorTransaction:
    """One transaction that carries a checkpoint's record to a chain."""

    chain: str
    """CAIP-2."""

    contract: str
    transaction: str
    state: TransactionState
    block_number: int | None
    block_time: Instant | None
    gas_used: int | None
    explorer: str | None
    """Where people can look at it, on chains that are known here."""

    @classmethod
    def of(cls, sent: StoredTransaction) -> "AnchorTransaction":
        """Return what is shown of a transaction."""
        return cls(
            chain=sent.chain,
            contract=sent.contract,
            transaction=sent.reference,
            state=cast(TransactionState, sent.state),
            block_number=sent.block_number,
            block_time=sent.block_time,
            gas_used=sent.gas_used,
            explorer=explorer_link(sent.chain, sent.reference),
        )


@dataclass(frozen=True, slots=True)
class AnchorShown:
    """A checkpoint of the log, and how it is anchored."""

    tree_size: int
    root: Sha256Hex
    record: str
    """CID of the anchor record; `/log/records/{name}` gives it."""

    record_digest: Sha256Hex
    """What stands in the chain."""

    created_at: Instant
    transactions: tuple[AnchorTransaction, ...]
    """Oldest first; none before the first was signed."""

    @classmethod
    def of(
        cls, checkpoint: StoredCheckpoint, sent: Sequence[StoredTransaction]
    ) -> "AnchorShown":
        """Return what is shown of a checkpoint; `sent` may hold those of others too."""
        own = [t for t in sent if t.tree_size == checkpoint.tree_size]
        return cls(
            tree_size=checkpoint.tree_size,
            root=checkpoint.root.hex(),
            record=digest_cid(checkpoint.record_digest),
            record_digest=checkpoint.record_digest.hex(),
            created_at=checkpoint.created_at,
            transactions=tuple(map(AnchorTransaction.of, own)),
        )


@dataclass(frozen=True, slots=True)
class AnchorPage:
    """Anchors, newest first."""

    anchors: tuple[AnchorShown, ...]
    next: str | None
    """Cursor of the next page; null on the last."""


@dataclass(frozen=True, slots=True)
class AnchorAsked:
    """That an anchor was asked for."""

    tree_size: int
    """Of the log with all that is in the queue now."""


_ANCHORS: Final = Listing(
    "The checkpoints of the log and their anchors, newest first",
    AnchorPage,
    by={"tree_size": int},
)


@routes.get("/log")
@described(Operation("Where the log stands", {200: Answer("The log.", LogShown)}))
async def log(request: web.Request) -> web.Response:
    """Say where the log stands. Public, as the log is."""
    node = request.app[NODE]
    async with node.reading() as c:
        latest = await latest_checkpoint(c)
        waiting, _ = await ledger.queue_state(c)
    shown = LogShown(
        origin=node.config.log_name,
        vkey=str(node.vkey),
        tree_size=latest.tree_size if latest is not None else 0,
        root=latest.root.hex() if latest is not None else None,
        checkpoint_at=latest.created_at if latest is not None else None,
        queue=waiting,
    )
    return web.json_response(body_of(shown))


@routes.get("/anchors")
@described(_ANCHORS.operation)
async def list_them(request: web.Request) -> web.Response:
    """List the anchors. Public, as the chain is."""

    async def look(c: AsyncConnection, span: Span) -> list[AnchorShown]:
        (below,) = span.place or (None,)
        found = await page_checkpoints(c, below, span.limit)
        sent = await transactions_of(c, [one.tree_size for one in found])
        return [AnchorShown.of(one, sent) for one in found]

    return await _ANCHORS.answer(request, look)


@routes.get("/anchors/{size}")
@described(
    Operation(
        "One checkpoint and its anchors",
        {200: Answer("The anchor.", AnchorShown)},
        errors=(AnchorUnknown,),
    )
)
async def show(request: web.Request) -> web.Response:
    """Show how a checkpoint is anchored."""
    async with request.app[NODE].reading() as c:
        found = await require_checkpoint(c, request.match_info["size"])
        sent = await transactions_of(c, [found.tree_size])
    return web.json_response(body_of(AnchorShown.of(found, sent)))


@routes.post("/anchors")
@described(
    Operation(
        "Anchor what is in the queue, now",
        {202: Answer("The daemon will; look at `GET /anchors`.", AnchorAsked)},
        creates=True,
    )
)
@needs(Action.ANCHOR_RUN)
async def run(request: web.Request) -> web.Response:
    """Ask for an anchor before one is due. Asking twice is asking once."""
    node = request.app[NODE]

    async def effect(c: AsyncConnection) -> Made:
        return Made(202, body_of(AnchorAsked(await request_within(node, c))), "/anchors")

    return await answer_once(node, request, b"", effect)
