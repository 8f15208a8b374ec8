from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from anchoring.backend import (
    AnchorUnreachable,
    FeeAboveLimit,
    Outlook,
    SignedTransaction,
)
from anchoring.dev_chain import DevChain
from anchoring.entry import EntryKind, entry_of
from anchoring.memory import MemoryAnchor
from anchoring.receipt import verify_receipt
from node.anchor_state import anchor_state
from node.anchoring import REPLACE_AFTER_BLOCKS, Anchorer
from node.home import Home
from node.logbook import build_receipt, close_batch
from node.node import Node
from primitives.hashing import Digest
from tests.support.nodes import (
    HandClock,
    anchor,
    document_of,
    issue,
    meddle,
    new_seed,
    opened,
    query,
    settle,
)

ON_BOTH_STORES = True


def events(chain: MemoryAnchor) -> Counter[bytes]:
    """Return how often each digest stands in the chain as it is now."""
    return Counter(t.digest for block in chain._blocks for t in block.transactions)


def states(home: Home) -> list[str]:
    rows = query(home, "SELECT state FROM transactions ORDER BY stored_at, nonce, max_fee")
    return [row[0] for row in rows]


async def require_anchored_once(node: Node, home: Home, chain: MemoryAnchor) -> None:
    """The last checkpoint has one event and every credential a receipt that holds."""
    ((digest,),) = query(
        home, "SELECT record_digest FROM checkpoints ORDER BY tree_size DESC LIMIT 1"
    )
    assert events(chain)[digest] == 1
    assert max(events(chain).values()) == 1
    for (uuid,) in query(home, "SELECT uuid FROM credentials"):
        receipt = await build_receipt(node, uuid)
        entry = entry_of(EntryKind.CREDENTIAL, await document_of(node, uuid))
        verify_receipt(receipt, entry, node.vkey)
        for there in receipt.anchors:
            await chain.check(there, receipt.digest)


@asynccontextmanager
async def batch_of(home: Home, count: int = 3) -> AsyncIterator[Node]:
    """Open the node with a checkpoint that has no transaction yet."""
    async with opened(home) as node:
        await issue(node, count)
        await close_batch(node)
        yield node


async def test_a_checkpoint_gets_one_transaction(home: Home) -> None:
    chain = MemoryAnchor()
    async with batch_of(home) as node:
        state = await settle(node, chain)
        assert state.transaction is not None
        assert state.transaction.state == "final"
        assert await Anchorer(node, chain, 1).step() == state
        await require_anchored_once(node, home, chain)
    assert states(home) == ["final"]


async def test_without_a_checkpoint_there_is_nothing_to_do(node: Node) -> None:
    state = await Anchorer(node, MemoryAnchor(), 1).step()
    assert (state.settled, state.anchored, state.transaction) == (True, True, None)


async def test_an_anchor_is_final_only_at_its_depth(home: Home) -> None:
    chain = MemoryAnchor()
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 3)
        seen = []
        for _ in range(5):
            state = await anchorer.step()
            assert state.transaction is not None
            seen.append(state.transaction.state)
            chain.mine()
    assert seen == ["sent", "mined", "final", "final", "final"]


# Each call that can fail, in both ways: nothing happened, and it happened all the same


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("auto_mine", [False, True])
async def test_an_answer_that_is_lost_after_sending_anchors_once(
    home: Home, kept: bool, auto_mine: bool
) -> None:
    chain = MemoryAnchor(auto_mine=auto_mine)
    chain.on_send = lambda: (kept, False)
    async with batch_of(home) as node:
        with pytest.raises(AnchorUnreachable):
            await Anchorer(node, chain, 1).step()
    assert states(home) == ["stored"]
    chain.on_send = lambda: (True, True)
    async with opened(home) as node:  # a restart, and the same code
        anchorer = Anchorer(node, chain, 1)
        for _ in range(4):
            await anchorer.recheck()
            await anchorer.step()
            chain.mine()
        await settle(node, chain)
        await require_anchored_once(node, home, chain)
    assert states(home) == ["final"]


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
async def test_a_chain_out_of_reach_changes_nothing(home: Home, sent: int) -> None:
    """Cut off before each step in turn."""
    chain = MemoryAnchor()
    async with batch_of(home) as node:
        for _ in range(sent):
            await Anchorer(node, chain, 3).step()
    before = query(home, "SELECT * FROM transactions")
    chain.unreachable = True
    async with opened(home) as node:
        anchorer = Anchorer(node, chain, 3)
        with pytest.raises(AnchorUnreachable):
            await anchorer.step()
        if sent > 1:
            with pytest.raises(AnchorUnreachable):
                await anchorer.recheck()
        assert query(home, "SELECT * FROM transactions") == before
        chain.unreachable = False
        await anchorer.step()
        chain.mine(3)
        await settle(node, chain, 3)
        await require_anchored_once(node, home, chain)


