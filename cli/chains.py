"""`patunay chain`, and what an anchor costs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cli.accounts import account
from cli.options import home_option, json_option, passphrase_option
from cli.output import print_json, print_table, say, say_note
from cli.passphrase import read_passphrase
from node.audit_log import record
from node.backends import GWEI
from node.chain_presets import chain_presets
from node.config_checks import ConfigInvalid
from node.home import Home, write_file
from node.leading import leading
from node.node import EVM_KEY, Node
from node.permissions import Action
from node.storage import anchor_store, ledger
from primitives.clock import SystemClock
from primitives.errors import Misconfigured

if TYPE_CHECKING:
    from anchoring.evm import EvmAnchor
    from anchoring.evm_answers import Fees

_QUESTION_SECONDS: Final = 10.0
"""For asking an endpoint which chain it is."""

_ANY_CHAIN: Final = "eip155:1"
"""Stands in until the endpoint has said which chain it is; nothing is sent to it."""

_SIZES: Final = (1_000, 10_000)
"""Credentials in a batch, for which the cost is shown beside that of the present queue."""

_DEPLOY_HINT: Final = "`patunay chain deploy` makes one, `patunay chain register` takes one"


class NoContractNeeded(Misconfigured):
    """The development chain brings its own contract."""

    code = "dev-chain-has-contract"
    hint = "name a chain with --chain URL, or set chain.url in patunay.toml"


@click.group()
def chain() -> None:
    """The contract that anchors go to."""


@chain.command("deploy", epilog="Example: patunay chain deploy --chain https://rpc.example")
@click.option("--chain", "url", metavar="URL", help="EVM node; else chain.url of the node.")
@home_option
@passphrase_option
@json_option
def deploy(
    *, url: str | None, home: Home, passphrase_file: Path | None, as_json: bool
) -> None:
    """Create an AnchorRegistry, paid for by the node's account, and print its name.

    Needed once for a chain; nodes may share one. Put what it prints into patunay.toml as
    chain.contract.
    """
    config = home.config()
    if url is None and config.chain.is_dev:
        raise NoContractNeeded("found chain.url dev, want an EVM node")
    passphrase = read_passphrase(passphrase_file)
    made = asyncio.run(_deploy(home, passphrase, url or config.chain.url))
    if as_json:
        print_json({"version": 1, "contract": made})
        return
    say(made)
    say_note(f'put `contract = "{made}"` under [chain] in {home.config_file}')


chain.add_command(account)


@chain.command("presets", epilog="Example: patunay chain presets")
@json_option
def presets(*, as_json: bool) -> None:
    """List the public test chains that `chain.preset` in patunay.toml takes."""
    known = chain_presets()
    if as_json:
        print_json({"version": 1, "presets": {n: asdict(p) for n, p in known.items()}})
        return
    print_table(
        ("preset", "chain", "name", "last known alive"),
        [(n, p.chain, p.name, p.last_known_alive) for n, p in known.items()],
    )


@chain.command("balance", epilog="Example: patunay chain balance")
@home_option
@json_option
def balance(*, home: Home, as_json: bool) -> None:
    """Show what the account holds that pays for anchors."""
    wei = asyncio.run(_balance(home))
    account = home.keystore().entry(EVM_KEY).public
    if as_json:
        print_json({"version": 1, "account": account, "wei": str(wei)})
        return
    say(f"{account} holds {wei / 10**18:.6f} coins")


@chain.command("register", epilog="Example: patunay chain register eip155:11155111:0x…")
@click.argument("contract", metavar="CAIP-10")
@home_option
@json_option
def register(*, contract: str, home: Home, as_json: bool) -> None:
    """Check that CAIP-10 is an AnchorRegistry on the configured chain, and use it.

    Its code is compared with that of this release, byte for byte. A daemon uses it from
    its next start on.
    """
    asyncio.run(_register(home, contract))
    if as_json:
        print_json({"version": 1, "contract": contract})
        return
    say(contract)


@chain.command("estimate", epilog="Example: patunay chain estimate")
@home_option
@json_option
def estimate(*, home: Home, as_json: bool) -> None:
    """Show what an anchor costs now, as `patunay anchor estimate` does."""
    show_estimate(home, as_json=as_json)


def show_estimate(home: Home, *, as_json: bool) -> None:
    """Print what an anchor costs now, and how that is shared among credentials."""
    waiting, gas, fees = asyncio.run(_estimate(home))
    cost = gas * fees.maximum
    shares = {n: cost // n for n in dict.fromkeys((waiting, *_SIZES)) if n}
    if as_json:
        print_json(
            {
                "version": 1,
                "gas": gas,
                "maxFeePerGasWei": fees.maximum,
                "priorityFeePerGasWei": fees.priority,
                "costWei": str(cost),
                "waiting": waiting,
                "perCredentialWei": {str(n): str(share) for n, share in shares.items()},
            }
        )
        return
    say(f"gas       {gas}")
    say(f"fee       at most {fees.maximum / GWEI:.4g} gwei for each")
    say(f"anchor    at most {cost / 10**18:.9f} coins")
    for n, share in shares.items():
        say(f"each      of {n:,}: at most {share / 10**18:.12f} coins")


async def _balance(home: Home) -> int:
    async with _reading(home) as (_, anchor, account):
        return await anchor.balance(account)


async def _estimate(home: Home) -> "tuple[int, int, Fees]":
    async with _reading(home) as (node, anchor, account):
        async with node.reading() as c:
            waiting, _ = await ledger.queue_state(c)
        return waiting, *await anchor.estimate(account)


async def _register(home: Home, contract: str) -> None:
    """Write the contract into patunay.toml, if it is one.

    Raises:
        AnchorBackendMismatch: Another chain, or other code.
        HomeLocked: Another process holds the node.
    """
    with home.hold():
        async with _reading(home, contract) as (node, anchor, _account):
            await anchor.confirm_contract()
            async with node.writing() as c:
                facts = {"change": "register"}
                await record(c, node, Action.SETTINGS, f"contract:{contract}", facts=facts)
        config = home.own_config()
        chosen = replace(config, chain=replace(config.chain, contract=contract))
        write_file(home.config_file, chosen.to_toml().encode(), mode=0o600)


@asynccontextmanager
async def _reading(
    home: Home, contract: str = ""
) -> "AsyncIterator[tuple[Node, EvmAnchor, str]]":
    """Give the node, a backend that signs nothing, and the account that pays.

    Raises:
        NoContractNeeded: The node is on the development chain.
        ConfigInvalid: No contract is configured.
    """
    from anchoring.evm import EvmAnchor  # noqa: PLC0415 - imports web3

    async with Node.open(home, SystemClock()) as node:
        chain = node.config.chain
        if chain.is_dev:
            raise NoContractNeeded("found chain.url dev, want an EVM node")
        found = contract or chain.contract
        if not found:
            raise ConfigInvalid("chain.contract is empty", hint=_DEPLOY_HINT)
        anchor = EvmAnchor.connect(
            chain.url,
            found,
            other_urls=chain.urls[1:],
            quorum=chain.quorum,
            max_fee_per_gas=chain.max_fee_gwei * GWEI,
        )
        try:
            yield node, anchor, home.keystore().entry(EVM_KEY).public
        finally:
            await anchor.close()


async def _deploy(home: Home, passphrase: bytes, url: str) -> str:
    """Return the CAIP-10 account of a new contract on whatever chain `url` is.

    Raises:
        HomeLocked: A daemon runs; the two would use the same nonce.
    """
    with home.hold():
        async with Node.open(home, SystemClock(), passphrase) as node, leading(node):
            return await deploy_on(node, url)


async def deploy_on(node: Node, url: str) -> str:
    """Return the CAIP-10 account of a new contract on whatever chain `url` is.

    The caller holds the node.

    Raises:
        AnchorUnreachable: The endpoint did not answer.
        AnchorRefused: The chain did not take it.
    """
    from anchoring.evm_deploy import deploy as deploy_contract  # noqa: PLC0415 - imports web3
    from anchoring.evm_rpc import HttpRpc  # noqa: PLC0415 - imports web3

    name = await chain_of(url)
    async with node.reading() as c:
        sent = await anchor_store.all_transactions(c)
    account = node.home.keystore().entry(EVM_KEY).public
    rpc = HttpRpc(url, timeout_seconds=_QUESTION_SECONDS)
    try:
        return await deploy_contract(
            rpc,
            name,
            node.keys().secret(EVM_KEY),
            first_nonce=anchor_store.free_nonce(sent, name, account),
            max_fee_per_gas=node.config.chain.max_fee_gwei * GWEI,
        )
    finally:
        await rpc.disconnect()


async def chain_of(url: str) -> str:
    """Return the CAIP-2 id of the chain that an endpoint says it is on.

    Raises:
        AnchorUnreachable: It did not answer.
    """
    from anchoring.evm_rpc import Endpoint, HttpRpc  # noqa: PLC0415 - imports web3

    rpc = HttpRpc(url, timeout_seconds=_QUESTION_SECONDS)
    try:
        endpoint = Endpoint(rpc, _ANY_CHAIN, _QUESTION_SECONDS)
        return f"eip155:{await endpoint.number(endpoint.eth.chain_id)}"
    finally:
        await rpc.disconnect()


async def require_registry(url: str, contract: str) -> None:
    """Return if `contract` is an AnchorRegistry on the chain of `url`.

    Raises:
        AnchorContractMalformed: Not the CAIP-10 account of a contract.
        AnchorBackendMismatch: Another chain, or other code.
        AnchorUnreachable: The endpoint did not answer.
    """
    from anchoring.evm import EvmAnchor  # noqa: PLC0415 - imports web3

    anchor = EvmAnchor.connect(url, contract)
    try:
        await anchor.confirm_contract()
    finally:
        await anchor.close()
