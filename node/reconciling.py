"""After a restoration: what this node has published since its backup, and going on.

A restored copy knows nothing of what came after the backup. If it signed again, a second
credential would have an index that a first one has, a second checkpoint the size of
another, and a revocation would be undone. So it asks whoever may have seen more: the chain,
witnesses, the public log or a copy of it. It takes back what can be had, says what cannot,
gives out places in new status lists alone, and then signs again. Nonces need nothing: they
are the chain's to say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.backend import AnchorEvent
from anchoring.checkpoint import open_checkpoint
from anchoring.entry import EntryKind, decode_entry, encode_entry
from anchoring.record import parse_record, record_cid, record_digest
from node.audit_log import record
from node.logbook import LogCorrupt, load_tree
from node.node import Node, RestoreBehindPublished
from node.permissions import Action
from node.published_log import LogPlace, PublishedLog, SeenCheckpoint
from node.republished import adopt_documents, adopt_lists, list_urls
from node.republished_histories import Histories, read_histories
from node.setup import publish_all
from node.storage import anchor_store, ledger
from node.storage.adopting import adopt_checkpoint, adopt_leaves
from node.storage.anchor_store import StoredCheckpoint
from node.storage.restorations import last_sequence, settle
from primitives.canonical_json import JsonObject
from primitives.errors import Misconfigured, Undetermined
from primitives.hashing import sha256
from primitives.strict_json import parse_json_object

SEQUENCES_SKIPPED: Final = 100
"""Status lists of each name that may have been begun after the backup: room for millions
of credentials that this copy has never heard of."""

_BODY_BYTES: Final = 4 << 20


class NothingAsked(Undetermined):
    """Nobody who may have seen more has answered."""

    code = "restore-nothing-asked"
    hint = (
        "name --log, --folder or --checkpoint; or say --nothing-published-since if you"
        " know that nothing was issued, revoked or anchored after the backup"
    )


class NotRestored(Misconfigured):
    """There is no restoration that waits."""

    code = "not-restored"
    hint = "nothing to do: this node signs"


@dataclass(frozen=True, slots=True)
class Answers:
    """What those who were asked have said."""

    place: LogPlace | None = None
    """Where the log can be read."""

    checkpoints: tuple[SeenCheckpoint, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    """Witness, and the size that it has cosigned."""

    events: tuple[AnchorEvent, ...] | None = None
    """What the node's account has anchored since the newest block known; None if no chain
    was asked."""

    silent: tuple[str, ...] = ()
    """Who was asked and has not answered, and why."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody has said anything."""
        return not self.checkpoints and not self.sizes and self.events is None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What came out."""

    before: int
    """Size of the latest checkpoint of the backup."""

    published: int
    """Size of the newest one that anybody has shown."""

    lost: int
    """Credentials that were issued after the backup and are in the log alone. Their
    holders have them; this node cannot show or revoke them."""

    lists: int
    """Status lists that were taken over in a newer version."""

    first_sequence: int
    silent: tuple[str, ...]

    def to_json(self) -> JsonObject:
        """Return it as `--json` prints it."""
        return {
            "version": 1,
            "before": self.before,
            "published": self.published,
            "lost": self.lost,
            "lists": self.lists,
            "firstSequence": self.first_sequence,
            "silent": list(self.silent),
        }


async def reconcile(
    node: Node,
    said: Answers,
    progress: Callable[[str, int, int], None],
    *,
    nothing_since: bool = False,
) -> Reconciliation:
    """Go on from what was published, and let the node sign again.

    Args:
        node: Open, and led by nobody else; need not be unlocked.
        said: From whoever could be asked.
        progress: Told after each part.
        nothing_since: The operator's word, where nobody has answered.

    Raises:
        NotRestored: Nothing waits to be reconciled.
        NothingAsked: Nobody has answered, and the operator has not given that word.
        RestoreBehindPublished: More was published than can be had back; the message says
            what. Nothing has changed.
        LogCorrupt: What was published contradicts the backup.
        PublishedLogIncomplete: The log could not be read in full.
    """
    if not node.is_restored:
        raise NotRestored("found no restoration that waits")
    if said.is_empty and not nothing_since:
        raise NothingAsked("; ".join(said.silent) or "found nobody to ask")
    await load_tree(node)
    async with node.reading() as c:
        latest = await anchor_store.latest_checkpoint(c)
    before = latest.tree_size if latest is not None else 0
    for shown in said.checkpoints:
        _require_same_log(node, latest, shown)
    published = max(
        (before, *(s.checkpoint.tree_size for s in said.checkpoints)), default=0
    )
    progress("comparing", 1, 3)
    log = await _read_more(node, said, latest, published)
    progress("reading the log", 2, 3)
    known = await _known_digests(node, log)
    newest = _newest(node, log, before)
    _require_all(said, known, newest)
    site = said.place
    lists = await list_urls(node, log, site) if site is not None else {}
    histories = Histories()
    if log is not None and site is not None:
        histories = await read_histories(node, log, site, node.tree.size)
    async with node.writing() as c:
        lost = (
            await _adopt(node, c, log, newest, lists, histories) if log is not None else 0
        )
        adopted = await adopt_lists(node, c, lists)
        first = await last_sequence(c) + SEQUENCES_SKIPPED
        await settle(c, node.now(), first)
        facts: dict[str, str | int] = {
            "change": "reconcile",
            "before": before,
            "published": newest,
            "lost": lost,
        }
        await record(c, node, Action.SETTINGS, facts=facts)
    node.is_restored = False
    await publish_all(node)
    progress("going on", 3, 3)
    return Reconciliation(before, newest, lost, adopted, first, said.silent)


def _require_same_log(
    node: Node, latest: StoredCheckpoint | None, shown: SeenCheckpoint
) -> None:
    """Return if a checkpoint is not of another history than the backup's."""
    found = shown.checkpoint
    if latest is None or found.tree_size > latest.tree_size:
        return
    if node.tree.root(found.tree_size) != found.root:
        raise LogCorrupt(
            f"{shown.source} shows another log of {found.tree_size} leaves than the backup"
        )


