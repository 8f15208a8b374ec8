"""Records reach IPFS whole, once each, whatever fails in between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from anchoring.blocks import CidMismatch, fetch_block
from anchoring.ipfs import IpfsUnreachable, Kubo
from anchoring.record import parse_record, record_cid
from credentials.template import parse_template
from node.batches import issue_rows
from node.home import Home
from node.ipfs import IpfsJob, publish_records
from node.logbook import LogCorrupt, close_batch
from node.node import MAIN, Node
from node.record_blocks import record_blocks
from node.setup import add_issuer
from node.status import revoke
from node.storage import anchor_store
from node.storage.publications import publication_state
from tests.support.als_template import changed
from tests.support.block_shelf import BlockShelf
from tests.support.kubo import new_kubo, running_kubo
from tests.support.nodes import free_port, issue, learners, meddle, opened, query


async def checkpoints(node: Node) -> list[anchor_store.StoredCheckpoint]:
    async with node.reading() as c:
        return await anchor_store.all_checkpoints(c)


async def two_records(node: Node) -> None:
    """Make two records; the second has another status list and a new issuer."""
    (first, *_) = (await issue(node, 3)).issued
    await close_batch(node)
    await revoke(node, first, "a test")
    await add_issuer(node, "second", "Second School")
    await close_batch(node)


async def until(done: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


async def test_each_record_is_published_with_the_bytes_that_it_links(node: Node) -> None:
    await two_records(node)
    shelf = BlockShelf()
    assert await publish_records(node, shelf) == 2
    records = [checkpoint.record for checkpoint in await checkpoints(node)]
    assert shelf.pins == [record_cid(record) for record in records]
    assert all(shelf.blocks[record_cid(record)] == record for record in records)
    # The list of the first record is that of its day, though it was replaced since.
    first, second = (parse_record(record) for record in records)
    lists = [shelf.blocks[record.status_lists[0].cid] for record in (first, second)]
    assert lists[0] != lists[1]
    assert [link.name for link in second.did_documents] == [
        "did:web:localhost%3A8460",
        "did:web:localhost%3A8460:issuers:second",
    ]


async def test_a_record_that_is_published_is_left_alone(node: Node) -> None:
    await two_records(node)
    shelf = BlockShelf()
    await publish_records(node, shelf)
    calls = shelf.calls
    assert await publish_records(node, shelf) == 0
    assert shelf.calls == calls


@pytest.mark.parametrize("fails_after_work", [False, True])
async def test_whatever_call_fails_nothing_is_lost_or_left_out(
    node: Node, *, fails_after_work: bool
) -> None:
    await two_records(node)
    whole = BlockShelf()
    await publish_records(node, whole)
    meddle(node.home, "DELETE FROM publications")
    for call in range(1, whole.calls + 1):
        shelf = BlockShelf(fails_from=call, fails_after_work=fails_after_work)
        with pytest.raises(IpfsUnreachable):
            await publish_records(node, shelf)
        shelf.fails_from = None
        await publish_records(node, shelf)
        assert shelf.blocks == whole.blocks
        assert list(dict.fromkeys(shelf.pins)) == whole.pins
        meddle(node.home, "DELETE FROM publications")


async def test_what_stands_in_the_way_is_written_down(node: Node) -> None:
    await two_records(node)
    shelf = BlockShelf(fails_from=1)
    for _ in range(2):
        with pytest.raises(IpfsUnreachable):
            await publish_records(node, shelf)
    async with node.reading() as c:
        state = await publication_state(c)
    assert (state.published, state.waiting, state.attempts) == (0, 2, 2)
    assert state.problem == "no answer, as it was told (ipfs-unreachable)"
    assert state.tried_at == "2026-03-02T08:00:00Z"
    shelf.fails_from = None
    await publish_records(node, shelf)
    async with node.reading() as c:
        state = await publication_state(c)
    assert (state.published, state.waiting, state.problem) == (2, 0, None)


async def test_bytes_that_the_record_does_not_link_are_never_given_out(
    node: Node,
) -> None:
    await issue(node, 1)
    await close_batch(node)
    body = "SELECT sha256 FROM documents WHERE kind = 2"
    (digest,) = query(node.home, body)[0]
    meddle(node.home, "UPDATE documents SET body = '{}' WHERE sha256 = ?", digest)
    shelf = BlockShelf()
    with pytest.raises(LogCorrupt, match="found other bytes of http://localhost:8460/sta"):
        await publish_records(node, shelf)
    assert shelf.pins == []
    meddle(node.home, "DELETE FROM documents WHERE sha256 = ?", digest)
    with pytest.raises(LogCorrupt, match="found no stored bytes"):
        await publish_records(node, shelf)


async def test_a_suspension_list_is_committed_to_and_not_handed_out(node: Node) -> None:
    suspendable = parse_template(changed("policy.statusPurpose", "suspension"))
    await issue_rows(node, suspendable, learners(1), MAIN)
    await close_batch(node)
    (checkpoint,) = await checkpoints(node)
    record = parse_record(checkpoint.record)
    handed = [cid async for cid, _ in record_blocks(node, checkpoint)]
    pinned = [link.cid for link in record.links if link.pinned]
    assert handed == [*pinned, record_cid(checkpoint.record)]
    (suspensions,) = record.suspension_lists
    assert suspensions.cid not in handed


async def test_the_job_tries_again_until_the_place_answers(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    await two_records(node)
    shelf = BlockShelf(fails_from=3)
    job = asyncio.create_task(IpfsJob(node, shelf).run())
    try:
        await until(lambda: shelf.calls >= 3)
        shelf.fails_from = None
        await until(lambda: len(shelf.pins) == 2)
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    assert "IPFS waits: no answer, as it was told (ipfs-unreachable)" in caplog.text


@asynccontextmanager
async def kubo_at(url: str) -> AsyncIterator[Kubo]:
    kubo = Kubo(url, 5)
    try:
        yield kubo
    finally:
        await kubo.close()


async def test_another_kubo_has_the_record_over_libp2p(node: Node, tmp_path: Path) -> None:
    await two_records(node)
    async with (
        running_kubo(tmp_path / "own") as own,
        running_kubo(tmp_path / "other") as other,
        kubo_at(own.api) as publisher,
        kubo_at(other.api) as stranger,
    ):
        assert await publish_records(node, publisher) == 2
        await other.connect(own)
        for checkpoint in await checkpoints(node):
            cid = record_cid(checkpoint.record)
            record = parse_record(await fetch_block(stranger, cid))
            for link in record.links:
                if link.pinned:
                    await fetch_block(stranger, link.cid)
            await stranger.pin(cid)


async def test_kubo_stopped_in_between_loses_nothing(home: Home, tmp_path: Path) -> None:
    port = free_port()
    kubo = await asyncio.to_thread(new_kubo, tmp_path / "repo")
    await asyncio.to_thread(kubo.fix_api_port, port)
    await kubo.start()
    try:
        async with opened(home) as node, kubo_at(f"http://127.0.0.1:{port}") as publisher:
            await issue(node, 2)
            await close_batch(node)
            await publish_records(node, publisher)
            await kubo.stop()
            await issue(node, 4)
            await close_batch(node)
            with pytest.raises(IpfsUnreachable):
                await publish_records(node, publisher)
        await kubo.start()
        # The node was restarted as well.
        async with opened(home) as node, kubo_at(f"http://127.0.0.1:{port}") as publisher:
            assert await publish_records(node, publisher) == 1
            wanted = {record_cid(k.record) for k in await checkpoints(node)}
        pins = await asyncio.to_thread(kubo.run, "pin", "ls", "--type=recursive", "-q")
        assert wanted <= set(pins.decode().split())
    finally:
        await kubo.stop()


async def test_a_kubo_that_names_another_cid_gets_no_further(node: Node) -> None:
    class Liar(BlockShelf):
        async def put(self, cid: str, block: bytes) -> None:
            raise CidMismatch(f"found bafkreianother, want {cid} for {len(block)} bytes")

    await two_records(node)
    with pytest.raises(CidMismatch):
        await publish_records(node, Liar())
    async with node.reading() as c:
        assert "cid-mismatch" in str((await publication_state(c)).problem)
