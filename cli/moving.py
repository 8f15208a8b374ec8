"""`patunay anchor move`: the log goes on on another chain."""

import asyncio
from dataclasses import replace
from pathlib import Path

import click

from cli.anchor_work import AnchorTimeout, anchor_all
from cli.chains import chain_of, deploy_on, require_registry
from cli.options import home_option, json_option, passphrase_option
from cli.output import print_json, say, say_note
from cli.passphrase import read_passphrase
from node.anchor_state import anchor_state
from node.audit_log import record
from node.config_tables import ChainConfig
from node.home import Home, write_file
from node.leading import leading
from node.node import Node
from node.permissions import Action
from node.setup import anchor_contract, refresh_documents
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from primitives.errors import Misconfigured


class ChainNotNew(Misconfigured):
    """The node anchors on that chain already."""

    code = "chain-not-new"
    hint = "set chain.url to use another endpoint of the same chain"


@click.command("move", epilog="Example: patunay anchor move --chain https://rpc.example")
@click.option("--chain", "url", required=True, metavar="URL", help="EVM node of it.")
@click.option(
    "--contract",
    default="",
    metavar="CAIP-10",
    help="The AnchorRegistry on it; else one is deployed.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(1),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the anchor on it.",
)
@home_option
@passphrase_option
@json_option
def move(
    *,
    url: str,
    contract: str,
    timeout_seconds: float,
    home: Home,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Go on on another chain, for instance because the old one has ended.

    Anchors the log there at once: its checkpoint commits to all that was issued before. The
    old contract stays listed in the DID documents. Stop the daemon first.
    """
    ChainConfig(url=url)
    passphrase = read_passphrase(passphrase_file)
    moved = asyncio.run(_move(home, passphrase, url, contract, timeout_seconds))
    if as_json:
        print_json({"version": 1, **moved})
        return
    say(str(moved["contract"]))
    say_note(f"anchored {moved['treeSize']} entries in {moved['transaction']}")
    say_note("start the daemon again; verifiers' policies must list the new contract too")


async def _move(
    home: Home, passphrase: bytes, url: str, contract: str, timeout_seconds: float
) -> JsonObject:
    """Change the configuration, then anchor; `patunay anchor now` goes on after a crash.

    Raises:
        HomeLocked: A daemon runs.
        ChainNotNew: It is the chain that the node anchors on.
        AnchorBackendMismatch: `contract` is on another chain, or other code.
        AnchorTimeout: It takes longer; the move itself is done.
        AnchorUnreachable: The new chain did not answer.
        AnchorRefused: It did not take the transaction.
    """
    with home.hold():
        async with Node.open(home, SystemClock(), passphrase) as node, leading(node):
            before = anchor_contract(node.config)
            name = await chain_of(url)
            if name == before.rpartition(":")[0]:
                raise ChainNotNew(f"found {name}, want another chain")
            if contract:
                await require_registry(url, contract)
            else:
                contract = await deploy_on(node, url)
            own = home.own_config()
            place = replace(
                own.chain,
                url=url,
                contract=contract,
                other_urls="",
                quorum=0,
                preset="",
            )
            chosen = replace(own, chain=place)
            await refresh_documents(node)  # so that they list the old one
            async with node.writing() as c:
                facts = {"change": "move"}
                await record(c, node, Action.SETTINGS, f"contract:{contract}", facts=facts)
        write_file(home.config_file, chosen.to_toml().encode(), mode=0o600)
        async with Node.open(home, SystemClock(), passphrase) as node, leading(node):
            try:
                async with asyncio.timeout(timeout_seconds):
                    await anchor_all(node)
            except TimeoutError as e:
                raise AnchorTimeout(
                    f"found no anchor within {timeout_seconds:g} seconds"
                ) from e
            state = await anchor_state(node, name)
    made, sent = state.checkpoint, state.transaction
    return {
        "contract": contract,
        "before": before or None,
        "treeSize": made.tree_size if made is not None else 0,
        "transaction": sent.reference if sent is not None else None,
    }
