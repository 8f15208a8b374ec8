"""The node's log: entries get their leaves, checkpoints are signed, records are built.

    queued -> leaf (its index never changes) -> covered by a signed checkpoint

A checkpoint is stored by compare-and-swap before anything of it is public, so there are
never two of one size, and never a smaller one after a larger.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from anchoring.backend import AnchorReceipt
from anchoring.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from anchoring.cosignature import with_cosignatures
from anchoring.entry import encode_entry
from anchoring.merkle import hash_leaf
from anchoring.receipt import Receipt
from anchoring.record import (
    MAX_RECORD_BYTES,
    build_record,
    entries_within,
    record_cid,
    record_digest,
)
from anchoring.tiles import entry_bundles, hash_tiles
from anchoring.tlog_proof import TlogProof
from anchoring.tree import Tree
from credentials.status_list import REVOCATION, SUSPENSION
from node.failpoints import failpoint
from node.home import Home
from node.node import LOG_KEY, Node, ShownCheckpoint
from node.publishing import log_file, publish_log_file
from node.storage import anchor_store, ledger, witnesses
from node.storage.anchor_store import StoredCheckpoint, StoredTransaction
from node.storage.chain_proofs import proofs_of
from node.storage.receipts import anchors_of, find_standing
from node.storage.registry import list_issuers
from node.storage.store import Reader
from primitives.errors import Misconfigured, PatunayError, Rejected, Undetermined
from primitives.instants import parse_instant

_CHUNK: Final = 4_096
"""Leaves read from the database at once: some ten milliseconds for the event loop."""


class LogCorrupt(Rejected):
    """The stored leaves do not give the root that a stored checkpoint signs."""

    code = "storage-corrupt"
    hint = "stop the node, run `patunay fsck`, and restore the database from a backup"


class CredentialUnknown(Rejected):
    """This node has issued no such credential."""

    code = "credential-unknown"


class ClockWentBack(Misconfigured):
    """The clock is before the last checkpoint's time: what is signed now would lie."""

    code = "time-went-backwards"
    hint = "set the clock right; nothing is lost, and the next round signs what waits"


class NotYetAnchored(Undetermined):
    """The credential waits for its anchor."""

    code = "not-yet-anchored"
    hint = "try again after the next anchor, or run `patunay anchor now`"


async def load_tree(node: Node) -> None:
    """Bring the tree in memory up to the leaves in the database.

    Raises:
        LogCorrupt: A leaf is missing.
    """
    async with node.reading() as c:
        length = await ledger.log_length(c)
        while node.tree.size < length:
            start = node.tree.size
            stop = min(start + _CHUNK, length)
            rows = await ledger.leaves(c, start, stop)
            if len(rows) != stop - start:
                raise LogCorrupt(
                    f"found {len(rows)} of the leaves {start} to {stop - 1}, want all"
                )
            node.tree.extend(
                hash_leaf(encode_entry(kind, digest)) for kind, digest, _ in rows
            )


async def grown_tree(node: Node, size: int) -> Tree:
    """Return the tree in memory, with `size` leaves of the database or more.

    It only grows, so whoever reads what it has need not wait for who lets it grow.

    Raises:
        LogCorrupt: A leaf is missing.
    """
    if node.tree.size < size:
        async with node.log_lock:
            await load_tree(node)
    return node.tree


async def close_batch(
    node: Node, *, request: str | None = None, max_record_bytes: int = MAX_RECORD_BYTES
) -> StoredCheckpoint | None:
    """Give every queued entry its leaf and sign a checkpoint over them.

    A `request` for this is forgotten in the very transaction that empties the queue, so
    that what is queued and asked for later is not forgotten with it.

    Returns the new checkpoint, or None if there is nothing new. What a crash left with
    leaves and without checkpoint is covered too: it is the same code. So is what one record
    of `max_record_bytes` cannot hold: call again until it returns None.

    Raises:
        NodeSealed: The keys are not unlocked.
        LogCorrupt: The leaves contradict the last checkpoint, or the published one is
            ahead of it; nothing is signed.
        LogSplit: Another process has signed meanwhile.
        ClockWentBack: The last checkpoint is of a later time; nothing is signed.
    """
    node.keys()  # places are not given out by who cannot sign
    async with node.log_lock:
        async with node.writing_as_leader() as c:
            size = await ledger.assign_leaves(c)
            if request is not None:
                await ledger.take_request(c, request)
        failpoint("batched")
        await load_tree(node)
        async with node.reading() as c:
            latest = await anchor_store.latest_checkpoint(c)
        _require_consistent(node, latest)
        await publish_log(node)
        after = latest.tree_size if latest is not None else 0
        if size == after:
            return None
        _require_later(node, latest)
        made = await _sign_checkpoint(node, latest, size, max_record_bytes)
        failpoint("checkpoint-signed")
        async with node.writing_as_leader() as c:
            await anchor_store.save_checkpoint(c, made, after=after)
        failpoint("checkpoint-stored")
        await publish_log(node)
        return made


