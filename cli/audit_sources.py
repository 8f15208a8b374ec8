"""Where `patunay audit` looks: folders, a node's database, the web, chains, CAR files."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anchoring.blocks import BlockSource, GatewayBlocks, HeldBlocks
from anchoring.car import MAX_CAR_BYTES, Car, parse_car
from anchoring.cosignature import WitnessQuorum
from anchoring.note import VerifierKey
from anchoring.record import cid_digest
from cli.files import read_file
from cli.network import Network, Surroundings
from credentials.audit.report import AuditState
from did.host import LOCALHOST
from did.web import parse_did_web
from node.auditing import (
    AuditSources,
    AuditTarget,
    AuditTargetUnknown,
    EventSource,
    find_target,
    folder_fetch,
)
from node.home import Home
from primitives.hashing import Digest

_HERE: Final = "https://folder.invalid"
"""Stands for a folder: only the path of a URL counts there."""


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """What the command line asks."""

    target: str
    vkey: VerifierKey | None
    chains: tuple[str, ...]
    ipfs: str | None
    cars: tuple[Path, ...]
    earlier: AuditState | None
    checkpoints: tuple[tuple[str, str], ...]
    witnesses: WitnessQuorum | None
    allow_loopback: bool
    around: Surroundings


@asynccontextmanager
async def open_sources(
    question: AuditQuestion,
) -> AsyncIterator[tuple[AuditTarget, AuditSources]]:
    """Open everything that was named, and find out which log is meant.

    Raises:
        AuditTargetUnknown: No log is.
        PatunayError: The provider's DID document could not be had.
    """
    async with AsyncExitStack() as opened:
        found = [_read_car(file) for file in question.cars]
        heads = [cid_digest(root) for car in found for root in car.roots]
        blocks: list[BlockSource] = [HeldBlocks(car.blocks) for car in found]
        if question.ipfs is not None:
            # Named by the auditor, so it may well be on this machine.
            gateway = Network(question.around.clock, allow_loopback=True)
            await opened.enter_async_context(gateway)
            blocks.append(GatewayBlocks(question.ipfs, gateway.fetch))
        folder, home = _find_folder(question.target)
        if home is not None:
            own, newest = await _own_blocks(home, question, opened)
            blocks.append(own)
            heads += newest
        if folder is not None:
            fetch, url = folder_fetch(folder), _HERE
        else:
            web = Network(
                question.around.clock,
                allow_loopback=question.allow_loopback,
                make_fetcher=question.around.fetcher,
            )
            await opened.enter_async_context(web)
            fetch, url = web.fetch, _url_of(question)
        site = url.partition("/.well-known/")[0].removesuffix("/").removesuffix("/log")
        target = await find_target(fetch, url, question.vkey)
        yield (
            target,
            AuditSources(
                fetch=fetch,
                blocks=(*blocks, GatewayBlocks(site, fetch)),
                chains=tuple([await _chain(url, opened) for url in question.chains]),
                checkpoints=question.checkpoints,
                heads=tuple(heads),
                witnesses=question.witnesses,
            ),
        )


def _find_folder(target: str) -> tuple[Path | None, Home | None]:
    """Return where a provider's files are on this machine, and its node if it is one."""
    folder = Path(target)
    if not folder.is_dir():
        return None, None
    if not (folder / "patunay.toml").is_file():
        return folder, None
    home = Home.open(folder)
    return home.public, home


def _url_of(question: AuditQuestion) -> str:
    if question.target.startswith("did:"):
        did = parse_did_web(question.target)
        local = question.allow_loopback and did.host == LOCALHOST
        return did.document_url("http" if local else "https")
    if question.target.startswith(("https://", "http://")):
        return question.target
    raise AuditTargetUnknown(
        f"found {question.target[:80]!r}, want a DID, a URL or a folder that is there"
    )


def _read_car(file: Path) -> Car:
    return parse_car(read_file(file, max_bytes=MAX_CAR_BYTES))


async def _own_blocks(
    home: Home, question: AuditQuestion, opened: AsyncExitStack
) -> tuple[BlockSource, list[Digest]]:
    """Return the records in a node's own database, and the newest of them."""
    from node.node import Node  # noqa: PLC0415 - imports the database
    from node.storage import anchor_store  # noqa: PLC0415 - as above
    from node.stored_blocks import StoredBlocks  # noqa: PLC0415 - as above

    node = await opened.enter_async_context(Node.open(home, question.around.clock))
    async with node.reading() as c:
        latest = await anchor_store.latest_checkpoint(c)
    return StoredBlocks(node), [] if latest is None else [latest.record_digest]


async def _chain(url: str, opened: AsyncExitStack) -> EventSource:
    from anchoring.evm_event_reader import EventReader  # noqa: PLC0415 - web3 takes a second

    reader = EventReader(url)
    opened.push_async_callback(reader.close)
    return reader
