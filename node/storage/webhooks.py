"""Webhooks, and what is to be sent to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import webhook_deliveries, webhooks
from primitives.errors import Rejected

WAITING: Final = "waiting"
DELIVERED: Final = "delivered"
GIVEN_UP: Final = "given-up"


class WebhookUnknown(Rejected):
    """This node has no such webhook."""

    code = "webhook-unknown"
    hint = "`patunay webhook list` names them"


class DeliveryUnknown(Rejected):
    """The webhook has no such delivery that was given up."""

    code = "delivery-unknown"
    hint = "`patunay webhook deliveries ID` names those that were given up"


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of what happens."""

    id: str
    url: str
    events: frozenset[str]
    created_at: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one webhook."""

    seq: int
    webhook: str
    event: str
    """Its id, the same at each attempt."""

    type: str
    body: str
    """JSON, exactly as it is sent."""

    state: str
    attempts: int
    created_at: str
    due_at: str
    """Of the next attempt, while it waits."""

    ended_at: str | None
    problem: str | None
    """What stood in the way last."""


async def save_webhook(c: AsyncConnection, webhook: Webhook, secret: str) -> None:
    """Add a webhook."""
    await c.execute(
        insert(webhooks).values(
            id=webhook.id,
            url=webhook.url,
            secret=secret,
            events=" ".join(sorted(webhook.events)),
            created_at=webhook.created_at,
        )
    )


async def list_webhooks(c: AsyncConnection) -> list[Webhook]:
    """Return the webhooks that were not removed, oldest first."""
    columns = (webhooks.c.id, webhooks.c.url, webhooks.c.events, webhooks.c.created_at)
    rows = await c.execute(
        select(*columns)
        .where(webhooks.c.removed_at.is_(None))
        .order_by(webhooks.c.created_at, webhooks.c.id)
    )
    return [
        Webhook(row.id, row.url, frozenset(row.events.split()), row.created_at)
        for row in rows
    ]


async def require_webhook(c: AsyncConnection, webhook_id: str) -> Webhook:
    """Return the webhook of that id.

    Raises:
        WebhookUnknown: There is none, or it was removed.
    """
    for webhook in await list_webhooks(c):
        if webhook.id == webhook_id:
            return webhook
    raise WebhookUnknown(f"found no webhook {webhook_id[:64]!r}")


async def secret_of(c: AsyncConnection, webhook_id: str) -> str | None:
    """Return what signs for a webhook; None if it was removed."""
    found: str | None = await c.scalar(
        select(webhooks.c.secret).where(
            webhooks.c.id == webhook_id, webhooks.c.removed_at.is_(None)
        )
    )
    return found


async def remove_webhook(c: AsyncConnection, webhook_id: str, at: str) -> None:
    """Send nothing more to a webhook, and forget its secret."""
    await c.execute(
        update(webhooks).where(webhooks.c.id == webhook_id).values(removed_at=at, secret="")
    )
    await c.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.webhook == webhook_id,
            webhook_deliveries.c.state == WAITING,
        )
        .values(state=GIVEN_UP, ended_at=at, problem="the webhook was removed")
    )


async def enqueue_deliveries(
    c: AsyncConnection, queued: Sequence[tuple[str, str, str, str]], at: str
) -> None:
    """Add deliveries that are due at once: webhook, event id, type and body."""
    values = [
        {
            "webhook": webhook,
            "event": event,
            "type": kind,
            "body": body,
            "state": WAITING,
            "attempts": 0,
            "created_at": at,
            "due_at": at,
        }
        for webhook, event, kind, body in queued
    ]
    if values:
        await c.execute(insert(webhook_deliveries), values)


async def has_event(c: AsyncConnection, webhook_id: str, event: str) -> bool:
    """Return whether a webhook is or was told of an event."""
    known = await c.scalar(
        select(webhook_deliveries.c.seq).where(
            webhook_deliveries.c.webhook == webhook_id, webhook_deliveries.c.event == event
        )
    )
    return known is not None


async def due_deliveries(c: AsyncConnection, now: str, limit: int) -> list[Delivery]:
    """Return up to `limit` deliveries whose next attempt is due, the longest due first."""
    rows = await c.execute(
        select(webhook_deliveries)
        .where(webhook_deliveries.c.state == WAITING, webhook_deliveries.c.due_at <= now)
        .order_by(webhook_deliveries.c.due_at, webhook_deliveries.c.seq)
        .limit(limit)
    )
    return [Delivery(**row._mapping) for row in rows]  # noqa: SLF001


async def claim_delivery(c: AsyncConnection, delivery: Delivery, due_at: str) -> bool:
    """Count an attempt before it is made; return False if another process makes it.

    Who ends before he has told how it went leaves it due at `due_at`: it is sent again.
    """
    done = await c.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.seq == delivery.seq,
            webhook_deliveries.c.state == WAITING,
            webhook_deliveries.c.attempts == delivery.attempts,
        )
        .values(attempts=delivery.attempts + 1, due_at=due_at)
    )
    return done.rowcount == 1


async def settle_delivery(
    c: AsyncConnection, seq: int, *, state: str, problem: str | None, ended_at: str | None
) -> None:
    """Keep how an attempt went; what ended meanwhile stays as it is."""
    await c.execute(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.seq == seq, webhook_deliveries.c.state == WAITING)
        .values(state=state, problem=problem, ended_at=ended_at)
    )


async def page_deliveries(
    c: AsyncConnection, webhook_id: str, below: int | None, limit: int
) -> list[Delivery]:
    """Return up to `limit` deliveries of a webhook, newest first."""
    query = (
        select(webhook_deliveries)
        .where(webhook_deliveries.c.webhook == webhook_id)
        .order_by(webhook_deliveries.c.seq.desc())
        .limit(limit)
    )
    if below is not None:
        query = query.where(webhook_deliveries.c.seq < below)
    rows = await c.execute(query)
    return [Delivery(**row._mapping) for row in rows]  # noqa: SLF001


async def revive_delivery(c: AsyncConnection, webhook_id: str, seq: int, at: str) -> None:
    """Let what was given up be tried again, as if it were new.

    Raises:
        DeliveryUnknown: There is none of that number that was given up.
    """
    done = await c.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.webhook == webhook_id,
            webhook_deliveries.c.seq == seq,
            webhook_deliveries.c.state == GIVEN_UP,
        )
        .values(state=WAITING, attempts=0, created_at=at, due_at=at, ended_at=None)
    )
    if done.rowcount == 0:
        raise DeliveryUnknown(f"found no delivery {seq} that was given up")


async def forget_delivered(c: AsyncConnection, before: str) -> None:
    """Delete what was delivered before that moment."""
    await c.execute(
        webhook_deliveries.delete().where(
            webhook_deliveries.c.state == DELIVERED, webhook_deliveries.c.ended_at < before
        )
    )


async def count_deliveries(c: AsyncConnection, webhook_id: str) -> dict[str, int]:
    """Return how many deliveries of a webhook stand where."""
    rows = await c.execute(
        select(webhook_deliveries.c.state, func.count().label("number"))
        .where(webhook_deliveries.c.webhook == webhook_id)
        .group_by(webhook_deliveries.c.state)
    )
    return {row.state: row.number for row in rows}
