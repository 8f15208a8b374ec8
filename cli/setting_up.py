"""`patunay init`."""

import asyncio
from pathlib import Path
from typing import Final

import click

from cli.options import FOLDER, json_option, passphrase_option
from cli.output import print_json, say, say_note
from cli.passphrase import read_passphrase
from node.config import Config
from node.config_tables import ChainConfig
from node.home import Home
from node.setup import create_node
from node.storage.registry import Issuer
from primitives.clock import SystemClock

DEFAULT_PORT: Final = 8460


@click.command(
    epilog="Example: patunay init /srv/patunay --domain example.edu.ph"
    ' --name "Example State College"'
)
@click.argument("directory", metavar="DIR", type=FOLDER)
@click.option(
    "--domain",
    required=True,
    metavar="HOST",
    help="Host name of the node; its DID is made from it and never changes."
    " `localhost` for a trial on this machine.",
)
@click.option("--name", metavar="TEXT", help="Name of the provider; else the domain.")
@click.option(
    "--did-method",
    type=click.Choice(["web", "key"]),
    default="web",
    show_default=True,
    help="did:web under the domain, or did:key, which needs no web server.",
)
@click.option(
    "--chain",
    default="dev",
    show_default=True,
    metavar="dev|URL",
    help="Where to anchor: the development chain inside the daemon, or an EVM node's URL.",
)
@click.option(
    "--contract",
    default="",
    metavar="CAIP-10",
    help="The AnchorRegistry on that chain; `patunay chain deploy` creates one.",
)
@click.option(
    "--public-url",
    default="",
    metavar="URL",
    help="Where the node is reached from outside; else https:// and the domain.",
)
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on (8460).")
@passphrase_option
@json_option
def init(  # noqa: PLR0913 - one parameter for each option
    *,
    directory: Path,
    domain: str,
    name: str | None,
    did_method: str,
    chain: str,
    contract: str,
    public_url: str,
    port: int | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Create a node in the new directory DIR.

    Makes its keys, sealed by a passphrase, its database, its log and its own DID. There is
    no way to recover a lost passphrase.
    """
    place = ChainConfig(url=chain, contract=contract)
    config = plan_config(domain, did_method, place, public_url=public_url, port=port)
    home = Home(directory.resolve())
    passphrase = read_passphrase(passphrase_file, new=True)
    issuer = asyncio.run(
        create_node(home, config, passphrase, SystemClock(), name=name or domain)
    )
    if as_json:
        print_json(_described(home, config, issuer))
        return
    say(issuer.did)
    say_note(f"created the node of {issuer.name} in {home.root}")
    say_note(f"next: `patunay --data-dir {home.root} serve`")


def plan_config(
    domain: str, did_method: str, chain: ChainConfig, *, public_url: str, port: int | None
) -> Config:
    """Return the configuration of a new node.

    A node at `localhost` is for this machine alone: it is reached without TLS, at the port
    that it listens on.

    Raises:
        ConfigInvalid: A setting cannot be honoured.
    """
    host, colon, authority_port = domain.partition(":")
    local = host == "localhost"
    if port is None:
        is_number = authority_port.isascii() and authority_port.isdecimal()
        port = int(authority_port) if local and is_number else DEFAULT_PORT
    if local and not colon:
        domain = f"{host}:{port}"
    if local and not public_url:
        public_url = f"http://{domain}"
    return Config(
        domain=domain,
        public_url=public_url,
        did_method=did_method,
        listen_port=port,
        allow_loopback_http=local,
        chain=chain,
    )


def _described(home: Home, config: Config, issuer: Issuer) -> dict[str, object]:
    return {
        "version": 1,
        "directory": str(home.root),
        "did": issuer.did,
        "name": issuer.name,
        "publicUrl": config.base_url,
        "log": config.log_name,
    }
