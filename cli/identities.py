"""`patunay issuer`, `patunay did` and `patunay key`."""

import asyncio
from datetime import datetime
from pathlib import Path

import click

from cli.keys import declare_key_compromised, list_signed, rotate_key
from cli.network import Network
from cli.options import home_option, json_option, passphrase_option
from cli.output import print_json, print_table, say, say_note
from cli.passphrase import read_passphrase
from credentials.data_integrity import DEFAULT_SUITE, SUITES
from did.history import parse_history
from did.resolver import DidKeyResolver, MethodResolver, Resolution, Resolver
from node.home import Home
from node.issuer_keys import history_of
from node.node import MAIN, Node
from node.setup import add_issuer
from node.storage.registry import Issuer, IssuerUnknown, list_issuers
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from primitives.instants import format_instant, parse_instant


@click.group()
def issuer() -> None:
    """The identities that this node signs for.

    `main` is the node itself; a school or office that it signs for has a slug of its own.
    """


@issuer.command(
    "add", epilog='Example: patunay issuer add sdo-batangas --name "SDO Batangas"'
)
@click.argument("slug")
@click.option("--name", required=True, metavar="TEXT", help="The issuer's full name.")
@click.option(
    "--cryptosuite",
    type=click.Choice(sorted(SUITES)),
    default=DEFAULT_SUITE,
    show_default=True,
    help="How it signs if nothing else is asked; most wallets read the default alone.",
)
@click.option("--hsm", "on_token", is_flag=True, help="Make its keys on the PKCS#11 token.")
@home_option
@passphrase_option
@json_option
def add(  # noqa: PLR0913 - one parameter for each option
    *,
    slug: str,
    name: str,
    cryptosuite: str,
    on_token: bool,
    home: Home,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Create keys and a DID for another issuer, and publish its DID document."""
    passphrase = read_passphrase(passphrase_file)

    async def run() -> Issuer:
        async with Node.open(home, SystemClock(), passphrase) as node:
            return await add_issuer(
                node, slug, name, cryptosuite=cryptosuite, on_token=on_token
            )

    made = asyncio.run(run())
    if as_json:
        print_json({"version": 1, **_described(made)})
        return
    say(made.did)
    say_note(f"added {made.slug}, {made.name}")


@issuer.command("list", epilog="Example: patunay issuer list")
@home_option
@json_option
def list_them(*, home: Home, as_json: bool) -> None:
    """List the issuers of this node."""
    found = asyncio.run(_issuers(home))
    if as_json:
        print_json({"version": 1, "issuers": [_described(i) for i in found]})
        return
    rows = [(i.slug, i.name, i.did, i.cryptosuite, i.created_at) for i in found]
    print_table(("slug", "name", "did", "cryptosuite", "created"), rows)


@click.group()
def did() -> None:
    """Look at DIDs and their documents."""


@did.command("list", epilog="Example: patunay did list")
@home_option
@json_option
def list_dids(*, home: Home, as_json: bool) -> None:
    """List the DIDs of this node, one a line."""
    found = asyncio.run(_issuers(home))
    if as_json:
        print_json({"version": 1, "dids": [i.did for i in found]})
        return
    for known in found:
        say(known.did)


@did.command("show", epilog="Example: patunay did show main")
@click.argument("which", metavar="[SLUG|DID]", default=MAIN)
@click.option("--version-time", metavar="TIME", help="The version that held at TIME.")
@home_option
@json_option
def show(*, which: str, version_time: str | None, home: Home, as_json: bool) -> None:
    """Print the DID document of an issuer of this node; of `main` where none is named."""
    del as_json  # a DID document is JSON already
    moment = parse_instant(version_time) if version_time is not None else None
    for known in asyncio.run(_issuers(home)):
        if which in (known.slug, known.did):
            print_json(asyncio.run(_document(home, known, moment)))
            return
    raise IssuerUnknown(f"found no issuer {which[:120]!r}")


async def _document(home: Home, known: Issuer, moment: datetime | None) -> JsonObject:
    """Return the issuer's document, of a moment if one is given.

    That of a did:key never changes.
    """
    if moment is None or known.did.startswith("did:key:"):
        return known.parsed()
    async with Node.open(home, SystemClock()) as node, node.reading() as c:
        history = parse_history(await history_of(c, known.did), known.did)
    return history.document_at(moment).document


@did.command("resolve", epilog="Example: patunay did resolve did:web:example.edu.ph")
@click.argument("name", metavar="DID")
@click.option(
    "--allow-loopback", is_flag=True, help="Also ask `localhost`, without TLS, for trials."
)
@json_option
def resolve(*, name: str, allow_loopback: bool, as_json: bool) -> None:
    """Look a DID up, whoever it belongs to, and print its document.

    Needs no node. With `--json` also where and when the document was had.
    """
    found = asyncio.run(_resolve(name, allow_loopback=allow_loopback))
    if not as_json:
        print_json(found.document)
        return
    print_json(
        {
            "version": 1,
            "document": found.document,
            "source": found.source,
            "obtained_at": format_instant(found.obtained_at),
        }
    )


@click.group()
def key() -> None:
    """The node's keys."""


@key.command("list", epilog="Example: patunay key list")
@home_option
@json_option
def list_keys(*, home: Home, as_json: bool) -> None:
    """List the keys of this node: their public halves, never the secret ones."""
    entries = home.keystore().entries
    found = [
        {
            "id": entry.label.key_id,
            "role": entry.label.role,
            "issuer": entry.label.issuer,
            "public": entry.public,
            "token": entry.token,
            "createdAt": format_instant(entry.label.created_at),
        }
        for entry in entries
    ]
    if as_json:
        print_json({"version": 1, "keys": found})
        return
    header = ("id", "role", "issuer", "public", "token", "created")
    print_table(header, [tuple(entry.values()) for entry in found])


key.add_command(rotate_key)
key.add_command(declare_key_compromised)
key.add_command(list_signed)


async def _issuers(home: Home) -> list[Issuer]:
    async with Node.open(home, SystemClock()) as node, node.reading() as c:
        return await list_issuers(c)


async def _resolve(name: str, *, allow_loopback: bool) -> Resolution:
    clock = SystemClock()
    async with Network(clock, allow_loopback=allow_loopback) as network:
        methods: dict[str, Resolver] = {"key": DidKeyResolver(clock), "web": network}
        return await MethodResolver(methods).resolve(name)


def _described(known: Issuer) -> dict[str, str]:
    return {
        "slug": known.slug,
        "did": known.did,
        "name": known.name,
        "cryptosuite": known.cryptosuite,
        "createdAt": known.created_at,
    }
