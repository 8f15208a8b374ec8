"""`patunay anchor`."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from cli.anchor_ipfs import IpfsStanding, export, ipfs_standing
from cli.anchor_stamps import StampStanding, stamp, stamp_standing
from cli.anchor_work import AnchorTimeout, anchor_all
from cli.moving import move
from cli.options import home_option, json_option, passphrase_option
from cli.output import print_json, say
from cli.passphrase import read_passphrase
from cli.progress import progress_bar
from node.anchor_request import ANCHOR_NOW, request_anchor
from node.anchor_state import AnchorState, anchor_state
from node.audit_log import record
from node.backends import GWEI
from node.chain_presets import explorer_link
from node.config_tables import ChainConfig
from node.home import Home
from node.leading import leader_elsewhere, leading
from node.node import EVM_KEY, Node
from node.permissions import Action
from node.setup import anchor_contract
from node.signing import Progress
from node.storage import ledger
from node.storage.anchor_store import AnchorTrouble
from node.storage.witnesses import count_witnesses
from node.unsealing import refuse_if_sealed
from node.witnessing import witness_key
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from primitives.errors import Misconfigured

_POLL_SECONDS: Final = 0.25
"""Between two looks at what the daemon has done."""


class DevChainNeedsDaemon(Misconfigured):
    """The development chain lives inside the daemon, and none runs."""

    code = "dev-chain-needs-daemon"
    hint = "start it with `patunay serve`, and try again"


@click.group()
def anchor() -> None:
    """Public evidence of time for the log.

    An anchor is one small transaction in a public chain: whatever is in the log existed
    before that block.
    """


@anchor.command("now", epilog="Example: patunay anchor now --timeout 600")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(1),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the chain.",
)
@home_option
@passphrase_option
@json_option
def now(
    *, timeout_seconds: float, home: Home, passphrase_file: Path | None, as_json: bool
) -> None:
    """Anchor everything that was issued, now, and wait until the chain shows it.

    Asks the daemon where one runs. Without one this command does it itself, which takes
    the passphrase.
    """
    refuse_if_sealed(home)
    has_daemon = home.is_held() or asyncio.run(_is_led(home))
    if not has_daemon and home.config().chain.is_dev:
        raise DevChainNeedsDaemon("found no daemon, want one that runs this node's chain")
    passphrase = None if has_daemon else read_passphrase(passphrase_file)
    with progress_bar() as progress:
        asyncio.run(_anchor(home, passphrase, timeout_seconds, progress))
    standing = asyncio.run(_look(home))
    _print(standing, as_json=as_json)


@anchor.command("status", epilog="Example: patunay anchor status")
@home_option
@json_option
def status(*, home: Home, as_json: bool) -> None:
    """Show what waits, what is anchored, and which account pays."""
    _print(asyncio.run(_look(home)), as_json=as_json)


anchor.add_command(export)
anchor.add_command(move)
anchor.add_command(stamp)


@anchor.command("estimate", epilog="Example: patunay anchor estimate")
@home_option
@json_option
def estimate(*, home: Home, as_json: bool) -> None:
    """Show what an anchor costs now, and for each credential in it.

    At the present length of the queue, at 1,000 and at 10,000.
    """
    from cli.chains import show_estimate  # noqa: PLC0415 - seldom needed

    show_estimate(home, as_json=as_json)


async def _anchor(
    home: Home, passphrase: bytes | None, timeout_seconds: float, progress: Progress
) -> None:
    """Ask the daemon, or with a passphrase do its work; return once the chain shows it.

    Raises:
        AnchorTimeout: It took longer.
        AnchorUnreachable: The chain did not answer; the next run goes on from there.
        AnchorRefused: The chain answered no.
    """
    progress("anchoring", 0, 1)
    try:
        async with asyncio.timeout(timeout_seconds):
            if passphrase is None:
                await _ask_daemon(home)
            else:
                with home.hold():
                    await _drive(home, passphrase)
    except TimeoutError as e:
        raise AnchorTimeout(f"found no anchor within {timeout_seconds:g} seconds") from e
    progress("anchoring", 1, 1)


async def _is_led(home: Home) -> bool:
    """Tell whether a daemon on another machine leads, which shares the database."""
    async with Node.open(home, SystemClock()) as node:
        return await leader_elsewhere(node) is not None


async def _ask_daemon(home: Home) -> None:
    """Ask for a batch, and wait until all that is queued now is in an anchored one."""
    async with Node.open(home, SystemClock()) as node:
        wanted = await request_anchor(node)
        while True:
            async with node.reading() as c:
                is_waiting = await ledger.has_request(c, ANCHOR_NOW)
            state = await anchor_state(node, node.config.chain.chain_id)
            size = state.checkpoint.tree_size if state.checkpoint is not None else 0
            if not is_waiting and size >= wanted and state.anchored:
                return
            await asyncio.sleep(_POLL_SECONDS)


async def _drive(home: Home, passphrase: bytes) -> None:
    """Close a batch and bring it to the chain. The caller holds the node."""
    async with Node.open(home, SystemClock(), passphrase) as node, leading(node):
        async with node.writing() as c:
            await record(c, node, Action.ANCHOR_RUN)
        await anchor_all(node)


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where anchoring stands."""

    state: AnchorState
    chain: ChainConfig
    waiting: int
    since: str | None
    contract: str
    account: str
    has_daemon: bool
    ipfs: IpfsStanding | None
    """None where no Kubo node is configured."""

    witness: str | None
    """The key that this node cosigns with; None where it is no witness."""

    witnesses: tuple[int, int]
    """How many have cosigned the latest checkpoint, and how many are asked."""

    stamps: tuple[StampStanding, ...]
    """Of the latest checkpoint, one for each configured calendar."""

    @property
    def word(self) -> str:
        """Return it in one word."""
        if self.state.checkpoint is None:
            return "nothing-anchored"
        sent = self.state.transaction
        return sent.state if sent is not None else "not-sent"


