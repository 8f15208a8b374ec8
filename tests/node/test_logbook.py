import asyncio
import hashlib
import shutil
from typing import Any

import pytest

from anchoring.checkpoint import open_checkpoint
from anchoring.entry import EntryKind, entry_of
from anchoring.memory import MemoryAnchor
from anchoring.receipt import Receipt, verify_receipt
from anchoring.record import parse_record, record_digest
from anchoring.tiles import bundle_paths
from node.home import Home
from node.logbook import (
    CredentialUnknown,
    LogCorrupt,
    NotYetAnchored,
    build_receipt,
    close_batch,
    load_tree,
    publish_log,
)
from node.node import Node
from node.publishing import log_file
from node.setup import publish_all
from node.storage import anchor_store, ledger
from primitives.hashing import sha256
from tests.support import reference_tree
from tests.support.nodes import (
    anchor,
    copy_home,
    document_of,
    issue,
    meddle,
    opened,
    query,
    set_back,
)

ON_BOTH_STORES = True


def entries_of(home: Home) -> list[bytes]:
    rows = query(
        home,
        "SELECT kind, digest FROM entries WHERE leaf_index IS NOT NULL ORDER BY leaf_index",
    )
    return [bytes([kind]) + digest for kind, digest in rows]


async def test_a_batch_takes_all_that_waits_and_signs_the_root_of_the_rfc(
    node: Node, home: Home
) -> None:
    await issue(node, 20)
    made = await close_batch(node)
    assert made is not None
    entries = entries_of(home)
    assert made.tree_size == len(entries) == 22
    assert made.root == reference_tree.mth(entries)
    signed = open_checkpoint(made.note, node.vkey)
    assert (signed.origin, signed.tree_size) == ("localhost:8460/log", 22)
    record = parse_record(made.record)
    assert record.previous is None
    assert record_digest(made.record) == made.record_digest == sha256(made.record)
    assert [link.name for link in record.did_documents] == ["did:web:localhost%3A8460"]
    assert len(record.status_lists) == 1


async def test_what_one_record_cannot_hold_goes_into_the_next(
    node: Node, home: Home
) -> None:
    async with node.writing() as c:
        await ledger.enqueue(
            c,
            [
                (EntryKind.CREDENTIAL, sha256(i.to_bytes(4)), f"urn:uuid:{i}")
                for i in range(9_000)
            ],
            node.now(),
        )
    limit = 6_000
    sizes = []
    while (made := await close_batch(node, max_record_bytes=limit)) is not None:
        assert len(made.record) <= limit
        entries = entries_of(home)[: made.tree_size]
        assert made.root == reference_tree.mth(entries)
        sizes.append(made.tree_size)
    assert len(sizes) == 3
    assert sizes[-1] == 9_001
    assert sizes[0] > 2_000
    tiles = [
        {link.name for link in parse_record(row[0]).tiles}
        for row in query(home, "SELECT record FROM checkpoints ORDER BY tree_size")
    ]
    found = set().union(*tiles)
    assert {path for path, _ in bundle_paths(9_001)} <= found


async def test_a_batch_with_nothing_new_is_none(node: Node) -> None:
    assert await close_batch(node) is not None
    assert await close_batch(node) is None


async def test_each_record_names_the_one_before(node: Node, home: Home) -> None:
    digests = []
    for count in (1, 3, 6):
        await issue(node, count)
        made = await close_batch(node)
        assert made is not None
        digests.append(made.record_digest)
    records = [
        parse_record(row[0]) for row in query(home, "SELECT record FROM checkpoints")
    ]
    assert [r.previous is None for r in records] == [True, False, False]
    assert len({r.previous for r in records}) == 3
    assert len(set(digests)) == 3


async def test_batches_closed_at_once_by_two_processes_make_one_log(home: Home) -> None:
    async with opened(home) as first, opened(home) as second:
        await issue(first, 10)
        done = await asyncio.gather(
            close_batch(first), close_batch(second), return_exceptions=True
        )
        made = [m for m in done if isinstance(m, anchor_store.StoredCheckpoint)]
        others = [m for m in done if m not in made]
        assert len(made) == 1
        assert all(m is None or isinstance(m, anchor_store.LogSplit) for m in others)
    assert len(query(home, "SELECT * FROM checkpoints")) == 1


