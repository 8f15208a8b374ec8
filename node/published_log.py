"""What a node's own log looks like from outside, where a restored copy has to find out.

Nothing is believed but what the log's own key has signed: the entries have to give the root
of a checkpoint, and each record and document is held to its digest.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from anchoring.anchored_record import MAX_ANCHORED_RECORD_BYTES, AnchoredRecord
from anchoring.checkpoint import Checkpoint, open_checkpoint
from anchoring.entry import EntryKind, decode_entry, entry_of
from anchoring.merkle import hash_leaf
from anchoring.note import MAX_NOTE_BYTES, VerifierKey
from anchoring.record import RecordLink, parse_record, record_cid
from anchoring.tiles import BUNDLE_BYTES, bundle_paths, parse_bundle
from anchoring.tree import Tree
from primitives.errors import PatunayError, Undetermined
from primitives.hashing import Digest
from primitives.strict_json import parse_json_object

Fetch = Callable[[str, int], Awaitable[bytes]]
"""Gives the bytes at a URL, at most so many, or raises."""

MAX_RECORDS: Final = 10_000
"""Records walked back over: a year of one an hour."""

_DOCUMENT_BYTES: Final = 4 << 20


class PublishedLogIncomplete(Undetermined):
    """What was published could not be read in full."""

    code = "published-log-incomplete"
    hint = "name a copy of the log with --log or --folder, such as a mirror that has it"


@dataclass(frozen=True, slots=True)
class SeenCheckpoint:
    """A checkpoint of this node's own log, signed by its key."""

    checkpoint: Checkpoint
    note: str
    source: str


@dataclass(slots=True)
class PublishedLog:
    """The part of the log that is new to a restored copy."""

    entries: tuple[bytes, ...]
    """All, from the first on."""

    records: tuple[bytes, ...]
    """Anchor records that are new, oldest first; the last one has the newest checkpoint."""

    documents: Mapping[Digest, bytes] = field(default_factory=dict)
    """DID documents, status lists and key events among the entries, by digest."""


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where the node's files are, or a copy of them."""

    fetch: Fetch
    site: str
    """URL without final slash; `/log/checkpoint` is below it."""

    async def head(self, vkey: VerifierKey) -> SeenCheckpoint:
        """Return the latest checkpoint there.

        Raises:
            PatunayError: There is none of this log, or it cannot be had.
        """
        raw = await self.fetch(f"{self.site}/log/checkpoint", MAX_NOTE_BYTES)
        return seen(raw.decode(errors="replace"), vkey, self.site)

    async def read(
        self, vkey: VerifierKey, known: int, known_record: str | None
    ) -> PublishedLog:
        """Return the log up to its newest record.

        Args:
            vkey: The log's own.
            known: Entries of which the documents are at hand.
            known_record: CID of the newest record at hand, where the walk back ends.

        Raises:
            PublishedLogIncomplete: Something of it is missing, and the message says what.
        """
        records = await self._records(known_record)
        newest = open_checkpoint(parse_record(records[-1]).checkpoint, vkey)
        entries = await self._entries(newest)
        documents: dict[Digest, bytes] = {}
        for entry in entries[known:]:
            kind, digest = decode_entry(entry)
            if kind is not EntryKind.CREDENTIAL and digest not in documents:
                body = await self._document(kind, digest)
                if body is not None:
                    documents[digest] = body
        return PublishedLog(entries, records, documents)

    async def _records(self, known: str | None) -> tuple[bytes, ...]:
        found: list[bytes] = []
        wanted: str | None = "latest"
        while wanted is not None and wanted != known:
            raw = await self._required(f"log/records/{wanted}", MAX_ANCHORED_RECORD_BYTES)
            one = AnchoredRecord.parse(parse_json_object(raw, MAX_ANCHORED_RECORD_BYTES))
            if wanted not in ("latest", record_cid(one.record)):
                raise PublishedLogIncomplete(f"found another record in place of {wanted}")
            if record_cid(one.record) == known:
                break
            found.insert(0, one.record)
            wanted = parse_record(one.record).previous
            if len(found) > MAX_RECORDS:
                raise PublishedLogIncomplete(f"found over {MAX_RECORDS} records")
        if wanted != known and known is not None and wanted is None:
            raise PublishedLogIncomplete("the records do not lead back to the newest known")
        if not found:
            raise PublishedLogIncomplete("found no record that is new")
        return tuple(found)

    async def _entries(self, newest: Checkpoint) -> tuple[bytes, ...]:
        entries: list[bytes] = []
        for path, width in bundle_paths(newest.tree_size):
            raw = await self._required(f"log/{path}", BUNDLE_BYTES)
            entries += parse_bundle(raw, width)
        tree = Tree(hash_leaf(entry) for entry in entries)
        if tree.root(newest.tree_size) != newest.root:
            raise PublishedLogIncomplete("the entries do not give the checkpoint's root")
        return tuple(entries)

    async def _required(self, path: str, most: int) -> bytes:
        try:
            return await self.fetch(f"{self.site}/{path}", most)
        except PatunayError as e:
            raise PublishedLogIncomplete(f"found no {path}: {e}") from e

    async def _document(self, kind: EntryKind, digest: Digest) -> bytes | None:
        """Return a document by its digest; None where it is kept by nobody."""
        name = RecordLink("", digest, pinned=True).cid
        try:
            body = await self.fetch(f"{self.site}/ipfs/{name}", _DOCUMENT_BYTES)
            document = parse_json_object(body, _DOCUMENT_BYTES)
        except PatunayError:
            return None
        return body if decode_entry(entry_of(kind, document))[1] == digest else None


def seen(note: str, vkey: VerifierKey, source: str) -> SeenCheckpoint:
    """Return a checkpoint of the log, verified.

    Raises:
        PatunayError: It is none, or of another log or key.
    """
    return SeenCheckpoint(open_checkpoint(note, vkey), note, source)