class Dies(Exception):
    """Stands for kill -9: nothing after the line that raises it runs."""


CALLS = ["prepare", "send", "follow"]


class Deadly(MemoryAnchor):
    """A chain during one of whose calls the process dies, before or after the work."""

    def __init__(self, call: str, *, done: bool) -> None:
        super().__init__()
        self.call, self.done, self.armed = call, done, True

    def _die(self, call: str, *, done: bool) -> None:
        if self.armed and (call, done) == (self.call, self.done):
            raise Dies

    async def prepare(self, digest: Digest, *, first_nonce: int = 0) -> SignedTransaction:
        self._die("prepare", done=False)
        prepared = await super().prepare(digest, first_nonce=first_nonce)
        self._die("prepare", done=True)
        return prepared

    async def send(self, transaction: SignedTransaction) -> None:
        self._die("send", done=False)
        await super().send(transaction)
        self._die("send", done=True)

    async def follow(
        self, candidates: Sequence[SignedTransaction], *, final_depth: int
    ) -> Outlook:
        self._die("follow", done=False)
        outlook = await super().follow(candidates, final_depth=final_depth)
        self._die("follow", done=True)
        return outlook


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("call", CALLS)
async def test_dying_in_any_call_anchors_once(home: Home, call: str, done: bool) -> None:
    chain = Deadly(call, done=done)
    async with batch_of(home) as node:
        with pytest.raises(Dies):
            await settle(node, chain)
    chain.armed = False
    async with opened(home) as node:
        await Anchorer(node, chain, 1).recheck()
        await settle(node, chain)
        await require_anchored_once(node, home, chain)
    assert states(home) == ["final"]


# Reorganisations


@pytest.mark.parametrize("confirmations", [1, 5])
async def test_a_transaction_that_a_reorganisation_took_out_is_sent_again(
    home: Home, confirmations: int
) -> None:
    chain = MemoryAnchor()
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, confirmations)
        await anchorer.step()
        await anchorer.step()
        (uuid,) = query(home, "SELECT uuid FROM credentials LIMIT 1")[0]
        before = await build_receipt(node, uuid)
        chain.reorganise(1)
        assert await anchorer.recheck() == 1
        assert states(home) == ["sent"]
        chain.mine(2)
        await settle(node, chain, 1)
        after = await build_receipt(node, uuid)
        assert [a.transaction for a in after.anchors] == [
            a.transaction for a in before.anchors
        ]
        assert after.anchors[0].block_hash != before.anchors[0].block_hash
        await require_anchored_once(node, home, chain)
    assert states(home) == ["final"]


async def test_what_looks_mined_is_looked_at_before_it_counts_as_final(
    home: Home,
) -> None:
    chain = MemoryAnchor()
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 9)
        await anchorer.step()
        await anchorer.step()
        chain.reorganise(1)
        chain.on_send = lambda: (False, False)
        with pytest.raises(AnchorUnreachable):
            await anchorer.step()
        # Nothing stands in the chain, so no receipt says that something does.
        assert states(home) == ["sent"]


async def test_a_block_that_moved_is_noticed_though_the_transaction_stands(
    home: Home,
) -> None:
    chain = MemoryAnchor()
    async with batch_of(home) as node:
        await settle(node, chain)
        ((block,),) = query(home, "SELECT block_hash FROM transactions")
        ours = chain._blocks[-1].transactions
        chain.reorganise(1)
        chain._blocks[-1].transactions = ours  # taken up again by the new block
        assert await Anchorer(node, chain, 1).recheck() == 0
        assert query(home, "SELECT block_hash FROM transactions") != [(block,)]
        await require_anchored_once(node, home, chain)


async def test_a_nonce_that_another_transaction_took_means_a_new_transaction(
    home: Home,
) -> None:
    chain = MemoryAnchor()
    chain.on_send = lambda: (False, False)
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 1)
        with pytest.raises(AnchorUnreachable):
            await anchorer.step()
        chain.spend_nonce()
        chain.on_send = lambda: (True, True)
        await settle(node, chain)
        await require_anchored_once(node, home, chain)
    assert states(home) == ["lost", "final"]


async def test_a_nonce_taken_in_a_reorganisation_means_a_new_transaction(
    home: Home,
) -> None:
    chain = MemoryAnchor()
    async with batch_of(home) as node:
        await settle(node, chain)
        chain.reorganise(1)
        chain.spend_nonce()
        assert await Anchorer(node, chain, 1).recheck() == 1
        await settle(node, chain)
        await require_anchored_once(node, home, chain)
    assert states(home) == ["lost", "final"]