# What is published


async def test_whoever_reads_the_published_checkpoint_finds_every_tile(
    node: Node, home: Home
) -> None:
    for count in (100, 300, 400):
        await issue(node, count)
        await close_batch(node)
        _require_tiles(home, count + 2)


def _require_tiles(home: Home, size: int) -> None:
    """Work the root out from the published files alone, the slow way."""
    note = log_file(home, "checkpoint").read_text()
    assert note.splitlines()[1] == str(size)
    full, rest = divmod(size, 256)
    names = [f"{n:03}" for n in range(full)] + ([f"{full:03}.p/{rest}"] if rest else [])
    bundles = [log_file(home, f"tile/entries/{name}").read_bytes() for name in names]
    hashes = b"".join(log_file(home, f"tile/0/{name}").read_bytes() for name in names)
    entries = []
    rest_of = b"".join(bundles)
    while rest_of:
        length = int.from_bytes(rest_of[:2])
        entries.append(rest_of[2 : 2 + length])
        rest_of = rest_of[2 + length :]
    assert len(entries) == size
    assert hashes == b"".join(hashlib.sha256(b"\x00" + e).digest() for e in entries)
    assert query(home, "SELECT root FROM checkpoints WHERE tree_size = ?", size) == [
        (reference_tree.mth(entries),)
    ]


async def test_tiles_that_a_crash_kept_from_being_written_are_written_by_the_next_batch(
    node: Node, home: Home, tmp_path: Any
) -> None:
    await issue(node, 100)
    await close_batch(node)
    before = home.public.rename(tmp_path / "public")
    await issue(node, 300)
    await close_batch(node)
    # As on disk when the second checkpoint was stored, and nothing of it written.
    for file in sorted(home.public.rglob("log/*")):
        if file.is_file():
            file.unlink()
    shutil.rmtree(home.public)
    before.rename(home.public)
    async with opened(home) as restarted:
        await issue(restarted, 400)
        await close_batch(restarted)
    _require_tiles(home, 402)


async def test_a_restart_alone_publishes_what_was_left(node: Node, home: Home) -> None:
    await issue(node, 300)
    await close_batch(node)
    shutil.rmtree(home.public)
    async with opened(home) as restarted:
        await publish_all(restarted)
        await load_tree(restarted)
        await publish_log(restarted)
    _require_tiles(home, 302)
    assert (home.public / ".well-known" / "did.json").is_file()


async def test_a_database_older_than_what_is_published_signs_nothing(
    node: Node, home: Home, tmp_path: Any
) -> None:
    """An old backup would sign another tree of a size that is public already."""
    await issue(node, 5)
    await close_batch(node)
    await node.engine.dispose()
    earlier = copy_home(home, tmp_path / "earlier")
    await issue(node, 9)
    await close_batch(node)
    await node.engine.dispose()
    set_back(home, earlier)
    async with opened(home) as restored:
        await issue(restored, 7)
        with pytest.raises(LogCorrupt, match="published checkpoint covers 11 leaves") as e:
            await close_batch(restored)
        assert e.value.code == "storage-corrupt"
    assert len(query(home, "SELECT * FROM checkpoints")) == 1


# A log that has changed under its checkpoint

CORRUPTIONS = {
    "another digest": "UPDATE entries SET digest = ? WHERE leaf_index = 3",
    "another kind": "UPDATE entries SET kind = 2 WHERE leaf_index = 3",
    "one back in the queue": "UPDATE entries SET leaf_index = NULL WHERE leaf_index = 3",
    "one missing": "DELETE FROM entries WHERE leaf_index = 3",
    "the last but one missing": "DELETE FROM entries WHERE leaf_index = 5",
    "the last one missing": "DELETE FROM entries WHERE leaf_index = 6",
    "all missing": "DELETE FROM entries",
    "another root": "UPDATE checkpoints SET root = ?",
}


