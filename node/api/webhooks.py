"""Webhooks over HTTP: add, list, look at what was sent, try again, remove."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal, cast

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from did.fetch import FetchUrlRefused
from node.api.context import NODE
from node.api.creating import Made, answer_once
from node.api.guard import needs
from node.api.listing import Listing, Span
from node.api.operation import Answer, Body, Operation, described
from node.api.request import MAX_BODY_BYTES, read_json_bytes
from node.api.schema import Instant, Keywords, body_of, read
from node.permissions import Action
from node.storage import webhooks as stored
from node.storage.webhooks import Delivery, DeliveryUnknown, Webhook, WebhookUnknown
from node.webhook_settings import (
    TooManyWebhooks,
    add_webhook,
    remove_webhook,
    retry_delivery,
)
from node.webhooks import Event
from primitives.strict_json import parse_json_object

routes = web.RouteTableDef()

EventName = Literal[
    "credential.issued",
    "credential.revoked",
    "credential.suspended",
    "credential.reinstated",
    "log.anchored",
]

_MAX_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class WebhookGiven:
    """A webhook that is to be added."""

    url: Annotated[str, Keywords(minLength=1, maxLength=2048)]
    """With TLS, and at a public address, but for the hosts of `webhook_private_hosts`."""

    events: Annotated[tuple[EventName, ...], Keywords(minItems=1, maxItems=5)]


@dataclass(frozen=True, slots=True)
class WebhookShown:
    """A webhook, and how it fares."""

    id: str
    url: str
    events: tuple[str, ...]
    created_at: Instant
    waiting: int
    """Events that it has not taken yet."""

    delivered: int
    """Events that it has taken in the last 30 days."""

    given_up: int
    """Events that it did not take in time."""


@dataclass(frozen=True, slots=True)
class WebhookAdded:
    """A webhook that was added, with what it is signed with."""

    webhook: WebhookShown
    secret: str
    """`whsec_` and base64. Shown now, and never again."""


@dataclass(frozen=True, slots=True)
class WebhookList:
    """The webhooks, oldest first; there are at most 20."""

    webhooks: tuple[WebhookShown, ...]


@dataclass(frozen=True, slots=True)
class DeliveryShown:
    """One event on its way to a webhook."""

    number: int
    event: str
    """Its id, which is the header `webhook-id` of each attempt."""

    type: str
    state: Literal["waiting", "delivered", "given-up"]
    attempts: int
    created_at: Instant
    due_at: Instant
    """Of the next attempt, while it waits."""

    ended_at: Instant | None
    problem: str | None
    """What stood in the way last."""

    @classmethod
    def of(cls, found: Delivery) -> "DeliveryShown":
        """Return what is shown of a delivery."""
        return cls(
            number=found.seq,
            event=found.event,
            type=found.type,
            state=cast(Literal["waiting", "delivered", "given-up"], found.state),
            attempts=found.attempts,
            created_at=found.created_at,
            due_at=found.due_at,
            ended_at=found.ended_at,
            problem=found.problem,
        )


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Deliveries, newest first."""

    deliveries: tuple[DeliveryShown, ...]
    next: str | None
    """Cursor of the next page; null on the last."""


_DELIVERIES: Final = Listing(
    "What a webhook was told, is to be told, or did not take, newest first",
    DeliveryPage,
    by={"number": int},
    errors=(WebhookUnknown,),
)


@routes.get("/webhooks")
@described(Operation("The webhooks", {200: Answer("All of them.", WebhookList)}))
@needs(Action.SETTINGS)
async def list_them(request: web.Request) -> web.Response:
    """List the webhooks, without their secrets."""
    async with request.app[NODE].reading() as c:
        shown = [await _shown(c, one) for one in await stored.list_webhooks(c)]
    return web.json_response(body_of(WebhookList(tuple(shown))))


