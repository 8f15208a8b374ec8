"""`patunay key rotate`, `patunay key compromised` and `patunay key who-signed`."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from cli.options import home_option, json_option, passphrase_option
from cli.output import print_json, print_table, say, say_hint, say_note
from cli.passphrase import read_passphrase
from node.compromise import Declaration, LogDeclaration, declare
from node.home import Home
from node.issuer_keys import ROLES, Role, SignedBy, who_signed
from node.node import MAIN, Node
from node.rotation import Rotation, rotate
from primitives.clock import SystemClock
from primitives.instants import format_instant, parse_instant

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@click.command("rotate", epilog="Example: patunay key rotate --issuer sdo-batangas")
@click.option("--issuer", "slug", default=MAIN, metavar="SLUG", help="Whose key.")
@click.option("--role", type=click.Choice(ROLES), default="credential", help="Which key.")
@click.option(
    "--hsm/--no-hsm",
    "on_token",
    default=None,
    help="Make the new key on the PKCS#11 token, or in the key file; else as the old one.",
)
@home_option
@passphrase_option
@json_option
def rotate_key(
    *,
    slug: str,
    role: Role,
    on_token: bool | None,
    home: Home,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Replace a key of an issuer by a new one.

    What the old key has signed stays good: it stays in the DID document.
    """
    passphrase = read_passphrase(passphrase_file)

    async def run() -> Rotation:
        async with Node.open(home, SystemClock(), passphrase) as node:
            return await rotate(node, slug, role, on_token=on_token)

    made = asyncio.run(run())
    if as_json:
        described = {"issuer": made.issuer, "did": made.did, "key": made.key_id}
        print_json({"version": 1, **described, "old": made.old, "new": made.new})
        return
    say(made.new)
    say_note(f"{made.new} signs from now on, in place of {made.old}")


@click.command(
    "compromised",
    epilog="Example: patunay key compromised main.credential --since 2026-11-01T00:00:00Z",
)
@click.argument("name", metavar="KEY")
@click.option("--since", required=True, metavar="TIME", help="As 2026-11-22T08:00:00Z.")
@home_option
@passphrase_option
@json_option
def declare_key_compromised(
    *, name: str, since: str, home: Home, passphrase_file: Path | None, as_json: bool
) -> None:
    """Declare that somebody else may have had KEY since TIME.

    This is never taken back, and TIME can only be moved earlier. What KEY has signed stays
    good where it was anchored before TIME, and nowhere else.
    """
    moment = parse_instant(since)
    passphrase = read_passphrase(passphrase_file)

    async def run() -> Declaration | LogDeclaration:
        async with Node.open(home, SystemClock(), passphrase) as node:
            return await declare(node, name, moment)

    made = asyncio.run(run())
    if as_json:
        print_json({"version": 1, **_described(made)})
        return
    say(made.key)
    say_note(_told(made))
    say_hint("anchor the declaration: patunay anchor now")


def _described(made: Declaration | LogDeclaration) -> dict[str, Any]:
    described = {"key": made.key, "since": format_instant(made.since)}
    if isinstance(made, LogDeclaration):
        return {**described, "dids": list(made.dids)}
    return {
        **described,
        "did": made.did,
        "by": made.by,
        "successor": made.successor,
        "voided": made.voided,
    }


def _told(made: Declaration | LogDeclaration) -> str:
    since = format_instant(made.since)
    if isinstance(made, LogDeclaration):
        return f"declared by {len(made.dids)} DIDs; its anchors count until {since}"
    return (
        f"declared by {made.by}; {made.successor} signs from now on;"
        f" {made.voided} credentials were not anchored before {since}"
    )


@click.command("who-signed", epilog="Example: patunay key who-signed main.credential")
@click.argument("name", metavar="KEY")
@click.option("--from", "start", metavar="TIME", help="Signed then or later.")
@click.option("--to", "end", metavar="TIME", help="Signed then or earlier.")
@home_option
@json_option
def list_signed(
    *, name: str, start: str | None, end: str | None, home: Home, as_json: bool
) -> None:
    """List the credentials of this node that KEY has signed.

    KEY is an id that `patunay key list` shows, or a verification method.
    """
    clock = SystemClock()
    first = parse_instant(start) if start else _BEGINNING
    last = parse_instant(end) if end else clock.now()

    async def run() -> list[SignedBy]:
        async with Node.open(home, clock) as node:
            return await who_signed(node, name, first, last)

    found = asyncio.run(run())
    if as_json:
        signed = [
            {"uuid": one.uuid, "signedAt": one.signed_at, "leaf": one.leaf_index}
            for one in found
        ]
        print_json({"version": 1, "key": name, "signed": signed})
        return
    rows = [
        (one.uuid, one.signed_at, "-" if one.leaf_index is None else str(one.leaf_index))
        for one in found
    ]
    print_table(("credential", "signed", "leaf"), rows)
