"""Looks now and then at what anchoring costs, and at what there is to pay for it."""

import asyncio
import logging
from typing import Any, Final, Protocol, runtime_checkable

from anchoring.backend import AnchorBackend
from node.metrics import Metrics
from primitives.errors import PatunayError

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 60.0


@runtime_checkable
class Paying(Protocol):
    """A backend whose anchors cost money."""

    async def balance(self) -> int:
        """Return what the paying account holds, in wei."""
        ...

    async def estimate(self) -> tuple[int, Any]:
        """Return the gas of one anchor, and its fees in wei per gas."""
        ...


class ChainWatch:
    """Keeps the gauges of balance and fee as the chain last told them."""

    def __init__(self, backend: AnchorBackend, metrics: Metrics) -> None:
        self._backend = backend
        self._metrics = metrics

    async def run(self) -> None:
        """Look until cancelled."""
        while isinstance(self._backend, Paying):
            await self.look(self._backend)
            await asyncio.sleep(INTERVAL_SECONDS)

    async def look(self, backend: Paying) -> None:
        """Look once. A chain that gives no answer leaves the gauges as they are."""
        try:
            self._metrics.balance_wei.set(await backend.balance())
            _, fees = await backend.estimate()
            self._metrics.fee_wei.set(fees.maximum)
        except PatunayError as e:
            logger.info("no balance or fee from the chain: %s (%s)", e, e.code)
