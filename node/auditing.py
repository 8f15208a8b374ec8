"""Looking at a provider as an auditor does: reads what it publishes, and asks the chain.

Everything is read as a stranger would: from the log's own files, from chain endpoints that
the auditor names, and from wherever the blocks of anchor records can be had.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol, TypeAlias
from urllib.parse import urljoin, urlsplit

from anchoring.backend import AnchorEvent
from anchoring.blocks import BlockSource
from anchoring.checkpoint import parse_checkpoint_text
from anchoring.cosignature import WitnessQuorum
from anchoring.note import MAX_NOTE_BYTES, SignedNote, VerifierKey
from anchoring.record import AnchorRecord, cid_digest, digest_cid, parse_record
from anchoring.tiles import TILE_LEVELS, TILE_WIDTH, entry_bundle_path, tile_path
from credentials.audit.evidence import AuditEvidence, IssuerSeen, LogSeen
from credentials.audit.judge import judge_audit
from credentials.audit.log import MAX_AUDIT_LEAVES
from credentials.audit.report import AuditReport, AuditState
from credentials.evidence import Lookup, Missing, Obtained
from did.document import parse_did_document
from did.service import PatunayLogService
from did.web import parse_did_web
from primitives.clock import Clock
from primitives.errors import Malformed, PatunayError, Undetermined
from primitives.hashing import Digest
from primitives.strict_json import parse_json_object

Fetch: TypeAlias = Callable[[str, int], Awaitable[bytes]]
"""Gives the bytes at a URL, at most so many, or raises."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Gets the step, how many are done, and of how many."""

_DOCUMENT_BYTES: Final = 64 * 1024
_HISTORY_BYTES: Final = 4 * 1024 * 1024
_LIST_BYTES: Final = 1024 * 1024
_TILE_BYTES: Final = TILE_WIDTH * 64
_AT_ONCE: Final = 16
"""Requests that are under way at one time."""

_UNASKED: Final = Missing(
    "anchor-not-looked-up", "nobody looked: name an endpoint of its chain with --chain"
)

_MAX_STRANGERS: Final = 1_000
"""Events of unlisted accounts whose records are looked for: anyone may write there."""

_PLAIN_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")


class AuditTargetUnknown(Malformed):
    """The target names no log that could be audited."""

    code = "audit-target-unknown"
    hint = "name a DID with a PatunayLog service, the URL of a log, or a folder"


class AuditFileMissing(Undetermined):
    """A folder does not hold the file that a URL stands for."""

    code = "audit-file-missing"


class EventSource(Protocol):
    """One chain endpoint, such as `anchoring.evm_event_reader.EventReader`."""

    async def chain(self) -> str:
        """Return the CAIP-2 id of its chain."""
        ...

    async def read(
        self, contract: str, first_block: int, progress: Callable[[int, int], None]
    ) -> tuple[AnchorEvent, ...]:
        """Return all events of a contract from a block on."""
        ...


@dataclass(frozen=True, slots=True)
class AuditTarget:
    """The log to be audited, as the provider or the auditor names it."""

    log: str
    """URL of the log; ends in a slash."""

    vkey: VerifierKey

    contracts: tuple[str, ...] = ()
    """CAIP-10 contracts in which it says that it anchors."""

    accounts: frozenset[str] = frozenset()
    """CAIP-10 accounts with which it says that it anchors."""

    @classmethod
    def of(cls, service: PatunayLogService, vkey: VerifierKey | None) -> "AuditTarget":
        """Return what a DID document says; a `vkey` of the auditor's own comes first."""
        return cls(
            service.log,
            vkey or VerifierKey.parse(service.vkey),
            tuple(anchor.contract for anchor in service.anchors),
            frozenset(account for anchor in service.anchors for account in anchor.accounts),
        )


@dataclass(frozen=True, slots=True)
class AuditSources:
    """Where an auditor looks."""

    fetch: Fetch
    """Reads what the provider publishes."""

    blocks: tuple[BlockSource, ...] = ()
    """Asked in this order for records and documents, by CID."""

    chains: tuple[EventSource, ...] = ()
    checkpoints: tuple[tuple[str, str], ...] = ()
    """Source and note of checkpoints that others have of this log."""

    heads: tuple[Digest, ...] = ()
    """Records that may be the newest."""

    witnesses: WitnessQuorum | None = None
    """Whose cosignatures the auditor believes."""