async def test_a_nonce_that_is_taken_is_waited_for_until_nothing_can_undo_that(
    home: Home,
) -> None:
    chain = MemoryAnchor(auto_mine=False)
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 2, 4)
        await anchorer.step()
        chain.spend_nonce()
        seen = []
        for _ in range(6):
            await anchorer.step()
            seen.append(states(home)[-1])
            chain.mine()
        assert seen == ["taken", "taken", "taken", "lost", "sent", "mined"]
        chain.mine(4)
        await anchorer.step()
        await require_anchored_once(node, home, chain)
    assert states(home) == ["lost", "final"]


async def test_a_taken_nonce_that_a_reorganisation_gives_back_is_used_after_all(
    home: Home,
) -> None:
    chain = MemoryAnchor(auto_mine=False)
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 1, 9)
        await anchorer.step()
        chain.spend_nonce()
        await anchorer.step()
        assert states(home) == ["taken"]
        chain.reorganise(1)
        await anchorer.step()
        assert states(home) == ["sent"]
        chain.mine(9)
        await settle(node, chain, 1)
        await require_anchored_once(node, home, chain)
    assert states(home) == ["final"]


async def test_a_nonce_that_a_reorganisation_left_unused_keeps_nothing_waiting(
    home: Home,
) -> None:
    """A stranger had it, is forgotten, and what came after would wait for ever."""
    chain = MemoryAnchor(auto_mine=False)
    chain.spend_nonce()
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 1, 9)
        await anchorer.step()
        chain.reorganise(1)
        chain.mine()
        await anchorer.step()
        chain.mine(9)
        await settle(node, chain, 1)
        await require_anchored_once(node, home, chain)
    assert states(home) == ["final"]


# Fees


async def test_a_price_above_the_bid_is_outbid_at_the_same_nonce(home: Home) -> None:
    chain = MemoryAnchor(auto_mine=False)
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 1)
        await anchorer.step()
        chain.price *= 3
        chain.mine()
        await anchorer.step()
        assert states(home) == ["replaced", "sent"]
        assert query(home, "SELECT count(DISTINCT nonce) FROM transactions") == [(1,)]
        chain.mine()
        await settle(node, chain)
        await require_anchored_once(node, home, chain)
    assert states(home) == ["replaced", "final"]


async def test_the_cheaper_candidate_may_be_the_one_that_is_mined(home: Home) -> None:
    """After a reorganisation that remembers it, or at a miner who never saw the other."""
    chain = MemoryAnchor(auto_mine=False)
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 1)
        await anchorer.step()
        cheaper = list(chain._pool)
        chain.price *= 3
        await anchorer.step()
        chain._add_block().transactions = cheaper
        await settle(node, chain)
        await require_anchored_once(node, home, chain)
    assert states(home) == ["final", "replaced"]


async def test_what_the_chain_passes_over_for_long_offers_more(home: Home) -> None:
    chain = MemoryAnchor(auto_mine=False)
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 1)
        await anchorer.step()
        chain.drop()
        for _ in range(REPLACE_AFTER_BLOCKS):
            await anchorer.step()
            assert states(home) == ["sent"]
            chain.drop()
            chain.mine()
        await anchorer.step()
        assert states(home) == ["replaced", "sent"]
        ((first,), (second,)) = query(home, "SELECT max_fee FROM transactions")
        assert second * 8 >= first * 9
        chain.mine()
        await settle(node, chain)
        await require_anchored_once(node, home, chain)


async def test_a_chain_that_stands_still_is_not_offered_more(home: Home) -> None:
    chain = MemoryAnchor(auto_mine=False)
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 1)
        for _ in range(3 * REPLACE_AFTER_BLOCKS):
            await anchorer.step()
    assert states(home) == ["sent"]


async def test_a_price_above_the_limit_is_waited_out_and_said(home: Home) -> None:
    chain = MemoryAnchor(auto_mine=False)
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 1)
        await anchorer.step()
        chain.price = chain.limit + 1
        for _ in range(2):
            with pytest.raises(FeeAboveLimit):
                await anchorer.step()
        state = await anchor_state(node, chain.chain)
        assert state.trouble is not None
        assert state.trouble.code == "anchor-fee-above-limit"
        chain.price = 50
        chain.mine()
        state = await settle(node, chain)
        assert state.trouble is None
        await require_anchored_once(node, home, chain)
    assert states(home) == ["final"]


