"""`patunay receipt`."""

import asyncio
import json
from pathlib import Path

import click

from anchoring.receipt import Receipt
from cli.credential_id import read_uuid
from cli.files import write_whole
from cli.options import FILE, home_option, json_option
from cli.output import print_json, print_raw, say_note
from node.home import Home
from node.logbook import build_receipt
from node.node import Node
from primitives.clock import SystemClock


@click.command(
    epilog="Example: patunay receipt 7f6c2f0e-5d1b-4c7e-9a44-0d7f3c1b2a90 -o receipt.json"
)
@click.argument("credential_id", metavar="ID")
@click.option("--text", is_flag=True, help="Print the C2SP tlog-proof alone.")
@click.option(
    "--chain", metavar="CAIP-2", help="Of an anchor on this chain, such as eip155:11155111."
)
@click.option(
    "-o", "--output", type=FILE, metavar="FILE", help="Write to FILE, whole or not at all."
)
@home_option
@json_option
def receipt(
    *,
    credential_id: str,
    text: bool,
    chain: str | None,
    output: Path | None,
    home: Home,
    as_json: bool,
) -> None:
    """Print the receipt of credential ID.

    The receipt shows that the log holds the credential, and where the log is anchored. It
    is JSON already, so `--json` changes nothing. Not yet anchored: exit code 3.
    """
    if text and as_json:
        raise click.UsageError("--text and --json exclude each other")
    found = asyncio.run(_find(home, read_uuid(credential_id), chain))
    if output is not None:
        write_whole(output, _encode(found, text=text))
        say_note(f"wrote {output}")
    elif text:
        print_raw(_encode(found, text=True))
    else:
        print_json(found.to_json())


async def _find(home: Home, name: str, chain: str | None) -> Receipt:
    async with Node.open(home, SystemClock()) as node:
        return await build_receipt(node, name, chain)


def _encode(found: Receipt, *, text: bool) -> bytes:
    if text:
        return str(found.tlog_proof).encode()
    return json.dumps(found.to_json(), indent=2).encode() + b"\n"
