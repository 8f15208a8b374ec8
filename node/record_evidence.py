"""What an anchor record says of an issuer, for whoever can ask the issuer no more.

A record links the DID documents and status lists of its day, and the tiles of the log. It
is not signed: anyone can put a genuine checkpoint beside a DID document of his own, and
anchor that. So a document counts only as an entry of the log whose key the verifier itself
binds to the issuer, by policy or trust list: the entries are read from the tiles, and have
to give the root that this key has signed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from anchoring.blocks import BlockSource, fetch_block
from anchoring.checkpoint import open_checkpoint
from anchoring.entry import EntryKind, entry_of
from anchoring.merkle import hash_leaves
from anchoring.note import VerifierKey
from anchoring.record import AnchorRecord, RecordLink, parse_record, record_cid
from anchoring.tiles import TILE_WIDTH, entry_bundle_path
from anchoring.tree import Tree
from credentials.anchor_times import sight_anchor
from credentials.audit.log import MAX_AUDIT_LEAVES, parse_bundle
from credentials.audit.records import MAX_RECORDS
from credentials.case import LogNotBound
from credentials.evidence import Evidence, Lookup, Missing, Obtained
from credentials.policy import Policy
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import PatunayError, Undetermined
from primitives.strict_json import parse_json_object

MAX_LINKED_BYTES = 1024 * 1024
"""A DID document or status list in one block."""

_UNDATED = Missing(
    "record-undated",
    "no chain has shown when the record was anchored, so the list in it is of no known day",
    "give the receipt with --receipt, and an endpoint of its chain with --rpc",
)


class RecordNotNamed(Undetermined):
    """A place for blocks was named, and no record to look for."""

    code = "record-not-named"
    hint = "give the receipt with --receipt, or an address that ends in /ipfs/CID"


class RecordEntriesMissing(Undetermined):
    """The entries of the log could not be read in full from where the record was had."""

    code = "record-entries-missing"
    hint = "name a source with all records, such as `patunay anchor export --all` writes"


class RecordDocumentUnlogged(Undetermined):
    """The record links a document that is no entry of the log: anyone can write that."""

    code = "record-document-unlogged"
    hint = "do not use this source; it offers what the issuer's log never had"


@dataclass(frozen=True, slots=True)
class RecordSource:
    """Where blocks come from, and which record is the newest there."""

    blocks: BlockSource

    head: str | None
    """CID of the newest record that the place names, or None if it names none."""

    name: str
    """File or address."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A record of the issuer's own log, and where what it links is had."""

    record: AnchorRecord
    source: RecordSource

    name: str
    """For the report."""

    entries: frozenset[bytes] | PatunayError
    """Of the log, up to the record's checkpoint, whose root they give; or why not."""

    async def linked(
        self, kind: EntryKind, name: str, links: Iterable[RecordLink], when: datetime
    ) -> Lookup[JsonObject]:
        """Return the document that the record links under `name`, an entry of the log."""
        link = next((link for link in links if link.name == name), None)
        if link is None:
            return Missing("record-lacks-document", f"{self.name} does not link {name}")
        try:
            if isinstance(self.entries, PatunayError):
                raise self.entries
            block = await fetch_block(self.source.blocks, link.cid)
            document = parse_json_object(block, MAX_LINKED_BYTES)
            if entry_of(kind, document) not in self.entries:
                raise RecordDocumentUnlogged(f"{name[:200]} is no entry of the log")
        except PatunayError as e:
            return Missing.because(e)
        return Obtained(document, self.name, when)


async def add_record(
    document: JsonObject,
    evidence: Evidence,
    policy: Policy,
    source: RecordSource,
    clock: Clock,
) -> Evidence:
    """Return `evidence` with what a record has of that which is missing in it.

    Of the records that the receipt and the source name, the newest is read. A status list
    counts as had when the receipt's record was anchored: that is the last moment of which
    it is certain that the list held.

    Args:
        document: Read, and not trusted.
        evidence: With the receipt, and what the chain says to it.
        policy: Binds the issuer to its log.
        source: Not trusted; every block is compared with its CID.
        clock: For when a DID document was had.
    """
    issuer = document.get("issuer")
    did = str(issuer.get("id") if isinstance(issuer, dict) else issuer)
    try:
        key = policy.logs.get(did)
        if key is None:
            raise LogNotBound(f"no log is known to be {did[:200]}'s")
        reading = await _newest(source, evidence, key)
    except PatunayError as e:
        return _with_missing(evidence, Missing.because(e))
    own = {name for name, other in policy.logs.items() if other == key}
    dids, lists = dict(evidence.did_documents), dict(evidence.status_lists)
    for name, found in dids.items():
        if isinstance(found, Missing) and name in own:
            links = reading.record.did_documents
            dids[name] = await reading.linked(
                EntryKind.DID_DOCUMENT, name, links, clock.now()
            )
    since = _anchored_at(evidence, policy, key)
    for url, found in lists.items():
        if isinstance(found, Missing):
            links = (*reading.record.status_lists, *reading.record.suspension_lists)
            lists[url] = (
                await reading.linked(EntryKind.STATUS_LIST, url, links, since)
                if since is not None
                else _UNDATED
            )
    return replace(evidence, did_documents=dids, status_lists=lists)