@routes.post("/webhooks")
@described(
    Operation(
        "Have an address told of what happens",
        {201: Answer("It is added.", WebhookAdded)},
        errors=(FetchUrlRefused, TooManyWebhooks),
        body=Body(WebhookGiven),
        creates=True,
    )
)
@needs(Action.SETTINGS)
async def add(request: web.Request) -> web.Response:
    """Add a webhook."""
    node = request.app[NODE]
    raw = await read_json_bytes(request)
    given = read(WebhookGiven, parse_json_object(raw, MAX_BODY_BYTES))

    async def effect(c: AsyncConnection) -> Made:
        webhook, secret = await add_webhook(node, c, given.url, map(Event, given.events))
        body = body_of(WebhookAdded(await _shown(c, webhook), secret))
        return Made(201, body, f"/webhooks/{webhook.id}")

    answer = await answer_once(node, request, raw, effect)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@routes.get("/webhooks/{webhook}")
@described(
    Operation(
        "One webhook", {200: Answer("The webhook.", WebhookShown)}, errors=(WebhookUnknown,)
    )
)
@needs(Action.SETTINGS)
async def show(request: web.Request) -> web.Response:
    """Show a webhook, without its secret."""
    async with request.app[NODE].reading() as c:
        webhook = await stored.require_webhook(c, request.match_info["webhook"])
        return web.json_response(body_of(await _shown(c, webhook)))


@routes.delete("/webhooks/{webhook}")
@described(
    Operation(
        "Tell an address nothing more",
        {200: Answer("It is removed; this is how it fared.", WebhookShown)},
        errors=(WebhookUnknown,),
        creates=True,
    )
)
@needs(Action.SETTINGS)
async def remove(request: web.Request) -> web.Response:
    """Remove a webhook; what waits for it is given up."""
    node = request.app[NODE]

    async def effect(c: AsyncConnection) -> Made:
        webhook = await remove_webhook(node, c, request.match_info["webhook"])
        return Made(200, body_of(await _shown(c, webhook)))

    return await answer_once(node, request, b"", effect)


@routes.get("/webhooks/{webhook}/deliveries")
@described(_DELIVERIES.operation)
@needs(Action.SETTINGS)
async def deliveries(request: web.Request) -> web.Response:
    """List the deliveries of a webhook."""
    name = request.match_info["webhook"]

    async def look(c: AsyncConnection, span: Span) -> list[DeliveryShown]:
        (below,) = span.place or (None,)
        await stored.require_webhook(c, name)
        found = await stored.page_deliveries(c, name, below, span.limit)
        return [DeliveryShown.of(one) for one in found]

    return await _DELIVERIES.answer(request, look)


@routes.post("/webhooks/{webhook}/deliveries/{delivery}/retry")
@described(
    Operation(
        "Try again what was given up",
        {202: Answer("It is due now.", WebhookShown)},
        errors=(WebhookUnknown, DeliveryUnknown),
        creates=True,
    )
)
@needs(Action.SETTINGS)
async def retry(request: web.Request) -> web.Response:
    """Let a delivery be tried again, as if it were new."""
    node, names = request.app[NODE], request.match_info

    async def effect(c: AsyncConnection) -> Made:
        await retry_delivery(node, c, names["webhook"], _number(names["delivery"]))
        webhook = await stored.require_webhook(c, names["webhook"])
        return Made(202, body_of(await _shown(c, webhook)))

    return await answer_once(node, request, b"", effect)


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS:
        return int(text)
    raise DeliveryUnknown(f"found no delivery {text[:40]!r}")


async def _shown(c: AsyncConnection, webhook: Webhook) -> WebhookShown:
    counted = await stored.count_deliveries(c, webhook.id)
    return WebhookShown(
        id=webhook.id,
        url=webhook.url,
        events=tuple(sorted(webhook.events)),
        created_at=webhook.created_at,
        waiting=counted.get(stored.WAITING, 0),
        delivered=counted.get(stored.DELIVERED, 0),
        given_up=counted.get(stored.GIVEN_UP, 0),
    )
