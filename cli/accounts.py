"""`patunay chain account`: the account that pays, as a file for Ethereum's tools."""

import asyncio
from pathlib import Path

import click

from cli.files import read_file, write_whole
from cli.options import FILE, home_option, json_option, passphrase_option
from cli.output import print_json, say, say_note
from cli.passphrase import read_account_passphrase, read_passphrase
from did.keyfile import KeyLabel
from node.audit_log import record
from node.home import Home
from node.node import EVM_KEY, Node
from node.permissions import Action
from node.storage import anchor_store
from primitives.clock import SystemClock
from primitives.errors import Misconfigured

_account_passphrase = click.option(
    "--account-passphrase-file",
    type=FILE,
    metavar="FILE",
    help="Passphrase of the account's file; else PATUNAY_ACCOUNT_PASSPHRASE or a prompt.",
)


class AccountInUse(Misconfigured):
    """Anchors of the present account are on their way, and need it."""

    code = "account-in-use"
    hint = "wait until `patunay anchor status` says final; on `dev`, move to a chain first"


@click.group()
def account() -> None:
    """The account that pays for anchors."""


@account.command("export", epilog="Example: patunay chain account export -o account.json")
@click.option("-o", "--output", type=FILE, required=True, metavar="FILE", help="Where.")
@_account_passphrase
@home_option
@passphrase_option
@json_option
def export_account(
    *,
    output: Path,
    account_passphrase_file: Path | None,
    home: Home,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Write the account to an encrypted key file (Web3 Secret Storage, version 3).

    The file has a passphrase of its own. Whoever has both can spend what the account holds.
    """
    from anchoring.evm_keyfile import seal_account  # noqa: PLC0415 - imports eth_account

    keys = home.keystore().unlock(read_passphrase(passphrase_file))
    address = keys.keystore.entry(EVM_KEY).public
    chosen = read_account_passphrase(account_passphrase_file, new=True)
    write_whole(output, seal_account(keys.secret(EVM_KEY), chosen))
    _tell(address, as_json=as_json)
    say_note(f"wrote {output}")


@account.command("import", epilog="Example: patunay chain account import account.json")
@click.argument("file", type=FILE, metavar="FILE")
@_account_passphrase
@home_option
@passphrase_option
@json_option
def import_account(
    *,
    file: Path,
    account_passphrase_file: Path | None,
    home: Home,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Let the account in FILE, a version 3 key file, pay from now on.

    The key of the account before stays in the key store. Stop the daemon first.
    """
    from anchoring.evm_keyfile import (  # noqa: PLC0415 - imports eth_account
        MAX_KEYFILE_BYTES,
        open_account,
    )

    raw = read_file(file, max_bytes=MAX_KEYFILE_BYTES)
    found = open_account(raw, read_account_passphrase(account_passphrase_file))
    passphrase = read_passphrase(passphrase_file)
    with home.hold():
        keys = home.keystore().unlock(passphrase)
        before = keys.keystore.entry(EVM_KEY).public
        if before != found.address:
            asyncio.run(_require_idle(home, before))
            asyncio.run(_record_import(home, found.address))
            label = KeyLabel(EVM_KEY, "evm", "", SystemClock().now())
            keys = keys.retire(EVM_KEY, f"evm-{before[2:].lower()}")
            keys = keys.add_secp256k1(label, found.secret, address=found.address)
            home.save_keystore(keys.seal())
    _tell(found.address, as_json=as_json)


async def _require_idle(home: Home, address: str) -> None:
    """Return if nothing that `address` has signed may have to be signed again.

    Raises:
        AccountInUse: Something may.
    """
    async with Node.open(home, SystemClock()) as node:
        async with node.reading() as c:
            sent = await anchor_store.all_transactions(c)
        here = node.config.chain.chain_id
    waiting = sum(
        t.is_live
        and t.sender == address
        and (here is None or (t.chain == here and t.state != "final"))
        for t in sent
    )
    if waiting:
        raise AccountInUse(f"found {waiting} transactions of {address} that need it")


async def _record_import(home: Home, address: str) -> None:
    """Write into the audit log, before it is done, that another account pays."""
    async with Node.open(home, SystemClock()) as node, node.writing() as c:
        facts = {"change": "import account"}
        await record(c, node, Action.KEY_CHANGE, f"account:{address}", facts=facts)


def _tell(address: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"version": 1, "account": address})
    else:
        say(address)