def _with_missing(evidence: Evidence, reason: Missing) -> Evidence:
    """Say of everything that could not be had why the record does not help either."""
    return replace(
        evidence,
        did_documents={
            did: reason if isinstance(found, Missing) else found
            for did, found in evidence.did_documents.items()
        },
        status_lists={
            url: reason if isinstance(found, Missing) else found
            for url, found in evidence.status_lists.items()
        },
    )


async def _newest(source: RecordSource, evidence: Evidence, key: VerifierKey) -> _Reading:
    """Return the record of the largest tree among those that are named.

    Raises:
        RecordNotNamed: None is.
        PatunayError: None of them can be had, or is of the log of `key`.
    """
    named: list[bytes] = []
    if isinstance(evidence.receipt, Obtained):
        named.append(evidence.receipt.value.record)
    if source.head is not None:
        named.append(await fetch_block(source.blocks, source.head))
    problem: PatunayError = RecordNotNamed(f"{source.name} names no record")
    found: list[tuple[int, bytes]] = []
    for raw in named:
        try:
            checkpoint = open_checkpoint(parse_record(raw).checkpoint, key)
        except PatunayError as e:
            problem = e
        else:
            found.append((checkpoint.tree_size, raw))
    if not found:
        raise problem
    _, newest = max(found, key=lambda item: item[0])
    name = f"record {record_cid(newest)} from {source.name}"
    record = parse_record(newest)
    try:
        entries: frozenset[bytes] | PatunayError = await _entries(record, source, key)
    except PatunayError as e:
        entries = e
    return _Reading(record, source, name, entries)


async def _entries(
    record: AnchorRecord, source: RecordSource, key: VerifierKey
) -> frozenset[bytes]:
    """Return all entries of the log up to the checkpoint of `record`.

    Raises:
        RecordEntriesMissing: A bundle is not linked, is none, or they give another root.
        PatunayError: A block could not be had.
    """
    checkpoint = open_checkpoint(record.checkpoint, key)
    if checkpoint.tree_size > MAX_AUDIT_LEAVES:
        raise RecordEntriesMissing(f"found a log of {checkpoint.tree_size} entries")
    wanted = {
        entry_bundle_path(start // TILE_WIDTH, min(TILE_WIDTH, rest)): b""
        for start in range(0, checkpoint.tree_size, TILE_WIDTH)
        if (rest := checkpoint.tree_size - start)
    }
    for path, cid in (await _bundle_cids(record, source, set(wanted))).items():
        wanted[path] = await fetch_block(source.blocks, cid)
    entries = [entry for raw in wanted.values() for entry in parse_bundle(raw) or ()]
    # Wherever the tiles came from: only the entries that were signed give this root.
    if (
        len(entries) != checkpoint.tree_size
        or Tree(hash_leaves(entries)).root() != checkpoint.root
    ):
        raise RecordEntriesMissing(
            f"the tiles in {source.name} do not give the {checkpoint.tree_size} entries of"
            " the checkpoint"
        )
    return frozenset(entries)


async def _bundle_cids(
    record: AnchorRecord, source: RecordSource, wanted: set[str]
) -> dict[str, str]:
    """Return where the entry bundles are, going back from record to record."""
    found: dict[str, str] = {}
    for _ in range(MAX_RECORDS):
        for link in record.tiles:
            if link.name in wanted:
                found.setdefault(link.name, link.cid)
        if len(found) == len(wanted):
            return found
        if record.previous is None:
            break
        record = parse_record(await fetch_block(source.blocks, record.previous))
    raise RecordEntriesMissing(
        f"found {len(found)} of {len(wanted)} entry bundles in {source.name}"
    )


def _anchored_at(evidence: Evidence, policy: Policy, key: VerifierKey) -> datetime | None:
    """Return when the receipt's record was anchored at the latest, if a chain shows it."""
    receipt = evidence.receipt
    if isinstance(receipt, Missing):
        return None
    try:
        open_checkpoint(parse_record(receipt.value.record).checkpoint, key)
    except PatunayError:
        return None
    times: list[datetime] = []
    for anchor in receipt.value.anchors:
        try:
            seen = sight_anchor(anchor, receipt.value.digest, evidence, policy)
        except Undetermined:
            continue
        times.append(seen.timestamp)
    return min(times, default=None)
