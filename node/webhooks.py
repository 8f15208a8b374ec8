"""Webhooks: other programs are told that something was issued, anchored or taken back.

What is told stands in the database before anybody is told, in the very transaction of what
happened: a crash loses no event. It holds ids and digests, and no personal data. Each is
sent at least once, and carries the same id each time.

The headers and the signature are those of Standard Webhooks: `webhook-id`,
`webhook-timestamp` and `webhook-signature`, which is `v1,` and the base64 of HMAC-SHA256
over id, timestamp and body, joined by full stops.
"""

import base64
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from node.node import Node
from node.storage import webhooks
from primitives.canonical_json import JsonObject
from primitives.hashing import sha256


class Event(StrEnum):
    """What a webhook can be told of."""

    ISSUED = "credential.issued"
    REVOKED = "credential.revoked"
    SUSPENDED = "credential.suspended"
    REINSTATED = "credential.reinstated"
    ANCHORED = "log.anchored"
    """A checkpoint stands in its chain at the configured depth."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that webhooks are told of."""

    event: Event
    subject: str
    """What makes it one and the same when it is looked at twice."""

    data: JsonObject
    """Ids and digests, never personal data."""

    @property
    def id(self) -> str:
        """The event's id: the same whoever works it out, and whenever."""
        return f"evt_{sha256(f'{self.event} {self.subject}'.encode()).hex()[:40]}"


async def tell(node: Node, c: AsyncConnection, happened: Iterable[Happened]) -> None:
    """Put events in the way of every webhook that wants them, each at most once.

    In the transaction in which they happen.
    """
    told = await webhooks.list_webhooks(c)
    if not told:
        return
    queued = []
    for one in happened:
        for webhook in told:
            if one.event not in webhook.events:
                continue
            if one.event is Event.ANCHORED and await webhooks.has_event(
                c, webhook.id, one.id
            ):
                continue  # it was mined, went, and was mined again
            body = {"type": one.event, "timestamp": node.now(), "data": one.data}
            queued.append((webhook.id, one.id, str(one.event), json.dumps(body)))
    await webhooks.enqueue_deliveries(c, queued, node.now())


def sign(secret: str, event: str, timestamp: int, body: str) -> str:
    """Return the signature of what is sent.

    Args:
        secret: Base64, without its prefix.
        event: The event's id.
        timestamp: Of the attempt, seconds since 1970.
        body: Exactly as it is sent.
    """
    signed = f"{event}.{timestamp}.{body}".encode()
    digest = hmac.digest(base64.b64decode(secret), signed, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"