def _require_consistent(node: Node, latest: StoredCheckpoint | None) -> None:
    """Never sign on top of a log that has changed under its last checkpoint."""
    if latest is None:
        return
    if node.tree.size < latest.tree_size:
        raise LogCorrupt(f"found {node.tree.size} leaves, want {latest.tree_size}")
    if node.tree.root(latest.tree_size) != latest.root:
        raise LogCorrupt(
            f"the first {latest.tree_size} leaves give another root than was signed"
        )


def _require_later(node: Node, latest: StoredCheckpoint | None) -> None:
    if latest is not None and node.instant() < parse_instant(latest.created_at):
        raise ClockWentBack(
            f"found {node.now()}, want a time from {latest.created_at},"
            f" when the checkpoint of {latest.tree_size} entries was signed"
        )


async def _sign_checkpoint(
    node: Node, latest: StoredCheckpoint | None, length: int, max_record_bytes: int
) -> StoredCheckpoint:
    """Sign one over as many of the `length` leaves as a record can hold the tiles of."""
    async with node.reading() as c:
        documents = {i.did: i.document.encode() for i in await list_issuers(c)}
        lists = await ledger.all_status_lists(c, REVOCATION)
        suspensions = await ledger.all_status_lists(c, SUSPENSION)
    record_of = partial(
        build_record,
        previous=record_cid(latest.record) if latest is not None else None,
        did_documents=documents,
        status_lists={url: body.encode() for url, body in lists},
        suspension_lists={url: body.encode() for url, body in suspensions},
    )
    after = latest.tree_size if latest is not None else 0
    bare = record_of(checkpoint=_signed_note(node, length), tiles={})
    size = min(length, after + max(1, entries_within(max_record_bytes - len(bare))))
    note = _signed_note(node, size)
    record = record_of(checkpoint=note, tiles=await new_tiles(node, after, size))
    root = node.tree.root(size)
    return StoredCheckpoint(size, root, note, record, record_digest(record), node.now())


def _signed_note(node: Node, size: int) -> str:
    checkpoint = Checkpoint(node.config.log_name, size, node.tree.root(size))
    return sign_checkpoint(checkpoint, node.signer(LOG_KEY))


