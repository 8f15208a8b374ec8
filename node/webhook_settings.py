"""Which addresses are told of what happens: added, removed, and tried again."""

import base64
import secrets
import uuid
from collections.abc import Iterable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from did.fetch import PublicFetcher
from node.audit_log import record
from node.config import Config
from node.node import Node
from node.permissions import Action
from node.storage import webhooks
from node.storage.webhooks import Webhook
from node.webhooks import Event
from primitives.errors import Rejected

MAX_WEBHOOKS: Final = 20

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32


class TooManyWebhooks(Rejected):
    """No other webhook is added."""

    code = "too-many-webhooks"
    hint = "remove one with `patunay webhook remove ID`"


def webhook_client(config: Config) -> PublicFetcher:
    """Return what sends to webhooks, and to no private address that nobody has named."""
    return PublicFetcher(
        allow_loopback_http=config.allow_loopback_http,
        private_hosts=config.webhook_private_hosts.split(),
    )


async def add_webhook(
    node: Node, c: AsyncConnection, url: str, events: Iterable[Event]
) -> tuple[Webhook, str]:
    """Add a webhook; return it with its secret, which is shown only now.

    In the caller's write transaction.

    Raises:
        FetchUrlRefused: The address is none that is sent to.
        TooManyWebhooks: There are `MAX_WEBHOOKS`.
        RoleRefused, IssuerRefused: Whoever acts may not.
    """
    webhook_client(node.config).check(url)
    found = len(await webhooks.list_webhooks(c))
    if found >= MAX_WEBHOOKS:
        raise TooManyWebhooks(f"found {found} webhooks, want at most {MAX_WEBHOOKS}")
    names = frozenset(str(event) for event in events)
    webhook = Webhook(str(uuid.uuid4()), url, names, node.now())
    secret = base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    await webhooks.save_webhook(c, webhook, secret)
    facts = {"change": "add webhook"}
    await record(c, node, Action.SETTINGS, f"webhook:{webhook.id}", facts=facts)
    return webhook, _PREFIX + secret


async def remove_webhook(node: Node, c: AsyncConnection, webhook_id: str) -> Webhook:
    """Send nothing more to a webhook; in the caller's write transaction.

    Raises:
        WebhookUnknown: There is none of that id.
        RoleRefused, IssuerRefused: Whoever acts may not.
    """
    webhook = await webhooks.require_webhook(c, webhook_id)
    await webhooks.remove_webhook(c, webhook_id, node.now())
    facts = {"change": "remove webhook"}
    await record(c, node, Action.SETTINGS, f"webhook:{webhook_id}", facts=facts)
    return webhook


async def retry_delivery(node: Node, c: AsyncConnection, webhook_id: str, seq: int) -> None:
    """Try again what was given up; in the caller's write transaction.

    Raises:
        WebhookUnknown: There is no such webhook.
        DeliveryUnknown: It has no such delivery that was given up.
        RoleRefused, IssuerRefused: Whoever acts may not.
    """
    await webhooks.require_webhook(c, webhook_id)
    await webhooks.revive_delivery(c, webhook_id, seq, node.now())
    facts: dict[str, str | int] = {"change": "retry delivery", "delivery": seq}
    await record(c, node, Action.SETTINGS, f"webhook:{webhook_id}", facts=facts)
