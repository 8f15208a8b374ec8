"""`patunay webhook`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.options import home_option, json_option
from cli.output import print_json, print_table, say, say_note
from node.home import Home
from node.node import Node
from node.storage.webhooks import (
    Delivery,
    Webhook,
    count_deliveries,
    list_webhooks,
    page_deliveries,
    require_webhook,
)
from node.webhook_settings import add_webhook, remove_webhook, retry_delivery
from node.webhooks import Event
from primitives.clock import SystemClock

T = TypeVar("T")

_MOST = 200
"""Deliveries that are listed."""


@click.group()
def webhook() -> None:
    """Addresses that are told of what happens.

    A running daemon tells them, signed, at least once, and tries again for days.
    docs/http.md describes what is sent.
    """


@webhook.command(
    "add",
    epilog="Example: patunay webhook add https://portal.example/hook"
    " --event credential.issued",
)
@click.argument("url")
@click.option(
    "--event",
    "events",
    type=click.Choice([str(event) for event in Event]),
    multiple=True,
    required=True,
    help="What it is told of; may be given several times.",
)
@home_option
@json_option
def add(*, url: str, events: tuple[str, ...], home: Home, as_json: bool) -> None:
    """Have URL told of events, and print the secret, which is shown only now."""

    async def act(node: Node, c: AsyncConnection) -> tuple[Webhook, str]:
        return await add_webhook(node, c, url, map(Event, events))

    made, secret = _writing(home, act)
    if as_json:
        print_json({"version": 1, **_described(made), "secret": secret})
        return
    say(secret)
    say_note(f"webhook {made.id}; the secret cannot be shown again")


@webhook.command("list", epilog="Example: patunay webhook list")
@home_option
@json_option
def list_all(*, home: Home, as_json: bool) -> None:
    """List the webhooks, and how many events each has not taken."""

    async def run() -> list[tuple[Webhook, dict[str, int]]]:
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            found = await list_webhooks(c)
            return [(one, await count_deliveries(c, one.id)) for one in found]

    found = asyncio.run(run())
    if as_json:
        shown = [{**_described(one), "deliveries": counted} for one, counted in found]
        print_json({"version": 1, "webhooks": shown})
        return
    rows = [
        (one.id, one.url, counted.get("waiting", 0), counted.get("given-up", 0))
        for one, counted in found
    ]
    print_table(("id", "url", "waiting", "given up"), rows)


@webhook.command("remove", epilog="Example: patunay webhook remove 0b0ad0a0-…")
@click.argument("webhook_id", metavar="ID")
@home_option
@json_option
def remove(*, webhook_id: str, home: Home, as_json: bool) -> None:
    """Tell webhook ID nothing more. What waits for it is given up."""

    async def act(node: Node, c: AsyncConnection) -> Webhook:
        return await remove_webhook(node, c, webhook_id)

    _show(_writing(home, act), "removed", as_json=as_json)


@webhook.command("deliveries", epilog="Example: patunay webhook deliveries 0b0ad0a0-…")
@click.argument("webhook_id", metavar="ID")
@home_option
@json_option
def deliveries(*, webhook_id: str, home: Home, as_json: bool) -> None:
    """List what webhook ID was told last, is to be told, or did not take."""

    async def run() -> list[Delivery]:
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            await require_webhook(c, webhook_id)
            return await page_deliveries(c, webhook_id, None, _MOST)

    found = asyncio.run(run())
    rows = [
        (one.seq, one.created_at, one.type, one.state, one.attempts, one.problem)
        for one in found
    ]
    header = ("number", "created", "type", "state", "attempts", "problem")
    if as_json:
        listed = [dict(zip(header, row, strict=True)) for row in rows]
        print_json({"version": 1, "deliveries": listed})
        return
    print_table(header, [(*row[:-1], row[-1] or "") for row in rows])


@webhook.command("retry", epilog="Example: patunay webhook retry 0b0ad0a0-… 17")
@click.argument("webhook_id", metavar="ID")
@click.argument("number", type=click.IntRange(1))
@home_option
@json_option
def retry(*, webhook_id: str, number: int, home: Home, as_json: bool) -> None:
    """Try the delivery NUMBER of webhook ID again, which was given up."""

    async def act(node: Node, c: AsyncConnection) -> Webhook:
        await retry_delivery(node, c, webhook_id, number)
        return await require_webhook(c, webhook_id)

    _show(_writing(home, act), "tries again for", as_json=as_json)


def _writing(home: Home, act: Callable[[Node, AsyncConnection], Awaitable[T]]) -> T:
    async def run() -> T:
        async with Node.open(home, SystemClock()) as node, node.writing() as c:
            return await act(node, c)

    return asyncio.run(run())


def _show(found: Webhook, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"version": 1, **_described(found)})
        return
    say(f"{done} {found.id}")


def _described(found: Webhook) -> dict[str, Any]:
    return {
        "id": found.id,
        "url": found.url,
        "events": sorted(found.events),
        "createdAt": found.created_at,
    }
