"""Sending what webhooks are to be told: at least once, until it is received or given up.

    waiting -> attempt counted -> sent -> delivered
       ^                           |
       +---------------------------+  no answer of 2xx: again, twice as long after

Counting comes first, so whoever ends in between leaves an attempt that is made again.
"""

import asyncio
import logging
import secrets
from datetime import timedelta
from typing import Final

from did.fetch import PublicFetcher
from node.node import Node
from node.storage import webhooks
from node.storage.webhooks import DELIVERED, GIVEN_UP, WAITING, Delivery
from node.webhook_settings import webhook_client
from node.webhooks import sign
from primitives.errors import PatunayError
from primitives.instants import format_instant, parse_instant

logger = logging.getLogger(__name__)

FIRST_WAIT_SECONDS: Final = 10
LONGEST_WAIT_SECONDS: Final = 6 * 3600
AT_ONCE: Final = 16
"""Deliveries that are under way at one time."""

KEPT_FOR: Final = timedelta(days=30)
"""How long what was delivered can be looked at."""

_TICK_SECONDS: Final = 1.0


class WebhookJob:
    """Sends what is due."""

    def __init__(self, node: Node, client: PublicFetcher | None = None) -> None:
        """Take what is sent with; without it, as the node is configured."""
        self._node = node
        self._client = client or webhook_client(node.config)

    async def run(self) -> None:
        """Work until cancelled."""
        async with self._client:
            while True:
                await asyncio.sleep(_TICK_SECONDS)
                try:
                    while await self.tick():
                        pass
                except PatunayError as e:
                    logger.warning("webhooks wait: %s (%s)", e, e.code)

    async def tick(self) -> int:
        """Make the attempts that are due, some at once; return how many there were."""
        now = self._node.now()
        async with self._node.reading() as c:
            due = await webhooks.due_deliveries(c, now, AT_ONCE)
        if not due:
            return 0
        await asyncio.gather(*(self._attempt(delivery) for delivery in due))
        kept = format_instant(self._node.instant() - KEPT_FOR)
        async with self._node.writing() as c:
            await webhooks.forget_delivered(c, kept)
        return len(due)

    async def _attempt(self, delivery: Delivery) -> None:
        wait = timedelta(seconds=wait_seconds(delivery.attempts))
        due_at = format_instant(self._node.instant() + wait)
        async with self._node.writing() as c:
            secret = await webhooks.secret_of(c, delivery.webhook)
            if not secret or not await webhooks.claim_delivery(c, delivery, due_at):
                return
            url = (await webhooks.require_webhook(c, delivery.webhook)).url
        problem = await self._send(delivery, url, secret)
        await self._settle(delivery, problem)

    async def _send(self, delivery: Delivery, url: str, secret: str) -> str | None:
        """Return what stood in the way; None if it was received."""
        timestamp = int(self._node.instant().timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": delivery.event,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret, delivery.event, timestamp, delivery.body),
        }
        try:
            status = await self._client.post(url, delivery.body.encode(), headers)
        except PatunayError as e:
            return f"{e} ({e.code})"
        return None if 200 <= status < 300 else f"found status {status}, want 2xx"  # noqa: PLR2004 - the class of statuses, RFC 9110 section 15.3

    async def _settle(self, delivery: Delivery, problem: str | None) -> None:
        age = self._node.instant() - parse_instant(delivery.created_at)
        state = WAITING
        if problem is None:
            state = DELIVERED
        elif age >= timedelta(days=self._node.config.webhook_give_up_days):
            state = GIVEN_UP
            logger.error(
                "webhook %s: event %s is given up after %d attempts: %s",
                delivery.webhook,
                delivery.event,
                delivery.attempts + 1,
                problem,
            )
        ended = None if state == WAITING else self._node.now()
        async with self._node.writing() as c:
            await webhooks.settle_delivery(
                c, delivery.seq, state=state, problem=problem, ended_at=ended
            )


def wait_seconds(attempts: int) -> int:
    """Return the time to the next attempt, after so many: twice as long, and by chance.

    Between half and all of it, so that many that failed together do not come back together.
    """
    longest = min(FIRST_WAIT_SECONDS << min(attempts, 20), LONGEST_WAIT_SECONDS)
    return longest - secrets.randbelow(longest // 2 + 1)