def folder_fetch(folder: Path) -> Fetch:
    """Return what reads from `folder` the file that a URL's path names, whatever its host.

    The folder is the `public/` of a node, or a copy of it; blocks are in `ipfs/CID`.
    """

    async def fetch(url: str, max_bytes: int) -> bytes:
        path = urlsplit(url).path
        plain = _PLAIN_PATH.fullmatch(path) and "/.." not in path and "/./" not in path
        file = folder / path[1:] if plain else None
        if file is None or not file.is_file():
            raise AuditFileMissing(f"found no file for {url[:200]} in {folder}")
        raw = file.read_bytes()
        if len(raw) > max_bytes:
            raise AuditFileMissing(f"{file}: found {len(raw)} bytes, want {max_bytes}")
        return raw

    return fetch


async def find_target(
    fetch: Fetch, url: str, vkey: VerifierKey | None = None
) -> AuditTarget:
    """Return the log that the provider at `url` names in its DID document.

    Args:
        fetch: Reads what the provider publishes.
        url: Of the site, of its `did.json`, or of the log itself.
        vkey: Believed instead of what the document says.

    Raises:
        AuditTargetUnknown: The document names no log.
        PatunayError: It could not be had or is none.
    """
    if not url.endswith("/did.json"):
        site = url.rstrip("/").removesuffix("/log") + "/"
        url = urljoin(site, ".well-known/did.json")
    document = parse_json_object(await fetch(url, _DOCUMENT_BYTES), _DOCUMENT_BYTES)
    service = parse_did_document(document, str(document.get("id"))).log_service()
    if service is None:
        raise AuditTargetUnknown(f"the document at {url[:200]} names no log")
    return AuditTarget.of(service, vkey)


async def audit_log(
    target: AuditTarget,
    sources: AuditSources,
    clock: Clock,
    *,
    earlier: AuditState | None,
    progress: Progress,
) -> AuditReport:
    """Return the report about a log; what cannot be had is said in it.

    Nothing is raised for what a provider, a chain or a server does: it is a finding.
    """
    look = _Look(target, sources, clock, earlier, progress)
    evidence = await look.gather()
    report = judge_audit(evidence, clock.now())
    rewritten = {f.size for f in report.findings if f.code == "leaves-changed"}
    if rewritten:
        # Only now: the tiles of old are needed to name a leaf, and for nothing else.
        await look.old_tiles(rewritten)
        evidence = replace(evidence, blocks=dict(look.blocks))
        report = judge_audit(evidence, clock.now())
    return report


