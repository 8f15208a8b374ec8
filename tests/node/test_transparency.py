"""The page about the log shows what is public, and no more."""

from typing import Any

from anchoring.memory import MEMORY_CHAIN, MemoryAnchor
from anchoring.record import record_cid
from node.node import Node
from node.storage import anchor_store
from node.transparency import SHOWN_CHECKPOINTS, read_transparency
from tests.support.nodes import Client, anchor, issue


async def test_a_fresh_log_says_that_there_is_nothing_yet(
    client: Client, node: Node
) -> None:
    found = await read_transparency(node)
    assert (found.tree_size, found.checkpoints) == (0, ())
    assert found.vkey == str(node.vkey)
    page = await (
        await client.get("/transparency", headers={"Accept-Language": "en"})
    ).text()
    assert "There is no state yet" in page


async def test_shows_the_latest_states_with_their_anchors(
    client: Client, node: Node, credential: dict[str, Any]
) -> None:
    backend = MemoryAnchor()
    await anchor(node, backend)
    await issue(node, 3)
    await anchor(node, backend)
    found = await read_transparency(node)
    async with node.reading() as c:
        stored = await anchor_store.all_checkpoints(c)
    assert [one.tree_size for one in found.checkpoints] == [
        one.tree_size for one in reversed(stored)
    ]
    assert found.checkpoints[0].record == record_cid(stored[-1].record)
    (sent,) = found.checkpoints[0].anchors
    assert (sent.chain, sent.explorer) == (MEMORY_CHAIN, None)
    page = await (await client.get("/transparency")).text()
    assert f"/log/records/{found.checkpoints[1].record}" in page
    # Nothing of a credential stands there.
    assert credential["id"].removeprefix("urn:uuid:") not in page


async def test_shows_so_many_states_and_no_more(node: Node) -> None:
    backend = MemoryAnchor()
    for count in range(1, SHOWN_CHECKPOINTS + 3):
        await issue(node, count)
        await anchor(node, backend)
    found = await read_transparency(node)
    assert len(found.checkpoints) == SHOWN_CHECKPOINTS
    sizes = [one.tree_size for one in found.checkpoints]
    assert sizes == sorted(sizes, reverse=True)
