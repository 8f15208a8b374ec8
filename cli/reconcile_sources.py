"""Whom `patunay reconcile` asks: the log's own address or a copy, chain and witnesses."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from anchoring.backend import AnchorEvent
from anchoring.note import MAX_NOTE_BYTES
from cli.files import read_file
from cli.network import Network, Surroundings
from node.auditing import folder_fetch
from node.node import EVM_KEY, Node
from node.published_log import LogPlace, seen
from node.reconciling import Answers
from node.setup import anchor_contract
from node.storage import anchor_store
from node.witnesses import ask_size, new_session
from primitives.errors import PatunayError


@dataclass(frozen=True, slots=True)
class ReconcileQuestion:
    """What the command line names."""

    log: str | None
    folder: Path | None
    checkpoints: tuple[Path, ...]
    around: Surroundings


async def ask_everybody(
    node: Node, question: ReconcileQuestion, stack: AsyncExitStack
) -> Answers:
    """Return what was said; who is silent is named, and not waited for.

    Raises:
        PatunayError: A checkpoint that was given as a file is none of this log.
    """
    silent: list[str] = []
    shown = [seen(_note(file), node.vkey, file.name) for file in question.checkpoints]
    asked = await _place(node, question, stack)
    place: LogPlace | None = asked
    try:
        shown.append(await asked.head(node.vkey))
    except PatunayError as e:
        silent.append(f"{asked.site}: {e}")
        place = None
    return Answers(
        place,
        tuple(shown),
        await _sizes(node, silent),
        await _events(node, silent),
        tuple(silent),
    )


def _note(file: Path) -> str:
    return read_file(file, max_bytes=MAX_NOTE_BYTES).decode(errors="replace")


async def _place(
    node: Node, question: ReconcileQuestion, stack: AsyncExitStack
) -> LogPlace:
    site = (question.log or node.config.base_url).rstrip("/").removesuffix("/log")
    if question.folder is not None:
        return LogPlace(folder_fetch(question.folder), node.config.base_url)
    network = Network(
        question.around.clock,
        allow_loopback=node.config.allow_loopback_http,
        make_fetcher=question.around.fetcher,
    )
    await stack.enter_async_context(network)
    return LogPlace(network.fetch, site)


async def _sizes(node: Node, silent: list[str]) -> tuple[tuple[str, int], ...]:
    found: list[tuple[str, int]] = []
    async with new_session() as session:
        for peer in node.config.peers:
            try:
                size = await ask_size(node, peer, session)
            except PatunayError as e:
                silent.append(f"witness {peer.key.name}: {e}")
            else:
                if size is not None:
                    found.append((peer.key.name, size))
    return tuple(found)


async def _events(node: Node, silent: list[str]) -> tuple[AnchorEvent, ...] | None:
    """Return what the node's account has anchored since the newest block it knows."""
    if node.config.chain.is_dev:
        return None
    from anchoring.evm_event_reader import EventReader  # noqa: PLC0415 - web3 takes a second

    contract = anchor_contract(node.config)
    account = node.home.keystore().entry(EVM_KEY).public
    async with node.reading() as c:
        sent = await anchor_store.all_transactions(c)
    blocks = [t.block_number for t in sent if t.contract == contract and t.block_number]
    reader = EventReader(node.config.chain.url)
    try:
        events = await reader.read(contract, max(blocks, default=0), _tell_nobody)
    except PatunayError as e:
        silent.append(f"{node.config.chain.url}: {e}")
        return None
    finally:
        await reader.close()
    own = f"{contract.rpartition(':')[0]}:{account}".lower()
    return tuple(event for event in events if event.account.lower() == own)


def _tell_nobody(done: int, total: int) -> None:
    del done, total