async def _look(home: Home) -> _Standing:
    async with Node.open(home, SystemClock()) as node:
        async with node.reading() as c:
            waiting, since = await ledger.queue_state(c)
            length = await ledger.log_length(c)
        account = home.keystore().entry(EVM_KEY).public
        contract = anchor_contract(node.config)
        state = await anchor_state(node, node.config.chain.chain_id)
        covered = state.checkpoint.tree_size if state.checkpoint is not None else 0
        ipfs = await ipfs_standing(node)
        stamps = await stamp_standing(node)
        async with node.reading() as c:
            cosigned = await count_witnesses(c)
        asked = len(node.config.peers)
        key = witness_key(home, node.config)
    return _Standing(
        state,
        node.config.chain,
        waiting + length - covered,
        since,
        contract,
        account,
        home.is_held(),
        ipfs,
        str(key) if key is not None else None,
        (cosigned, asked),
        stamps,
    )


def _print(standing: _Standing, *, as_json: bool) -> None:
    if as_json:
        print_json(_described(standing))
        return
    made, sent = standing.state.checkpoint, standing.state.transaction
    say(f"state     {standing.word}: {_WORDS[standing.word]}")
    say(f"waiting   {standing.waiting} entries" + _since(standing.since))
    if made is not None:
        say(f"log       {made.tree_size} entries, root {made.root.hex()}")
    if sent is not None:
        block = (
            f", block {sent.block_number} of {sent.block_time}" if sent.block_time else ""
        )
        say(f"anchor    {sent.reference}{block}")
        for line in _progress(standing):
            say(line)
    trouble = standing.state.trouble
    if trouble is not None:
        say(f"trouble   {trouble.detail} ({trouble.code}), since {trouble.since}")
        if trouble.hint:
            say(f"          {trouble.hint}")
    say(f"contract  {standing.contract or 'none yet'}")
    say(f"account   {standing.account}")
    for line in _elsewhere(standing):
        say(line)
    say(f"daemon    {'runs' if standing.has_daemon else 'does not run'}")


def _elsewhere(standing: _Standing) -> Iterator[str]:
    """Yield what there is beside the chain, where it is configured."""
    if standing.ipfs is not None:
        yield f"ipfs      {standing.ipfs.sentence}"
    if standing.witness is not None:
        yield f"witness   {standing.witness}"
    cosigned, asked = standing.witnesses
    if asked:
        yield f"cosigned  by {cosigned} of {asked} witnesses"
    for at in standing.stamps:
        yield f"stamp     {at.sentence}"


_WORDS: Final = {
    "nothing-anchored": "no batch has been closed yet",
    "not-sent": "no transaction has been signed yet",
    "stored": "signed, and not yet taken by the chain",
    "sent": "waits to be mined",
    "taken": "another transaction has its nonce; signed anew once that one is final",
    "mined": "in the chain, not yet deep enough to count as confirmed",
    "confirmed": "in the chain and deep; not yet final",
    "final": "in the chain for good",
}
"""What each state means."""


def _progress(standing: _Standing) -> Iterator[str]:
    sent, chain = standing.state.transaction, standing.chain
    if sent is None:
        return
    link = explorer_link(sent.chain, sent.reference)
    if link is not None:
        yield f"explorer  {link}"
    if sent.depth is not None and sent.state != "final":
        final = chain.depths[1] or "the chain's own word"
        yield f"depth     {sent.depth}, of {chain.depths[0]} and {final}"
    if sent.max_fee is not None:
        yield f"offers    {sent.max_fee / GWEI:.3g} gwei, of at most {chain.max_fee_gwei}"
    if standing.state.attempts > 1:
        yield f"attempts  {standing.state.attempts}"


def _trouble_json(trouble: AnchorTrouble | None) -> JsonObject | None:
    if trouble is None:
        return None
    return {
        "code": trouble.code,
        "detail": trouble.detail,
        "hint": trouble.hint,
        "since": trouble.since,
        "seenAt": trouble.seen_at,
    }


def _since(when: str | None) -> str:
    return f" since {when}" if when is not None else ""


def _described(standing: _Standing) -> JsonObject:
    made, sent = standing.state.checkpoint, standing.state.transaction
    return {
        "version": 1,
        "state": standing.word,
        "anchored": standing.state.anchored and made is not None,
        "waiting": standing.waiting,
        "waitingSince": standing.since,
        "treeSize": made.tree_size if made is not None else 0,
        "root": made.root.hex() if made is not None else None,
        "recordDigest": made.record_digest.hex() if made is not None else None,
        "contract": standing.contract or None,
        "account": standing.account,
        "transaction": sent.reference if sent is not None else None,
        "explorer": explorer_link(sent.chain, sent.reference) if sent is not None else None,
        "blockNumber": sent.block_number if sent is not None else None,
        "blockTime": sent.block_time if sent is not None else None,
        "depth": sent.depth if sent is not None else None,
        "maxFeeWei": sent.max_fee if sent is not None else None,
        "attempts": standing.state.attempts,
        "notFinal": standing.state.unsettled,
        "trouble": _trouble_json(standing.state.trouble),
        "ipfs": standing.ipfs.to_json() if standing.ipfs is not None else None,
        "witness": standing.witness,
        "cosigned": standing.witnesses[0],
        "witnesses": standing.witnesses[1],
        "stamps": [at.to_json() for at in standing.stamps],
        "daemon": standing.has_daemon,
    }
