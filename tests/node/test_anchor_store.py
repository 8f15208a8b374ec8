import asyncio
from typing import Any

import pytest

from node.home import Home
from node.node import Node
from node.storage import anchor_store
from node.storage.anchor_store import (
    LogSplit,
    StoredCheckpoint,
    StoredTransaction,
    free_nonce,
)
from primitives.hashing import sha256
from tests.support.nodes import opened, query

ON_BOTH_STORES = True


def _checkpoint(size: int, tag: bytes = b"") -> StoredCheckpoint:
    seed = b"%d %s" % (size, tag)
    return StoredCheckpoint(size, sha256(seed), "note", seed, sha256(seed), "now")


async def _save(node: Node, checkpoint: StoredCheckpoint, after: int) -> None:
    async with node.writing() as c:
        await anchor_store.save_checkpoint(c, checkpoint, after)


async def test_of_two_who_sign_at_once_one_is_told(home: Home) -> None:
    async with opened(home) as first, opened(home) as second:
        await _save(first, _checkpoint(5), 0)
        done = await asyncio.gather(
            _save(first, _checkpoint(7, b"first"), 5),
            _save(second, _checkpoint(8, b"second"), 5),
            return_exceptions=True,
        )
    (told,) = [e for e in done if e is not None]
    assert isinstance(told, LogSplit)
    assert told.code == "log-conflict"
    assert str(told) in {f"found a checkpoint of size {n}, want 5" for n in (7, 8)}
    assert len(query(home, "SELECT * FROM checkpoints")) == 2


@pytest.mark.parametrize(("size", "after"), [(5, 5), (4, 5), (6, 0), (6, 4), (6, 6)])
async def test_a_checkpoint_only_follows_the_one_it_was_made_for(
    node: Node, size: int, after: int
) -> None:
    await _save(node, _checkpoint(5), 0)
    with pytest.raises(LogSplit):
        await _save(node, _checkpoint(size, b"other"), after)


def test_a_free_nonce_is_above_those_of_live_transactions_of_that_account() -> None:
    def sent(nonce: int, state: str, chain: str = "eip155:5", by: str = "a") -> Any:
        return StoredTransaction("", 1, chain, "", by, nonce, b"", state)

    kept = [sent(3, "final"), sent(4, "stored"), sent(9, "lost"), sent(8, "replaced")]
    kept += [sent(7, "sent", chain="eip155:6"), sent(6, "sent", by="b")]
    assert free_nonce(kept, "eip155:5", "a") == 5
    assert free_nonce(kept, "eip155:5", "a", "b") == 7
    assert free_nonce(kept, "eip155:7", "a") == 0
