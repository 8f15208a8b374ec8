"""`patunay presentation sign`. `patunay verify` checks presentations."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from cli.files import read_json, typed_errors, write_whole
from cli.options import FILE, json_option, own_home_option, passphrase_option
from cli.output import print_json, say_note
from cli.passphrase import read_passphrase
from credentials.presentation import sign_presentation
from did.key import DidKey
from did.key_pair import MAX_KEY_PAIR_BYTES, parse_key_pair
from node.home import Home
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from primitives.ed25519 import Signer
from primitives.errors import Misconfigured

_OTHERS: Final = 0o077


class KeyFileOpen(Misconfigured):
    """Others can read the file of a secret key."""

    code = "key-file-open"
    hint = "chmod 600 takes it from them; if they have read it, make another key"


@click.group()
def presentation() -> None:
    """What a holder shows of its credentials."""


@presentation.command(
    "sign",
    epilog="Example: patunay presentation sign diploma.json --key-file holder.json"
    " --challenge 3q2-7w --domain hr.example -o presentation.json",
)
@click.argument("files", metavar="FILE...", nargs=-1, type=FILE)
@click.option("--key-file", type=FILE, metavar="FILE", help="The holder's key pair.")
@click.option("--issuer", "slug", metavar="SLUG", help="Sign as an issuer of this node.")
@click.option("--challenge", metavar="TEXT", help="What the verifier asked to be signed.")
@click.option("--domain", metavar="TEXT", help="The verifier that it is made for.")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write to FILE.")
@own_home_option
@passphrase_option
@json_option
def sign(  # noqa: PLR0913 - one parameter for each option
    *,
    files: tuple[Path, ...],
    key_file: Path | None,
    slug: str | None,
    challenge: str | None,
    domain: str | None,
    output: Path | None,
    home: Home | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Show the credentials in FILE..., signed by their holder.

    With the key pair of a did:key, which needs no node, or with the credential key of an
    issuer of a node. None of the credentials is checked. Without --challenge, anybody who
    sees the presentation can send it again.
    """
    del as_json  # a presentation is JSON already
    if (key_file is None) == (slug is None):
        raise click.UsageError("want one of --key-file and --issuer")
    credentials = [read_json(file) for file in files]

    def make(signer: Signer, method: str) -> JsonObject:
        return sign_presentation(
            credentials,
            signer,
            verification_method=method,
            created=SystemClock().now(),
            challenge=challenge,
            domain=domain,
        )

    if key_file is not None:
        signer = _read_key_pair(key_file)
        made = make(signer, DidKey(signer.public_key).verification_method)
    else:
        if home is None:
            raise click.UsageError("--issuer wants a data directory: add --data-dir DIR")
        passphrase = read_passphrase(passphrase_file)
        made = asyncio.run(_sign_as_issuer(home, passphrase, str(slug), make))
    if output is None:
        print_json(made)
        return
    write_whole(output, json.dumps(made, indent=2).encode() + b"\n")
    say_note(f"wrote {output}")


def _read_key_pair(file: Path) -> Signer:
    with typed_errors(file):
        if file.stat().st_mode & _OTHERS:
            raise KeyFileOpen(f"others can read {file.name}, want mode 0600")
    return parse_key_pair(read_json(file, max_bytes=MAX_KEY_PAIR_BYTES))


async def _sign_as_issuer(
    home: Home,
    passphrase: bytes,
    slug: str,
    make: Callable[[Signer, str], JsonObject],
) -> JsonObject:
    # These import the database, which the holder of a did:key does without.
    from node.node import Node, credential_key, signing_key  # noqa: PLC0415
    from node.storage.registry import require_issuer  # noqa: PLC0415

    async with Node.open(home, SystemClock(), passphrase) as node:
        async with node.reading() as c:
            issuer = await require_issuer(c, slug)
        return make(*signing_key(node, issuer, credential_key(slug)))
