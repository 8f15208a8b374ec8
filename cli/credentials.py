"""`patunay credential` and `patunay status`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cli.options import home_option, json_option, passphrase_option
from cli.output import print_json, print_table, say, say_note
from cli.passphrase import read_passphrase
from credentials.status_list import TTL
from node.home import Home
from node.node import Node
from node.status import (
    CredentialState,
    find_state,
    reinstate,
    require_list,
    revoke,
    suspend,
)
from node.storage.registry import require_issuer
from node.storage.statuses import (
    StatusEvent,
    StoredList,
    all_lists,
    marked_indexes,
    used_indexes,
)
from primitives.clock import SystemClock

Change = Callable[[Node, str, str], Awaitable[StatusEvent]]


@dataclass(frozen=True, slots=True)
class _List:
    """A status list, and how far it is filled."""

    stored: StoredList
    used: int
    """Credentials that have their place in the list, or in its twin of another purpose."""

    marked: int
    """Credentials that are revoked, or suspended, in it."""


@click.group()
def credential() -> None:
    """Revoke or suspend what was issued.

    Revocation is for ever. A suspension can be lifted.
    """


@credential.command("show", epilog="Example: patunay credential show urn:uuid:7f6c2f0e-…")
@click.argument("name", metavar="ID")
@home_option
@json_option
def show(*, name: str, home: Home, as_json: bool) -> None:
    """Show where credential ID stands, and what was done to it, when and why.

    ID is its `id`, or its UUID.
    """

    async def run() -> CredentialState:
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            return await find_state(c, name)

    found = asyncio.run(run())
    if as_json:
        print_json(_described(found))
        return
    say(f"{found.stored.id}: {found.state}, by issuer {found.stored.issuer}")
    for entry in found.entries:
        say(f"{entry.purpose} list {entry.list_url}, index {entry.index}")
    if found.events:
        say()
        rows = [(e.at, e.action, e.list_version, e.reason) for e in found.events]
        print_table(("at", "action", "list version", "reason"), rows)


@credential.command(
    "revoke",
    epilog='Example: patunay credential revoke urn:uuid:7f6c2f0e-… --reason "wrong name"',
)
@click.argument("name", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays in the node.")
@home_option
@passphrase_option
@json_option
def revoke_one(
    *, name: str, reason: str, home: Home, passphrase_file: Path | None, as_json: bool
) -> None:
    """Take credential ID back, for ever.

    Verifiers see it when they next ask for the status list, within five minutes.
    """
    event = _change(revoke, home, passphrase_file, name, reason)
    _show_change(event, "revoked", as_json=as_json)


@credential.command(
    "suspend",
    epilog='Example: patunay credential suspend urn:uuid:7f6c2f0e-… --reason "an appeal"',
)
@click.argument("name", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays in the node.")
@home_option
@passphrase_option
@json_option
def suspend_one(
    *, name: str, reason: str, home: Home, passphrase_file: Path | None, as_json: bool
) -> None:
    """Take credential ID out of force, until it is reinstated.

    Only what has an entry in a suspension list: `patunay credential show ID` names them.
    """
    event = _change(suspend, home, passphrase_file, name, reason)
    _show_change(event, "suspended", as_json=as_json)


@credential.command(
    "reinstate",
    epilog='Example: patunay credential reinstate urn:uuid:7f6c2f0e-… --reason "settled"',
)
@click.argument("name", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays in the node.")
@home_option
@passphrase_option
@json_option
def reinstate_one(
    *, name: str, reason: str, home: Home, passphrase_file: Path | None, as_json: bool
) -> None:
    """End the suspension of credential ID."""
    event = _change(reinstate, home, passphrase_file, name, reason)
    _show_change(event, "reinstated", as_json=as_json)


@click.group()
def status() -> None:
    """The status lists that this node publishes."""


@status.command("show", epilog="Example: patunay status show main")
@click.argument("which", metavar="[URL|SLUG]", default="")
@home_option
@json_option
def show_lists(*, which: str, home: Home, as_json: bool) -> None:
    """Show a status list, those of an issuer, or all.

    `used` counts the credentials that have a place in it, `marked` those that are revoked
    or suspended in it.
    """
    found = asyncio.run(_lists(home, which))
    if as_json:
        print_json({"version": 1, "lists": [_described_list(each) for each in found]})
        return
    rows = [
        (e.stored.url, e.stored.purpose, e.stored.version, e.used, e.marked) for e in found
    ]
    print_table(("url", "purpose", "version", "used", "marked"), rows)


async def _lists(home: Home, which: str) -> list[_List]:
    async with Node.open(home, SystemClock()) as node, node.reading() as c:
        if "://" in which:
            wanted = [await require_list(c, which)]
        elif which:
            slug = (await require_issuer(c, which)).slug
            wanted = [each for each in await all_lists(c) if each.issuer == slug]
        else:
            wanted = await all_lists(c)
        return [
            _List(
                each,
                len(await used_indexes(c, each.issuer, each.name, each.sequence)),
                len(await marked_indexes(c, each.url)),
            )
            for each in wanted
        ]


def _change(
    change: Change, home: Home, passphrase_file: Path | None, name: str, reason: str
) -> StatusEvent:
    passphrase = read_passphrase(passphrase_file)

    async def run() -> StatusEvent:
        async with Node.open(home, SystemClock(), passphrase) as node:
            return await change(node, name, reason)

    return asyncio.run(run())


def _show_change(event: StatusEvent, done: str, *, as_json: bool) -> None:
    if as_json:
        described = _described_event(event)
        print_json({"version": 1, "credential": event.credential, **described})
        return
    say(f"{done} {event.credential}")
    minutes = TTL.total_seconds() / 60
    say_note(f"verifiers see it within {minutes:.0f} minutes; the next anchor proves it")


def _described(found: CredentialState) -> dict[str, Any]:
    return {
        "version": 1,
        "id": found.stored.id,
        "uuid": found.stored.uuid,
        "issuer": found.stored.issuer,
        "state": found.state,
        "entries": [
            {"purpose": e.purpose, "list": e.list_url, "index": e.index}
            for e in found.entries
        ],
        "events": [_described_event(event) for event in found.events],
    }


def _described_event(event: StatusEvent) -> dict[str, Any]:
    return {
        "action": event.action,
        "reason": event.reason,
        "at": event.at,
        "list": event.status_list,
        "listVersion": event.list_version,
    }


def _described_list(found: _List) -> dict[str, Any]:
    return {
        "url": found.stored.url,
        "issuer": found.stored.issuer,
        "purpose": found.stored.purpose,
        "listVersion": found.stored.version,
        "used": found.used,
        "marked": found.marked,
        "createdAt": found.stored.created_at,
    }