@dataclass(slots=True)
class _Look:
    target: AuditTarget
    sources: AuditSources
    clock: Clock
    earlier: AuditState | None
    progress: Progress
    blocks: dict[Digest, bytes] = field(default_factory=dict)
    records: list[AnchorRecord] = field(default_factory=list)

    async def gather(self) -> AuditEvidence:
        log = await self._log()
        events, missing = await self._events()
        await self._records(events)
        dids = {link.name for record in self.records for link in record.did_documents}
        lists = {link.name for record in self.records for link in record.status_lists}
        return AuditEvidence(
            vkey=self.target.vkey,
            accounts=self.target.accounts,
            anchors=tuple(events),
            log=log,
            unasked=missing,
            heads=self.sources.heads,
            blocks=dict(self.blocks),
            issuers={did: await self._issuer(did) for did in sorted(dids)},
            status_lists={url: await self._get(url, _LIST_BYTES) for url in sorted(lists)},
            checkpoints=self.sources.checkpoints,
            witnesses=self.sources.witnesses,
            earlier=self.earlier,
        )

    async def old_tiles(self, sizes: Iterable[int | None]) -> None:
        for record in self.records:
            note = SignedNote.parse(record.checkpoint)
            if parse_checkpoint_text(note.text).tree_size in sizes:
                await self._blocks(link.cid for link in record.tiles)

    async def _log(self) -> Lookup[LogSeen]:
        url = urljoin(self.target.log, "checkpoint")
        try:
            note = (await self.sources.fetch(url, MAX_NOTE_BYTES)).decode()
            size = parse_checkpoint_text(SignedNote.parse(note).text).tree_size
        except (PatunayError, UnicodeDecodeError) as e:
            return _missing(e)
        paths = list(_tile_paths(min(size, MAX_AUDIT_LEAVES)))
        tiles: dict[str, bytes] = {}

        async def one(path: str) -> None:
            found = await self._get(urljoin(self.target.log, path), _TILE_BYTES)
            if isinstance(found, Obtained):
                tiles[path] = found.value

        await self._all("tiles", paths, one)
        return Obtained(LogSeen(note, tiles), self.target.log, self.clock.now())

    async def _events(self) -> tuple[list[AnchorEvent], dict[str, Missing]]:
        """Return the events of every contract, and why some contracts show none."""
        ways: dict[str, EventSource] = {}
        missing: dict[str, Missing] = {}
        events: list[AnchorEvent] = []
        heights = dict(self.earlier.blocks) if self.earlier is not None else {}
        problem = _UNASKED
        for source in self.sources.chains:
            try:
                ways.setdefault(await source.chain(), source)
            except PatunayError as e:
                problem = Missing.because(e)
        for contract in self.target.contracts:
            chain = contract.rpartition(":")[0]
            if chain not in ways:
                missing[contract] = problem
                continue
            first = heights[chain] + 1 if chain in heights else 0
            try:
                events += await ways[chain].read(contract, first, self._blocks_read)
            except PatunayError as e:
                missing[contract] = Missing.because(e)
        return events, missing

    def _blocks_read(self, done: int, total: int) -> None:
        self.progress("blocks", done, total)

    async def _records(self, events: Sequence[AnchorEvent]) -> None:
        """Follow every record back to the first, and fetch what it commits to."""
        ours = [e.digest for e in events if e.account in self.target.accounts]
        strangers = [e.digest for e in events if e.account not in self.target.accounts]
        known: set[str] = set()
        until = self.earlier.record if self.earlier is not None else ""
        for digest in (*ours, *self.sources.heads, *strangers[:_MAX_STRANGERS], None):
            cid: str | None = until if digest is None else digest_cid(digest)
            while cid and cid not in known:
                known.add(cid)
                record = await self._record(cid)
                # The earlier audit has followed what lies before its own last record.
                cid = record.previous if record is not None and cid != until else None
                self.progress("records", len(known), len(known))
        wanted = {link.cid for record in self.records for link in record.status_lists}
        await self._blocks(sorted(wanted))

    async def _record(self, cid: str) -> AnchorRecord | None:
        await self._block(cid)
        try:
            record = parse_record(self.blocks.get(cid_digest(cid), b""))
        except PatunayError:
            # The judge says what is wrong with it.
            return None
        self.records.append(record)
        return record

    async def _blocks(self, cids: Iterable[str]) -> None:
        await self._all("documents", list(cids), self._block)

    async def _block(self, cid: str) -> None:
        """Take what the first source delivers; whether it is the block, the judge says."""
        for source in self.sources.blocks:
            try:
                self.blocks[cid_digest(cid)] = await source.get(cid)
            except PatunayError:
                continue
            return

    async def _issuer(self, did: str) -> IssuerSeen:
        try:
            web = parse_did_web(did)
        except PatunayError as e:
            return IssuerSeen(_missing(e), _missing(e))
        here = urlsplit(self.target.log)
        url = web.document_url()
        if urlsplit(url).netloc == here.netloc and here.scheme == "http":
            # A node on this machine, for trials; `fetch` decides whether to ask it.
            url = web.document_url("http")
        document = await self._get(url, _DOCUMENT_BYTES)
        beside = url.removesuffix("did.json") + "did-history.json"
        history = await self._get(beside, _HISTORY_BYTES)
        if isinstance(history, Missing):
            return IssuerSeen(document, history)
        try:
            raw = parse_json_object(history.value, _HISTORY_BYTES)
        except PatunayError as e:
            return IssuerSeen(document, _missing(e))
        return IssuerSeen(document, Obtained(raw, beside, history.obtained_at))

    async def _get(self, url: str, max_bytes: int) -> Lookup[bytes]:
        try:
            body = await self.sources.fetch(url, max_bytes)
        except PatunayError as e:
            return _missing(e)
        return Obtained(body, url, self.clock.now())

    async def _all(
        self, step: str, names: Sequence[str], one: Callable[[str], Awaitable[None]]
    ) -> None:
        """Do `one` for all names, several at a time, telling how far it is."""
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            await asyncio.gather(*map(one, some))
            self.progress(step, start + len(some), len(names))


def _missing(error: Exception) -> Missing:
    if isinstance(error, PatunayError):
        return Missing.because(error)
    return Missing("checkpoint-malformed", str(error))


def _tile_paths(size: int) -> Iterable[str]:
    """Yield every tile and bundle of a log of that size."""
    level = 0
    while (width := size >> TILE_LEVELS * level) > 0:
        for start in range(0, width, TILE_WIDTH):
            yield tile_path(level, start // TILE_WIDTH, min(TILE_WIDTH, width - start))
        level += 1
    for start in range(0, size, TILE_WIDTH):
        yield entry_bundle_path(start // TILE_WIDTH, min(TILE_WIDTH, size - start))