async def test_a_trouble_is_said_with_the_time_since_when_it_is_so(
    home: Home, clock: HandClock
) -> None:
    chain = MemoryAnchor()
    chain.unreachable = True
    async with opened(home, clock) as node:
        await issue(node, 1)
        await close_batch(node)
        began = node.now()
        for _ in range(2):
            with pytest.raises(AnchorUnreachable):
                await Anchorer(node, chain, 1).step()
            clock.advance(60)
        trouble = (await anchor_state(node, chain.chain)).trouble
        assert trouble is not None
        assert (trouble.code, trouble.since) == ("anchor-unreachable", began)
        assert trouble.seen_at > began


# Confirmed, and final


async def test_confirmed_and_final_are_two_states(home: Home) -> None:
    chain = MemoryAnchor()
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 2, 4)
        seen = []
        for _ in range(6):
            seen.append((await anchorer.step()).transaction)
            chain.mine()
    assert [t.state for t in seen if t is not None] == [
        *("sent", "confirmed", "confirmed"),
        *("final", "final", "final"),
    ]


async def test_finality_that_never_comes_keeps_nothing_waiting(home: Home) -> None:
    chain = MemoryAnchor()
    async with batch_of(home) as node:
        anchorer = Anchorer(node, chain, 2, 0)  # by the chain's word, which never comes
        for _ in range(3):
            await anchorer.step()
            chain.mine()
        state = await anchor_state(node)
        assert (state.anchored, state.settled) == (True, False)
        await issue(node, 5)
        await close_batch(node)
        for _ in range(3):
            await anchorer.step()
            chain.mine()
        assert states(home) == ["confirmed", "confirmed"]
        await require_anchored_once(node, home, chain)
        chain.finalized_depth = 3
        await anchorer.recheck()
        await anchorer.step()
        assert (await anchor_state(node)).unsettled == 0
    assert states(home) == ["final", "final"]


# A chain that was started anew


async def test_a_chain_started_anew_gets_every_anchor_again_in_order(home: Home) -> None:
    async with opened(home) as node:
        chain = MemoryAnchor()
        for count in (1, 2, 3):
            await issue(node, count)
            await anchor(node, chain)
    fresh = MemoryAnchor()
    async with opened(home) as node:
        assert await Anchorer(node, fresh, 1).recheck() == 3
        state = await settle(node, fresh)
        assert state.transaction is not None
        await require_anchored_once(node, home, fresh)
        assert events(fresh) == events(chain)
        assert await Anchorer(node, fresh, 1).recheck() == 0
    assert states(home) == ["final"] * 3


@pytest.mark.parametrize("state", ["stored", "sent"])
async def test_a_chain_started_anew_gets_what_was_on_its_way_too(
    home: Home, state: str
) -> None:
    """Whose nonce the new chain reaches only after those before it."""
    first, second = await DevChain.start(seed := new_seed()), await DevChain.start(seed)
    async with opened(home) as node:
        await issue(node, 1)
        await anchor(node, first.anchor)
        await issue(node, 2)
        await close_batch(node)
        await Anchorer(node, first.anchor, 1).step()
        meddle(home, "UPDATE transactions SET state = ? WHERE state = 'sent'", state)
    async with opened(home) as node:
        anchorer = Anchorer(node, second.anchor, 1)
        assert await anchorer.recheck() == 1
        await settle(node, second.anchor)
    assert states(home) == ["final"] * 2
    await first.close()
    await second.close()


async def test_another_chain_gets_its_own_anchor(home: Home) -> None:
    chain = MemoryAnchor()
    other = await DevChain.start(new_seed())
    async with batch_of(home) as node:
        await settle(node, chain)
        assert await Anchorer(node, other.anchor, 1).recheck() == 0
        await settle(node, other.anchor)
        state = await anchor_state(node, other.anchor.chain)
        assert state.settled
        (uuid,) = query(home, "SELECT uuid FROM credentials LIMIT 1")[0]
        receipt = await build_receipt(node, uuid)
        assert {a.contract for a in receipt.anchors} == {
            chain.contract,
            other.anchor.contract,
        }
    await other.close()


async def test_what_waits_for_a_nonce_goes_before_what_is_new(home: Home) -> None:
    """The transaction of an earlier checkpoint was stored and never sent."""
    chain = MemoryAnchor()
    chain.on_send = lambda: (False, False)
    async with batch_of(home) as node:
        with pytest.raises(AnchorUnreachable):
            await Anchorer(node, chain, 1).step()
        chain.on_send = lambda: (True, True)
        await issue(node, 5)
        await close_batch(node)
        await settle(node, chain)
        await require_anchored_once(node, home, chain)
        receipt_sizes = {
            (await build_receipt(node, uuid)).tlog_proof.checkpoint.splitlines()[1]
            for (uuid,) in query(home, "SELECT uuid FROM credentials")
        }
    assert states(home) == ["final", "final"]
    assert receipt_sizes == {"5", "7"}
