"""Receipts of the own node's credentials, from its store, for `patunay verify`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from credentials.evidence import Evidence, Missing, Obtained
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import PatunayError

if TYPE_CHECKING:
    from node.node import Node
    from node.own_node import OwnNode


class OwnReceipts:
    """Asks the store; opens it, and loads the database, when there is something to ask."""

    def __init__(self, own: "OwnNode", clock: Clock, closing: AsyncExitStack) -> None:
        self._own = own
        self._clock = clock
        self._closing = closing
        self._node: Node | None = None

    def concern(self, document: JsonObject) -> bool:
        """Tell whether the own node's receipts may be about a document, by its issuer."""
        issuer = document.get("issuer")
        did = issuer.get("id") if isinstance(issuer, dict) else issuer
        return isinstance(did, str) and did in self._own.issuers

    async def add(self, document: JsonObject, found: Evidence) -> Evidence:
        """Return what was `found` with the receipt, and what the node saw on the chain.

        Args:
            document: Read, and not trusted: the receipt of another one does not fit it.
            found: What was had so far.
        """
        from node.log_reading import own_receipt, own_sightings  # noqa: PLC0415 - see above

        try:
            node = await self._opened()
            receipt = await own_receipt(node, document)
        except PatunayError as e:
            return replace(found, receipt=Missing.because(e))
        if not isinstance(receipt, Obtained):
            return found if receipt is None else replace(found, receipt=receipt)
        depth, _ = node.config.chain.depths
        seen = own_sightings(receipt.value.anchors, depth=depth, at=receipt.obtained_at)
        return replace(found, receipt=receipt, sightings=seen)

    async def _opened(self) -> "Node":
        from node.node import Node  # noqa: PLC0415 - see above

        if self._node is None:
            opening = Node.open(self._own.home, self._clock)
            self._node = await self._closing.enter_async_context(opening)
        return self._node


@asynccontextmanager
async def own_receipts(own: "OwnNode", clock: Clock) -> AsyncIterator[OwnReceipts]:
    """Give the receipts of a node, which is closed again if it was opened."""
    async with AsyncExitStack() as closing:
        yield OwnReceipts(own, clock, closing)