async def _read_more(
    node: Node, said: Answers, latest: StoredCheckpoint | None, published: int
) -> PublishedLog | None:
    """Return the published log where it is longer than the backup's."""
    before = latest.tree_size if latest is not None else 0
    anchored = {event.digest for event in said.events or ()}
    async with node.reading() as c:
        known = {stored.record_digest for stored in await anchor_store.all_checkpoints(c)}
    witnessed = max((size for _, size in said.sizes), default=0)
    if max(published, witnessed) <= before and anchored <= known:
        return None
    if said.place is None:
        return None
    cid = record_cid(latest.record) if latest is not None else None
    return await said.place.read(node.vkey, node.tree.size, cid)


async def _known_digests(node: Node, log: PublishedLog | None) -> set[bytes]:
    async with node.reading() as c:
        known = {bytes(s.record_digest) for s in await anchor_store.all_checkpoints(c)}
    return known | {bytes(record_digest(raw)) for raw in (log.records if log else ())}


def _newest(node: Node, log: PublishedLog | None, before: int) -> int:
    if log is None:
        return before
    newest = open_checkpoint(parse_record(log.records[-1]).checkpoint, node.vkey)
    return newest.tree_size


def _require_all(said: Answers, known: set[bytes], newest: int) -> None:
    """Return if nothing was shown that is not at hand now.

    Raises:
        RestoreBehindPublished: Something was.
    """
    missing = [
        f"{shown.source} shows a checkpoint of {shown.checkpoint.tree_size} leaves"
        for shown in said.checkpoints
        if shown.checkpoint.tree_size > newest
    ]
    missing += [
        f"the witness {name} has cosigned {size} leaves"
        for name, size in said.sizes
        if size > newest
    ]
    missing += [
        f"transaction {event.anchor.transaction} anchors the record {event.digest.hex()}"
        for event in said.events or ()
        if bytes(event.digest) not in known
    ]
    if missing:
        raise RestoreBehindPublished(
            f"found a log of {newest} leaves, and " + "; ".join(missing),
            hint="name a copy of the log that has them: --log URL or --folder DIR",
        )


async def _adopt(
    node: Node,
    c: AsyncConnection,
    log: PublishedLog,
    newest: int,
    lists: Mapping[str, bytes],
    histories: Histories,
) -> int:
    """Store what the log has more; return how many credentials are not here."""
    documents = {**log.documents, **{sha256(body): body for body in lists.values()}}
    documents |= histories.documents
    held = await ledger.log_length(c)
    for start in range(0, min(held, newest), 10_000):
        stop = min(start + 10_000, held, newest)
        rows = await ledger.leaves(c, start, stop)
        own = [encode_entry(kind, digest) for kind, digest, _ in rows]
        if own != list(log.entries[start:stop]):
            raise LogCorrupt(f"the log that was published differs from leaf {start} on")
    added = [decode_entry(entry) for entry in log.entries[held:newest]]
    subjects: dict[int, str] = {}
    for index, (kind, digest) in enumerate(added, held):
        body = documents.get(digest)
        if body is not None:
            subjects[index] = _subject(parse_json_object(body, _BODY_BYTES))
            await ledger.save_document(c, digest, kind, body.decode(), node.now())
    times = {
        index: histories.times[digest]
        for index, (_, digest) in enumerate(added, held)
        if digest in histories.times
    }
    lost = await adopt_leaves(c, held, added, subjects, times, node.now())
    for raw in log.records:
        note = parse_record(raw).checkpoint
        checkpoint = open_checkpoint(note, node.vkey)
        await adopt_checkpoint(
            c,
            StoredCheckpoint(
                checkpoint.tree_size,
                checkpoint.root,
                note,
                raw,
                record_digest(raw),
                node.now(),
            ),
        )
    await adopt_documents(
        c,
        [
            documents[digest]
            for kind, digest in added
            if kind is EntryKind.DID_DOCUMENT and digest in documents
        ],
    )
    return lost


def _subject(document: JsonObject) -> str:
    """Return what a document is about: a DID, or the URL of a list."""
    return str(document.get("id") or document.get("did") or "")
