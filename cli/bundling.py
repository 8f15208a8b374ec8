"""`patunay bundle`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anchoring.entry import EntryKind, entry_of
from anchoring.receipt import Receipt
from anchoring.tlog_proof import TlogProof
from cli.anchor_evidence import NO_RECEIPT, fetch_receipt
from cli.credential_files import find_files, read_receipt
from cli.files import FolderIsFile, read_json, write_whole
from cli.network import Network, Surroundings
from cli.options import FILE, json_option, own_home_option
from cli.output import print_json, say
from credentials.bundle import MAX_HISTORY_PROOFS, encode_bundle, make_bundle
from credentials.evidence import OWN_NODE, Evidence, LogReading, Lookup, Missing, Obtained
from did.document import parse_did_document
from did.history import parse_history
from did.resolver import DidKeyResolver, MethodResolver
from node.gather import Gatherer
from node.home import Home
from node.own_node import OwnNode
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import PatunayError

if TYPE_CHECKING:
    from node.logged_documents import LogProver


@dataclass(frozen=True, slots=True)
class Bundled:
    """One bundle that was written."""

    file: Path
    """Of the bundle."""

    bytes: int
    lacks: tuple[str, ...]
    """What could not be had, one sentence each."""

    def to_json(self) -> JsonObject:
        """Return it as `--json` shows it."""
        return {"file": str(self.file), "bytes": self.bytes, "lacks": [*self.lacks]}


@click.command(
    epilog="Example: patunay bundle diploma.json -o diploma.bundle.json --data-dir node"
)
@click.argument("files", metavar="CREDENTIAL...", nargs=-1, required=True, type=FILE)
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    metavar="FILE|DIR",
    help="Write to FILE; of several credentials, into the folder DIR.",
)
@click.option("--receipt", type=FILE, metavar="FILE", help="The credential's receipt.")
@click.option("--offline", is_flag=True, help="Look nothing up over the network.")
@click.option(
    "--allow-loopback", is_flag=True, help="Also ask `localhost`, without TLS, for trials."
)
@own_home_option
@json_option
def bundle(  # noqa: PLR0913 - one parameter for each option
    *,
    files: tuple[Path, ...],
    output: Path,
    receipt: Path | None,
    offline: bool,
    allow_loopback: bool,
    home: Home | None,
    as_json: bool,
) -> None:
    """Write credentials with all their evidence, to be verified without a network.

    The evidence is the node's own, with `--data-dir`, or looked up as a stranger does. A
    bundle judges nothing, and is written with whatever could be had; it says what lacks.
    """
    found = list(find_files(files))
    several = len(found) > 1 or found != list(files)
    if receipt is not None and several:
        raise click.UsageError(f"--receipt is for one credential, found {len(found)}")
    around = Surroundings.of(click.get_current_context())
    given = read_receipt(receipt, around.clock)
    targets = _targets(found, output) if several else [output]
    written = asyncio.run(
        _bundle(
            list(zip(found, targets, strict=True)),
            around,
            home=home,
            given=given,
            offline=offline,
            local=allow_loopback,
        )
    )
    if as_json:
        print_json({"version": 1, "bundles": [one.to_json() for one in written]})
        return
    for one in written:
        say(f"wrote {one.file}, {one.bytes} bytes")
        for reason in one.lacks:
            say(f"  lacks {reason}")


def _targets(files: Sequence[Path], folder: Path) -> list[Path]:
    """Return a file in `folder` for each credential, none of them twice.

    Raises:
        FolderIsFile: A file stands where the folder should.
        UsageError: Two credentials have one name.
    """
    if folder.exists() and not folder.is_dir():
        raise FolderIsFile(f"found a file at {folder}, want a folder")
    targets = [folder / f"{file.stem}.bundle.json" for file in files]
    if len({*targets}) < len(targets):
        raise click.UsageError("two of the credentials have one file name")
    folder.mkdir(parents=True, exist_ok=True)
    return targets


async def _bundle(
    pairs: Sequence[tuple[Path, Path]],
    around: Surroundings,
    *,
    home: Home | None,
    given: Obtained[Receipt] | None,
    offline: bool,
    local: bool,
) -> list[Bundled]:
    clock = around.clock
    own = OwnNode.load(home, clock) if home is not None else None
    local = local or (own is not None and own.config.allow_loopback_http)
    async with Network(clock, allow_loopback=local, make_fetcher=around.fetcher) as network:
        resolver = MethodResolver({"key": DidKeyResolver(clock), "web": network})
        gatherer = Gatherer(
            clock=clock,
            own=own,
            resolver=None if offline else resolver,
            fetch=None if offline else network.fetch,
        )
        collector = _Collector(gatherer, clock, given)
        return [await _write(file, target, collector) for file, target in pairs]


async def _write(file: Path, target: Path, collector: "_Collector") -> Bundled:
    document = read_json(file)
    evidence, lacks = await collector.collect(document)
    raw = encode_bundle(make_bundle(document, evidence))
    write_whole(target, raw)
    return Bundled(target, len(raw), tuple(lacks))


class _Collector:
    """Looks evidence up; each log is read once."""

    def __init__(
        self, gatherer: Gatherer, clock: Clock, given: Obtained[Receipt] | None
    ) -> None:
        self._gatherer = gatherer
        self._clock = clock
        self._given = given
        self._logs: dict[str, LogProver | None] = {}

    async def collect(self, document: JsonObject) -> tuple[Evidence, list[str]]:
        """Return the evidence, and what it lacks in words."""
        found = await self._gatherer.gather(document)
        receipt = self._given or await self._receipt(document, found)
        found, problems = await self._prove(replace(found, receipt=receipt))
        lookups = {
            "the receipt": receipt,
            **found.did_documents,
            **found.status_lists,
        }
        lacks = [
            f"{name}: {one.detail} ({one.code})"
            for name, one in lookups.items()
            if isinstance(one, Missing)
        ]
        return found, lacks + problems

    async def _receipt(self, document: JsonObject, found: Evidence) -> Lookup[Receipt]:
        issuer = document.get("issuer")
        did = str(issuer.get("id") if isinstance(issuer, dict) else issuer)
        own = self._gatherer.own
        if own is not None and did in own.issuers:
            return await self._own_receipt(own, document)
        if self._gatherer.fetch is None:
            return NO_RECEIPT
        return await fetch_receipt(document, found, self._gatherer.fetch, self._clock)

    async def _own_receipt(self, own: OwnNode, document: JsonObject) -> Lookup[Receipt]:
        # Both import the database.
        from node.log_reading import own_receipt  # noqa: PLC0415
        from node.node import Node  # noqa: PLC0415

        try:
            async with Node.open(own.home, self._clock) as node:
                return await own_receipt(node, document) or NO_RECEIPT
        except PatunayError as e:
            return Missing.because(e)

    async def _prove(self, found: Evidence) -> tuple[Evidence, list[str]]:
        """Return `found` with proofs from the issuers' logs, and why one is missing."""
        proofs: dict[str, TlogProof] = {}
        histories: dict[str, tuple[TlogProof | None, ...]] = {}
        problems = []
        for did, document in found.did_documents.items():
            if isinstance(document, Missing):
                continue
            try:
                prover = await self._log(did, document)
            except PatunayError as e:
                problems.append(f"a proof from the log of {did}: {e} ({e.code})")
                continue
            entry = entry_of(EntryKind.DID_DOCUMENT, document.value)
            proof = prover.prove(entry) if prover is not None else None
            if proof is None or prover is None:
                problems.append(f"a proof from its log of the document of {did}")
                continue
            proofs[did] = proof
            history = found.histories.get(did)
            if isinstance(history, Obtained):
                histories[did] = _prove_history(prover, history.value, did)
                if None in histories[did] or not histories[did]:
                    problems.append(f"a proof from its log of the key history of {did}")
        return replace(found, did_proofs=proofs, history_proofs=histories), problems

    async def _log(self, did: str, document: Obtained[JsonObject]) -> "LogProver | None":
        """Return the log of a DID as far as it can be read, or None if it has none."""
        own = self._gatherer.own
        service = parse_did_document(document.value, did).log_service()
        if document.source != OWN_NODE and service is None:
            return None
        place = service.log if service is not None else OWN_NODE
        if place not in self._logs:
            reading: LogReading | None = None
            if own is not None and document.source == OWN_NODE:
                reading = await self._read_own(own)
            elif service is not None and self._gatherer.fetch is not None:
                from node.public_log import read_public_log  # noqa: PLC0415

                now = self._clock.now()
                reading = await read_public_log(service, self._gatherer.fetch, now)
            self._logs[place] = _prover(reading)
        return self._logs[place]

    async def _read_own(self, own: OwnNode) -> LogReading:
        from node.log_reading import read_log  # noqa: PLC0415 - imports the database
        from node.node import Node  # noqa: PLC0415

        async with Node.open(own.home, self._clock) as node:
            return await read_log(node)


def _prover(reading: LogReading | None) -> "LogProver | None":
    from node.logged_documents import LogProver  # noqa: PLC0415 - most commands need none

    return None if reading is None else LogProver(reading)


def _prove_history(
    prover: "LogProver", raw: JsonObject, did: str
) -> tuple[TlogProof | None, ...]:
    """Return a proof of each document and event; none of a history too long or broken."""
    try:
        history = parse_history(raw, did)
    except PatunayError:
        return ()  # whether it can be used, the judge says
    if len(history.versions) + len(history.events) > MAX_HISTORY_PROOFS:
        return ()
    documents = [(EntryKind.DID_DOCUMENT, one.document) for one in history.versions]
    events = [(EntryKind.KEY_EVENT, one.document) for one in history.events]
    return tuple(prover.prove(entry_of(*each)) for each in (*documents, *events))