async def new_tiles(node: Node, old_size: int, new_size: int) -> Mapping[str, bytes]:
    """Return the tiles that `new_size` adds to `old_size`, by path.

    The tree MUST be loaded up to `new_size`, and `log_lock` held: it is read in a thread.
    """
    entries: list[bytes] = []
    async with node.reading() as c:
        for start in range(old_size // 256 * 256, new_size, _CHUNK):
            rows = await ledger.leaves(c, start, min(start + _CHUNK, new_size))
            entries += (encode_entry(kind, digest) for kind, digest, _ in rows)
    return await asyncio.to_thread(_make_tiles, node.tree, entries, old_size, new_size)


def _make_tiles(
    tree: Tree, entries: Sequence[bytes], old_size: int, new_size: int
) -> Mapping[str, bytes]:
    tiles = dict(hash_tiles(tree, old_size=old_size, new_size=new_size))
    tiles.update(entry_bundles(entries, old_size=old_size, new_size=new_size))
    return tiles


async def publish_log(node: Node) -> None:
    """Write what the published checkpoint lacks: tiles, the latest one, its cosignatures.

    In this order: whoever reads the checkpoint finds every tile that it needs. What a
    crash kept from being written is written by the next call. The tree MUST be loaded,
    and `log_lock` held.

    Raises:
        LogCorrupt: More is published than the database holds, or another root: it is an
            old copy, and going on with it would split the log.
    """
    async with node.reading() as c:
        latest = await anchor_store.latest_checkpoint(c)
        size = latest.tree_size if latest is not None else 0
        lines = await witnesses.cosignatures_of(c, size)
    before, published = _published(node, latest)
    if latest is None:
        return
    note = with_cosignatures(latest.note, lines)
    if note == before:
        return
    if published < size:
        tiles = await new_tiles(node, published, size)
        # In a thread: each waits for the disk, and a large batch has hundreds.
        await asyncio.to_thread(_publish, node.home, tiles)
        failpoint("tiles-published")
    publish_log_file(node.home, "checkpoint", note.encode())
    failpoint("checkpoint-published")


def _publish(home: Home, tiles: Mapping[str, bytes]) -> None:
    for path, body in tiles.items():
        publish_log_file(home, path, body)


def _published(node: Node, latest: StoredCheckpoint | None) -> tuple[str, int]:
    """Return the published note and its size; neither if there is none that is ours."""
    try:
        note = log_file(node.home, "checkpoint").read_text(encoding="utf-8")
        found = open_checkpoint(note, node.vkey)
    except (FileNotFoundError, UnicodeDecodeError, PatunayError):
        return "", 0
    size = latest.tree_size if latest is not None else 0
    if found.tree_size > size:
        raise LogCorrupt(
            f"the published checkpoint covers {found.tree_size} leaves,"
            f" the database's {size}"
        )
    if latest is not None and found.tree_size == size and found.root != latest.root:
        raise LogCorrupt(
            f"the published checkpoint has the root {found.root.hex()},"
            f" the database's {latest.root.hex()}"
        )
    return note, found.tree_size


async def build_receipt(node: Node, uuid: str, chain: str | None = None) -> Receipt:
    """Return the receipt of a credential: its proof in the first anchored checkpoint.

    That is the first on the chain that is configured now, which can be asked; else the
    first on any; else the first that a witness has cosigned, without anchors.

    Args:
        node: Open; need not be unlocked.
        uuid: Of the credential.
        chain: CAIP-2 id of the one chain whose anchors count, for instance an earlier one,
            which gives an earlier time.

    Raises:
        CredentialUnknown: This node has not issued it.
        NotYetAnchored: It waits for its anchor.
    """
    async with node.looking_up() as c:
        present = node.config.chain.chain_id
        standing = await find_standing(
            c, uuid, chain or present, nowhere_else=chain is not None
        )
        if standing is None and await ledger.find_credential(c, uuid) is None:
            raise CredentialUnknown(f"found no credential {uuid[:64]!r}")
        if standing is None or standing.index is None or standing.size is None:
            raise NotYetAnchored(f"credential {uuid} is not anchored yet")
        index, size = standing.index, standing.size
        read = partial(_read_shown, c, size, is_anchored=standing.is_anchored)
        shown = await node.shown.get(c, (size, standing.is_anchored), read)
    hashes = (await grown_tree(node, size)).inclusion_proof(index, tree_size=size)
    return Receipt(TlogProof(index, hashes, shown.note, None), shown.record, shown.anchors)


async def _read_shown(c: Reader, size: int, *, is_anchored: bool) -> ShownCheckpoint:
    checkpoint = await anchor_store.find_checkpoint(c, size)
    lines = await witnesses.cosignatures_of(c, size)
    anchored = await anchors_of(c, size) if is_anchored else []
    proofs = await proofs_of(c, size) if anchored else {}
    if checkpoint is None:
        raise LogCorrupt(f"found no checkpoint of size {size}, which is anchored")
    return ShownCheckpoint(
        with_cosignatures(checkpoint.note, lines),
        checkpoint.record,
        tuple(
            replace(to_receipt(stored), proof=proofs.get(stored.reference))
            for stored in anchored
        ),
    )


def to_receipt(stored: StoredTransaction) -> AnchorReceipt:
    """Return where a mined transaction stands in its chain."""
    if (
        stored.block_number is None
        or stored.block_hash is None
        or stored.log_index is None
        or stored.block_time is None
    ):
        raise LogCorrupt(f"the transaction {stored.reference} is mined and has no block")
    return AnchorReceipt(
        contract=stored.contract,
        transaction=stored.reference,
        block_number=stored.block_number,
        block_hash=stored.block_hash,
        log_index=stored.log_index,
        timestamp=parse_instant(stored.block_time),
    )