@pytest.mark.parametrize("how", CORRUPTIONS)
async def test_nothing_is_signed_on_top_of_a_changed_log(
    node: Node, home: Home, how: str
) -> None:
    await issue(node, 5)
    await close_batch(node)
    changed = CORRUPTIONS[how]
    meddle(home, changed, *([bytes(32)] if "?" in changed else []))
    async with opened(home) as restarted:
        await issue(restarted, 8)
        async with asyncio.timeout(10):
            with pytest.raises(LogCorrupt) as caught:
                await close_batch(restarted)
    assert caught.value.code == "storage-corrupt"
    assert "patunay fsck" in caught.value.hint
    assert len(query(home, "SELECT * FROM checkpoints")) == 1


async def test_a_leaf_that_is_gone_before_its_checkpoint_is_noticed(
    node: Node, home: Home
) -> None:
    await issue(node, 5)
    async with node.writing() as c:
        await ledger.assign_leaves(c)
    meddle(home, "DELETE FROM entries WHERE leaf_index = 3")
    with pytest.raises(LogCorrupt, match="found 6 of the leaves 0 to 6"):
        await close_batch(node)
    assert query(home, "SELECT * FROM checkpoints") == []


# Receipts


async def test_every_credential_has_a_receipt_that_a_stranger_can_verify(
    node: Node, home: Home
) -> None:
    chain = MemoryAnchor()
    for count in (7, 20):
        await issue(node, count)
        await anchor(node, chain)
    sizes = set()
    for (uuid,) in query(home, "SELECT uuid FROM credentials"):
        receipt = Receipt.parse((await build_receipt(node, uuid)).to_json())
        entry = entry_of(EntryKind.CREDENTIAL, await document_of(node, uuid))
        sizes.add(verify_receipt(receipt, entry, node.vkey).tree_size)
        for there in receipt.anchors:
            await chain.check(there, receipt.digest)
    assert sizes == {9, 22}  # each in the first checkpoint that covers it


async def test_a_receipt_needs_an_anchor(node: Node) -> None:
    (uuid,) = (await issue(node, 1)).issued
    with pytest.raises(NotYetAnchored) as queued:
        await build_receipt(node, uuid)
    await close_batch(node)
    with pytest.raises(NotYetAnchored) as batched:
        await build_receipt(node, uuid)
    assert queued.value.code == batched.value.code == "not-yet-anchored"
    with pytest.raises(CredentialUnknown) as unknown:
        await build_receipt(node, "nobody's")
    assert unknown.value.code == "credential-unknown"


async def test_receipts_are_made_while_a_batch_is_closed(node: Node) -> None:
    chain = MemoryAnchor()
    report = await issue(node, 10)
    await anchor(node, chain)
    await issue(node, 60)

    async def ask() -> None:
        for uuid in report.issued:
            receipt = await build_receipt(node, uuid)
            entry = entry_of(EntryKind.CREDENTIAL, await document_of(node, uuid))
            verify_receipt(receipt, entry, node.vkey)

    await asyncio.gather(ask(), close_batch(node), ask())


async def test_a_receipt_does_not_wait_for_a_batch_that_is_being_closed(node: Node) -> None:
    (uuid,) = (await issue(node, 1)).issued
    await anchor(node, MemoryAnchor())
    async with node.log_lock, asyncio.timeout(10):
        receipt = await build_receipt(node, uuid)
    verify_receipt(
        receipt, entry_of(EntryKind.CREDENTIAL, await document_of(node, uuid)), node.vkey
    )


async def test_a_receipt_shows_at_once_what_another_process_has_changed(
    node: Node, home: Home
) -> None:
    (uuid,) = (await issue(node, 1)).issued
    await anchor(node, MemoryAnchor())
    before = await build_receipt(node, uuid)
    assert await build_receipt(node, uuid) == before
    meddle(home, "UPDATE transactions SET block_time = '2030-01-01T00:00:00Z'")
    (there,) = (await build_receipt(node, uuid)).anchors
    assert (there.timestamp.year, before.anchors[0].timestamp.year) == (2030, 2026)
    meddle(home, "UPDATE transactions SET state = 'lost'")
    with pytest.raises(NotYetAnchored):
        await build_receipt(node, uuid)
